// SPDX-License-Identifier: Apache-2.0
// Memory attributes: the specification's own examples and the ends of each table.
#include <gtest/gtest.h>

#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

CacheLevel level(Cacheability policy, bool read, bool write, bool transient) {
  return {policy, read, write, transient};
}
constexpr auto kNc = Cacheability::kNonCacheable;
constexpr auto kWt = Cacheability::kWriteThrough;
constexpr auto kWb = Cacheability::kWriteBack;

MemoryAttributes normal(CacheLevel inner, CacheLevel outer, Shareability shareability) {
  MemoryAttributes result;
  result.inner = inner;
  result.outer = outer;
  result.shareability = shareability;
  return consistent(result);
}

// Section "Combine examples".
TEST(SmmuAttributes, CombineExamples) {
  const MemoryAttributes mixed = normal(level(kWb, true, true, false), level(kNc, 0, 0, 0), Shareability::kInner);
  EXPECT_EQ(combine(mixed, device_attributes(DeviceType::kNGnRE)), device_attributes(DeviceType::kNGnRE));
  EXPECT_EQ(combine(device_attributes(DeviceType::kNGnRE), device_attributes(DeviceType::kNGnRnE)),
            device_attributes(DeviceType::kNGnRnE));
  const MemoryAttributes through =
      normal(level(kWt, true, true, false), level(kWt, true, false, true), Shareability::kOuter);
  const MemoryAttributes result = combine(mixed, through);
  EXPECT_EQ(result.inner, level(kWt, true, true, false));
  EXPECT_EQ(result.outer.policy, kNc);
  EXPECT_FALSE(result.outer.transient);
  EXPECT_EQ(result.shareability, Shareability::kOuter);
}

TEST(SmmuAttributes, MairEncodings) {
  EXPECT_EQ(from_mair(0x00, 3), device_attributes(DeviceType::kNGnRnE));
  EXPECT_EQ(from_mair(0x04, 0), device_attributes(DeviceType::kNGnRE));
  EXPECT_EQ(from_mair(0x08, 0), device_attributes(DeviceType::kNGRE));
  EXPECT_EQ(from_mair(0x0c, 0), device_attributes(DeviceType::kGRE));
  EXPECT_EQ(from_mair(0x0e, 0), device_attributes(DeviceType::kGRE));  // reserved
  EXPECT_EQ(from_mair(0x44, 3), normal(level(kNc, 0, 0, 0), level(kNc, 0, 0, 0), Shareability::kOuter));
  EXPECT_EQ(from_mair(0xff, 3), normal(level(kWb, 1, 1, 0), level(kWb, 1, 1, 0), Shareability::kInner));
  EXPECT_EQ(from_mair(0xbb, 0), normal(level(kWt, 1, 1, 0), level(kWt, 1, 1, 0), Shareability::kNone));
  EXPECT_EQ(from_mair(0x37, 2), normal(level(kWb, 1, 1, 1), level(kWt, 1, 1, 1), Shareability::kOuter));
  EXPECT_EQ(from_mair(0xf0, 3), normal(level(kWt, 1, 1, 1), level(kWb, 1, 1, 0), Shareability::kInner));  // reserved
  // Neither hint means no transience.
  EXPECT_EQ(from_mair(0xcc, 3).inner, level(kWb, 0, 0, 0));
}

TEST(SmmuAttributes, ForcedWriteBack) {
  const MemoryAttributes cached = from_mair(0xdf, 3);
  EXPECT_EQ(combine_force_write_back(cached, 7, 0), cached);
  EXPECT_EQ(combine_force_write_back(device_attributes(DeviceType::kGRE), 7, 3), device_attributes(DeviceType::kGRE));
  const MemoryAttributes forced = combine_force_write_back(device_attributes(DeviceType::kGRE), 6, 3);
  EXPECT_FALSE(forced.device);
  EXPECT_EQ(forced.inner, level(kWb, 1, 1, 0));
  EXPECT_EQ(combine_force_write_back(from_mair(0x99, 3), 6, 0).outer, level(kWb, 0, 1, 0));
  EXPECT_EQ(combine_force_write_back(cached, 5, 0), from_mair(0x44, 0));
  EXPECT_EQ(combine_force_write_back(device_attributes(DeviceType::kNGRE), 5, 0), device_attributes(DeviceType::kNGRE));
  EXPECT_EQ(combine_force_write_back(cached, 2, 0), device_attributes(DeviceType::kNGRE));
  EXPECT_EQ(combine_force_write_back(device_attributes(DeviceType::kNGnRE), 2, 0),
            device_attributes(DeviceType::kNGnRE));
}

TEST(SmmuAttributes, OverridesOfABypassingStream) {
  SimpleWorld world;
  Words ste = SimpleWorld::bypass_ste();
  set_field(ste, 100, 96, 0x1f);  // write-back
  set_field(ste, 104, 101, 0xc);  // read-allocate
  set_field(ste, 109, 108, 3);
  set_field(ste, 113, 112, 3);
  set_field(ste, 115, 114, 3);
  world.put_ste(3, ste);
  world.enable();
  Transaction transaction;
  transaction.stream_id = 3;
  transaction.attributes = device_attributes(DeviceType::kNGnRE);
  TranslateResult result = world.smmu.translate(transaction);
  EXPECT_EQ(result.attributes, normal(level(kWb, 1, 0, 0), level(kWb, 1, 0, 0), Shareability::kInner));
  EXPECT_TRUE(result.privileged && result.instruction);
  transaction.write = true;
  EXPECT_FALSE(world.smmu.translate(transaction).instruction);
}

TEST(SmmuAttributes, OwnAccessesHaveTheAttributesOfTheirConfiguration) {
  SimpleWorld world;
  world.write(RegisterId::kCr1, 3 << 10 | 1 << 8 | 1 << 6);
  world.start_stage1();
  Words ste = SimpleWorld::stage1_ste();
  set_field(ste, 71, 66, 2 << 4 | 2 << 2 | 1);
  world.put_ste(3, ste);
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 13, 8, 3 << 4 | 1 << 2 | 1);
  world.put_cd(0, cd);
  world.access(0x123456000);
  const auto of = [&](AccessKind kind) { return world.memory.last_attributes[static_cast<size_t>(kind)]; };
  EXPECT_EQ(of(AccessKind::kStreamTableEntry), normal(level(kWb, 1, 1, 0), level(kWb, 1, 1, 0), Shareability::kInner));
  EXPECT_EQ(of(AccessKind::kContextDescriptor), normal(level(kWb, 1, 1, 0), level(kWt, 1, 0, 0), Shareability::kOuter));
  EXPECT_EQ(of(AccessKind::kStage1Descriptor), normal(level(kWb, 1, 1, 0), level(kWb, 1, 1, 0), Shareability::kInner));
}

// Accesses by intermediate address: what the tables' configuration says meets what stage 2 says of the page.
TEST(SmmuAttributes, OwnAccessesThroughStage2AreCombined) {
  for (const bool cached : {false, true}) {
    Config config = SimpleWorld::default_config();
    config.tlb = false;
    config.stage1_walk_cache = config.stage2_cache = cached;
    SimpleWorld world(config);
    const uint64_t root2 = world.new_table();
    world.root = world.new_table();
    world.map(world.root, 0x123456000, SimpleWorld::kPage | SimpleWorld::kStage1Leaf);
    Words ste = SimpleWorld::stage1_ste();
    SimpleWorld::add_stage2(ste, root2, 7);
    set_field(ste, 71, 66, 3 << 4 | 1 << 2 | 1);
    world.put_ste(3, ste);
    Words cd = SimpleWorld::cd(world.root);
    set_field(cd, 13, 8, 3 << 4 | 1 << 2 | 1);
    world.put_cd(0, cd);
    // Write-through for the tables, device for the contexts.
    for (uint64_t at = SimpleWorld::kTables; at < SimpleWorld::kTables + 0x20000; at += 0x1000)
      world.map(root2, at, at | (SimpleWorld::kStage2Leaf & ~uint64_t{0x3c}) | 0xa << 2);
    world.map(root2, SimpleWorld::kContexts,
              SimpleWorld::kContexts | (SimpleWorld::kStage2Leaf & ~uint64_t{0x3c}) | 1 << 2);
    world.map_stage2_identity(root2, SimpleWorld::kPage);
    world.enable();
    for (int twice = 0; twice < 2; ++twice) {
      EXPECT_EQ(world.access(0x123456000).outcome, Outcome::kPass);
      const auto of = [&](AccessKind kind) { return world.memory.last_attributes[static_cast<size_t>(kind)]; };
      EXPECT_EQ(of(AccessKind::kContextDescriptor), device_attributes(DeviceType::kNGnRE));
      EXPECT_EQ(of(AccessKind::kStage1Descriptor),
                normal(level(kWt, 1, 1, 0), level(kWt, 1, 1, 0), Shareability::kInner));
    }
  }
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
