// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "farm/coordinator/service.h"
#include "farm/protocol/codec.h"
#include "farm/transport/socket.h"

namespace lockstep::farm {
namespace {

namespace fs = std::filesystem;
constexpr int kManyRounds = 500;  // of 20 ms each: far more than a loopback connection takes

class TransportTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("lockstep-transport-" + std::to_string(getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  // Says `bytes` again until the coordinator's end has them.
  static std::optional<std::pair<PeerId, std::string>> deliver(CoordinatorSocket& to, WorkerSocket& from,
                                                               const std::string& bytes, int rounds = kManyRounds) {
    for (int i = 0; i < rounds; ++i) {
      from.send(bytes);
      to.wait(20, {});
      if (auto got = to.receive()) return got;
    }
    return std::nullopt;
  }
  fs::path folder_;
};

TEST_F(TransportTest, MessagesGoBothWays) {
  for (const std::string& endpoint : {std::string("tcp://127.0.0.1:*"), "ipc://" + (folder_ / "s").string()}) {
    auto coordinator = CoordinatorSocket::bind(endpoint, std::nullopt);
    ASSERT_TRUE(coordinator.ok()) << coordinator.message();
    auto worker = WorkerSocket::connect((*coordinator)->endpoint(), std::nullopt);
    ASSERT_TRUE(worker.ok()) << worker.message();
    auto got = deliver(**coordinator, **worker, "hello");
    ASSERT_TRUE(got);
    EXPECT_EQ(got->second, "hello");
    ASSERT_TRUE((*coordinator)->send(got->first, "welcome"));
    std::optional<std::string> answer;
    for (int i = 0; i < kManyRounds && !answer; ++i) {
      (*worker)->wait(20, {});
      answer = (*worker)->receive();
    }
    EXPECT_EQ(answer, "welcome");
    EXPECT_FALSE((*coordinator)->send("nobody", "x"));
  }
}

TEST_F(TransportTest, BusyPortIsNamedWithTheWayOut) {
  auto first = CoordinatorSocket::bind("tcp://127.0.0.1:*", std::nullopt);
  ASSERT_TRUE(first.ok());
  auto second = CoordinatorSocket::bind((*first)->endpoint(), std::nullopt);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.message().find("in use"), std::string::npos);
  EXPECT_NE(second.message().find("--listen"), std::string::npos);
}

TEST_F(TransportTest, OnlyLoopbackIsAllowedWithoutKeys) {
  for (const char* good :
       {"tcp://127.0.0.1:80", "tcp://127.1.2.3:*", "tcp://localhost:1", "tcp://[::1]:1", "ipc:///tmp/x"}) {
    EXPECT_TRUE(check_endpoint(good, false).ok()) << good;
  }
  for (const char* bad : {"tcp://0.0.0.0:80", "tcp://*:80", "tcp://192.168.0.1:1", "tcp://example.org:1",
                          "tcp://127.0.0.1.example.org:1"}) {
    EXPECT_FALSE(check_endpoint(bad, false).ok()) << bad;
    EXPECT_TRUE(check_endpoint(bad, true).ok()) << bad;
  }
  for (const char* nonsense :
       {"", "udp://127.0.0.1:1", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:x", "ipc://"}) {
    EXPECT_FALSE(check_endpoint(nonsense, true).ok()) << nonsense;
  }
  EXPECT_FALSE(check_endpoint("ipc:///" + std::string(200, 'x'), false).ok());
}

TEST_F(TransportTest, KeysLetTheirOwnersInAndNobodyElse) {
  const std::string mine = (folder_ / "mine").string(), theirs = (folder_ / "theirs").string();
  ASSERT_TRUE(make_keys(mine).ok());
  ASSERT_TRUE(make_keys(theirs).ok());
  EXPECT_FALSE(make_keys(mine).ok()) << "keys are never overwritten";
  auto keys = read_keys(mine);
  auto foreign = read_keys(theirs);
  ASSERT_TRUE(keys.ok() && foreign.ok());
  auto coordinator = CoordinatorSocket::bind("tcp://127.0.0.1:*", *keys);
  ASSERT_TRUE(coordinator.ok()) << coordinator.message();
  auto owner = WorkerSocket::connect((*coordinator)->endpoint(), *keys);
  ASSERT_TRUE(owner.ok());
  EXPECT_TRUE(deliver(**coordinator, **owner, "hello"));
  CurveKeys stranger_keys = *foreign;
  stranger_keys.coordinator_public = keys->coordinator_public;
  auto stranger = WorkerSocket::connect((*coordinator)->endpoint(), stranger_keys);
  ASSERT_TRUE(stranger.ok());
  auto plain = WorkerSocket::connect((*coordinator)->endpoint(), std::nullopt);
  ASSERT_TRUE(plain.ok());
  for (int i = 0; i < kManyRounds && (*coordinator)->refused_key_count() == 0; ++i) {
    EXPECT_FALSE(deliver(**coordinator, **stranger, "let me in", 1));
    EXPECT_FALSE(deliver(**coordinator, **plain, "let me in", 1));
  }
  EXPECT_GT((*coordinator)->refused_key_count(), 0u);
}

TEST_F(TransportTest, GarbageIsCountedLoggedAndDropped) {
  std::vector<std::string> log;
  CoordinatorService::Options options;
  options.run_folder = (folder_ / "run").string();
  options.endpoint = "tcp://127.0.0.1:*";
  options.log = [&log](const std::string& line) { log.push_back(line); };
  auto service = CoordinatorService::open(options, true);
  ASSERT_TRUE(service.ok()) << service.message();
  auto worker = WorkerSocket::connect((*service)->endpoint(), std::nullopt);
  ASSERT_TRUE(worker.ok());
  for (int i = 0; i < kManyRounds && (*service)->garbage_count() < 50; ++i) {
    (*worker)->send("garbage " + std::to_string(i));
    ASSERT_TRUE((*service)->step(20, {}).ok());
  }
  EXPECT_GE((*service)->garbage_count(), 50u);
  ASSERT_FALSE(log.empty());
  EXPECT_LE(log.size(), 20u) << "the log of garbage is bounded";
  EXPECT_NE(log[0].find("dropped a message"), std::string::npos);
  auto second = CoordinatorService::open(options, false);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.message().find("in use by process"), std::string::npos);
}

}  // namespace
}  // namespace lockstep::farm
