// SPDX-License-Identifier: Apache-2.0
// Corners of what a device may keep, each of which the judge once had wrong: what is right is allowed, and where tables
// say one thing there is one outcome.
#include <gtest/gtest.h>

#include "tests/smmu_rtl_bridge/oracle/small_world.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using core_smmu::Words;
using Simple = core_smmu::SimpleWorld;

constexpr uint64_t kHint = uint64_t{1} << 52;
constexpr uint64_t kNoFlag = Simple::kStage1Leaf & ~uint64_t{1 << 10};

Words that_stalls(Words words) {
  core_smmu::set_field(words, 44, 44, 1);
  return words;
}

std::string first_failure(const Judge& judge) {
  if (judge.failures().empty()) return "";
  return std::string(judge.failures().front().rule) + ": " + judge.failures().front().text;
}

// A descriptor without its access flag gives a fault, which is not kept: it answers for no other of its group.
TEST(OracleCorners, NeighbourWithoutAccessFlagAnswersForNobody) {
  SmallWorld w;
  w.start();
  const uint64_t first = SmallWorld::kInput & ~uint64_t{0xffff};
  for (uint64_t i = 0; i < 16; ++i)
    w.map(w.root, first + i * 4096, (Simple::kPage + i * 4096) | kHint | (i == 5 ? kNoFlag : Simple::kStage1Leaf));
  w.command(0x30);
  w.sync();
  w.read(first);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  EXPECT_EQ(w.judge.statistics().several_outcomes, 0u);
}

// One command removes whole translations and the pointers that they were made by: neither brings back the other.
TEST(OracleCorners, OneInvalidationReachesAllCachesAtOnce) {
  constexpr uint64_t kTlbiNhAll = 0x10, kReadOnlyTables = uint64_t{2} << 61;
  for (const bool wrong : {false, true}) {
    SmallWorld w;
    w.start();
    w.read();
    const uint64_t level0 = w.root + (SmallWorld::kInput >> 39 & 511) * 8;
    if (wrong) w.forget_command = [](const core_smmu::CommandWords& words) { return (words[0] & 0xff) == kTlbiNhAll; };
    w.put64(level0, w.memory.get64(level0) | kReadOnlyTables);
    w.command(kTlbiNhAll);
    w.sync();
    w.touch(SmallWorld::kInput, true);
    w.rest();
    EXPECT_EQ(first_failure(w.judge).substr(0, 17), wrong ? "stale-translation" : "");
    EXPECT_EQ(w.judge.statistics().several_outcomes, 0u);
  }
}

// What goes downstream before its translation is invalidated must be done there when CMD_SYNC completes.
TEST(OracleCorners, SyncWaitsForWhatIsDownstream) {
  for (const bool moved : {false, true}) {
    for (const bool waits : {false, true}) {
      SmallWorld w;
      w.start();
      ClientAccess access;
      access.id = 77;
      access.address = SmallWorld::kInput;
      access.stream_id = SmallWorld::kStream;
      w.judge.accepted(access);
      ForwardedAccess forwarded;
      forwarded.id = access.id;
      w.change_result = [&](core_smmu::TranslateResult& result) {
        forwarded.address = result.address;
        forwarded.attributes = to_pins(result.attributes);
        forwarded.privileged = result.privileged;
      };
      ClientAccess same = access;
      w.access(same);
      w.change_result = nullptr;
      w.judge.forwarded(forwarded);
      w.put64(w.place, (moved ? Simple::kPage + 0x5000 : Simple::kPage) | Simple::kStage1Leaf);
      w.invalidate_page();
      if (waits) w.judge.finished_downstream(access.id);
      w.sync();
      if (!waits) w.judge.finished_downstream(access.id);
      w.judge.answered(access.id, AccessEnd::kDone);
      w.rest();
      EXPECT_EQ(first_failure(w.judge).substr(0, 10), moved && !waits ? "sync-waits" : "") << moved << waits;
    }
  }
}

// A first table of two descriptors is smaller than a group of 32: what lies behind it is not of the group.
TEST(OracleCorners, GroupEndsWithItsTable) {
  SmallWorld w;
  const uint64_t table = w.new_table();
  constexpr uint64_t kBlock = Simple::kStage1Leaf & ~uint64_t{2};
  constexpr uint64_t kBlockBytes = uint64_t{1} << 25;
  w.put64(table, 0x40000000 | kBlock);
  w.put64(table + 16 * 8, (0x80000000 + 16 * kBlockBytes) | kHint | kBlock);
  w.put_ste(Simple::stage1_ste());
  Words words = Simple::cd(table);
  core_smmu::set_field(words, 5, 0, 38);
  core_smmu::set_field(words, 7, 6, 2);  // 16 KiB
  w.put_cd(words);
  w.enable();
  w.read(0x1000);
  w.rest();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  EXPECT_EQ(first_failure(w.judge), "");
  EXPECT_EQ(w.judge.statistics().several_outcomes, 0u);
}

// Both stages, where stage 1 sets access flags: the page of its last table is in the caches of stage 2.
struct NestedUpdates : SmallWorld {
  static constexpr uint64_t kFar = uint64_t{1} << 40;  // beyond what stage 2 translates
  static constexpr uint64_t kElsewhere = 0x30000000;

  NestedUpdates() {
    root2 = new_table();
    root = new_table();
    map(root, kInput, output | kNoFlag);
    place = map(root, kOther, output | kNoFlag);
    far = map(root, kOther + 0x1000, kFar | kNoFlag);
    // The same table as it will lie elsewhere.
    std::array<uint64_t, 512> words;
    memory.read(place & ~uint64_t{0xfff}, words.data(), sizeof words);
    write(kElsewhere, words.data(), sizeof words);
    for (uint64_t at = Simple::kTables; at < Simple::kTables + 0x100000; at += 0x1000) identity(at);
    identity(Simple::kContexts);
    Words ste = Simple::stage1_ste();
    Simple::add_stage2(ste, memory.get64(root2) & ~uint64_t{0xfff}, 7);
    core_smmu::set_field(ste, 128 + 37, 128 + 32, 25);  // 39 bits, from level 1
    core_smmu::set_field(ste, 128 + 39, 128 + 38, 1);
    put_ste(ste);
    Words cd = Simple::cd(root);
    core_smmu::set_field(cd, 43, 43, 1);
    put_cd(cd);
    enable();
    read(kInput);
    EXPECT_EQ(last_outcome, core_smmu::Outcome::kPass);
  }
  void identity(uint64_t at) { map(root2, at, at | Simple::kStage2Leaf); }
  uint64_t root2 = 0;
  uint64_t far = 0;
  static constexpr uint64_t output = Simple::kTables + 0xf0000;
};

// The last descriptor that was read is one that was kept, and what faults is another thing: the output is too large for
// stage 2, which needs no descriptor to know it.
TEST(OracleCorners, FaultWithoutADescriptorOfItsOwn) {
  NestedUpdates w;
  w.map(w.root2, w.place & ~uint64_t{0xfff}, NestedUpdates::kElsewhere | Simple::kStage2Leaf);
  w.read(SmallWorld::kOther + 0x1000);
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kAbort);
  EXPECT_NE(w.memory.get64(w.far) & 1 << 10, 0u);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
}

// The place of a descriptor that is to be updated is asked of stage 2 once more. Who may have kept the answer goes by
// that place, not by the output, whose translation was invalidated.
TEST(OracleCorners, UpdateGoesWhereItsTableWasKept) {
  NestedUpdates w;
  // The table of stage 2 that both pages hang on becomes another one.
  const uint64_t table = w.place & ~uint64_t{0xfff};
  const uint64_t level1 = w.memory.get64(w.root2) & ~uint64_t{0xfff};
  const uint64_t level2 = w.memory.get64(level1) & ~uint64_t{0xfff};
  const uint64_t pointer = level2 + (table >> 21 & 511) * 8;
  const uint64_t other = w.new_table();
  std::array<uint64_t, 512> words;
  w.memory.read(w.memory.get64(pointer) & ~uint64_t{0xfff}, words.data(), sizeof words);
  words[table >> 12 & 511] = NestedUpdates::kElsewhere | Simple::kStage2Leaf;
  w.write(other, words.data(), sizeof words);
  w.put64(pointer, other | 3);
  for (unsigned twice = 0; twice < 2; ++twice) w.command(0x2a | uint64_t{7} << 32, NestedUpdates::output);
  w.command(0x12 | uint64_t{7} << 32 | uint64_t{9} << 48, SmallWorld::kOther | 1);
  w.sync();
  w.read(SmallWorld::kOther);
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  EXPECT_NE(w.memory.get64(w.place) & 1 << 10, 0u);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
}

// A pointer that is kept holds what the tables above it said: invalidations of an address beside it reach those above,
// but not the pointer.
TEST(OracleCorners, PointerOutlivesTheTablesAboveIt) {
  SmallWorld w;
  w.start();
  w.read();
  const uint64_t table1 = w.memory.get64(w.root) & ~uint64_t{0xfff};
  w.put64(table1 + (SmallWorld::kInput >> 30 & 511) * 8, 0);
  w.command(0x12 | uint64_t{9} << 48, SmallWorld::kInput ^ uint64_t{1} << 21);
  w.command(0x12 | uint64_t{9} << 48, SmallWorld::kInput | 1);
  w.sync();
  w.read();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  w.invalidate_page();
  w.sync();
  w.read();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kAbort);
  EXPECT_EQ(first_failure(w.judge), "");
}

// A context descriptor that is kept may meet an entry that is read anew, and that leads to another descriptor.
TEST(OracleCorners, KeptContextMeetsANewEntry) {
  core_smmu::Config config = Simple::default_config();
  config.config_cache_log2 = 0;  // one of each
  SmallWorld w(config);
  w.put_ste(Simple::bypass_ste(), 4);
  w.start();
  w.read();
  Words words = Simple::stage1_ste(Simple::kContexts + 0x1000);
  core_smmu::set_field(words, 64 + 49, 64 + 48, 2);  // unprivileged
  w.put_ste(words);
  w.read(0x1000, 4);
  w.command(0x12 | uint64_t{9} << 48, SmallWorld::kInput);
  w.change_result = [](core_smmu::TranslateResult& result) { EXPECT_FALSE(result.privileged); };
  w.read();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
}

// A context descriptor in a page of stage 2 without its access flag, which counts from the time when S2AFFD is cleared.
struct UnflaggedContext : SmallWorld {
  explicit UnflaggedContext(const core_smmu::Config& config = Simple::default_config()) : SmallWorld(config) {
    const uint64_t root2 = new_table();
    root = new_table();
    map(root, kInput, kPage | Simple::kStage1Leaf);
    for (uint64_t at = Simple::kTables; at < Simple::kTables + 0x20000; at += 0x1000)
      map(root2, at, at | Simple::kStage2Leaf);
    map(root2, kPage, kPage | Simple::kStage2Leaf);
    map(root2, Simple::kContexts, (Simple::kContexts | Simple::kStage2Leaf) & ~uint64_t{1 << 10});
    entry = Simple::stage1_ste();
    Simple::add_stage2(entry, root2, 7);
    core_smmu::set_field(entry, 128 + 53, 128 + 53, 1);  // S2AFFD
    put_ste(entry);
    put_ste(Simple::bypass_ste(), 4);
    put_cd(Simple::cd(root));
    enable();
    read();
    EXPECT_EQ(last_outcome, core_smmu::Outcome::kPass);
    core_smmu::set_field(entry, 128 + 53, 128 + 53, 0);
    core_smmu::set_field(entry, 64 + 49, 64 + 48, 2);  // unprivileged
    put_ste(entry);
  }
  void drop_translations() {
    command(0x28 | uint64_t{7} << 32);
    sync();
  }
  Words entry;
};

// Nor is stage 2 asked for the place of a context descriptor that is kept.
TEST(OracleCorners, KeptContextNeedsNoStage2) {
  core_smmu::Config config = Simple::default_config();
  config.config_cache_log2 = 0;
  UnflaggedContext w(config);
  w.read(0x1000, 4);
  w.drop_translations();
  w.read();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
}

// It may have been dropped and fetched again while stage 2 had the page's translation.
TEST(OracleCorners, ContextIsFetchedAgainThroughWhatStage2Kept) {
  UnflaggedContext w;
  w.invalidate_ste();
  w.sync();
  w.read();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  w.drop_translations();
  w.read();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  w.invalidate_ste();
  w.sync();
  w.read();
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kAbort);
  EXPECT_EQ(first_failure(w.judge), "");
}

// A prefetch that a command asks for sets access flags on its way, though no access needs them yet.
TEST(OracleCorners, PrefetchSetsAccessFlags) {
  SmallWorld w;
  const uint64_t root2 = w.new_table();
  const uint64_t leaf = w.map(root2, Simple::kContexts, (Simple::kContexts | Simple::kStage2Leaf) & ~uint64_t{1 << 10});
  Words words = Simple::stage1_ste();
  Simple::add_stage2(words, root2, 7);
  core_smmu::set_field(words, 128 + 56, 128 + 56, 1);  // S2HA
  w.put_ste(words);
  w.put_cd(Simple::cd(root2));
  w.enable();
  w.command(0x01 | uint64_t{SmallWorld::kStream} << 32);
  w.sync();
  EXPECT_NE(w.memory.get64(leaf) & 1 << 10, 0u);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  // Nothing asks for this one.
  w.put64(leaf, w.memory.get64(leaf) & ~uint64_t{1 << 10});
  const uint64_t old = w.memory.get64(leaf);
  w.judge.device_exchanged(leaf, old, old | 1 << 10, {}, true, false);
  w.rest();
  EXPECT_EQ(first_failure(w.judge).substr(0, 17), "update-unexpected");
}

// An access that has seen more states than are tried may have stalled by one of those that were not.
TEST(OracleCorners, StallOfAnAccessWithTooManyOutcomesIsUndecided) {
  SmallWorld w;
  w.start(Simple::kPage | Simple::kStage1Leaf, that_stalls);
  w.hold_accesses = true;
  w.read();
  const uint64_t empty = w.new_table();
  const uint64_t first = w.root + (SmallWorld::kInput >> 39 & 511) * 8;
  const uint64_t whole = w.memory.get64(first);
  w.put64(first, empty | 3);
  w.put64(first, whole);
  // The words of each level have ten versions, all of them sound.
  for (uint64_t version = 1; version < 10; ++version) {
    w.put64(w.place, (Simple::kPage + version * 4096) | Simple::kStage1Leaf);
    uint64_t at = w.memory.get64(first) & 0xfffffffff000;
    for (unsigned level = 1; level < 3; ++level) {
      const uint64_t entry = at + (SmallWorld::kInput >> (39 - 9 * level) & 511) * 8;
      const uint64_t pointer = w.memory.get64(entry) & 0xfffffffff000;
      w.put64(entry, pointer | 3 | version << 2);
      at = pointer;
    }
  }
  w.stale_read = [=](uint64_t at, void* data, size_t) {
    const uint64_t old = empty | 3;
    if (at == first) std::memcpy(data, &old, sizeof old);
    return at == first;
  };
  w.release();
  ASSERT_EQ(w.last_outcome, core_smmu::Outcome::kStalled);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  w.command(0x44 | uint64_t{SmallWorld::kStream} << 32 | 1 << 13, 0);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  EXPECT_GT(w.judge.statistics().undecided, 0u);
}

// An access that finds no room to stall is held; it goes on when a stall has ended.
TEST(OracleCorners, HeldAccessStallsWhenThereIsRoom) {
  core_smmu::Config config = Simple::default_config();
  config.stalled_transactions_max = 1;
  SmallWorld w(config);
  w.start(Simple::kPage | Simple::kStage1Leaf, that_stalls);
  w.read(SmallWorld::kInput + 0x40000);
  w.read(SmallWorld::kInput + 0x50000);
  w.rest();
  w.command(0x45 | uint64_t{SmallWorld::kStream} << 32);
  w.rest();
  EXPECT_EQ(w.waiting.size(), 0u);
  EXPECT_EQ(w.smmu.stalled_transactions(), 1u);
  EXPECT_EQ(first_failure(w.judge), "");
}

// An access that was held until its page was there has not stalled, as the missing record shows: nothing but going on
// is left.
TEST(OracleCorners, AnAnswerIsNoStall) {
  core_smmu::Config config = Simple::default_config();
  config.stalled_transactions_max = 1;
  SmallWorld w(config);
  w.start(Simple::kPage | Simple::kStage1Leaf, that_stalls);
  w.read(SmallWorld::kInput + 0x40000);
  w.read(SmallWorld::kInput + 0x50000);
  ASSERT_EQ(w.waiting.size(), 1u);
  w.map(w.root, SmallWorld::kInput + 0x50000, Simple::kPage | Simple::kStage1Leaf);
  w.command(0x44 | uint64_t{SmallWorld::kStream} << 32 | 1 << 13, 0);
  EXPECT_EQ(w.last_outcome, core_smmu::Outcome::kPass);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  EXPECT_EQ(w.judge.statistics().answers, 2u);
  EXPECT_EQ(w.judge.statistics().several_outcomes, 0u);
}

// But where it stalls and might have gone on, there were two.
TEST(OracleCorners, AStallMayBeOneOfSeveral) {
  SmallWorld w;
  w.start(Simple::kPage | Simple::kStage1Leaf, that_stalls);
  w.hold_accesses = true;
  w.read();
  w.put64(w.place, 0);
  w.release();
  ASSERT_EQ(w.last_outcome, core_smmu::Outcome::kStalled);
  w.command(0x44 | uint64_t{SmallWorld::kStream} << 32 | 1 << 13, 0);
  w.rest();
  EXPECT_EQ(first_failure(w.judge), "");
  EXPECT_EQ(w.judge.statistics().answers, 1u);
  EXPECT_EQ(w.judge.statistics().several_outcomes, 1u);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
