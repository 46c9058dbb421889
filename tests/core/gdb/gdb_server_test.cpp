// SPDX-License-Identifier: Apache-2.0
// The stub on a socket, with a client of our own and with Debian's gdb-multiarch.
#include "core/gdb/gdb_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include "tests/core/gdb/fake_target.h"

namespace lockstep::core::gdb {
namespace {

using testing::HasSubstr;

// No single answer takes anywhere near this long; it only keeps a broken test from hanging.
constexpr int kPatienceMs = 60000;

TEST(ListenAddress, is_loopback_only) {
  EXPECT_EQ(parse_listen_address(":1234")->port, 1234);
  EXPECT_EQ(parse_listen_address(":1234")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen_address("1234")->port, 1234);
  EXPECT_EQ(parse_listen_address("localhost:0")->port, 0);
  EXPECT_EQ(parse_listen_address("127.0.0.2:5")->host, "127.0.0.2");
  for (const char* bad : {"", ":", ":x", ":65536", ":-1", "127.0.0.1:", ":12 "}) {
    const auto result = parse_listen_address(bad);
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_THAT(result.message(), HasSubstr("[HOST]:PORT")) << bad;
  }
  for (const char* foreign : {"0.0.0.0:1234", "192.168.1.1:1234", "example.org:1234", "[::1]:1234"}) {
    const auto result = parse_listen_address(foreign);
    ASSERT_FALSE(result.ok()) << foreign;
    EXPECT_THAT(result.message(), HasSubstr("loopback only")) << foreign;
  }
}

TEST(Server, says_that_the_port_is_busy) {
  FakeTarget target;
  auto first = Server::listen({}, target);
  ASSERT_TRUE(first.ok()) << first.message();
  const uint16_t port = (*first)->port();
  ASSERT_NE(port, 0);
  auto second = Server::listen({.port = port}, target);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.message(), HasSubstr(":" + std::to_string(port)));
  EXPECT_THAT(second.message(), HasSubstr("choose another"));
}

class Client {
 public:
  explicit Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(const std::string& bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void send_packet(const std::string& payload) { send(frame_packet(payload)); }
  std::string receive_packet() {
    while (true) {
      while (used_ < received_.size()) {
        if (parser_.feed(static_cast<uint8_t>(received_[used_++])) == PacketEvent::kPacket) return parser_.payload();
      }
      pollfd entry{fd_, POLLIN, 0};
      std::array<char, 65536> buffer;
      const ssize_t count = ::poll(&entry, 1, kPatienceMs) > 0 ? ::recv(fd_, buffer.data(), buffer.size(), 0) : 0;
      if (count <= 0) return "<closed>";
      received_.assign(buffer.data(), static_cast<size_t>(count));
      used_ = 0;
    }
  }

 private:
  int fd_;
  std::string received_;
  size_t used_ = 0;
  PacketParser parser_;
};

// Drives a machine as a run loop would until the client detaches or kills, in its own thread.
class Machine {
 public:
  Machine() {
    auto server = Server::listen({}, target_);
    EXPECT_TRUE(server.ok()) << server.message();
    server_ = std::move(server).value();
    thread_ = std::thread([this] { run(); });
  }
  ~Machine() { join(); }

  uint16_t port() const { return server_->port(); }
  FakeTarget& target() { return target_; }  // after join()
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::optional<Request::Kind> end() const { return end_; }
  void power_off() { is_power_off_ = true; }

 private:
  void run() {
    while (std::optional<Request> request = server_->wait(kPatienceMs)) {
      if (request->kind != Request::Kind::kResume) {
        end_ = request->kind;
        return;
      }
      Stop stop;
      while (!target_.run_turn(*request, &stop)) {
        if (is_power_off_) {
          stop = {.kind = StopKind::kExited, .exit_code = 7};
          break;
        }
        if (server_->poll()) {
          stop.kind = StopKind::kInterrupt;
          break;
        }
      }
      server_->report_stop(stop);
    }
  }

  FakeTarget target_{2};
  std::unique_ptr<Server> server_;
  std::atomic<bool> is_power_off_ = false;
  std::optional<Request::Kind> end_;
  std::thread thread_;
};

TEST(Server, interrupts_a_running_machine) {
  Machine machine;
  Client client(machine.port());
  client.send_packet("vCont;c");
  client.send("\x03");
  EXPECT_THAT(client.receive_packet(), testing::StartsWith("T02"));
  client.send_packet("D");
  EXPECT_EQ(client.receive_packet(), "OK");
  machine.join();
  EXPECT_EQ(machine.end(), Request::Kind::kDetach);
}

TEST(Server, answers_pieces_and_bursts) {
  Machine machine;
  Client client(machine.port());
  for (const char byte : frame_packet("qC")) client.send(std::string(1, byte));
  EXPECT_EQ(client.receive_packet(), "QC1");
  std::string burst;
  for (int i = 0; i < 200; ++i) burst += frame_packet("m80000000,2000");
  client.send(burst);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(client.receive_packet().size(), 0x4000u);
  client.send_packet("k");
  machine.join();
  EXPECT_EQ(machine.end(), Request::Kind::kKill);
}

TEST(Server, a_client_that_vanishes_leaves_the_machine_running) {
  Machine machine;
  Client client(machine.port());
  client.send_packet("Z0,80000008,4");
  EXPECT_EQ(client.receive_packet(), "OK");
  client.close();
  machine.join();
  EXPECT_EQ(machine.end(), Request::Kind::kDetach);
  EXPECT_TRUE(machine.target().breakpoints().empty());
}

TEST(Server, tells_the_client_that_the_machine_is_gone) {
  Machine machine;
  Client client(machine.port());
  client.send_packet("c");
  machine.power_off();
  EXPECT_EQ(client.receive_packet(), "W07");
  client.send_packet("k");
  machine.join();
}

TEST(Server, a_second_client_takes_over_a_running_machine) {
  FakeTarget target;
  auto server = Server::listen({}, target);
  ASSERT_TRUE(server.ok()) << server.message();
  Client first((*server)->port());
  first.send_packet("D");
  ASSERT_EQ((*server)->wait(kPatienceMs)->kind, Request::Kind::kDetach);
  EXPECT_EQ(first.receive_packet(), "OK");
  first.close();
  EXPECT_FALSE((*server)->poll());
  Client second((*server)->port());
  second.send_packet("?");
  while (!(*server)->poll()) {
  }
  (*server)->report_stop({.kind = StopKind::kInterrupt});
  second.send_packet("c");
  EXPECT_EQ((*server)->wait(kPatienceMs)->kind, Request::Kind::kResume);
  EXPECT_THAT(second.receive_packet(), testing::StartsWith("T02"));
}

TEST(Server, wait_gives_up_in_time) {
  FakeTarget target;
  auto server = Server::listen({}, target);
  ASSERT_TRUE(server.ok()) << server.message();
  EXPECT_FALSE((*server)->wait(1));
  EXPECT_FALSE((*server)->has_client());
}

std::string run_gdb(const std::string& gdb, uint16_t port, const std::vector<std::string>& commands) {
  std::string line = gdb + " -batch -nx -ex 'set confirm off' -ex 'set width 0' -ex 'set architecture riscv:rv64' ";
  line += "-ex 'set remotetimeout 60' -ex 'target remote 127.0.0.1:" + std::to_string(port) + "' ";
  for (const std::string& command : commands) line += "-ex '" + command + "' ";
  line += "2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  if (pipe == nullptr) return {};
  std::string output;
  std::array<char, 4096> buffer;
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), count);
  EXPECT_EQ(::pclose(pipe), 0) << output;
  return output;
}

TEST(Gdb, debugs_a_riscv64_machine) {
  constexpr const char* kGdb = "/usr/bin/gdb-multiarch";
  if (::access(kGdb, X_OK) != 0) GTEST_SKIP() << kGdb << " is not installed (Debian package gdb-multiarch)";
  Machine machine;
  const std::string output = run_gdb(kGdb, machine.port(),
                                     {"echo [1]",
                                      "p/x $pc",
                                      "p/x $sp",
                                      "p $priv",
                                      "p/x $mstatus",
                                      "p $satp",
                                      "p $ft0",
                                      "p $fcsr",
                                      "echo [2]",
                                      "break *0x80000008",
                                      "continue",
                                      "p/x $pc",
                                      "p $a0",
                                      "echo [3]",
                                      "stepi",
                                      "p/x $pc",
                                      "x/gx 0x80001000",
                                      "echo [4]",
                                      "delete",
                                      "watch *(long*)0x80001000",
                                      "continue",
                                      "p/x $pc",
                                      "echo [5]",
                                      "delete",
                                      "set var *(long*)0x80000100 = 0x11223344",
                                      "x/gx 0x80000100",
                                      "set var $a1 = 0x77",
                                      "p/x $a1",
                                      "echo [6]",
                                      "info threads",
                                      "thread 2",
                                      "p/x $pc",
                                      "x/4i 0x80000000",
                                      "set var $ft1 = 1.5",
                                      "p $ft1.double",
                                      "echo [7]",
                                      "monitor help",
                                      "monitor hello",
                                      "monitor what",
                                      "hbreak *0x80000004",
                                      "continue",
                                      "p/x $pc",
                                      "echo [8]",
                                      "x/x 0x10",
                                      "detach"});
  machine.join();
  SCOPED_TRACE(output);
  const auto section = [&](int number) {
    const size_t begin = output.find("[" + std::to_string(number) + "]");
    const size_t end = output.find("[" + std::to_string(number + 1) + "]");
    return begin == std::string::npos ? "" : output.substr(begin, end == std::string::npos ? end : end - begin);
  };
  EXPECT_THAT(section(1), HasSubstr("$1 = 0x80000000"));
  EXPECT_THAT(section(1), HasSubstr("$2 = 0x80001000"));
  EXPECT_THAT(section(1), HasSubstr("$3 = 3"));
  EXPECT_THAT(section(1), HasSubstr("= 0xa00000000"));
  EXPECT_THAT(section(1), HasSubstr("<unavailable>"));
  EXPECT_THAT(section(2), HasSubstr("= 0x80000008"));
  EXPECT_THAT(section(2), HasSubstr("= 6"));
  EXPECT_THAT(section(3), HasSubstr("= 0x8000000c"));
  EXPECT_THAT(section(3), HasSubstr("0x0000000000000006"));
  EXPECT_THAT(section(4), HasSubstr("Old value = 6"));
  EXPECT_THAT(section(4), HasSubstr("New value = 7"));
  EXPECT_THAT(section(5), HasSubstr("0x0000000011223344"));
  EXPECT_THAT(section(5), HasSubstr("= 0x77"));
  EXPECT_THAT(section(6), HasSubstr("hart 1"));
  EXPECT_THAT(section(6), HasSubstr("sd\ta0,0(sp)"));
  EXPECT_THAT(section(6), HasSubstr("= 1.5"));
  EXPECT_THAT(section(7), HasSubstr("monitor hello   a greeting"));
  EXPECT_THAT(section(7), HasSubstr("hello from the machine"));
  EXPECT_THAT(section(7), HasSubstr("Unknown monitor command"));
  EXPECT_THAT(section(7), HasSubstr("= 0x80000004"));
  EXPECT_THAT(section(8), HasSubstr("Cannot access memory at address 0x10"));
  EXPECT_EQ(machine.end(), Request::Kind::kDetach);
  EXPECT_EQ(machine.target().hart(1).f[1], 0x3ff8000000000000u);
  EXPECT_TRUE(machine.target().breakpoints().empty());
}

}  // namespace
}  // namespace lockstep::core::gdb
