// SPDX-License-Identifier: Apache-2.0
// Command queue, event queue, global errors and their interrupts.
#include <gtest/gtest.h>

#include "tests/core/seed.h"
#include "tests/tlm_models/smmuv3/simple_world.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr uint64_t kMsi = 0x50000;

unsigned wires(const Bench& bench, Interrupt interrupt) {
  return bench.environment.interrupts[static_cast<size_t>(interrupt)];
}

TEST(SmmuCommands, EveryOpcodeIsLegalExactlyAsTheTableSays) {
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    SimpleWorld world;
    bool known = false;
    for (const CommandRow& row : command_rows())
      known = known || (static_cast<unsigned>(row.opcode) == opcode && row.supported(Config{}));
    EXPECT_EQ(world.command(opcode), known) << opcode;
    EXPECT_EQ(world.command_error(), known ? kErrorNone : kErrorIllegal) << opcode;
    EXPECT_EQ(world.read(Id::kGerror) & kGerrorCommand, known ? 0 : kGerrorCommand);
    EXPECT_EQ(wires(world, Interrupt::kGlobalError), known ? 0u : 1u);
  }
}

TEST(SmmuCommands, SecureMarkingIsIllegalHere) {
  for (const CommandRow& row : command_rows()) {
    if (!row.supported(Config{})) continue;
    SimpleWorld world;
    EXPECT_EQ(world.command(static_cast<uint64_t>(row.opcode) | 1 << 10), !row.has_ssec) << row.name;
  }
}

TEST(SmmuCommands, FeaturesThatAreOffMakeTheirCommandsIllegal) {
  const auto legal = [](const Config& config, Opcode opcode) {
    SimpleWorld world(config);
    return world.command(static_cast<uint64_t>(opcode));
  };
  Config config;
  config.stage1 = false;
  for (const Opcode opcode : {Opcode::kCfgiCd, Opcode::kCfgiCdAll, Opcode::kTlbiNhAll, Opcode::kTlbiNhVa,
                              Opcode::kTlbiEl2All, Opcode::kTlbiEl2Vaa})
    EXPECT_FALSE(legal(config, opcode));
  EXPECT_TRUE(legal(config, Opcode::kTlbiNsnhAll));
  config = {};
  config.stage2 = false;
  EXPECT_FALSE(legal(config, Opcode::kTlbiS12Vmall));
  EXPECT_FALSE(legal(config, Opcode::kTlbiS2Ipa));
  config = {};
  config.hypervisor = false;
  EXPECT_FALSE(legal(config, Opcode::kTlbiEl2Asid));
  config = {};
  config.pri = config.ats = false;
  EXPECT_FALSE(legal(config, Opcode::kAtcInv));
  EXPECT_FALSE(legal(config, Opcode::kPriResp));
  config = {};
  config.stall_model = StallModel::kTerminateOnly;
  EXPECT_FALSE(legal(config, Opcode::kResume));
  EXPECT_FALSE(legal(config, Opcode::kStallTerm));
}

TEST(SmmuCommands, FieldValuesThatAreIllegal) {
  const auto consumed = [](uint64_t low, uint64_t high) {
    SimpleWorld world;
    return world.command(low, high);
  };
  EXPECT_FALSE(consumed(0x46 | 3 << 12, 0));       // CMD_SYNC with the reserved signal
  EXPECT_FALSE(consumed(0x41, 3 << 12));           // PRI_RESP with the reserved response
  EXPECT_FALSE(consumed(0x40, 53));                // ATC_INV of more than everything
  EXPECT_FALSE(consumed(0x12, 1 << 10));           // a granule without level or range
  EXPECT_FALSE(consumed(0x2a, 2 << 10 | 1 << 8));  // 16 KiB has no leaves at level 1: as no level
  EXPECT_TRUE(consumed(0x12, 1 << 10 | 1 << 8));
  EXPECT_TRUE(consumed(0x12 | 1 << 12, 1 << 10));
  EXPECT_TRUE(consumed(0x12 | 1 << 20, 1 << 10));
}

TEST(SmmuCommands, ErrorStopsTheQueueUntilItIsAcknowledged) {
  SimpleWorld world;
  world.put_words(kCommandQueue, {0x30, 0, 0xff, 0, 0x30, 0});
  world.write(Id::kCmdqProd, 3);
  EXPECT_EQ(world.read(Id::kCmdqCons), uint64_t{kErrorIllegal} << 24 | 1);
  world.write(Id::kCmdqProd, 3);
  EXPECT_EQ(world.read(Id::kCmdqCons) & 0xfffff, 1u);
  // The command is mended in memory and read again.
  world.put_words(kCommandQueue + 16, {0x30, 0});
  world.write(Id::kGerrorN, kGerrorCommand);
  EXPECT_EQ(world.read(Id::kCmdqCons), 3u);
}

TEST(SmmuCommands, BusErrorOfTheFetch) {
  SimpleWorld world;
  world.memory.memory.break_page(kCommandQueue);
  world.write(Id::kCmdqProd, 1);
  EXPECT_EQ(world.command_error(), kErrorAbort);
  EXPECT_EQ(world.read(Id::kCmdqCons) & 0xfffff, 0u);
  world.memory.memory.mend_page(kCommandQueue);
  world.put_words(kCommandQueue, {0x30, 0});
  world.write(Id::kGerrorN, kGerrorCommand);
  EXPECT_EQ(world.read(Id::kCmdqCons) & 0xfffff, 1u);
}

TEST(SmmuCommands, SyncSignals) {
  SimpleWorld world;
  EXPECT_TRUE(world.command(0x46));
  EXPECT_EQ(wires(world, Interrupt::kCommandSync), 0u);
  EXPECT_TRUE(world.command(0x46 | 1 << 12 | uint64_t{0xcafe} << 32, kMsi));
  EXPECT_EQ(wires(world, Interrupt::kCommandSync), 1u);
  EXPECT_EQ(world.memory.memory.get64(kMsi), 0xcafeu);
  EXPECT_TRUE(world.command(0x46 | 2 << 12));
  EXPECT_EQ(world.environment.events, 1u);
  // A message that meets a bus error is a global error, and the command is consumed all the same.
  world.memory.memory.break_page(kMsi);
  EXPECT_TRUE(world.command(0x46 | 1 << 12, kMsi));
  EXPECT_EQ(world.read(Id::kGerror), uint64_t{kGerrorMsiCommand});
}

TEST(SmmuCommands, SyncWaitsForDownstreamAndForInvalidationsOfDevices) {
  SimpleWorld world;
  world.enable();
  world.environment.quiet = false;
  EXPECT_FALSE(world.command(0x46));
  world.environment.quiet = true;
  world.smmu.resume_commands();
  EXPECT_EQ(world.read(Id::kCmdqCons), world.read(Id::kCmdqProd));

  world.environment.atc_answer = AtcAnswer::kPending;
  EXPECT_TRUE(world.command(0x40 | uint64_t{3} << 32, 0x12345000));
  EXPECT_FALSE(world.command(0x46));
  world.smmu.atc_invalidated(false);
  EXPECT_EQ(world.read(Id::kCmdqCons), world.read(Id::kCmdqProd));
  // One that times out is CMD_SYNC's error, once.
  world.environment.atc_answer = AtcAnswer::kTimedOut;
  EXPECT_TRUE(world.command(0x40, 0));
  EXPECT_FALSE(world.command(0x46));
  EXPECT_EQ(world.command_error(), kErrorAtcSync);
  world.write(Id::kGerrorN, world.read(Id::kGerror));
  EXPECT_EQ(world.read(Id::kCmdqCons), world.read(Id::kCmdqProd));
}

TEST(SmmuCommands, AtcInvalidationIsAlignedToItsSpan) {
  SimpleWorld world;
  world.command(0x40, 0);  // ignored while the SMMU is off
  EXPECT_TRUE(world.environment.atc.empty());
  world.enable();
  world.command(0x40 | 1 << 11 | 1 << 9 | 0x55 << 12 | uint64_t{3} << 32, 0x12345000 | 4);
  ASSERT_EQ(world.environment.atc.size(), 1u);
  const AtcInvalidation& got = world.environment.atc[0];
  EXPECT_EQ(got.stream_id, 3u);
  EXPECT_EQ(got.substream_id, 0x55u);
  EXPECT_TRUE(got.substream_valid && got.global);
  EXPECT_EQ(got.size_log2, 16u);
  EXPECT_EQ(got.address, 0x12340000u);
  world.command(0x40, 0xfffffffffffff000 | 52);
  EXPECT_EQ(world.environment.atc[1].size_log2, 64u);
  EXPECT_EQ(world.environment.atc[1].address, 0u);
}

TEST(SmmuCommands, QueuesOfEverySizeWrapRight) {
  for (unsigned log2 = 0; log2 <= 8; ++log2) {
    SimpleWorld world;
    world.write(Id::kCr0, 0);
    world.write(Id::kCmdqBase, kCommandQueue | log2);
    world.write(Id::kCr0, kCr0CommandQueueEnable | kCr0EventQueueEnable);
    const uint64_t wrap = (uint64_t{2} << log2) - 1;
    for (unsigned i = 0; i < (4u << log2); ++i) {
      world.put_words(kCommandQueue + (i & (wrap >> 1)) * 16, {0x30, 0});
      world.write(Id::kCmdqProd, (i + 1) & wrap);
      EXPECT_EQ(world.read(Id::kCmdqCons), (i + 1) & wrap);
    }
    // An index that lies: nothing is consumed.
    world.write(Id::kCmdqProd, (world.read(Id::kCmdqCons) + (uint64_t{1} << log2) + 1) & wrap);
    if (log2 > 0) {
      EXPECT_NE(world.read(Id::kCmdqCons), world.read(Id::kCmdqProd));
    }
  }
}

TEST(SmmuCommands, LargestQueueAndSizesAboveTheLimit) {
  Config config = SimpleWorld::default_config();
  config.command_queue_log2 = 4;
  SimpleWorld world(config);
  world.write(Id::kCr0, 0);
  world.write(Id::kCmdqBase, kCommandQueue | 31);
  world.write(Id::kCr0, kCr0CommandQueueEnable);
  for (unsigned i = 0; i < 40; ++i) {
    world.put_words(kCommandQueue + (i & 15) * 16, {0x30, 0});
    world.write(Id::kCmdqProd, (i + 1) & 31);
    EXPECT_EQ(world.read(Id::kCmdqCons), (i + 1) & 31);
  }
}

TEST(SmmuEvents, OverflowIsToggledOnceUntilAcknowledged) {
  SimpleWorld world;
  world.enable();
  for (unsigned i = 0; i < 64; ++i) world.access(0, false, 100);
  EXPECT_EQ(world.read(Id::kEventqProd), 64u);
  EXPECT_EQ(wires(world, Interrupt::kEventQueue), 1u);
  world.access(0, false, 100);
  EXPECT_EQ(world.read(Id::kEventqProd), uint64_t{kQueueOverflow} | 64);
  world.access(0, false, 100);
  EXPECT_EQ(world.read(Id::kEventqProd), uint64_t{kQueueOverflow} | 64);
  EXPECT_EQ(world.take_events().size(), 64u);
  // Unacknowledged overflow does not stop records.
  world.access(0, false, 100);
  EXPECT_EQ(world.read(Id::kEventqProd), uint64_t{kQueueOverflow} | 65);
  EXPECT_EQ(wires(world, Interrupt::kEventQueue), 2u);
}

TEST(SmmuEvents, BusErrorOfTheQueueStopsItUntilAcknowledged) {
  SimpleWorld world;
  world.enable();
  world.memory.memory.break_page(kEventQueue);
  world.access(0, false, 100);
  EXPECT_EQ(world.read(Id::kEventqProd), 0u);
  EXPECT_EQ(world.read(Id::kGerror), uint64_t{kGerrorEventAbort});
  world.memory.memory.mend_page(kEventQueue);
  world.access(0, false, 100);
  EXPECT_EQ(world.read(Id::kEventqProd), 0u);
  world.write(Id::kGerrorN, kGerrorEventAbort);
  world.access(0, false, 100);
  EXPECT_EQ(world.read(Id::kEventqProd), 1u);
}

TEST(SmmuEvents, BadStreamsAreRecordedOnlyWhenWanted) {
  SimpleWorld world;
  world.write(Id::kCr2, 0);
  world.enable();
  EXPECT_EQ(world.access(0, false, 100).event, EventType::kBadStreamId);
  EXPECT_TRUE(world.take_events().empty());
}

TEST(SmmuEvents, MessagesOfEachSource) {
  SimpleWorld world;
  world.write(Id::kIrqCtrl, 0);
  world.write(Id::kEventqIrqCfg0, kMsi);
  world.write(Id::kEventqIrqCfg1, 0x11);
  world.write(Id::kGerrorIrqCfg0, kMsi + 8);
  world.write(Id::kGerrorIrqCfg1, 0x22);
  world.write(Id::kGerrorIrqCfg2, 0x3f);
  world.write(Id::kIrqCtrl, 7);
  world.enable();
  world.access(0, false, 100);
  EXPECT_EQ(world.memory.memory.get64(kMsi), 0x11u);
  world.command(0xff);
  EXPECT_EQ(world.memory.memory.get64(kMsi + 8), 0x22u);
  const MemoryAttributes& attributes = world.memory.last_attributes[static_cast<size_t>(AccessKind::kMsi)];
  EXPECT_EQ(attributes.inner.policy, Cacheability::kWriteBack);
  EXPECT_EQ(attributes.shareability, Shareability::kInner);
}

TEST(SmmuEvents, FailedMessagesAreGlobalErrorsOfTheirSource) {
  SimpleWorld world;
  world.write(Id::kIrqCtrl, 0);
  world.write(Id::kEventqIrqCfg0, kMsi);
  world.write(Id::kGerrorIrqCfg0, kMsi);
  world.write(Id::kIrqCtrl, 7);
  world.enable();
  world.memory.memory.break_page(kMsi);
  world.access(0, false, 100);
  // The message of the event failed, and so did the one about that failure; there is none about the last.
  EXPECT_EQ(world.read(Id::kGerror), uint64_t{kGerrorMsiEvent | kGerrorMsiGerror});
  EXPECT_EQ(wires(world, Interrupt::kGlobalError), 1u);
}

TEST(SmmuEvents, MergingNeedsTheStreamsLeaveAndEqualRecords) {
  Config config;
  config.merge_events = true;
  SimpleWorld world(config);
  world.start_stage1();
  Words ste = SimpleWorld::stage1_ste();
  world.access(0x5000);
  world.access(0x5008);
  EXPECT_EQ(world.take_events().size(), 2u);
  set_field(ste, 83, 83, 1);
  world.put_ste(3, ste);
  world.command(0x03 | uint64_t{3} << 32);
  world.access(0x5000);
  world.access(0x5008);
  world.access(0x6000);
  world.access(0x6000, true);
  EXPECT_EQ(world.take_events().size(), 3u);
  // CMD_SYNC parts what came before from what comes after.
  world.access(0x6000, true);
  world.command(0x46);
  world.access(0x6000, true);
  EXPECT_EQ(world.take_events().size(), 2u);
  // A consumed record stands for nothing that comes later.
  world.access(0x6000, true);
  EXPECT_EQ(world.take_events().size(), 1u);
}

// The stream's entry has been found, so that it says what may be merged, also for what is wrong behind it.
TEST(SmmuEvents, MergingOfConfigurationErrorsNeedsTheStreamsLeaveToo) {
  Config config;
  config.merge_events = true;
  SimpleWorld world(config);
  world.start_stage1();
  world.put_cd(0, {});
  Words ste = SimpleWorld::stage1_ste();
  for (const unsigned may_merge : {0u, 1u}) {
    set_field(ste, 83, 83, may_merge);
    world.put_ste(3, ste);
    world.command(0x03 | uint64_t{3} << 32);
    EXPECT_EQ(world.access(0x5000).event, EventType::kBadCd);
    EXPECT_EQ(world.access(0x5000).event, EventType::kBadCd);
    EXPECT_EQ(world.take_events().size(), 2u - may_merge);
  }
}

TEST(SmmuEvents, RecordsHaveTheirFieldsInTheirPlaces) {
  Event event;
  event.type = EventType::kPermission;
  event.stream_id = 0x12345678;
  event.substream_valid = true;
  event.substream_id = 0xabcde;
  event.stall = true;
  event.stall_tag = 0x4321;
  event.read = event.privileged = event.stage2 = event.table_read = true;
  event.fault_class = FaultClass::kTableWalk;
  event.input_address = 0xfedcba9876543210;
  event.ipa = 0x000fedcba9876543;
  EventRecord record = encode(event);
  EXPECT_EQ(record[0], 0x12345678abcde813u);
  EXPECT_EQ(record[1], uint64_t{0x4321} | uint64_t{1} << 31 | uint64_t{1} << 33 | uint64_t{1} << 35 |
                           uint64_t{1} << 39 | uint64_t{1} << 40 | uint64_t{1} << 44);
  EXPECT_EQ(record[2], 0xfedcba9876543210u);
  EXPECT_EQ(record[3], 0x000fedcba9876000u);
  event.type = EventType::kCdFetch;
  event.fetch_address = 0x000123456789abcf;
  record = encode(event);
  EXPECT_EQ(record[1], 0u);
  EXPECT_EQ(record[3], 0x000123456789abc8u);
  event.type = EventType::kBadSubstreamId;
  EXPECT_EQ(encode(event)[0], 0x12345678abcde008u);
  event.type = EventType::kBadCd;
  record = encode(event);
  EXPECT_EQ(record[0], 0x12345678abcde80au);
  EXPECT_EQ(record[1] | record[2] | record[3], 0u);
}

TEST(SmmuEvents, HintsAndUnsupportedTransactions) {
  SimpleWorld world;
  world.smmu.page_hint({.stream_id = 5, .input_address = 0x123456789, .span = 2, .page_request_flags = 0x80});
  Transaction odd;
  odd.address = 0x77;
  odd.stream_id = 6;
  odd.write = true;
  world.smmu.unsupported(odd, 9);
  const auto events = world.take_events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0][0], uint64_t{5} << 32 | 0x24);
  EXPECT_EQ(events[0][1], uint64_t{2} << 52 | uint64_t{0x80} << 32);
  EXPECT_EQ(events[0][2], 0x123456000u);
  EXPECT_EQ(events[1][0], uint64_t{6} << 32 | 1);
  EXPECT_EQ(events[1][1], 9u);
  EXPECT_EQ(events[1][2], 0x77u);
}

// Random commands: each is consumed or is an error of the architecture, and the queue goes on afterwards.
TEST(SmmuCommands, FuzzedCommands) {
  std::mt19937_64 random(test::seed());
  SimpleWorld world;
  world.start_stage1();
  for (int i = 0; i < 200000; ++i) {
    uint64_t low = random(), high = random();
    if (random() % 2)
      low = (low & ~uint64_t{0xff}) | static_cast<uint64_t>(command_rows()[random() % command_rows().size()].opcode);
    const bool legal = legal_command({low, high}, world.smmu.config()) != nullptr;
    EXPECT_EQ(world.command(low, high), legal);
    if (!legal) {
      EXPECT_EQ(world.command_error(), kErrorIllegal);
      world.recover();
    }
    if (i % 100 == 0) {
      ASSERT_EQ(world.access(0x123456000).outcome, Outcome::kPass);
    }
  }
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
