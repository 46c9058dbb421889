// SPDX-License-Identifier: Apache-2.0
// The two sides of an SMMU with security states: registers apart, streams apart, and what the secure side may say of
// the other.
#include <gtest/gtest.h>

#include "tests/tlm_models/smmuv3/simple_world.h"
#include "tlm_models/smmuv3/commands.h"
#include "tlm_models/smmuv3/two_state_smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr uint64_t kSecureCommands = 0x60000, kSecureEvents = 0x70000, kSecureStreams = 0x140000;
constexpr uint64_t kSecureContexts = 0x150000, kInput = 0x123456000;

// Both sides on: stream 3 of each has stage 1 with tables of its own.
struct TwoWorld {
  TwoWorld() : smmu(config(), memory, non_secure, secure) {
    build(false, SimpleWorld::kStreamTable, SimpleWorld::kContexts, 0x200000, SimpleWorld::kPage);
    build(true, kSecureStreams, kSecureContexts, 0x300000, 0x50000000);
    write(Id::kCmdqBase, kCommandQueue | 6, false);
    write(Id::kEventqBase, kEventQueue | 6, false);
    write(Id::kCmdqBase, kSecureCommands | 6, true);
    write(Id::kEventqBase, kSecureEvents | 6, true);
    for (const bool side : {false, true}) {
      write(Id::kIrqCtrl, 7, side);
      write(Id::kCr2, 2, side);
      write(Id::kCr0, kCr0SmmuEnable | kCr0EventQueueEnable | kCr0CommandQueueEnable, side);
    }
  }
  static Config config() {
    Config config;
    config.merge_events = false;
    return config;
  }
  void build(bool side, uint64_t streams, uint64_t contexts, uint64_t root, uint64_t page) {
    SimpleWorld maker;
    // The table builder of another world, copied over.
    const uint64_t made = maker.new_table();
    maker.map(made, kInput, page | SimpleWorld::kStage1Leaf);
    for (uint64_t at = 0; at < 0x10000; at += 8) {
      uint64_t word = maker.memory.memory.get64(made + at);
      if (word >= made && word < made + 0x10000) word += root - made;
      if (word != 0) memory.memory.put64(root + at, word);
    }
    const Words ste = SimpleWorld::stage1_ste(contexts), cd = SimpleWorld::cd(root);
    for (unsigned i = 0; i < 8; ++i) {
      memory.memory.put64(streams + 3 * 64 + 8 * i, ste[i]);
      memory.memory.put64(contexts + 8 * i, cd[i]);
    }
    write(Id::kStrtabBase, streams, side);
    write(Id::kStrtabBaseCfg, 6, side);
  }
  void write(Id id, uint64_t value, bool side) {
    for (const RegisterRow& row : register_rows(side))
      if (row.id == id) smmu.write_register(row.offset, row.size_bytes, value, side);
  }
  uint64_t read(Id id, bool side) const {
    for (const RegisterRow& row : register_rows(side))
      if (row.id == id) return smmu.read_register(row.offset, row.size_bytes, true);
    return 0;
  }
  bool command(uint64_t low, uint64_t high, bool side) {
    const uint64_t index = read(Id::kCmdqProd, side);
    const uint64_t at = (side ? kSecureCommands : kCommandQueue) + (index & 63) * 16;
    memory.memory.put64(at, low);
    memory.memory.put64(at + 8, high);
    write(Id::kCmdqProd, (index + 1) & 127, side);
    return read(Id::kCmdqProd, side) == (read(Id::kCmdqCons, side) & 0xfffff);
  }
  TranslateResult access(bool side, uint64_t address = kInput, bool instruction = false) {
    Transaction transaction;
    transaction.stream_id = 3;
    transaction.address = address;
    transaction.privileged = true;
    transaction.instruction = instruction;
    return smmu.side(side).translate(transaction);
  }
  uint64_t reads(bool side) {
    smmu.side(side).memory().clear_counts();
    EXPECT_EQ(access(side).outcome, Outcome::kPass);
    return smmu.side(side).memory().walk_reads();
  }

  BenchMemory memory;
  BenchEnvironment non_secure, secure;
  TwoStateSmmu smmu;
};

TEST(SmmuSecure, RegistersAreSeenBySecureAccessesAlone) {
  TwoWorld world;
  EXPECT_EQ(world.smmu.read_register(0x8004, 4, true) >> 31, 1u);
  EXPECT_EQ(world.smmu.read_register(0x8004, 4, false), 0u);
  EXPECT_EQ(world.smmu.read_register(0x8004, 4, true) >> 29 & 1, 0u);
  const uint64_t before = world.smmu.read_register(0x8050, 4, true);
  world.smmu.write_register(0x8050, 4, 0, false);
  EXPECT_EQ(world.smmu.read_register(0x8050, 4, true), before);
  EXPECT_EQ(world.smmu.read_register(0x80a8, 4, true), 0u);
  for (const RegisterRow& row : register_rows(true)) {
    EXPECT_GE(row.offset, 0x8000u) << row.name;
    EXPECT_LT(row.offset, 0x10000u) << row.name;
    EXPECT_EQ(std::string(row.name).rfind("SMMU_S_", 0), 0u);
  }
}

TEST(SmmuSecure, StreamsOfOneNumberAreApart) {
  TwoWorld world;
  EXPECT_EQ(world.access(false).address, SimpleWorld::kPage);
  EXPECT_FALSE(world.access(false).attributes.secure);
  EXPECT_EQ(world.access(true).address, 0x50000000u);
  EXPECT_TRUE(world.access(true).attributes.secure);
  EXPECT_TRUE(world.memory.last_attributes[static_cast<size_t>(AccessKind::kStreamTableEntry)].secure);
  world.access(true, 0x777000);
  EXPECT_EQ(world.read(Id::kEventqProd, true), 1u);
  EXPECT_EQ(world.read(Id::kEventqProd, false), 0u);
  EXPECT_EQ(world.secure.interrupts[static_cast<size_t>(Interrupt::kEventQueue)], 1u);
  EXPECT_EQ(world.non_secure.interrupts[static_cast<size_t>(Interrupt::kEventQueue)], 0u);
}

TEST(SmmuSecure, CommandsReachTheSideThatTheyName) {
  TwoWorld world;
  const uint64_t stream = uint64_t{3} << 32, ssec = 1 << 10;
  const auto warm = [&] {
    world.access(false);
    world.access(true);
  };
  warm();
  EXPECT_TRUE(world.command(0x10, 0, true));
  EXPECT_EQ(world.reads(false), 0u);
  EXPECT_EQ(world.reads(true), 4u);
  EXPECT_TRUE(world.command(0x30, 0, true));
  EXPECT_EQ(world.reads(true), 0u);
  EXPECT_EQ(world.reads(false), 4u);
  EXPECT_TRUE(world.command(0x28, 0, true));
  EXPECT_EQ(world.reads(false), 4u);
  EXPECT_TRUE(world.command(0x30, 0, false));
  EXPECT_TRUE(world.command(0x10, 0, false));
  EXPECT_EQ(world.reads(true), 0u);
  const auto entries = [&](bool side) {
    world.smmu.side(side).memory().clear_counts();
    world.access(side);
    return world.smmu.side(side).memory().count(AccessKind::kStreamTableEntry);
  };
  EXPECT_TRUE(world.command(0x03 | stream | ssec, 0, true));
  EXPECT_EQ(entries(false), 0u);
  EXPECT_EQ(entries(true), 1u);
  EXPECT_TRUE(world.command(0x03 | stream, 0, true));
  EXPECT_EQ(entries(true), 0u);
  EXPECT_EQ(entries(false), 1u);
  // What secure EL2 would have, and ATS from the secure queue.
  for (const unsigned opcode : {0x50u, 0x58u, 0x60u, 0x40u, 0x41u}) {
    EXPECT_FALSE(world.command(opcode, 0, true));
    EXPECT_EQ(world.read(Id::kCmdqCons, true) >> 24, kErrorIllegal);
    world.write(Id::kCmdqProd, world.read(Id::kCmdqCons, true) & 0xfffff, true);
    world.write(Id::kGerrorN, world.read(Id::kGerror, true), true);
  }
  EXPECT_EQ(world.read(Id::kGerror, false), 0u);
}

TEST(SmmuSecure, El3HasARegimeOfItsOwn) {
  TwoWorld world;
  Words ste = SimpleWorld::stage1_ste(kSecureContexts);
  set_field(ste, 95, 94, 1);
  for (unsigned i = 0; i < 8; ++i) world.memory.memory.put64(kSecureStreams + 3 * 64 + 8 * i, ste[i]);
  EXPECT_EQ(world.access(true).outcome, Outcome::kPass);
  world.command(0x10, 0, true);
  EXPECT_EQ(world.reads(true), 0u);
  world.command(0x1a, kInput, true);
  EXPECT_EQ(world.reads(true), 4u);
  world.command(0x18, 0, true);
  EXPECT_EQ(world.reads(true), 4u);
  EXPECT_FALSE(world.command(0x18, 0, false));
  // Secure EL2 is not there.
  set_field(ste, 95, 94, 2);
  world.memory.memory.put64(kSecureStreams + 3 * 64 + 8, ste[1]);
  world.command(0x03 | uint64_t{3} << 32 | 1 << 10, 0, true);
  EXPECT_EQ(world.access(true).event, EventType::kBadSte);
}

TEST(SmmuSecure, StallsCanBeKeptFromTheNonSecureSide) {
  TwoWorld world;
  EXPECT_EQ(world.read(Id::kIdr0, false) >> 24 & 3, 0u);
  EXPECT_TRUE(world.command(0x45, 0, false));
  world.write(Id::kCr0, world.read(Id::kCr0, true) | kCr0NonSecureStallDisable, true);
  EXPECT_EQ(world.read(Id::kIdr0, false) >> 24 & 3, 1u);
  EXPECT_EQ(world.read(Id::kIdr0, true) >> 24 & 3, 0u);
  EXPECT_FALSE(world.command(0x45, 0, false));
  Words cd = SimpleWorld::cd(0x200000);
  set_field(cd, 44, 44, 1);
  world.memory.memory.put64(SimpleWorld::kContexts, cd[0]);
  EXPECT_EQ(world.access(false).event, EventType::kBadCd);
}

// A CD that asks for stalls was legal when it was cached.
TEST(SmmuSecure, WhatIsIllegalWithoutStallsIsFoundAfterItWasCached) {
  TwoWorld world;
  Words cd = SimpleWorld::cd(0x200000);
  set_field(cd, 44, 44, 1);
  world.memory.memory.put64(SimpleWorld::kContexts, cd[0]);
  EXPECT_NE(world.access(false).event, EventType::kBadCd);
  world.write(Id::kCr0, world.read(Id::kCr0, true) | kCr0NonSecureStallDisable, true);
  EXPECT_EQ(world.access(false).event, EventType::kBadCd);
}

TEST(SmmuSecure, InstructionsComeFromSecureMemoryAlone) {
  TwoWorld world;
  // The leaf becomes non-secure, and readable by nobody but privileged code, which may execute it.
  const uint64_t leaf = 0x300000 + 0x3000 + ((kInput >> 12) & 511) * 8;
  ASSERT_EQ(world.memory.memory.get64(leaf) & 0xfffff000, 0x50000000u);
  world.memory.memory.put64(leaf, (world.memory.memory.get64(leaf) | 1 << 5 | 1 << 7) & ~uint64_t{1 << 6});
  EXPECT_EQ(world.access(true, kInput, true).outcome, Outcome::kPass);
  EXPECT_FALSE(world.access(true, kInput, true).attributes.secure);
  world.write(Id::kCr0, world.read(Id::kCr0, true) | kCr0SecureFetchOnly, true);
  world.command(0x10, 0, true);
  EXPECT_EQ(world.access(true, kInput, true).event, EventType::kPermission);
  EXPECT_EQ(world.access(true, kInput, false).outcome, Outcome::kPass);
}

TEST(SmmuSecure, InvalidateAllReachesBothSides) {
  TwoWorld world;
  world.access(false);
  world.access(true);
  world.smmu.write_register(0x803c, 4, 1, true);
  EXPECT_EQ(world.smmu.read_register(0x803c, 4, true), 0u);
  EXPECT_EQ(world.reads(false), 4u);
  EXPECT_EQ(world.reads(true), 4u);
}

TEST(SmmuSecure, ResetForgetsEverything) {
  TwoWorld world;
  world.access(true);
  world.write(Id::kCr0, world.read(Id::kCr0, true) | kCr0NonSecureStallDisable, true);
  world.smmu.reset();
  for (const bool side : {false, true})
    for (const RegisterRow& row : register_rows(side))
      EXPECT_EQ(world.read(row.id, side), reset_value(row.id, world.smmu.side(side).config())) << row.name;
  EXPECT_EQ(world.read(Id::kIdr0, false) >> 24 & 3, 0u);
  // Disabled bypass, until software comes again.
  EXPECT_EQ(world.access(true).address, kInput);
}

TEST(SmmuSecure, NoAtsAndNoPageRequests) {
  TwoWorld world;
  Transaction transaction;
  transaction.stream_id = 3;
  transaction.translated = true;
  EXPECT_EQ(world.smmu.side(true).translate(transaction).event, EventType::kTranslationForbidden);
  EXPECT_EQ(world.smmu.side(true).translate_for_ats({.address = kInput, .stream_id = 3}).status,
            AtsStatus::kUnsupportedRequest);
  EXPECT_EQ(world.read(Id::kEventqProd, true), 2u);
  world.smmu.side(true).page_request({.stream_id = 3, .last = true, .read = true});
  ASSERT_EQ(world.secure.responses.size(), 1u);
  EXPECT_EQ(world.secure.responses[0].code, PageResponseCode::kFailure);
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
