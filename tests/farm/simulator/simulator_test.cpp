// SPDX-License-Identifier: Apache-2.0
#include "tests/farm/simulator/simulator.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/core/seed.h"

namespace lockstep::farm::simulation {
namespace {

constexpr uint64_t kDefaultSchedules = 3'000;

// LOCKSTEP_SEED=N runs that one schedule; LOCKSTEP_SCHEDULES=N changes how many there are.
TEST(Simulator, OraclesHoldInEverySchedule) {
  const uint64_t first = test::from_environment("LOCKSTEP_SEED", 1);
  const uint64_t count =
      std::getenv("LOCKSTEP_SEED") != nullptr ? 1 : test::from_environment("LOCKSTEP_SCHEDULES", kDefaultSchedules);
  uint64_t executions = 0, messages = 0, restarts = 0, duplicates = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = run_schedule({seed, Sabotage::kNone});
    ASSERT_TRUE(outcome.ok()) << outcome.violation << "; run it again with LOCKSTEP_SEED=" << seed;
    executions += outcome.executions;
    messages += outcome.messages;
    restarts += outcome.restarts;
    duplicates += outcome.late_or_duplicate;
  }
  std::printf("%llu schedules: %llu messages, %llu executions, %llu restarts, %llu results refused as duplicates\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(messages),
              static_cast<unsigned long long>(executions), static_cast<unsigned long long>(restarts),
              static_cast<unsigned long long>(duplicates));
  if (count > 100) {
    EXPECT_GT(restarts, count / 10) << "the schedules have become too kind to prove anything";
    EXPECT_GT(duplicates, 0u);
  }
}

TEST(Simulator, SameSeedGivesSameSchedule) {
  const Outcome a = run_schedule({42, Sabotage::kNone});
  const Outcome b = run_schedule({42, Sabotage::kNone});
  EXPECT_EQ(a.messages, b.messages);
  EXPECT_EQ(a.executions, b.executions);
  EXPECT_EQ(a.restarts, b.restarts);
}

// The canaries: each is a farm with a mistake, and some schedule must show it.
class Canary : public testing::TestWithParam<Sabotage> {};

TEST_P(Canary, IsCaught) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    if (!run_schedule({seed, GetParam()}).ok()) return;
  }
  FAIL() << "500 schedules of a broken farm went by unnoticed";
}

INSTANTIATE_TEST_SUITE_P(Mistakes, Canary,
                         testing::Values(Sabotage::kSendBeforeCommit, Sabotage::kLyingDisk, Sabotage::kSpoolInMemory,
                                         Sabotage::kDropJob));

}  // namespace
}  // namespace lockstep::farm::simulation
