// SPDX-License-Identifier: Apache-2.0
// What each invalidation reaches and what it leaves, seen by the reads that the next access takes.
#include <gtest/gtest.h>

#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr uint64_t kBase = 0x500000;
constexpr uint64_t kVmid = 0, kAsid = 9;

// Sixteen pages in a row, all translated once.
struct WarmWorld : SimpleWorld {
  explicit WarmWorld(bool walk_cache = false, uint64_t leaf = kStage1Leaf) : SimpleWorld(config(walk_cache)) {
    start_stage1();
    for (unsigned page = 0; page < 16; ++page) map(root, kBase + page * 0x1000, (kPage + page * 0x1000) | leaf);
    warm();
  }
  static Config config(bool walk_cache) {
    Config config = default_config();
    config.stage1_walk_cache = walk_cache;
    return config;
  }
  void warm() {
    for (unsigned page = 0; page < 16; ++page) access(kBase + page * 0x1000);
  }
  uint64_t reads(uint64_t address, uint32_t stream = 3) {
    smmu.memory().clear_counts();
    EXPECT_EQ(access(address, false, stream).outcome, Outcome::kPass);
    return smmu.memory().walk_reads();
  }
  // Which of the sixteen pages must be walked again, as bits.
  unsigned cold() {
    unsigned result = 0;
    for (unsigned page = 0; page < 16; ++page) result |= (reads(kBase + page * 0x1000) != 0 ? 1u : 0u) << page;
    return result;
  }
};

uint64_t tags(uint64_t vmid = kVmid, uint64_t asid = kAsid) { return vmid << 32 | asid << 48; }

TEST(SmmuTlb, OneAddressReachesOnePage) {
  WarmWorld world;
  EXPECT_EQ(world.cold(), 0u);
  world.command(0x12 | tags(), kBase + 0x3000);
  EXPECT_EQ(world.cold(), 1u << 3);
  world.command(0x13 | tags(kVmid, 0), kBase + 0xf000);
  EXPECT_EQ(world.cold(), 1u << 15);
}

TEST(SmmuTlb, RangesReachExactlyTheirGranules) {
  for (uint64_t scale = 0; scale < 3; ++scale) {
    for (uint64_t num = 0; num < 4; ++num) {
      if (scale == 0 && num == 0) continue;
      WarmWorld world;
      world.command(0x12 | tags() | num << 12 | scale << 20, (kBase + 0x1000) | 1 << 10);
      const unsigned pages = static_cast<unsigned>((num + 1) << scale);
      EXPECT_EQ(world.cold(), ((1u << pages) - 1) << 1 & 0xffff) << num << " " << scale;
    }
  }
}

TEST(SmmuTlb, GranuleAndLevelHintsNarrowTheScope) {
  WarmWorld world;
  world.command(0x12 | tags() | 3 << 12, kBase | 3 << 10);  // entries of 64 KiB tables
  EXPECT_EQ(world.cold(), 0u);
  world.command(0x12 | tags() | 3 << 12, kBase | 1 << 10 | 2 << 8);  // leaves of level 2
  EXPECT_EQ(world.cold(), 0u);
  world.command(0x12 | tags() | 3 << 12, kBase | 1 << 10 | 3 << 8);
  EXPECT_EQ(world.cold(), 0xfu);
}

TEST(SmmuTlb, TagsAreCompared) {
  WarmWorld world;
  world.command(0x12 | tags(kVmid, 8), kBase);
  world.command(0x12 | tags(5, kAsid), kBase);
  world.command(0x11 | tags(kVmid, 8));
  world.command(0x10 | tags(5, 0));
  world.command(0x22 | tags(), kBase);
  world.command(0x20);
  world.command(0x2a | tags(), kBase);
  world.command(0x28 | tags(5, 0));
  EXPECT_EQ(world.cold(), 0u);
  world.command(0x11 | tags());
  EXPECT_EQ(world.cold(), 0xffffu);
  world.command(0x10 | tags(kVmid, 0));
  EXPECT_EQ(world.cold(), 0xffffu);
  world.command(0x28 | tags(kVmid, 0));
  EXPECT_EQ(world.cold(), 0xffffu);
  world.command(0x30);
  EXPECT_EQ(world.cold(), 0xffffu);
}

TEST(SmmuTlb, VmidWildcardsWidenTheScope) {
  WarmWorld world;
  world.command(0x10 | tags(3, 0));
  EXPECT_EQ(world.cold(), 0u);
  world.write(Id::kCr0, world.read(Id::kCr0) | 2 << 6);
  world.warm();
  world.command(0x10 | tags(4, 0));
  EXPECT_EQ(world.cold(), 0u);
  world.command(0x10 | tags(3, 0));
  EXPECT_EQ(world.cold(), 0xffffu);
}

TEST(SmmuTlb, LeafScopeKeepsPointersToTables) {
  WarmWorld world(true);
  world.command(0x12 | tags(), kBase | 1);
  EXPECT_EQ(world.reads(kBase), 1u);
  world.command(0x12 | tags(), kBase);
  EXPECT_EQ(world.reads(kBase), 4u);
  // A neighbour under the same table had its pointers dropped too, and found them again through the first.
  EXPECT_EQ(world.reads(kBase + 0x1000), 0u);
}

TEST(SmmuTlb, GlobalPagesServeEveryAsidOfTheirSet) {
  WarmWorld world(false, SimpleWorld::kStage1Leaf & ~uint64_t{1 << 11});
  // Another stream with another ASID and the same tables; and one whose ASID is of the other set.
  world.put_ste(4, SimpleWorld::stage1_ste(SimpleWorld::kContexts + 0x1000));
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 63, 48, 77);
  world.put(SimpleWorld::kContexts + 0x1000, cd);
  world.put_ste(5, SimpleWorld::stage1_ste(SimpleWorld::kContexts + 0x2000));
  set_field(cd, 47, 47, 1);
  world.put(SimpleWorld::kContexts + 0x2000, cd);
  EXPECT_EQ(world.reads(kBase, 4), 0u);
  EXPECT_EQ(world.reads(kBase, 5), 4u);
  // An ASID scope leaves global pages alone, an address scope does not, whatever ASID it has.
  world.command(0x11 | tags());
  EXPECT_EQ(world.reads(kBase, 3), 0u);
  world.command(0x12 | tags(kVmid, 1), kBase);
  EXPECT_EQ(world.reads(kBase, 3), 4u);
}

// A broadcast leaves what is of the set that processors do not share: who shares its ASIDs must not have got it.
TEST(SmmuTlb, TheTwoSetsOfAsidsShareNothing) {
  WarmWorld world;
  world.put_ste(4, SimpleWorld::stage1_ste(SimpleWorld::kContexts + 0x1000));
  Words cd = SimpleWorld::cd(world.root);
  world.put(SimpleWorld::kContexts + 0x1000, cd);
  EXPECT_EQ(world.reads(kBase, 4), 0u);
  set_field(cd, 47, 47, 1);
  world.put(SimpleWorld::kContexts + 0x1000, cd);
  world.command(0x05 | uint64_t{4} << 32);
  EXPECT_EQ(world.reads(kBase, 4), 4u);
}

// A stage 1 block over smaller stage 2 pages is kept in pieces: any address of the block drops them all.
TEST(SmmuTlb, PiecesOfABlockGoTogether) {
  Config config = SimpleWorld::default_config();
  config.stage1_walk_cache = false;
  SimpleWorld world(config);
  const uint64_t root2 = world.new_table();
  world.root = world.new_table();
  world.map(world.root, 0x600000, SimpleWorld::kPage | SimpleWorld::kStage1Leaf, 2);
  Words ste = SimpleWorld::stage1_ste();
  SimpleWorld::add_stage2(ste, root2, 7);
  world.put_ste(3, ste);
  world.put_cd(0, SimpleWorld::cd(world.root));
  world.map_tables_at_stage2(root2);
  for (unsigned page = 0; page < 4; ++page) world.map_stage2_identity(root2, SimpleWorld::kPage + page * 0x1000);
  world.enable();
  world.access(0x600000);
  world.access(0x602000);
  world.command(0x12 | tags(7), 0x603000);
  world.smmu.memory().clear_counts();
  world.access(0x602000);
  EXPECT_NE(world.smmu.memory().walk_reads(), 0u);
}

// A table moves at stage 2 while a pointer to it is kept: the descriptor is read in the old place and would be updated
// in the new one, where another descriptor lies. The walk begins again with what memory holds now.
TEST(SmmuTlb, UpdateThatFindsAnotherDescriptorIsWalkedWithoutCaches) {
  for (const bool stage2_cache : {false, true}) {
    Config config = SimpleWorld::default_config();
    config.stage2_cache = stage2_cache;
    SimpleWorld world(config);
    const uint64_t root2 = world.new_table();
    world.root = world.new_table();
    const uint64_t no_flag = SimpleWorld::kStage1Leaf & ~uint64_t{1 << 10};
    world.map(world.root, kBase, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
    world.map(world.root, kBase + 0x1000, (SimpleWorld::kPage + 0x1000) | no_flag);
    const uint64_t table = world.last_leaf & ~uint64_t{0xfff};
    const uint64_t moved = 0x30000000;
    world.memory.memory.put64(moved | (world.last_leaf & 0xfff), (SimpleWorld::kPage + 0x2000) | no_flag);
    Words ste = SimpleWorld::stage1_ste();
    SimpleWorld::add_stage2(ste, root2, 7);
    set_field(ste, 128 + 56, 128 + 55, 3);
    world.put_ste(3, ste);
    Words cd = SimpleWorld::cd(world.root);
    set_field(cd, 43, 43, 1);
    world.put_cd(0, cd);
    world.map_tables_at_stage2(root2);
    for (unsigned page = 0; page < 3; ++page) world.map_stage2_identity(root2, SimpleWorld::kPage + page * 0x1000);
    // Clean, so that what stage 2 keeps of the page is for reads alone.
    const uint64_t clean = (SimpleWorld::kStage2Leaf | uint64_t{1} << 51) & ~uint64_t{1 << 7};
    world.map(root2, table, table | clean);
    world.enable();
    ASSERT_EQ(world.access(kBase).outcome, Outcome::kPass);
    world.map(root2, table, moved | clean);
    const TranslateResult result = world.access(kBase + 0x1000);
    EXPECT_EQ(result.outcome, Outcome::kPass) << name(result.event);
    EXPECT_EQ(result.address, SimpleWorld::kPage + 0x2000);
  }
}

TEST(SmmuTlb, Stage2ScopeReachesStreamsOfStage2Alone) {
  SimpleWorld world;
  const uint64_t root2 = world.new_table();
  world.map_stage2_identity(root2, kBase);
  world.map_stage2_identity(root2, kBase + 0x1000);
  world.put_ste(3, SimpleWorld::stage2_ste(root2));
  world.enable();
  const auto reads = [&](uint64_t address) {
    world.smmu.memory().clear_counts();
    EXPECT_EQ(world.access(address).outcome, Outcome::kPass);
    return world.smmu.memory().walk_reads();
  };
  EXPECT_EQ(reads(kBase), 4u);
  EXPECT_EQ(reads(kBase + 0x1000), 4u);
  world.command(0x10 | tags(7, 0));
  world.command(0x12 | tags(7, 0), kBase);
  EXPECT_EQ(reads(kBase), 0u);
  world.command(0x2a | tags(7, 0), kBase);
  EXPECT_EQ(reads(kBase), 4u);
  EXPECT_EQ(reads(kBase + 0x1000), 0u);
}

TEST(SmmuTlb, El2RegimesAreApart) {
  for (const bool e2h : {false, true}) {
    SimpleWorld world(WarmWorld::config(false));
    world.write(Id::kCr2, e2h);
    world.root = world.new_table();
    world.map(world.root, kBase, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
    Words ste = SimpleWorld::stage1_ste();
    set_field(ste, 95, 94, 2);
    world.put_ste(3, ste);
    world.put_cd(0, SimpleWorld::cd(world.root));
    // The hypervisor's regimes have no VMIDs: another stream with another one shares the entry.
    set_field(ste, 128 + 15, 128, 9);
    world.put_ste(4, ste);
    world.enable();
    world.access(kBase);
    world.smmu.memory().clear_counts();
    EXPECT_EQ(world.access(kBase, false, 4).outcome, Outcome::kPass);
    EXPECT_EQ(world.smmu.memory().walk_reads(), 0u);
    const auto cold_after = [&](uint64_t low, uint64_t high = 0) {
      world.access(kBase);
      world.command(low, high);
      world.smmu.memory().clear_counts();
      EXPECT_EQ(world.access(kBase).outcome, Outcome::kPass);
      return world.smmu.memory().walk_reads() != 0;
    };
    EXPECT_FALSE(cold_after(0x30));
    EXPECT_FALSE(cold_after(0x10));
    EXPECT_FALSE(cold_after(0x12 | tags(), kBase));
    EXPECT_TRUE(cold_after(0x20));
    EXPECT_TRUE(cold_after(0x22 | tags(), kBase));
    EXPECT_TRUE(cold_after(0x23, kBase));
    EXPECT_EQ(cold_after(0x22 | tags(0, 1), kBase), !e2h);
    EXPECT_EQ(cold_after(0x21 | tags()), e2h);
  }
}

TEST(SmmuBroadcast, ReachesWhatProcessorsShare) {
  using Scope = BroadcastInvalidation::Scope;
  for (const bool shared : {true, false}) {
    WarmWorld world;
    world.write(Id::kCr0, kCr0EventQueueEnable);
    world.write(Id::kCr2, 0);
    Words cd = SimpleWorld::cd(world.root);
    set_field(cd, 47, 47, !shared);
    world.put_cd(0, cd);
    world.enable();
    world.command(0x04, 31);
    world.command(0x30);
    world.warm();
    const BroadcastInvalidation page{
        .scope = Scope::kVae1, .asid = kAsid, .first = kBase + 0x2000, .last = kBase + 0x3fff};
    world.smmu.broadcast(page);
    EXPECT_EQ(world.cold(), shared ? 0xcu : 0u);
    world.smmu.broadcast({.scope = Scope::kAside1, .asid = kAsid});
    EXPECT_EQ(world.cold(), shared ? 0xffffu : 0u);
    world.smmu.broadcast({.scope = Scope::kAside1, .asid = kAsid + 1});
    world.smmu.broadcast({.scope = Scope::kVmalle1, .vmid = 5});
    world.smmu.broadcast({.scope = Scope::kAlle2});
    world.smmu.broadcast({.scope = Scope::kIpas2e1, .first = 0, .last = ~uint64_t{0}});
    world.smmu.broadcast({.scope = Scope::kVae2, .first = 0, .last = ~uint64_t{0}});
    EXPECT_EQ(world.cold(), 0u);
    // Scopes without an ASID reach the non-shared set as well.
    for (const Scope scope : {Scope::kVmalle1, Scope::kVmalls12e1, Scope::kAlle1}) {
      world.smmu.broadcast({.scope = scope});
      EXPECT_EQ(world.cold(), 0xffffu);
    }
    BroadcastInvalidation any = page;
    any.scope = Scope::kVaae1;
    world.smmu.broadcast(any);
    EXPECT_EQ(world.cold(), 0xcu);
  }
}

TEST(SmmuBroadcast, IsIgnoredWherePrivateOrAbsent) {
  WarmWorld world;
  EXPECT_EQ(world.read(Id::kIdr0) >> 5 & 1, 1u);
  // The bench's CR2 clears PTM, which is set at reset.
  world.smmu.broadcast({});
  EXPECT_EQ(world.cold(), 0xffffu);
  world.write(Id::kCr0, 0);
  world.write(Id::kCr2, kCr2PrivateTlb);
  world.enable();
  world.warm();
  world.smmu.broadcast({});
  EXPECT_EQ(world.cold(), 0u);
  Config config;
  config.broadcast = false;
  Bench bench(config);
  EXPECT_EQ(bench.read(Id::kIdr0) >> 5 & 1, 0u);
  bench.write(Id::kCr2, kCr2PrivateTlb);
  EXPECT_EQ(bench.read(Id::kCr2), 0u);
}

TEST(SmmuConfigCache, CommandsReachTheirStructures) {
  SimpleWorld world;
  world.start_stage1();
  const auto fetches = [&](AccessKind kind) {
    world.smmu.memory().clear_counts();
    world.access(0x123456000);
    return world.smmu.memory().count(kind);
  };
  fetches(AccessKind::kStreamTableEntry);
  EXPECT_EQ(fetches(AccessKind::kStreamTableEntry), 0u);
  const auto after = [&](uint64_t low, uint64_t high = 0) {
    world.command(low, high);
    world.smmu.memory().clear_counts();
    world.access(0x123456000);
    return std::pair(world.smmu.memory().count(AccessKind::kStreamTableEntry),
                     world.smmu.memory().count(AccessKind::kContextDescriptor));
  };
  const uint64_t stream3 = uint64_t{3} << 32, stream4 = uint64_t{4} << 32;
  using Counts = std::pair<uint64_t, uint64_t>;
  EXPECT_EQ(after(0x03 | stream4), Counts(0, 0));
  EXPECT_EQ(after(0x03 | stream3), Counts(1, 1));
  EXPECT_EQ(after(0x05 | stream3), Counts(0, 1));
  EXPECT_EQ(after(0x05 | stream3 | 1 << 12), Counts(0, 0));
  EXPECT_EQ(after(0x05 | stream4), Counts(0, 0));
  EXPECT_EQ(after(0x06 | stream3), Counts(0, 1));
  EXPECT_EQ(after(0x04 | stream4, 0), Counts(0, 0));
  EXPECT_EQ(after(0x04 | uint64_t{2} << 32, 0), Counts(1, 1));
  EXPECT_EQ(after(0x04 | stream4, 2), Counts(1, 1));
  EXPECT_EQ(after(0x04, 31), Counts(1, 1));
}

// Every access of a nested translation with two-level tables and hardware updates fails once: the right event, with
// the right address, and nothing of it is kept.
TEST(SmmuBusErrors, AtEveryAccessOfATranslation) {
  for (int at = 0;; ++at) {
    ASSERT_LT(at, 200);
    SimpleWorld world;
    world.write(Id::kStrtabBaseCfg, 8 | 6 << 6 | 1 << 16);
    const uint64_t leaf = 0x180000;
    world.put_words(SimpleWorld::kStreamTable, {leaf | 7});
    const uint64_t root2 = world.new_table();
    world.root = world.new_table();
    world.map(world.root, 0x123456000,
              (SimpleWorld::kPage | SimpleWorld::kStage1Leaf | 1 << 7 | uint64_t{1} << 51) & ~uint64_t{1 << 10});
    Words ste = SimpleWorld::stage1_ste(SimpleWorld::kContexts);
    SimpleWorld::add_stage2(ste, root2, 7);
    set_field(ste, 5, 4, 1);
    set_field(ste, 63, 59, 8);
    set_field(ste, 65, 64, 2);
    world.put(leaf + 3 * 64, ste);
    const uint64_t contexts = SimpleWorld::kContexts + 0x1000;
    world.put_words(SimpleWorld::kContexts, {contexts | 1});
    Words cd = SimpleWorld::cd(world.root);
    set_field(cd, 43, 42, 3);
    world.put(contexts, cd);
    for (uint64_t page = 0x100000; page < 0x240000; page += 0x1000) world.map_stage2_identity(root2, page);
    world.map_stage2_identity(root2, SimpleWorld::kPage);
    world.enable();
    world.memory.fail_after = at;
    const TranslateResult result = world.access(0x123456000, true);
    if (world.memory.fail_after >= 0) {
      EXPECT_EQ(result.outcome, Outcome::kPass);
      EXPECT_GT(at, 30);
      break;
    }
    const Event& event = world.smmu.last_event();
    switch (world.memory.failed_kind) {
      case AccessKind::kStreamTableLevel1:
      case AccessKind::kStreamTableEntry:
        EXPECT_EQ(event.type, EventType::kSteFetch);
        break;
      case AccessKind::kContextLevel1:
      case AccessKind::kContextDescriptor:
        EXPECT_EQ(event.type, EventType::kCdFetch);
        break;
      case AccessKind::kStage1Descriptor:
      case AccessKind::kStage1Update:
        EXPECT_EQ(event.type, EventType::kWalkExternalAbort);
        EXPECT_FALSE(event.stage2);
        EXPECT_EQ(event.fault_class, FaultClass::kTableWalk);
        break;
      default:
        EXPECT_EQ(event.type, EventType::kWalkExternalAbort);
        EXPECT_TRUE(event.stage2);
        break;
    }
    EXPECT_EQ(event.fetch_address, world.memory.failed_address);
    EXPECT_EQ(world.take_events().size(), 1u);
    EXPECT_EQ(world.access(0x123456000, true).outcome, Outcome::kPass) << at;
  }
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
