// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/worker.h"

#include <gtest/gtest.h>

namespace lockstep::farm {
namespace {

class WorkerTest : public testing::Test {
 protected:
  void start(uint32_t slots = 1, std::vector<ResultReport> spooled = {}) {
    WorkerOptions options;
    options.name = "w";
    options.slots = slots;
    options.window = slots + 1;
    worker_ = std::make_unique<Worker>(options, std::move(spooled), now_);
  }
  template <typename T>
  std::vector<T> actions() {
    std::vector<T> list;
    for (WorkerAction& action : worker_->take_actions()) {
      if (auto* t = std::get_if<T>(&action)) list.push_back(std::move(*t));
    }
    return list;
  }
  template <typename T>
  std::vector<T> messages() {
    std::vector<T> list;
    for (SendMessage& send : actions<SendMessage>()) {
      if (auto* t = std::get_if<T>(&send.message)) list.push_back(std::move(*t));
    }
    return list;
  }
  void say(const CoordinatorMessage& message) { worker_->on_message(message, now_); }
  static AttemptId id(uint64_t counter) { return {"farm", 1, counter}; }
  void assign(uint64_t counter) {
    JobSpec job;
    job.id = "j" + std::to_string(counter);
    say(Assign{1, id(counter), job});
  }

  std::unique_ptr<Worker> worker_;
  uint64_t now_ = 1'000;
};

TEST_F(WorkerTest, SaysHelloUntilItIsWelcome) {
  start();
  EXPECT_EQ(messages<Hello>().size(), 1u);
  now_ += 1'000;
  worker_->on_tick(now_);
  EXPECT_EQ(messages<Hello>().size(), 1u);
  say(Welcome{1, "farm", 500});
  now_ += 500;
  worker_->on_tick(now_);
  EXPECT_EQ(messages<Heartbeat>().size(), 1u);
}

TEST_F(WorkerTest, RunsNoMoreThanItsSlotsAndQueuesTheRest) {
  start(1);
  say(Welcome{1, "farm", 1000});
  assign(1);
  assign(2);
  EXPECT_EQ(actions<StartJob>().size(), 1u);
  worker_->on_job_exited(id(1), {}, now_);
  EXPECT_EQ(actions<StartJob>().size(), 1u);
}

TEST_F(WorkerTest, ReportsOnlyWhatIsOnDiskAndRepeatsUntilAcknowledged) {
  start();
  say(Welcome{1, "farm", 1000});
  assign(1);
  worker_->take_actions();
  worker_->on_job_exited(id(1), {}, now_);
  auto all = worker_->take_actions();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<WriteSpool>(all[0]));
  worker_->on_spooled(id(1), now_);
  EXPECT_EQ(messages<ResultReport>().size(), 1u);
  now_ += 2'000;
  worker_->on_tick(now_);
  EXPECT_EQ(messages<ResultReport>().size(), 1u);
  say(ResultAck{1, id(1), Disposition::kRecorded});
  EXPECT_EQ(actions<RemoveSpool>().size(), 1u);
  now_ += 2'000;
  worker_->on_tick(now_);
  EXPECT_EQ(messages<ResultReport>().size(), 0u);
}

TEST_F(WorkerTest, LateCopyOfAnAssignIsNotRunAgain) {
  start();
  say(Welcome{1, "farm", 1000});
  assign(1);
  assign(1);
  EXPECT_EQ(actions<StartJob>().size(), 1u);
  worker_->on_job_exited(id(1), {}, now_);
  worker_->on_spooled(id(1), now_);
  say(ResultAck{1, id(1), Disposition::kRecorded});
  assign(1);
  EXPECT_EQ(actions<StartJob>().size(), 0u);
}

TEST_F(WorkerTest, CancelThatOvertakesItsAssignStillHolds) {
  start();
  say(Welcome{1, "farm", 1000});
  say(Cancel{1, id(1), "not wanted"});
  assign(1);
  EXPECT_EQ(actions<StartJob>().size(), 0u);
}

TEST_F(WorkerTest, CancelledJobIsKilledAndReportsNothing) {
  start();
  say(Welcome{1, "farm", 1000});
  assign(1);
  say(Cancel{1, id(1), "not wanted"});
  EXPECT_EQ(actions<KillJob>().size(), 1u);
  worker_->on_job_exited(id(1), {}, now_);
  EXPECT_EQ(actions<WriteSpool>().size(), 0u);
  EXPECT_EQ(worker_->running_count(), 0u);
}

TEST_F(WorkerTest, MessagesOfAnOlderEpochAreIgnored) {
  start();
  say(Welcome{3, "farm", 1000});
  worker_->take_actions();
  JobSpec job;
  job.id = "j";
  say(Assign{2, id(1), job});
  EXPECT_EQ(actions<StartJob>().size(), 0u);
}

TEST_F(WorkerTest, NewEpochMakesItRegisterAgainWithWhatItHolds) {
  start();
  say(Welcome{1, "farm", 1000});
  assign(1);
  worker_->take_actions();
  say(HeartbeatAck{2});
  const auto hellos = messages<Hello>();
  ASSERT_EQ(hellos.size(), 1u);
  ASSERT_EQ(hellos[0].held.size(), 1u);
  EXPECT_EQ(hellos[0].held[0].state, HeldState::kRunning);
}

TEST_F(WorkerTest, BringsTheResultsOfItsFormerLife) {
  ResultReport report;
  report.worker = {"w", 1, 0};
  report.job_id = "j";
  report.attempt = id(7);
  start(1, {report});
  const auto hellos = messages<Hello>();
  ASSERT_EQ(hellos.at(0).held.size(), 1u);
  EXPECT_EQ(hellos[0].held[0].state, HeldState::kSpooled);
  say(Welcome{1, "farm", 1000});
  EXPECT_EQ(messages<ResultReport>().size(), 1u);
}

TEST_F(WorkerTest, DrainedWorkerLeavesWhenItHoldsNothing) {
  start();
  say(Welcome{1, "farm", 1000});
  assign(1);
  say(Drain{1});
  EXPECT_FALSE(worker_->left());
  worker_->on_job_exited(id(1), {}, now_);
  worker_->on_spooled(id(1), now_);
  say(ResultAck{1, id(1), Disposition::kRecorded});
  EXPECT_TRUE(worker_->left());
}

TEST_F(WorkerTest, OrphanKillsItsJobsAndEnds) {
  start();
  say(Welcome{1, "farm", 1000});
  assign(1);
  worker_->take_actions();
  now_ += 60'000;
  worker_->on_tick(now_);
  EXPECT_TRUE(worker_->left());
  EXPECT_EQ(actions<KillJob>().size(), 1u);
}

}  // namespace
}  // namespace lockstep::farm
