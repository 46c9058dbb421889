// SPDX-License-Identifier: Apache-2.0
// Faults that stall, terminate or read as zero, and the commands that end stalls.
#include <gtest/gtest.h>

#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr uint64_t kMapped = 0x123456000;
constexpr uint64_t kUnmapped = 0x123457000;

struct StallWorld : SimpleWorld {
  explicit StallWorld(const Config& config = default_config(), bool stalls = true) : SimpleWorld(config) {
    start_stage1(kMapped);
    Words words = cd(root);
    set_field(words, 44, 44, stalls);
    put_cd(0, words);
  }
  bool resume(uint16_t tag, unsigned response, uint32_t stream = 3) {
    return command(0x44 | uint64_t{response} << 12 | uint64_t{stream} << 32, tag);
  }
  const TranslateResult& resolution(size_t i) const { return environment.resolutions.at(i).second; }
};

TEST(SmmuStall, FaultStallsAndIsRecordedWithItsTag) {
  StallWorld world;
  const TranslateResult first = world.access(kUnmapped);
  const TranslateResult second = world.access(kUnmapped + 8);
  EXPECT_EQ(first.outcome, Outcome::kStalled);
  EXPECT_NE(first.stall_tag, second.stall_tag);
  const auto events = world.take_events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0][1] >> 31 & 1, 1u);
  EXPECT_EQ(events[0][1] & 0xffff, first.stall_tag);
  EXPECT_EQ(events[1][1] & 0xffff, second.stall_tag);
  EXPECT_EQ(world.smmu.stalled_transactions(), 2u);
}

TEST(SmmuStall, RetrySeesNewTables) {
  StallWorld world;
  const TranslateResult stalled = world.access(kUnmapped);
  world.map(world.root, kUnmapped, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
  EXPECT_TRUE(world.resume(stalled.stall_tag, 1));
  ASSERT_EQ(world.environment.resolutions.size(), 1u);
  EXPECT_EQ(world.environment.resolutions[0].first, world.token);
  EXPECT_EQ(world.resolution(0).outcome, Outcome::kPass);
  EXPECT_EQ(world.smmu.stalled_transactions(), 0u);
}

TEST(SmmuStall, RetryThatFaultsAgainStallsAgainWithANewRecord) {
  StallWorld world;
  const TranslateResult stalled = world.access(kUnmapped);
  world.take_events();
  world.resume(stalled.stall_tag, 1);
  EXPECT_TRUE(world.environment.resolutions.empty());
  EXPECT_EQ(world.take_events().size(), 1u);
  EXPECT_EQ(world.smmu.stalled_transactions(), 1u);
}

TEST(SmmuStall, TerminationAbortsOrReadsAsZero) {
  StallWorld world;
  world.resume(world.access(kUnmapped).stall_tag, 2);
  EXPECT_EQ(world.resolution(0).outcome, Outcome::kAbort);
  world.resume(world.access(kUnmapped).stall_tag, 0);
  EXPECT_EQ(world.resolution(1).outcome, Outcome::kZeroIgnored);
  Config config = SimpleWorld::default_config();
  config.terminate_abort_only = true;
  StallWorld strict(config);
  strict.resume(strict.access(kUnmapped).stall_tag, 0);
  EXPECT_EQ(strict.resolution(0).outcome, Outcome::kAbort);
}

TEST(SmmuStall, ResumeNeedsTheRightStreamAndTag) {
  StallWorld world;
  const TranslateResult stalled = world.access(kUnmapped);
  EXPECT_TRUE(world.resume(stalled.stall_tag, 2, 4));
  EXPECT_TRUE(world.resume(static_cast<uint16_t>(stalled.stall_tag + 1), 2));
  EXPECT_TRUE(world.resume(0xffff, 2));
  EXPECT_TRUE(world.environment.resolutions.empty());
  EXPECT_TRUE(world.resume(stalled.stall_tag, 2));
  EXPECT_TRUE(world.resume(stalled.stall_tag, 2));
  EXPECT_EQ(world.environment.resolutions.size(), 1u);
}

TEST(SmmuStall, StallTermEndsAllOfAStream) {
  StallWorld world;
  world.put_ste(4, SimpleWorld::stage1_ste());
  world.access(kUnmapped);
  world.access(kUnmapped);
  world.access(kUnmapped, false, 4);
  world.command(0x45 | uint64_t{3} << 32);
  EXPECT_EQ(world.environment.resolutions.size(), 2u);
  EXPECT_EQ(world.smmu.stalled_transactions(), 1u);
}

TEST(SmmuStall, DisablingTheSmmuEndsAllStalls) {
  StallWorld world;
  world.access(kUnmapped);
  world.write(Id::kCr0, kCr0EventQueueEnable);
  ASSERT_EQ(world.environment.resolutions.size(), 1u);
  EXPECT_EQ(world.resolution(0).outcome, Outcome::kAbort);
}

TEST(SmmuStall, RecordsOfStallsWaitForTheQueue) {
  StallWorld world;
  for (unsigned i = 0; i < 64; ++i) world.access(0, false, 100);
  EXPECT_EQ(world.access(kUnmapped).outcome, Outcome::kStalled);
  // Held back, not lost: no overflow.
  EXPECT_EQ(world.read(Id::kEventqProd) & kQueueOverflow, 0u);
  EXPECT_EQ(world.take_events().size(), 64u);
  const auto late = world.take_events();
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0][0] & 0xff, 0x10u);
  // A stall without a record cannot be resumed by software, and is tried again when records can be written.
  world.write(Id::kCr0, kCr0SmmuEnable | kCr0CommandQueueEnable);
  world.access(kUnmapped + 0x1000);
  world.map(world.root, kUnmapped + 0x1000, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
  EXPECT_TRUE(world.environment.resolutions.empty());
  world.enable();
  ASSERT_EQ(world.environment.resolutions.size(), 1u);
  EXPECT_EQ(world.resolution(0).outcome, Outcome::kPass);
  EXPECT_TRUE(world.take_events().empty());
}

// A snapshot in the middle: another SMMU goes on where the first one was.
TEST(SmmuStall, StateGoesOverToAnotherSmmu) {
  Config config = SimpleWorld::default_config();

  StallWorld world(config);
  const TranslateResult stalled = world.access(kUnmapped);
  world.environment.quiet = false;
  EXPECT_FALSE(world.command(0x46));
  const SmmuState state = world.smmu.state();

  SimpleWorld other(config);
  other.memory.memory = world.memory.memory;
  other.smmu.restore(state);
  for (const RegisterRow& row : register_rows()) EXPECT_EQ(other.read(row.id), world.read(row.id)) << row.name;
  other.smmu.resume_commands();
  EXPECT_EQ(other.read(Id::kCmdqCons), other.read(Id::kCmdqProd));
  EXPECT_EQ(other.access(kMapped).address, SimpleWorld::kPage);
  EXPECT_EQ(other.smmu.stalled_transactions(), 1u);
  EXPECT_TRUE(other.command(0x44 | 2 << 12 | uint64_t{3} << 32, stalled.stall_tag));
  ASSERT_EQ(other.environment.resolutions.size(), 1u);
  EXPECT_EQ(other.environment.resolutions[0].first, world.token);
}

TEST(SmmuStall, NoRoomForMoreStalls) {
  Config config = SimpleWorld::default_config();
  config.stalled_transactions_max = 2;
  StallWorld world(config);
  EXPECT_EQ(world.access(kUnmapped).outcome, Outcome::kStalled);
  EXPECT_EQ(world.access(kUnmapped).outcome, Outcome::kStalled);
  EXPECT_EQ(world.access(kUnmapped).outcome, Outcome::kNoRoom);
  EXPECT_EQ(world.take_events().size(), 2u);
}

TEST(SmmuStall, SpeculativeAccessesNeitherStallNorRecord) {
  StallWorld world;
  Transaction transaction;
  transaction.stream_id = 3;
  transaction.address = kUnmapped;
  transaction.speculative = true;
  EXPECT_EQ(world.smmu.translate(transaction).outcome, Outcome::kAbort);
  transaction.stream_id = 100;
  EXPECT_EQ(world.smmu.translate(transaction).outcome, Outcome::kAbort);
  EXPECT_TRUE(world.take_events().empty());
  EXPECT_EQ(world.smmu.stalled_transactions(), 0u);
}

// CD.{A,R} without S.
TEST(SmmuStall, AbortAndRecordBits) {
  for (const unsigned bits : {0u, 1u, 2u, 3u}) {
    SimpleWorld world;
    world.start_stage1(kMapped);
    Words words = SimpleWorld::cd(world.root);
    set_field(words, 46, 45, bits);
    world.put_cd(0, words);
    EXPECT_EQ(world.access(kUnmapped).outcome, bits & 2 ? Outcome::kAbort : Outcome::kZeroIgnored);
    EXPECT_EQ(world.take_events().size(), bits & 1);
  }
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
