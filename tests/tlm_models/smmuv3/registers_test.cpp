// SPDX-License-Identifier: Apache-2.0
// The register table: offsets, read-only and reserved bits, guards, handshakes, and ID registers that tell the truth.
#include <gtest/gtest.h>

#include "tests/core/seed.h"
#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

TEST(SmmuRegisters, TableIsSortedOutAndEachRowIsNamedOnce) {
  std::vector<bool> seen(kRegisters);
  for (const RegisterRow& row : register_rows()) {
    EXPECT_FALSE(seen[static_cast<size_t>(row.id)]) << row.name;
    seen[static_cast<size_t>(row.id)] = true;
    EXPECT_EQ(row.offset % row.size_bytes, 0u) << row.name;
    for (const RegisterRow& other : register_rows())
      if (other.id != row.id) {
        EXPECT_TRUE(other.offset >= row.offset + row.size_bytes || row.offset >= other.offset + other.size_bytes);
      }
  }
  for (bool named : seen) EXPECT_TRUE(named);
}

// Reset values and writable bits of every register while nothing is enabled.
TEST(SmmuRegisters, EachRegisterKeepsItsWritableBitsAlone) {
  Config config;
  for (const RegisterRow& row : register_rows()) {
    Bench bench(config);
    EXPECT_EQ(bench.read(row.id), reset_value(row.id, config)) << row.name;
    if (row.guard == Guard::kReadOnly) {
      bench.write(row.id, ~reset_value(row.id, config));
      EXPECT_EQ(bench.read(row.id), reset_value(row.id, config)) << row.name;
      continue;
    }
    // These act on what is written and are tested by themselves.
    if (row.effect != WriteEffect::kNone) continue;
    const uint64_t all = row.size_bytes == 8 ? ~uint64_t{0} : 0xffffffff;
    bench.write(row.id, all);
    EXPECT_EQ(bench.read(row.id), writable_bits(row, config) & all) << row.name;
    bench.write(row.id, 0);
    EXPECT_EQ(bench.read(row.id), 0u) << row.name;
  }
}

TEST(SmmuRegisters, HalvesOfWideRegistersAreReachedByThemselves) {
  Bench bench;
  bench.smmu.write_register(0x80, 4, 0x12345640);
  bench.smmu.write_register(0x84, 4, 0x000fedcb);
  EXPECT_EQ(bench.smmu.read_register(0x80, 8), 0x000fedcb12345640u);
  EXPECT_EQ(bench.smmu.read_register(0x84, 4), 0x000fedcbu);
  // Widths and offsets that no register takes.
  bench.smmu.write_register(0x80, 2, 0);
  bench.smmu.write_register(0x82, 4, 0);
  bench.smmu.write_register(0x30, 4, 1);
  EXPECT_EQ(bench.smmu.read_register(0x80, 8), 0x000fedcb12345640u);
  EXPECT_EQ(bench.smmu.read_register(0x30, 4), 0u);
  EXPECT_EQ(bench.smmu.read_register(0x20000, 4), 0u);
}

TEST(SmmuRegisters, IdRegistersFollowTheFeatures) {
  Config config;
  config.oas_bits = 44;
  config.va52 = false;
  config.stage2 = false;
  config.pri = config.ats = false;
  config.granule_16k = false;
  config.stall_model = StallModel::kTerminateOnly;
  config.substream_id_bits = 5;
  Bench bench(config);
  const uint64_t idr0 = bench.read(Id::kIdr0), idr1 = bench.read(Id::kIdr1), idr5 = bench.read(Id::kIdr5);
  EXPECT_EQ(idr0 & 3, 2u);
  EXPECT_EQ(idr0 >> 10 & 1, 0u);
  EXPECT_EQ(idr0 >> 16 & 1, 0u);
  EXPECT_EQ(idr0 >> 24 & 3, 1u);
  EXPECT_EQ(idr1 >> 6 & 31, 5u);
  EXPECT_EQ(idr5 & 7, 4u);
  EXPECT_EQ(idr5 >> 4 & 7, 5u);
  EXPECT_EQ(idr5 >> 16, 0u);
  EXPECT_EQ(bench.read(Id::kAidr), 2u);
  // Registers of features that are off are not there.
  bench.write(Id::kPriqBase, ~uint64_t{0});
  EXPECT_EQ(bench.read(Id::kPriqBase), 0u);
  bench.write(Id::kCr0, kCr0PriQueueEnable | kCr0AtsCheck);
  EXPECT_EQ(bench.read(Id::kCr0), 0u);
}

TEST(SmmuRegisters, Cr0IsAcknowledgedAtOnceOrWhenUpdatesComplete) {
  Config config;
  Bench bench(config);
  bench.write(Id::kCr0, kCr0EventQueueEnable);
  EXPECT_EQ(bench.read(Id::kCr0Ack), kCr0EventQueueEnable);

  config.deferred_updates = true;
  Bench slow(config);
  slow.write(Id::kCr0, kCr0EventQueueEnable);
  EXPECT_EQ(slow.read(Id::kCr0), kCr0EventQueueEnable);
  EXPECT_EQ(slow.read(Id::kCr0Ack), 0u);
  // A field on its way keeps its first value; others may still be written.
  slow.write(Id::kCr0, kCr0CommandQueueEnable);
  EXPECT_EQ(slow.read(Id::kCr0), kCr0EventQueueEnable | kCr0CommandQueueEnable);
  // CR2 is closed while SMMUEN changes.
  slow.write(Id::kCr0, kCr0SmmuEnable | kCr0EventQueueEnable | kCr0CommandQueueEnable);
  slow.write(Id::kCr2, 2);
  EXPECT_EQ(slow.read(Id::kCr2), uint64_t{kCr2PrivateTlb});
  slow.smmu.complete_updates();
  EXPECT_EQ(slow.read(Id::kCr0Ack), kCr0SmmuEnable | kCr0EventQueueEnable | kCr0CommandQueueEnable);
}

TEST(SmmuRegisters, GuardedWritesAreIgnored) {
  SimpleWorld world;
  world.enable(kCr0PriQueueEnable);
  for (const Id id :
       {Id::kStrtabBase, Id::kStrtabBaseCfg, Id::kCmdqBase, Id::kCmdqCons, Id::kEventqBase, Id::kEventqProd,
        Id::kPriqBase, Id::kPriqProd, Id::kCr2, Id::kGerrorIrqCfg0, Id::kEventqIrqCfg1, Id::kPriqIrqCfg2, Id::kCr1}) {
    const uint64_t before = world.read(id);
    world.write(id, ~before);
    EXPECT_EQ(world.read(id), before) << static_cast<int>(id);
  }
  // With the SMMU off, the table's attributes open and the queues' stay closed.
  world.write(Id::kCr0, kCr0EventQueueEnable);
  world.write(Id::kCr1, 0xffffffff);
  EXPECT_EQ(world.read(Id::kCr1), 0xfc0u);
}

TEST(SmmuRegisters, BypassAttributesNeedUpdate) {
  Bench bench;
  bench.write(Id::kGbpa, kGbpaAbort);
  EXPECT_EQ(bench.read(Id::kGbpa), 0x1000u);
  bench.write(Id::kGbpa, kGbpaAbort | kGbpaUpdate);
  EXPECT_EQ(bench.read(Id::kGbpa), kGbpaAbort);
  EXPECT_EQ(bench.smmu.translate({}).outcome, Outcome::kAbort);

  Config config;
  config.deferred_updates = true;
  Bench slow(config);
  slow.write(Id::kGbpa, kGbpaAbort | kGbpaUpdate);
  EXPECT_EQ(slow.read(Id::kGbpa), kGbpaAbort | kGbpaUpdate);
  slow.write(Id::kGbpa, kGbpaUpdate);
  EXPECT_EQ(slow.smmu.translate({}).outcome, Outcome::kPass);
  slow.smmu.complete_updates();
  EXPECT_EQ(slow.read(Id::kGbpa), kGbpaAbort);
  EXPECT_EQ(slow.smmu.translate({}).outcome, Outcome::kAbort);
}

TEST(SmmuRegisters, ConfigurationThatCannotBeIsRefused) {
  Config config;
  EXPECT_TRUE(check(config).ok());
  config.stage1 = config.stage2 = false;
  EXPECT_FALSE(check(config).ok());
  config = {};
  config.oas_bits = 50;
  EXPECT_NE(check(config).error().message.find("oas_bits is 50"), std::string::npos);
  config = {};
  config.granule_64k = false;
  EXPECT_FALSE(check(config).ok());
  config = {};
  config.ats = false;
  EXPECT_FALSE(check(config).ok());
}

// Nonsense in every register, with traffic and commands between: nothing may crash or hang.
TEST(SmmuRegisters, FuzzedByNonsense) {
  std::mt19937_64 random(test::seed());
  Config config;
  config.deferred_updates = random() % 2;
  SimpleWorld world(config);
  for (uint64_t at = 0x10000; at < 0x40000; at += 8) world.memory.memory.put64(at, random());
  for (int i = 0; i < 50000; ++i) {
    const RegisterRow& row = register_rows()[random() % register_rows().size()];
    const uint64_t value = random() % 2 ? random() : uint64_t{1} << random() % 64;
    world.smmu.write_register(random() % 8 ? row.offset : static_cast<uint32_t>(random()), random() % 2 ? 4 : 8, value);
    world.smmu.read_register(row.offset, row.size_bytes);
    Transaction transaction;
    transaction.stream_id = static_cast<uint32_t>(random() % 70);
    transaction.address = random() >> random() % 64;
    transaction.translated = random() % 4 == 0;
    world.smmu.translate(transaction);
    if (random() % 4 == 0) world.smmu.page_request({.address = random(), .last = random() % 2 == 0});
    if (random() % 8 == 0) world.smmu.complete_updates();
  }
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
