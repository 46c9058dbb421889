// SPDX-License-Identifier: Apache-2.0
// The process that makes the run of a difference again: what it answers, and that one which is gone costs no more than
// the waveform.
#include "cli/vm_shadow.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace lockstep::cli {
namespace {

constexpr uint64_t kCycle = 70'000;

core::Result<std::unique_ptr<ShadowReplay>> replay_that_answers(uint64_t cycle) {
  return ShadowReplay::prepare([cycle](const ShadowWindow&) { return core::Result<uint64_t>(cycle); });
}

TEST(ShadowReplay, TheSameCycleAgainIsAWaveform) {
  const auto replay = replay_that_answers(kCycle);
  ASSERT_TRUE(replay) << replay.message();
  const core::Status status = (*replay)->write_waveform(kCycle, "file");
  EXPECT_TRUE(status) << status.message();
}

TEST(ShadowReplay, AnotherCycleIsNone) {
  const auto replay = replay_that_answers(kCycle + 1);
  ASSERT_TRUE(replay) << replay.message();
  EXPECT_FALSE((*replay)->write_waveform(kCycle, "file"));
}

TEST(ShadowReplay, AProcessThatCrashesIsAnError) {
  const auto replay = ShadowReplay::prepare([](const ShadowWindow&) -> core::Result<uint64_t> { _exit(3); });
  ASSERT_TRUE(replay) << replay.message();
  EXPECT_FALSE((*replay)->write_waveform(kCycle, "file"));
}

TEST(ShadowReplay, AProcessThatIsGoneIsAnErrorAndNoSignal) {
  const auto replay = replay_that_answers(kCycle);
  ASSERT_TRUE(replay) << replay.message();
  EXPECT_TRUE((*replay)->write_waveform(kCycle, "file"));
  const core::Status gone = (*replay)->write_waveform(kCycle, "file");
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.message().find("has ended"), std::string::npos) << gone.message();
}

}  // namespace
}  // namespace lockstep::cli
