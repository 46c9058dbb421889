// SPDX-License-Identifier: Apache-2.0
#include "farm/coordinator/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::farm {
namespace {

JobSpec job(const std::string& id) {
  JobSpec spec;
  spec.id = id;
  spec.limits.wall_ms = 60'000;
  return spec;
}

JobResult passed() {
  JobResult result;
  result.status = JobStatus::kPass;
  return result;
}

// A coordinator with a disk that commits when the test says so.
class CoordinatorTest : public testing::Test {
 protected:
  void start(size_t jobs, FarmState state = {}) {
    coordinator_ = std::make_unique<Coordinator>(options_, std::move(state), "farm", now_, 0);
    for (size_t i = 0; i < jobs; ++i) ASSERT_TRUE(coordinator_->add_job(job("j" + std::to_string(i))).ok());
    if (jobs > 0) coordinator_->complete_plan();
    commit();
  }
  std::vector<CoordinatorMessage> commit() {
    for (const JournalRecord& r : coordinator_->take_appends()) journal_.push_back(r);
    coordinator_->committed(journal_.back().sequence);
    return sent();
  }
  std::vector<CoordinatorMessage> sent() {
    std::vector<CoordinatorMessage> messages;
    for (Outgoing& out : coordinator_->take_sends()) messages.push_back(std::move(out.message));
    return messages;
  }
  void hello(const std::string& name, uint64_t incarnation = 1, uint32_t slots = 1,
             std::vector<HeldAttempt> held = {}) {
    coordinator_->on_message("peer-" + name,
                             Hello{{name, incarnation, ++sequence_}, "host", slots, slots, std::move(held)}, now_);
  }
  void beat(const std::string& name, std::vector<HeldAttempt> held, uint64_t incarnation = 1) {
    coordinator_->on_message("peer-" + name, Heartbeat{{name, incarnation, ++sequence_}, std::move(held)}, now_);
  }
  void report(const std::string& name, const std::string& id, const AttemptId& attempt,
              const JobResult& result = passed()) {
    coordinator_->on_message("peer-" + name, ResultReport{{name, 1, 0}, id, attempt, result}, now_);
  }
  template <typename T>
  static std::vector<T> only(const std::vector<CoordinatorMessage>& messages) {
    std::vector<T> list;
    for (const CoordinatorMessage& m : messages) {
      if (const T* t = std::get_if<T>(&m)) list.push_back(*t);
    }
    return list;
  }
  const JobEntry& entry(const std::string& id) { return *coordinator_->state().find_job(id); }

  CoordinatorOptions options_;
  std::unique_ptr<Coordinator> coordinator_;
  std::vector<JournalRecord> journal_;
  uint64_t now_ = 1'000;
  uint64_t sequence_ = 0;
};

TEST_F(CoordinatorTest, NothingIsSentBeforeItsRecordsAreCommitted) {
  start(1);
  hello("a");
  EXPECT_TRUE(sent().empty());
  const auto messages = commit();
  EXPECT_EQ(only<Welcome>(messages).size(), 1u);
  EXPECT_EQ(only<Assign>(messages).size(), 1u);
}

TEST_F(CoordinatorTest, CreditWindowBoundsWhatAWorkerHolds) {
  start(5);
  hello("a", 1, 2);
  EXPECT_EQ(only<Assign>(commit()).size(), 2u);
}

TEST_F(CoordinatorTest, JobsAreSpreadOverWorkers) {
  coordinator_ = std::make_unique<Coordinator>(options_, FarmState{}, "farm", now_, 0);
  hello("a", 1, 4);
  hello("b", 1, 4);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(coordinator_->add_job(job("j" + std::to_string(i))).ok());
  coordinator_->complete_plan();
  coordinator_->on_tick(now_);
  EXPECT_EQ(coordinator_->sessions().at("a").leases, 2u);
  EXPECT_EQ(coordinator_->sessions().at("b").leases, 2u);
}

TEST_F(CoordinatorTest, ResultIsAcknowledgedAfterItsCommitAndRecordedOnce) {
  start(1);
  hello("a");
  const AttemptId attempt = only<Assign>(commit()).at(0).attempt;
  report("a", "j0", attempt);
  EXPECT_TRUE(sent().empty());
  auto acks = only<ResultAck>(commit());
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].disposition, Disposition::kRecorded);
  report("a", "j0", attempt);
  acks = only<ResultAck>(commit());
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].disposition, Disposition::kDuplicate);
  EXPECT_EQ(std::count_if(journal_.begin(), journal_.end(),
                          [](const JournalRecord& r) { return std::holds_alternative<ResultRecorded>(r.event); }),
            1);
  EXPECT_TRUE(coordinator_->finished());
}

TEST_F(CoordinatorTest, SilentWorkersJobGoesToAnother) {
  start(1);
  hello("a");
  const AttemptId first = only<Assign>(commit()).at(0).attempt;
  now_ += options_.lease_ms;
  hello("b");
  coordinator_->on_tick(now_);
  const auto assigns = only<Assign>(commit());
  ASSERT_EQ(assigns.size(), 1u);
  EXPECT_NE(assigns[0].attempt, first);
  EXPECT_EQ(entry("j0").lost, 1u);
}

TEST_F(CoordinatorTest, HeartbeatThatListsAnAttemptKeepsItsLease) {
  start(1);
  hello("a");
  const AttemptId attempt = only<Assign>(commit()).at(0).attempt;
  for (int i = 0; i < 30; ++i) {
    now_ += 1'000;
    beat("a", {{"j0", attempt, HeldState::kRunning, 0, 0}});
    coordinator_->on_tick(now_);
  }
  EXPECT_EQ(entry("j0").lease, attempt);
}

TEST_F(CoordinatorTest, HeartbeatsOfAGhostDoNotKeepItsLease) {
  start(1);
  hello("a");
  commit();
  for (int i = 0; i < 12; ++i) {
    now_ += 1'000;
    beat("a", {});
    coordinator_->on_tick(now_);
  }
  EXPECT_EQ(entry("j0").lost, 1u);
}

TEST_F(CoordinatorTest, AttemptFarBeyondItsWallLimitIsLostAlthoughItsWorkerBeats) {
  start(1);
  hello("a");
  const AttemptId attempt = only<Assign>(commit()).at(0).attempt;
  beat("a", {{"j0", attempt, HeldState::kRunning, 60'000 + options_.overrun_ms + 1, 0}});
  EXPECT_EQ(entry("j0").lost, 1u);
  EXPECT_EQ(only<Cancel>(commit()).size(), 1u);
}

TEST_F(CoordinatorTest, UnconfirmedAssignIsSentAgain) {
  start(1);
  hello("a");
  const AttemptId attempt = only<Assign>(commit()).at(0).attempt;
  now_ += options_.resend_ms;
  beat("a", {});
  const auto assigns = only<Assign>(sent());
  ASSERT_EQ(assigns.size(), 1u);
  EXPECT_EQ(assigns[0].attempt, attempt);
}

TEST_F(CoordinatorTest, LateResultOfALostAttemptStillCountsAndCancelsTheOther) {
  start(1);
  hello("a");
  const AttemptId first = only<Assign>(commit()).at(0).attempt;
  now_ += options_.lease_ms;
  hello("b");
  coordinator_->on_tick(now_);
  const AttemptId second = only<Assign>(commit()).at(0).attempt;
  report("a", "j0", first);
  const auto messages = commit();
  EXPECT_EQ(only<ResultAck>(messages).at(0).disposition, Disposition::kRecorded);
  EXPECT_EQ(only<Cancel>(messages).at(0).attempt, second);
  EXPECT_EQ(coordinator_->state().find_attempt(second)->phase, AttemptPhase::kSuperseded);
  report("b", "j0", second);
  EXPECT_EQ(only<ResultAck>(commit()).at(0).disposition, Disposition::kDuplicate);
}

TEST_F(CoordinatorTest, ResultOfAnUnknownAttemptIsRefused) {
  start(1);
  hello("a");
  commit();
  report("a", "j0", AttemptId{"farm", 9, 9});
  report("a", "j0", AttemptId{"another", 1, 1});
  const auto acks = only<ResultAck>(commit());
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0].disposition, Disposition::kUnknown);
  EXPECT_EQ(acks[1].disposition, Disposition::kUnknown);
  EXPECT_EQ(entry("j0").phase, JobPhase::kLeased);
}

TEST_F(CoordinatorTest, RestartedWorkerLosesWhatItDoesNotHold) {
  start(2);
  hello("a", 1, 2);
  const auto assigns = only<Assign>(commit());
  ASSERT_EQ(assigns.size(), 2u);
  hello("a", 2, 2, {{"j0", assigns[0].attempt, HeldState::kSpooled, 0, 0}});
  EXPECT_EQ(coordinator_->state().find_attempt(assigns[0].attempt)->phase, AttemptPhase::kLeased);
  EXPECT_EQ(coordinator_->state().find_attempt(assigns[1].attempt)->phase, AttemptPhase::kLost);
}

TEST_F(CoordinatorTest, OlderIncarnationIsRejected) {
  start(1);
  hello("a", 5);
  commit();
  hello("a", 4);
  EXPECT_EQ(only<Reject>(commit()).size(), 1u);
}

TEST_F(CoordinatorTest, MachineFailureIsTriedAgainAndThenError) {
  start(1);
  hello("a");
  JobResult failed;
  failed.status = JobStatus::kError;
  failed.retryable = true;
  auto assigns = only<Assign>(commit());
  for (uint32_t i = 1; i < options_.max_failed; ++i) {
    ASSERT_EQ(assigns.size(), 1u);
    report("a", "j0", assigns[0].attempt, failed);
    EXPECT_EQ(entry("j0").failed, i);
    assigns = only<Assign>(commit());
  }
  ASSERT_EQ(assigns.size(), 1u);
  report("a", "j0", assigns[0].attempt, failed);
  ASSERT_TRUE(entry("j0").result);
  EXPECT_EQ(entry("j0").result->status, JobStatus::kError);
}

TEST_F(CoordinatorTest, JobThatKeepsVanishingBecomesError) {
  start(1);
  for (uint64_t i = 1; i <= options_.max_lost; ++i) hello("a", i);
  EXPECT_FALSE(entry("j0").result);
  hello("a", options_.max_lost + 1);
  ASSERT_TRUE(entry("j0").result);
  EXPECT_EQ(entry("j0").result->status, JobStatus::kError);
}

TEST_F(CoordinatorTest, SkippedJobsAreRecordedAndNeverSent) {
  coordinator_ = std::make_unique<Coordinator>(options_, FarmState{}, "farm", now_, 0);
  JobSpec skipped = job("s");
  skipped.skip_reason = "planned";
  ASSERT_TRUE(coordinator_->add_job(skipped).ok());
  coordinator_->complete_plan();
  hello("a");
  EXPECT_TRUE(only<Assign>(commit()).empty());
  EXPECT_TRUE(coordinator_->finished());
  EXPECT_EQ(entry("s").result->status, JobStatus::kSkip);
}

TEST_F(CoordinatorTest, RestartBeginsANewEpochAndKeepsALiveWorkersLease) {
  start(1);
  hello("a");
  const AttemptId attempt = only<Assign>(commit()).at(0).attempt;
  FarmState replayed;
  for (const JournalRecord& r : journal_) ASSERT_TRUE(replayed.apply(r).ok());
  EXPECT_EQ(replayed, coordinator_->state());
  start(0, replayed);
  EXPECT_EQ(coordinator_->state().epoch(), 2u);
  beat("a", {{"j0", attempt, HeldState::kRunning, 0, 0}});
  EXPECT_EQ(only<Reregister>(sent()).size(), 1u);
  hello("a", 1, 1, {{"j0", attempt, HeldState::kRunning, 0, 0}});
  commit();
  EXPECT_EQ(entry("j0").lease, attempt);
  report("a", "j0", attempt);
  EXPECT_EQ(only<ResultAck>(commit()).at(0).disposition, Disposition::kRecorded);
}

TEST_F(CoordinatorTest, LeavingWorkerGivesItsJobsBackAtOnce) {
  start(1);
  hello("a");
  commit();
  coordinator_->on_message("peer-a", Goodbye{{"a", 1, ++sequence_}, {}}, now_);
  EXPECT_EQ(entry("j0").phase, JobPhase::kQueued);
}

TEST_F(CoordinatorTest, TwoJobsOfOneNameAreRefused) {
  coordinator_ = std::make_unique<Coordinator>(options_, FarmState{}, "farm", now_, 0);
  ASSERT_TRUE(coordinator_->add_job(job("x")).ok());
  EXPECT_FALSE(coordinator_->add_job(job("x")).ok());
}

TEST(FarmState, RefusesWhatContradictsIt) {
  FarmState state;
  ASSERT_TRUE(state.apply({1, 0, EpochStarted{1, "farm"}}).ok());
  EXPECT_FALSE(state.apply({3, 0, PlanCompleted{0}}).ok()) << "a gap";
  EXPECT_FALSE(state.apply({2, 0, EpochStarted{1, "farm"}}).ok()) << "the same epoch";
  EXPECT_FALSE(state.apply({2, 0, ResultRecorded{"x", {}, {}}}).ok()) << "an unknown job";
  ASSERT_TRUE(state.apply({2, 0, JobAdded{job("x")}}).ok());
  ASSERT_TRUE(state.apply({3, 0, ResultRecorded{"x", {}, {}}}).ok());
  EXPECT_FALSE(state.apply({4, 0, ResultRecorded{"x", {}, {}}}).ok()) << "a second result";
}

}  // namespace
}  // namespace lockstep::farm
