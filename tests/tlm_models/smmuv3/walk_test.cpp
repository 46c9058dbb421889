// SPDX-License-Identifier: Apache-2.0
// Table walks of known shape: how many reads they take, what blocks, hints, limits and hardware updates do.
#include <gtest/gtest.h>

#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint64_t kInput = 0x123456000;

Config counting_config(bool walk_cache) {
  Config config = SimpleWorld::default_config();
  config.tlb = false;
  config.stage2_cache = false;
  config.stage1_walk_cache = walk_cache;
  return config;
}

TEST(SmmuWalk, Stage1AloneTakesFourReads) {
  SimpleWorld world(counting_config(false));
  world.start_stage1();
  EXPECT_EQ(world.access(kInput | 0x678).address, SimpleWorld::kPage | 0x678);
  EXPECT_EQ(world.smmu.memory().walk_reads(), 4u);
}

// The check table of MMU-600: reads that are left when pointers down to a level are cached.
TEST(SmmuWalk, Stage1ReadsWithCachedLevels) {
  for (unsigned cached_levels = 0; cached_levels <= 3; ++cached_levels) {
    SimpleWorld world(counting_config(true));
    world.start_stage1();
    // An address that shares exactly this many levels of tables with the one that is counted.
    if (cached_levels > 0) {
      const uint64_t other = kInput ^ (uint64_t{1} << (12 + 9 * (3 - cached_levels)));
      world.map(world.root, other, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
      ASSERT_EQ(world.access(other).outcome, Outcome::kPass);
    }
    world.smmu.memory().clear_counts();
    ASSERT_EQ(world.access(kInput).outcome, Outcome::kPass);
    EXPECT_EQ(world.smmu.memory().walk_reads(), 4 - cached_levels);
  }
}

struct NestedWorld : SimpleWorld {
  explicit NestedWorld(const Config& config, unsigned stage1_level = 3, unsigned stage2_level = 3)
      : SimpleWorld(config) {
    root2 = new_table();
    root = new_table();
    map(root, kInput, kPage | kStage1Leaf, stage1_level);
    Words ste = stage1_ste();
    add_stage2(ste, root2, 7);
    put_ste(3, ste);
    put_cd(0, cd(root));
    level2 = stage2_level;
    map_stage2_identity(root2, kContexts, level2);
    map_stage2_identity(root2, kPage, level2);
    cover_tables();
    enable();
    // The context descriptor's own walk is not what the table counts.
    Transaction prefetch;
    prefetch.stream_id = 3;
    command(0x01 | uint64_t{3} << 32);
    smmu.memory().clear_counts();
  }
  void cover_tables() {
    for (uint64_t at = kTables; at < kTables + 0x40000; at += 0x1000)
      if (level2 == 3 || at % 0x200000 == 0) map_stage2_identity(root2, at, level2);
  }
  uint64_t root2 = 0;
  unsigned level2 = 3;
};

TEST(SmmuWalk, NestedTakes24Reads) {
  NestedWorld world(counting_config(false));
  ASSERT_EQ(world.access(kInput).outcome, Outcome::kPass);
  EXPECT_EQ(world.smmu.memory().walk_reads(), 24u);
}

TEST(SmmuWalk, NestedWithTwoMegabytePagesTakes15Reads) {
  NestedWorld world(counting_config(false), 2, 2);
  ASSERT_EQ(world.access(kInput).outcome, Outcome::kPass);
  EXPECT_EQ(world.smmu.memory().walk_reads(), 15u);
}

TEST(SmmuWalk, NestedReadsWithCachedLevels) {
  const unsigned expected[] = {24, 15, 10, 5};
  for (unsigned cached_levels = 0; cached_levels <= 3; ++cached_levels) {
    NestedWorld world(counting_config(true));
    if (cached_levels > 0) {
      const uint64_t other = kInput ^ (uint64_t{1} << (12 + 9 * (3 - cached_levels)));
      world.map(world.root, other, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
      world.cover_tables();
      ASSERT_EQ(world.access(other).outcome, Outcome::kPass);
    }
    world.smmu.memory().clear_counts();
    ASSERT_EQ(world.access(kInput).outcome, Outcome::kPass);
    EXPECT_EQ(world.smmu.memory().walk_reads(), expected[cached_levels]) << cached_levels;
  }
}

TEST(SmmuWalk, TlbHitTakesNoRead) {
  Config config = counting_config(false);
  config.tlb = true;
  NestedWorld world(config);
  world.access(kInput);
  world.smmu.memory().clear_counts();
  EXPECT_EQ(world.access(kInput | 8).address, SimpleWorld::kPage | 8);
  EXPECT_EQ(world.smmu.memory().walk_reads(), 0u);
}

// Every granule and level that can hold a leaf, with 48- and 52-bit addresses.
TEST(SmmuWalk, BlocksAtEachLevel) {
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (unsigned level = 0; level <= 3; ++level) {
      for (const unsigned oas : {48u, 52u}) {
        Config config = counting_config(false);
        config.oas_bits = oas;
        config.va52 = oas == 52;
        SimpleWorld world(config);
        const unsigned stride = granule - 3;
        const unsigned start = 3 - (48 - 1 - granule) / stride;
        if (level < start) continue;
        world.root = world.new_table(uint64_t{1} << granule);
        const unsigned shift = granule + stride * (3 - level);
        const uint64_t output = uint64_t{1} << (shift > 46 ? shift : 46) & 0xffffffffffff;
        const uint64_t input = uint64_t{5} << 40 | 0x123450000;
        world.map(world.root, input, output | SimpleWorld::kStage1Leaf, level, granule, start);
        Words cd = SimpleWorld::cd(world.root);
        set_field(cd, 7, 6, granule == 12 ? 0 : granule == 14 ? 2 : 1);
        world.put_ste(3, SimpleWorld::stage1_ste());
        world.put_cd(0, cd);
        world.enable();
        const TranslateResult result = world.access(input | 0x78);
        const bool allowed =
            level == 3 || level == 2 || (level == 1 && (granule == 12 || (granule == 16 && oas == 52)));
        EXPECT_EQ(result.outcome, allowed ? Outcome::kPass : Outcome::kAbort) << granule << " level " << level;
        if (allowed) {
          EXPECT_EQ(result.address, output | ((input | 0x78) & ((uint64_t{1} << shift) - 1)));
        } else {
          EXPECT_EQ(result.event, EventType::kTranslation);
        }
      }
    }
  }
}

// Sixteen blocks of 1 GiB, of which 32 bits of output reach four: what the others would say is a fault, also when one
// of the four has been used.
TEST(SmmuWalk, AContiguousGroupThatIsPartlyOutOfReachIsNoEntry) {
  SimpleWorld world;
  world.start_stage1();
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 34, 32, 0);
  world.put_cd(0, cd);
  world.command(0x05 | uint64_t{3} << 32);
  for (uint64_t block = 0; block < 16; ++block)
    world.map(world.root, block << 30, block << 30 | SimpleWorld::kStage1Leaf | uint64_t{1} << 52, 1);
  EXPECT_EQ(world.access(0x1000).outcome, Outcome::kPass);
  EXPECT_EQ(world.access(uint64_t{5} << 30).event, EventType::kAddressSize);
}

TEST(SmmuWalk, ContiguousHintMakesOneEntryOfSixteenPages) {
  Config config = SimpleWorld::default_config();
  SimpleWorld world(config);
  world.start_stage1();
  for (unsigned page = 0; page < 16; ++page)
    world.map(world.root, 0x500000 + page * 0x1000,
              (SimpleWorld::kPage + page * 0x1000) | SimpleWorld::kStage1Leaf | uint64_t{1} << 52);
  world.access(0x503000);
  world.smmu.memory().clear_counts();
  EXPECT_EQ(world.access(0x50f123).address, SimpleWorld::kPage + 0xf123);
  EXPECT_EQ(world.smmu.memory().walk_reads(), 0u);
}

TEST(SmmuWalk, AccessFlagIsSetByHardwareWhenEnabled) {
  SimpleWorld world;
  world.start_stage1(kInput, SimpleWorld::kPage | (SimpleWorld::kStage1Leaf & ~uint64_t{1 << 10}));
  EXPECT_EQ(world.access(kInput).event, EventType::kAccessFlag);
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 43, 43, 1);
  world.put_cd(0, cd);
  world.command(0x05 | uint64_t{3} << 32);
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass);
  EXPECT_EQ(world.memory.memory.get64(world.last_leaf), SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
}

TEST(SmmuWalk, WriteMarksACleanPageDirtyOnceEvenAfterAReadWasCached) {
  SimpleWorld world;
  const uint64_t clean = SimpleWorld::kPage | SimpleWorld::kStage1Leaf | 1 << 7 | uint64_t{1} << 51;
  world.start_stage1(kInput, clean);
  EXPECT_EQ(world.access(kInput, true).event, EventType::kPermission);
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 43, 42, 3);
  world.put_cd(0, cd);
  world.command(0x05 | uint64_t{3} << 32);
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass);
  EXPECT_TRUE(world.memory.updates.empty());
  EXPECT_EQ(world.access(kInput, true).outcome, Outcome::kPass);
  EXPECT_EQ(world.access(kInput, true).outcome, Outcome::kPass);
  ASSERT_EQ(world.memory.updates.size(), 1u);
  EXPECT_EQ(world.memory.updates[0].second, clean & ~uint64_t{1 << 7});
}

// Another agent changed the descriptor between the read and the update: the walk begins again, but not for ever.
TEST(SmmuWalk, UpdateThatLosesTheRaceIsTriedAgain) {
  SimpleWorld world;
  world.start_stage1(kInput, SimpleWorld::kPage | (SimpleWorld::kStage1Leaf & ~uint64_t{1 << 10}));
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 43, 43, 1);
  world.put_cd(0, cd);
  world.memory.changed_before_exchange = 3;
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass);
  world.smmu.drop_cached_translations();
  world.memory.memory.put64(world.last_leaf, SimpleWorld::kPage | (SimpleWorld::kStage1Leaf & ~uint64_t{1 << 10}));
  world.memory.changed_before_exchange = 1000;
  const TranslateResult result = world.access(kInput);
  EXPECT_EQ(result.event, EventType::kWalkExternalAbort);
  EXPECT_EQ(world.smmu.last_event().fetch_address, world.last_leaf);
}

// Stage 2 kept a table's page as readable; an update of a descriptor in it is a write, which marks that page dirty
// first.
TEST(SmmuWalk, UpdateOfADescriptorMarksItsOwnPageDirtyAtStage2) {
  SimpleWorld world;
  const uint64_t root2 = world.new_table();
  world.root = world.new_table();
  world.map(world.root, kInput, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
  const uint64_t first_leaf = world.last_leaf;
  world.map(world.root, kInput + 0x1000, SimpleWorld::kPage | (SimpleWorld::kStage1Leaf & ~uint64_t{1 << 10}));
  Words ste = SimpleWorld::stage1_ste();
  SimpleWorld::add_stage2(ste, root2, 7);
  set_field(ste, 128 + 56, 128 + 55, 3);
  world.put_ste(3, ste);
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 43, 43, 1);
  world.put_cd(0, cd);
  world.map_tables_at_stage2(root2);
  world.map_stage2_identity(root2, SimpleWorld::kPage);
  const uint64_t table = first_leaf & ~uint64_t{0xfff};
  const uint64_t clean = (table | SimpleWorld::kStage2Leaf | uint64_t{1} << 51) & ~uint64_t{1 << 7};
  world.map(root2, table, clean);
  const uint64_t stage2_leaf = world.last_leaf;
  world.enable();
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass);
  EXPECT_EQ(world.memory.memory.get64(stage2_leaf), clean);
  EXPECT_EQ(world.access(kInput + 0x1000).outcome, Outcome::kPass);
  EXPECT_EQ(world.memory.memory.get64(stage2_leaf), clean | 1 << 7);
  EXPECT_EQ(world.memory.updates.size(), 2u);
}

// The same, where the page may not be written: stage 2 refuses the update, and says that it was a write.
TEST(SmmuWalk, UpdateOfADescriptorInAReadOnlyPageIsAStage2Fault) {
  SimpleWorld world;
  const uint64_t root2 = world.new_table();
  world.root = world.new_table();
  world.map(world.root, kInput, SimpleWorld::kPage | (SimpleWorld::kStage1Leaf & ~uint64_t{1 << 10}));
  const uint64_t place = world.last_leaf;
  Words ste = SimpleWorld::stage1_ste();
  SimpleWorld::add_stage2(ste, root2, 7);
  world.put_ste(3, ste);
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 43, 43, 1);
  world.put_cd(0, cd);
  world.map_tables_at_stage2(root2);
  const uint64_t table = place & ~uint64_t{0xfff};
  world.map(root2, table, (table | SimpleWorld::kStage2Leaf) & ~uint64_t{1 << 7});
  world.enable();
  EXPECT_EQ(world.access(kInput).event, EventType::kPermission);
  const Event& event = world.smmu.last_event();
  EXPECT_TRUE(event.stage2);
  EXPECT_EQ(event.fault_class, FaultClass::kTableWalk);
  EXPECT_FALSE(event.table_read);
  EXPECT_EQ(event.ipa, place);
}

// A page of device memory that a stream of stage 2 alone has in the cache is still no place for tables.
TEST(SmmuWalk, ProtectedTableWalkIsCheckedOnCachedPagesToo) {
  SimpleWorld world;
  const uint64_t root2 = world.new_table();
  world.root = world.new_table();
  world.map(world.root, kInput, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
  Words ste = SimpleWorld::stage1_ste();
  SimpleWorld::add_stage2(ste, root2, 7);
  set_field(ste, 128 + 54, 128 + 54, 1);
  world.put_ste(3, ste);
  world.put_ste(4, SimpleWorld::stage2_ste(root2));
  world.put_cd(0, SimpleWorld::cd(world.root));
  world.map_stage2_identity(root2, SimpleWorld::kContexts);
  world.map(root2, world.root, (world.root | SimpleWorld::kStage2Leaf) & ~uint64_t{0x3c});
  world.enable();
  EXPECT_EQ(world.access(world.root, false, 4).outcome, Outcome::kPass);
  EXPECT_EQ(world.access(kInput).event, EventType::kPermission);
  EXPECT_EQ(world.smmu.last_event().fault_class, FaultClass::kTableWalk);
}

TEST(SmmuWalk, FaultingDescriptorsAreNotCached) {
  SimpleWorld world;
  world.start_stage1();
  EXPECT_EQ(world.access(kInput + 0x1000).event, EventType::kTranslation);
  world.map(world.root, kInput + 0x1000, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
  EXPECT_EQ(world.access(kInput + 0x1000).outcome, Outcome::kPass);
}

TEST(SmmuWalk, TopByteIgnoredSharesOneTlbEntry) {
  SimpleWorld world;
  world.start_stage1();
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 38, 38, 1);
  world.put_cd(0, cd);
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass);
  world.smmu.memory().clear_counts();
  EXPECT_EQ(world.access(kInput | uint64_t{0xab} << 56).outcome, Outcome::kPass);
  EXPECT_EQ(world.smmu.memory().walk_reads(), 0u);
  EXPECT_EQ(world.access(kInput | uint64_t{1} << 50).event, EventType::kTranslation);
}

TEST(SmmuWalk, Stage1Tables64KOver4KStage2PagesAreTranslatedPieceByPiece) {
  // A 64 KiB table of stage 1 whose 4 KiB pieces lie anywhere: each piece is translated by itself, cached or not.
  for (const bool cached : {false, true}) {
    Config config = SimpleWorld::default_config();
    config.stage1_walk_cache = config.stage2_cache = cached;
    config.tlb = false;
    SimpleWorld world(config);
    const uint64_t root2 = world.new_table();
    const uint64_t top = world.new_table(0x10000);
    const uint64_t table = 0x10000000;  // guest address of the last-level table
    for (uint64_t at = SimpleWorld::kContexts; at < SimpleWorld::kContexts + 0x1000; at += 0x1000)
      world.map_stage2_identity(root2, at);
    for (uint64_t at = top; at < top + 0x10000; at += 0x1000) world.map_stage2_identity(root2, at);
    // Two pieces of the last table, far apart and out of order.
    const uint64_t first = 0x20005000, second = 0x20001000;
    world.map(root2, table, first | SimpleWorld::kStage2Leaf);
    world.map(root2, table + 0x1000, second | SimpleWorld::kStage2Leaf);
    world.map_stage2_identity(root2, SimpleWorld::kPage, 1);
    // 42-bit input: level 2 has 8192 entries, level 3 has 8192.
    world.memory.memory.put64(top, table | 3);
    world.memory.memory.put64(first + 8 * 5, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
    world.memory.memory.put64(second + 8 * 7, (SimpleWorld::kPage + 0x10000) | SimpleWorld::kStage1Leaf);
    Words cd = SimpleWorld::cd(top);
    set_field(cd, 5, 0, 22);
    set_field(cd, 7, 6, 1);
    world.put_cd(0, cd);
    Words ste = SimpleWorld::stage1_ste();
    SimpleWorld::add_stage2(ste, root2, 7);
    world.put_ste(3, ste);
    world.enable();
    EXPECT_EQ(world.access(5 * 0x10000 + 0x42).address, SimpleWorld::kPage + 0x42);
    EXPECT_EQ(world.access((512 + 7) * uint64_t{0x10000} + 0x43).address, SimpleWorld::kPage + 0x10043);
    EXPECT_EQ(world.access(5 * 0x10000 + 0x44).address, SimpleWorld::kPage + 0x44);
  }
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
