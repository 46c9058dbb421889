// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/gdb_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

namespace lockstep::core::gdb {
namespace {

constexpr size_t kReadBytes = 4096;
// Answers that the client has not fetched yet. Above this its next packets stay in the socket.
constexpr size_t kUnsentBytesMax = 1 << 20;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress address;
  const size_t colon = text.rfind(':');
  const std::string_view host = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return Error{
        fmt::format("'{}' is no address for the gdb stub. Give [HOST]:PORT with a port up to 65535, such as "
                    ":1234.",
                    text)};
  }
  if (!host.empty() && host != "localhost") address.host = host;
  in_addr parsed{};
  if (inet_pton(AF_INET, address.host.c_str(), &parsed) != 1 || (ntohl(parsed.s_addr) >> 24) != 127) {
    return Error{
        fmt::format("The gdb stub listens on loopback only, not on '{}'. Use :{} and reach it from elsewhere "
                    "through a tunnel: ssh -L {}:127.0.0.1:{} THIS-HOST.",
                    host, address.port, address.port, address.port)};
  }
  return address;
}

class Server::Impl {
 public:
  Impl(FileDescriptor listener, uint16_t port, Target& target)
      : listener_(std::move(listener)), port_(port), session_(target) {}

  uint16_t port() const { return port_; }
  bool has_client() const { return client_.is_open(); }

  std::optional<Request> wait(int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (true) {
      if (!client_.is_open()) accept_client(session_.is_running());
      flush();
      if (std::optional<Request> request = session_.take_request()) return request;

      int left_ms = -1;
      if (timeout_ms >= 0) {
        const auto left = deadline - std::chrono::steady_clock::now();
        left_ms = std::max(0, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()));
      }
      pollfd entry{client_.is_open() ? client_.get() : listener_.get(), POLLIN, 0};
      if (!unsent_.empty()) entry.events = unsent_.size() < kUnsentBytesMax ? POLLIN | POLLOUT : POLLOUT;
      if (::poll(&entry, 1, left_ms) <= 0) return std::nullopt;
      if (client_.is_open() && (entry.revents & ~POLLOUT) != 0) read_client();
    }
  }

  bool poll() {
    if (!client_.is_open()) accept_client(true);
    if (client_.is_open()) read_client();
    flush();
    return session_.stop_requested();
  }

  void report_stop(const Stop& stop) {
    session_.report_stop(stop);
    flush();
  }

 private:
  void accept_client(bool machine_is_running) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    client_.reset(fd);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    unsent_.clear();
    session_.begin(machine_is_running);
  }

  void drop_client() {
    client_.reset();
    unsent_.clear();
    session_.end();
  }

  void read_client() {
    std::array<uint8_t, kReadBytes> buffer;
    while (client_.is_open() && unsent_.size() < kUnsentBytesMax) {
      const ssize_t count = ::recv(client_.get(), buffer.data(), buffer.size(), 0);
      if (count < 0 && would_block(errno)) return;
      if (count <= 0) {
        drop_client();
        return;
      }
      session_.receive(std::span(buffer).first(static_cast<size_t>(count)));
      flush();
    }
  }

  void flush() {
    unsent_ += session_.take_output();
    while (client_.is_open() && !unsent_.empty()) {
      const ssize_t count = ::send(client_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
      if (count < 0) {
        if (!would_block(errno)) drop_client();
        return;
      }
      unsent_.erase(0, static_cast<size_t>(count));
    }
  }

  FileDescriptor listener_;
  uint16_t port_;
  FileDescriptor client_;
  std::string unsent_;
  Session session_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::listen(const ListenAddress& address, Target& target) {
  const auto fail = [&](const char* what) {
    const int error = errno;
    std::string message =
        fmt::format("The gdb stub cannot {} {}:{}: {}.", what, address.host, address.port, std::strerror(error));
    if (error == EADDRINUSE) message += " Another program has this port; choose another, or :0 for any free one.";
    return Error{std::move(message)};
  };
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.is_open()) return fail("open a socket for");
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  if (inet_pton(AF_INET, address.host.c_str(), &name.sin_addr) != 1) {
    return Error{fmt::format("'{}' is no IPv4 address for the gdb stub.", address.host)};
  }
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return fail("bind to");
  if (::listen(listener.get(), 1) != 0) return fail("listen on");
  socklen_t size_bytes = sizeof name;
  if (::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size_bytes) != 0) return fail("ask for");
  auto impl = std::make_unique<Impl>(std::move(listener), ntohs(name.sin_port), target);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

uint16_t Server::port() const { return impl_->port(); }
bool Server::has_client() const { return impl_->has_client(); }
std::optional<Request> Server::wait(int timeout_ms) { return impl_->wait(timeout_ms); }
bool Server::poll() { return impl_->poll(); }
void Server::report_stop(const Stop& stop) { impl_->report_stop(stop); }

}  // namespace lockstep::core::gdb
