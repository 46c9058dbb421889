// SPDX-License-Identifier: Apache-2.0
#include "farm/transport/socket.h"

#include <array>
#include <cerrno>
#include <zmq.hpp>

namespace lockstep::farm {

using core::Error;
using core::Result;

namespace {

constexpr int kHeartbeatMs = 2'000;          // of the connection itself, below the protocol's own
constexpr int kHeartbeatTimeoutMs = 10'000;  // a connection silent for so long is closed and made again
constexpr int kLingerMs = 1'000;             // for the last messages when a socket closes
constexpr int kReconnectMs = 100;
constexpr int kReconnectMaxMs = 2'000;
constexpr size_t kZapFrames = 7;  // a CURVE request of ZeroMQ's authentication protocol, the key in its last frame

void set_common(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::maxmsgsize, static_cast<int64_t>(kMaxMessageBytes));
  socket.set(zmq::sockopt::sndhwm, kSendHighWater);
  socket.set(zmq::sockopt::rcvhwm, kReceiveHighWater);
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kHeartbeatTimeoutMs);
}

void poll(std::vector<zmq::pollitem_t> items, const std::vector<int>& fds, int timeout_ms) {
  for (int fd : fds) items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  zmq_poll(items.data(), static_cast<int>(items.size()), timeout_ms);
}

}  // namespace

struct CoordinatorSocket::Impl {
  zmq::context_t context{1};
  std::unique_ptr<zmq::socket_t> authority;  // answers which worker keys are welcome
  std::unique_ptr<zmq::socket_t> router;
  std::string endpoint;
  std::string worker_key;  // 32 raw bytes
  uint64_t malformed = 0;
  uint64_t refused_keys = 0;

  void answer_authority() {
    while (authority) {
      std::vector<std::string> frames;
      zmq::message_t frame;
      if (!authority->recv(frame, zmq::recv_flags::dontwait)) return;
      frames.push_back(frame.to_string());
      while (frame.more()) {
        if (!authority->recv(frame)) return;
        frames.push_back(frame.to_string());
      }
      const bool welcome = frames.size() == kZapFrames && frames[5] == "CURVE" && frames[6] == worker_key;
      if (!welcome) ++refused_keys;
      const std::array<std::string, 6> reply = {"1.0",
                                                frames.size() > 1 ? frames[1] : "",
                                                welcome ? "200" : "400",
                                                welcome ? "OK" : "this worker key is not known",
                                                "worker",
                                                ""};
      for (size_t i = 0; i < reply.size(); ++i) {
        authority->send(zmq::buffer(reply[i]), i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
      }
    }
  }
};

CoordinatorSocket::CoordinatorSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CoordinatorSocket::~CoordinatorSocket() = default;

Result<std::unique_ptr<CoordinatorSocket>> CoordinatorSocket::bind(const std::string& endpoint,
                                                                   const std::optional<CurveKeys>& keys) {
  core::Status allowed = check_endpoint(endpoint, keys.has_value());
  if (!allowed.ok()) return allowed.error();
  if (keys && keys->coordinator_secret.empty()) return Error{"the keys folder has no coordinator.secret"};
  auto impl = std::make_unique<Impl>();
  try {
    if (keys) {
      std::array<uint8_t, 32> raw{};
      zmq_z85_decode(raw.data(), keys->worker_public.c_str());
      impl->worker_key.assign(raw.begin(), raw.end());
      impl->authority = std::make_unique<zmq::socket_t>(impl->context, zmq::socket_type::rep);
      impl->authority->set(zmq::sockopt::linger, 0);
      impl->authority->bind("inproc://zeromq.zap.01");
    }
    impl->router = std::make_unique<zmq::socket_t>(impl->context, zmq::socket_type::router);
    set_common(*impl->router);
    // Without this a message to a peer that is gone vanishes without a word.
    impl->router->set(zmq::sockopt::router_mandatory, true);
    if (keys) {
      impl->router->set(zmq::sockopt::zap_domain, "lockstep");
      impl->router->set(zmq::sockopt::curve_server, true);
      impl->router->set(zmq::sockopt::curve_secretkey, keys->coordinator_secret);
    }
    impl->router->bind(endpoint);
    impl->endpoint = impl->router->get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& e) {
    if (e.num() == EADDRINUSE) {
      return Error{endpoint +
                   " is in use by another program; end that program, or choose another endpoint with --listen " +
                   "(tcp://127.0.0.1:* takes a free port)"};
    }
    return Error{endpoint + ": cannot listen there: " + e.what()};
  }
  return Result<std::unique_ptr<CoordinatorSocket>>(
      std::unique_ptr<CoordinatorSocket>(new CoordinatorSocket(std::move(impl))));
}

const std::string& CoordinatorSocket::endpoint() const { return impl_->endpoint; }
uint64_t CoordinatorSocket::malformed_count() const { return impl_->malformed; }
uint64_t CoordinatorSocket::refused_key_count() const { return impl_->refused_keys; }

void CoordinatorSocket::wait(int timeout_ms, const std::vector<int>& fds) {
  std::vector<zmq::pollitem_t> items{{impl_->router->handle(), 0, ZMQ_POLLIN, 0}};
  if (impl_->authority) items.push_back({impl_->authority->handle(), 0, ZMQ_POLLIN, 0});
  poll(std::move(items), fds, timeout_ms);
  try {
    impl_->answer_authority();
  } catch (const zmq::error_t&) {
    // The connection that asked is gone; the next one asks again.
  }
}

std::optional<std::pair<PeerId, std::string>> CoordinatorSocket::receive() {
  try {
    while (true) {
      zmq::message_t peer;
      if (!impl_->router->recv(peer, zmq::recv_flags::dontwait)) return std::nullopt;
      zmq::message_t body;
      size_t frames = 0;
      bool more = peer.more();
      while (more) {
        if (!impl_->router->recv(body)) return std::nullopt;
        ++frames;
        more = body.more();
      }
      if (frames == 1) return std::make_pair(peer.to_string(), body.to_string());
      ++impl_->malformed;
    }
  } catch (const zmq::error_t&) {
    return std::nullopt;
  }
}

bool CoordinatorSocket::send(const PeerId& peer, const std::string& bytes) {
  try {
    if (!impl_->router->send(zmq::buffer(peer), zmq::send_flags::sndmore | zmq::send_flags::dontwait)) return false;
    return impl_->router->send(zmq::buffer(bytes), zmq::send_flags::dontwait).has_value();
  } catch (const zmq::error_t&) {
    return false;
  }
}

struct WorkerSocket::Impl {
  zmq::context_t context{1};
  std::unique_ptr<zmq::socket_t> dealer;
};

WorkerSocket::WorkerSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WorkerSocket::~WorkerSocket() = default;

Result<std::unique_ptr<WorkerSocket>> WorkerSocket::connect(const std::string& endpoint,
                                                            const std::optional<CurveKeys>& keys) {
  core::Status allowed = check_endpoint(endpoint, keys.has_value());
  if (!allowed.ok()) return allowed.error();
  auto impl = std::make_unique<Impl>();
  try {
    impl->dealer = std::make_unique<zmq::socket_t>(impl->context, zmq::socket_type::dealer);
    set_common(*impl->dealer);
    // Nothing is queued for a coordinator that is not there: what it missed is said again when it comes back.
    impl->dealer->set(zmq::sockopt::immediate, true);
    impl->dealer->set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    impl->dealer->set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
    if (keys) {
      impl->dealer->set(zmq::sockopt::curve_serverkey, keys->coordinator_public);
      impl->dealer->set(zmq::sockopt::curve_publickey, keys->worker_public);
      impl->dealer->set(zmq::sockopt::curve_secretkey, keys->worker_secret);
    }
    impl->dealer->connect(endpoint);
  } catch (const zmq::error_t& e) {
    return Error{endpoint + ": cannot connect: " + e.what()};
  }
  return Result<std::unique_ptr<WorkerSocket>>(std::unique_ptr<WorkerSocket>(new WorkerSocket(std::move(impl))));
}

void WorkerSocket::wait(int timeout_ms, const std::vector<int>& fds) {
  poll({{impl_->dealer->handle(), 0, ZMQ_POLLIN, 0}}, fds, timeout_ms);
}

std::optional<std::string> WorkerSocket::receive() {
  try {
    zmq::message_t body;
    if (!impl_->dealer->recv(body, zmq::recv_flags::dontwait)) return std::nullopt;
    while (body.more()) {
      if (!impl_->dealer->recv(body)) return std::nullopt;
    }
    return body.to_string();
  } catch (const zmq::error_t&) {
    return std::nullopt;
  }
}

bool WorkerSocket::send(const std::string& bytes) {
  try {
    return impl_->dealer->send(zmq::buffer(bytes), zmq::send_flags::dontwait).has_value();
  } catch (const zmq::error_t&) {
    return false;
  }
}

}  // namespace lockstep::farm
