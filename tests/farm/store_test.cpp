// SPDX-License-Identifier: Apache-2.0
#include "farm/store/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "farm/coordinator/coordinator.h"

namespace lockstep::farm {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("lockstep-store-" + std::to_string(getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = (folder_ / "farm.db").string();
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::unique_ptr<SqliteStore> open(SqliteStore::Mode mode) {
    auto store = SqliteStore::open(path_, mode);
    EXPECT_TRUE(store.ok()) << store.message();
    return std::move(*store);
  }
  fs::path folder_;
  std::string path_;
};

// Drives a coordinator with random events and commits what it appends, in groups as they come.
FarmState live_run(Store& store, uint64_t seed) {
  std::mt19937_64 random(seed);
  CoordinatorOptions options;
  Coordinator coordinator(options, {}, "farm", 0, 1'000);
  for (int i = 0; i < 30; ++i) {
    JobSpec job;
    job.id = "job-" + std::to_string(i);
    job.title = "w f\xc3\xa9=" + std::to_string(i);
    job.argv = {"{lockstep}", "vm", "run", "--append", "a b\xff"};
    job.groups = {{"g", Grade::kExact}, {"h", Grade::kBehavioural}};
    job.features = {{"jit", "off"}};
    if (i % 7 == 0) job.skip_reason = "planned";
    EXPECT_TRUE(coordinator.add_job(job).ok());
  }
  coordinator.complete_plan();
  std::vector<std::pair<std::string, AttemptId>> running;
  uint64_t now = 0, sequence = 0, incarnation = 1;
  for (int step = 0; step < 400; ++step) {
    now += random() % 2'000;
    const std::string worker = "w" + std::to_string(random() % 2);
    switch (random() % 4) {
      case 0:
        coordinator.on_message(worker, Hello{{worker, incarnation += random() % 2, ++sequence}, "host", 2, 2, {}}, now);
        break;
      case 1:
        coordinator.on_tick(now);
        break;
      default:
        if (!running.empty()) {
          const size_t pick = random() % running.size();
          JobResult result;
          result.status = static_cast<JobStatus>(random() % 4);
          result.retryable = result.status == JobStatus::kError;
          result.message = "because";
          result.exit_code = -3;
          result.observables = Observables{random(), "c", "s", "m"};
          result.artifacts = {{"console.log", "abc", 5}};
          if (random() % 2 == 0)
            result.coverage =
                PlanCoverage{"plan 1", 9, {{"a", 1 + random() % 3}, {"p" + std::to_string(random() % 5), 2}}};
          coordinator.on_message(
              worker, ResultReport{{worker, incarnation, 0}, running[pick].first, running[pick].second, result}, now);
        }
    }
    const auto records = coordinator.take_appends();
    if (!records.empty()) {
      core::Status status = store.commit(records);
      EXPECT_TRUE(status.ok()) << status.error().message;
      coordinator.committed(records.back().sequence);
    }
    for (const Outgoing& out : coordinator.take_sends()) {
      if (const auto* assign = std::get_if<Assign>(&out.message)) running.emplace_back(assign->job.id, assign->attempt);
    }
  }
  return coordinator.state();
}

TEST_F(StoreTest, ReplayedJournalEqualsLiveState) {
  const uint64_t seed = 20240607;
  auto store = open(SqliteStore::Mode::kCreate);
  const FarmState live = live_run(*store, seed);
  store.reset();
  store = open(SqliteStore::Mode::kOpen);
  auto journal = store->read_journal();
  ASSERT_TRUE(journal.ok()) << journal.message();
  auto replayed = replay(*journal);
  ASSERT_TRUE(replayed.ok()) << replayed.message();
  EXPECT_TRUE(*replayed == live) << "seed " << seed;
  EXPECT_GT(live.recorded_count(), 10u) << "the run did too little to prove anything";
}

TEST_F(StoreTest, ProjectionsEqualTheLiveStateAndTheirRebuild) {
  auto store = open(SqliteStore::Mode::kCreate);
  const FarmState live = live_run(*store, 7);
  auto jobs = store->read_jobs();
  ASSERT_TRUE(jobs.ok());
  ASSERT_EQ(jobs->size(), live.jobs().size());
  for (size_t i = 0; i < jobs->size(); ++i) {
    const JobEntry& job = live.jobs()[i];
    const char* phase = job.phase == JobPhase::kQueued   ? "queued"
                        : job.phase == JobPhase::kLeased ? "leased"
                                                         : "recorded";
    const std::string status = job.result ? std::string(to_string(job.result->status)) : "";
    EXPECT_EQ((*jobs)[i], (StoredJob{job.spec.id, phase, status, job.attempts}));
  }
  const std::string before = *store->projection_text();
  ASSERT_TRUE(store->rebuild_projections().ok());
  EXPECT_EQ(*store->projection_text(), before);
}

TEST_F(StoreTest, GroupThatCannotBeAppliedLeavesNothingBehind) {
  auto store = open(SqliteStore::Mode::kCreate);
  JobSpec job;
  job.id = "x";
  ASSERT_TRUE(store->commit({{1, 0, EpochStarted{1, "farm"}}}).ok());
  EXPECT_FALSE(store->commit({{2, 0, JobAdded{job}}, {3, 0, JobAdded{job}}}).ok());
  EXPECT_EQ(store->read_journal()->size(), 1u);
  EXPECT_TRUE(store->commit({{2, 0, JobAdded{job}}}).ok());
}

TEST_F(StoreTest, JournalIsAppendOnly) {
  auto store = open(SqliteStore::Mode::kCreate);
  ASSERT_TRUE(store->commit({{1, 0, EpochStarted{1, "farm"}}}).ok());
  store.reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(db, "UPDATE journal SET event = x'00'", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(db, "DELETE FROM journal", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
}

TEST_F(StoreTest, ForeignFilesAreRefusedWithAReason) {
  std::ofstream(path_) << "this is not a database, but long enough to look like a file that somebody wanted to keep\n";
  auto store = SqliteStore::open(path_, SqliteStore::Mode::kOpen);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.message().find(path_), std::string::npos);
  EXPECT_FALSE(SqliteStore::open(path_, SqliteStore::Mode::kCreate).ok());
  EXPECT_FALSE(SqliteStore::open(path_ + ".none", SqliteStore::Mode::kReadOnly).ok());
}

}  // namespace
}  // namespace lockstep::farm
