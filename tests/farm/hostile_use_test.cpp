// SPDX-License-Identifier: Apache-2.0
// What goes wrong before, around and after a run: each has a clear message, the right exit code, and harms no other
// run.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "farm/transport/socket.h"
#include "tests/farm/farm_fixture.h"

namespace lockstep::farm {
namespace {

class FarmHostileUse : public FarmEndToEnd {
 protected:
  void expect_refused(const std::vector<std::string>& arguments, const std::vector<std::string>& words) {
    EXPECT_EQ(run(arguments, "out"), 2) << text("out.err");
    for (const std::string& word : words) EXPECT_NE(text("out.err").find(word), std::string::npos) << text("out.err");
  }
  // A TCP socket on loopback, bound to a free port or connected to `port`.
  int loopback(uint16_t& port, bool listening) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (listening) {
      EXPECT_EQ(bind(fd, generic, size), 0);
      EXPECT_EQ(listen(fd, 1), 0);
      EXPECT_EQ(getsockname(fd, generic, &size), 0);
      port = ntohs(address.sin_port);
    } else {
      EXPECT_EQ(connect(fd, generic, size), 0);
    }
    return fd;
  }
};

TEST_F(FarmHostileUse, UnknownKeyIsNamedWithFileLineAndNearestKey) {
  contract({{"good", ""}}, "    greade: exact\n");
  expect_refused({"farm", "run"}, {"features.yaml:", "greade", "did you mean \"grade\""});
  EXPECT_FALSE(fs::exists(folder_ / "matrix/.lockstep"));
}

TEST_F(FarmHostileUse, CycleOfRequirementsIsRefused) {
  std::ofstream(folder_ / "matrix/features.yaml") << R"(version: 1
project: test
features:
  - {name: a, kind: umbrella, contains: [b], description: x}
  - {name: b, kind: umbrella, contains: [a], description: x}
)";
  expect_refused({"farm", "run"}, {"features.yaml:", "cycle"});
}

TEST_F(FarmHostileUse, OptionsBeforeTheContractDoNotSwallowIt) {
  contract({{"good", ""}});
  EXPECT_EQ(run({"farm", "run", "--workers", "1", "--workload", "good", "--with", "fusion=on", "matrix/features.yaml"},
                "out"),
            0)
      << text("out.err");
}

TEST_F(FarmHostileUse, BusyPortIsNamedAndLeavesTheRunBeforeIt) {
  contract({{"good", ""}});
  ASSERT_EQ(run({"farm", "run", "--workers", "1"}, "out"), 0) << text("out.err");
  uint16_t port = 0;
  const int fd = loopback(port, true);
  const std::string endpoint = "tcp://127.0.0.1:" + std::to_string(port);
  expect_refused({"farm", "coordinator", "--listen", endpoint}, {endpoint, "in use", "--listen"});
  close(fd);
  EXPECT_EQ(run({"farm", "report", "--json"}, "out"), 0) << text("out.err");
  EXPECT_EQ(object("out")["run"], "0001");
}

TEST_F(FarmHostileUse, OutputThatCannotBeWrittenIsRefusedBeforeTheRun) {
  contract({{"good", ""}});
  expect_refused({"farm", "run", "--html", "nowhere/r.html"}, {"nowhere/r.html"});
  expect_refused({"farm", "run", "--junit", "matrix"}, {"it is a folder"});
  EXPECT_FALSE(fs::exists(folder_ / "matrix/.lockstep"));
}

TEST_F(FarmHostileUse, DamagedStateIsRefusedWithTheWayOut) {
  contract({{"good", ""}});
  ASSERT_EQ(run({"farm", "run", "--workers", "1"}, "out"), 0) << text("out.err");
  const fs::path state = folder_ / "matrix/.lockstep", folder = state / "runs/0001";
  const std::string settings = text("matrix/.lockstep/runs/0001/run.json");
  for (const char* damaged : {"{", "[]", R"({"workers": -5})", R"({"workers": 5000000000})", R"({"matrix": 7})"}) {
    std::ofstream(folder / "run.json") << damaged;
    expect_refused({"farm", "resume"}, {"run.json", "lockstep farm run"});
  }
  std::ofstream(folder / "run.json") << settings;
  std::ofstream(state / "latest") << "../../x";
  expect_refused({"farm", "report"}, {"latest", "--run"});
  expect_refused({"farm", "report", "--run", "../0001"}, {"number"});
  expect_refused({"farm", "report", "--run", "99999999999999999999"}, {"number"});
  EXPECT_EQ(run({"farm", "report", "--run", "1"}, "out"), 0) << text("out.err");
  fs::remove(folder / "farm.db-wal");
  std::ofstream(folder / "farm.db") << "this is no database, and has never been one";
  expect_refused({"farm", "report", "--run", "1"}, {"farm.db", "damaged"});
  expect_refused({"farm", "resume", "--run", "1"}, {"farm.db", "damaged"});
  fs::remove(folder / "farm.db");
  expect_refused({"farm", "resume", "--run", "1"}, {"there is no run 0001"});
  expect_refused({"farm", "run", "--state", "matrix/features.yaml"}, {"matrix/features.yaml/runs"});
}

TEST_F(FarmHostileUse, TwoRunsAtOnceKeepApart) {
  contract({{"good", "sleep=100"}});
  const pid_t one = start({"farm", "run", "--strategy", "pairwise", "--workers", "1", "--json"}, "one");
  const pid_t two = start({"farm", "run", "--strategy", "pairwise", "--workers", "1", "--json"}, "two");
  EXPECT_EQ(finish(one), 0) << text("one.err");
  EXPECT_EQ(finish(two), 0) << text("two.err");
  EXPECT_NE(object("one")["run"], object("two")["run"]);
  expect_each_cell_once(object("one"), object("one")["cells"].size());
  expect_each_cell_once(object("two"), object("one")["cells"].size());
}

TEST_F(FarmHostileUse, AnOpenRunIsNotResumedTwice) {
  contract({{"good", "hang"}});
  const pid_t first = start({"farm", "run", "--workers", "1"}, "first");
  ASSERT_TRUE(wait_for([&] { return fs::exists(folder_ / "matrix/.lockstep/latest"); })) << text("first.err");
  expect_refused({"farm", "resume"}, {"0001"});
  kill(first, SIGINT);
  EXPECT_EQ(finish(first), 130);
}

TEST_F(FarmHostileUse, GarbageOnTheCoordinatorsPortIsLoggedAndTheRunGoesOn) {
  contract({{"good", ""}});
  uint16_t port = 0;
  close(loopback(port, true));
  const std::string endpoint = "tcp://127.0.0.1:" + std::to_string(port);
  const pid_t coordinator = start({"farm", "coordinator", "--listen", endpoint, "--json"}, "out");
  ASSERT_TRUE(wait_for([&] { return text("out.err").find("waiting for workers") != std::string::npos; }))
      << text("out.err");
  const auto send_bytes = [&](const std::string& bytes, bool greeted) {
    const int fd = loopback(port, false);
    if (greeted) {
      // ZMTP 3.0: a NULL greeting and READY of a DEALER, then whatever the bytes say.
      std::string hello = std::string("\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL", 16);
      hello.resize(64, '\0');
      const std::string ready = std::string("\x05READY\x0bSocket-Type\0\0\0\6DEALER", 28);
      hello += std::string("\x04") + static_cast<char>(ready.size()) + ready;
      EXPECT_GT(send(fd, hello.data(), hello.size(), MSG_NOSIGNAL), 0);
      char answer[64];
      EXPECT_GT(recv(fd, answer, sizeof answer, 0), 0);
    }
    // The connection stays open: ZeroMQ may drop what came directly before its end.
    (void)send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    char rest[256];
    while (recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0) {
    }
    return fd;
  };
  std::vector<int> fds;
  fds.push_back(send_bytes("GET / HTTP/1.1\r\n\r\n", false));
  fds.push_back(send_bytes(std::string(100'000, '\xff'), false));
  fds.push_back(send_bytes(std::string("\0\5hello", 7), true));   // not a message of ours
  fds.push_back(send_bytes(std::string("\1\1a\0\1b", 6), true));  // two frames
  fds.push_back(send_bytes(std::string("\2\0\0\0\0\x7f\0\0\0", 9) + std::string(5'000, 'x'), true));  // too large
  // A peer that speaks ZeroMQ well and our protocol not at all.
  auto stranger = WorkerSocket::connect(endpoint, {});
  ASSERT_TRUE(stranger.ok()) << stranger.message();
  EXPECT_TRUE(wait_for([&] { return (*stranger)->send("hello"); }));
  EXPECT_TRUE(wait_for([&, repeats = 0]() mutable {
    // ZeroMQ may hold what came together with a handshake until more arrives.
    constexpr int kMaxRepeats = 8;
    if (++repeats <= kMaxRepeats) (void)send(fds[3], "\1\1a\0\1b", 6, MSG_NOSIGNAL);
    const std::string log = text("out.err");
    return log.find("dropped a message: ") != std::string::npos && log.find("not one frame") != std::string::npos;
  })) << text("out.err");
  for (const int fd : fds) close(fd);
  EXPECT_EQ(run({"farm", "worker", "--connect", endpoint, "--name", "w", "--folder", (folder_ / "wf").string()}, "w"),
            0)
      << text("w.err");
  EXPECT_EQ(finish(coordinator), 0) << text("out.err");
  expect_each_cell_once(object("out"), 1);
}

TEST_F(FarmHostileUse, HelpOfEachSubcommandHasAnExample) {
  for (const char* name : {"run", "coordinator", "worker", "resume", "report", "keys"}) {
    EXPECT_EQ(run({"farm", name, "--help"}, "out"), 0);
    EXPECT_NE(text("out").find("Example"), std::string::npos) << name;
    EXPECT_NE(text("out").find(std::string("lockstep farm ") + name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace lockstep::farm
