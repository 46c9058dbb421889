// SPDX-License-Identifier: Apache-2.0
// Software that lies: bases where no memory is, queues of odd sizes, indices that cannot be, commands that are none, a
// bus that fails. Each gives what the architecture says, and none of it hangs.
#include <gtest/gtest.h>

#include "tests/tlm_models/smmuv3/simple_world.h"
#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint64_t kInput = 0x123456000;
constexpr uint64_t kNowhere = 0x7fff00000000;
constexpr unsigned kBusAccessesMax = 64;  // of one transaction in these worlds

EventType type_of(const EventRecord& record) { return static_cast<EventType>(record[0] & 0xff); }

Config small_addresses() {
  Config config = SimpleWorld::default_config();
  config.oas_bits = 44;
  config.va52 = false;
  return config;
}

// A world whose pages at `broken` answer bus errors, and the event of one access in it.
EventType event_with_broken(SimpleWorld& world, uint64_t broken) {
  world.memory.memory.break_page(broken);
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kAbort);
  const auto events = world.take_events();
  EXPECT_EQ(events.size(), 1u);
  return events.empty() ? EventType::kNone : type_of(events[0]);
}

TEST(SmmuBadInput, TablesWhereNoMemoryIs) {
  {
    SimpleWorld world;
    world.write(RegisterId::kStrtabBase, kNowhere);
    world.start_stage1();
    EXPECT_EQ(event_with_broken(world, kNowhere), EventType::kSteFetch);
  }
  {
    SimpleWorld world;
    world.start_stage1();
    world.put_ste(3, SimpleWorld::stage1_ste(kNowhere));
    EXPECT_EQ(event_with_broken(world, kNowhere), EventType::kCdFetch);
  }
  {
    SimpleWorld world;
    world.start_stage1();
    world.put_cd(0, SimpleWorld::cd(kNowhere));
    EXPECT_EQ(event_with_broken(world, kNowhere), EventType::kWalkExternalAbort);
  }
  {
    SimpleWorld world;
    world.put_ste(3, SimpleWorld::stage2_ste(kNowhere));
    world.enable();
    EXPECT_EQ(event_with_broken(world, kNowhere), EventType::kWalkExternalAbort);
  }
}

TEST(SmmuBadInput, TablesBeyondTheOutputSizeAreNotRead) {
  SimpleWorld world(small_addresses());
  world.start_stage1();
  const auto reads = [&] { return world.memory.updates.size() + world.smmu.memory().walk_reads(); };
  // The pointer of the entry, the table of the descriptor, and a table descriptor.
  world.put_ste(3, SimpleWorld::stage1_ste(uint64_t{1} << 45));
  EXPECT_EQ(world.access(kInput).event, EventType::kBadSte);
  world.command(0x46);
  world.put_ste(3, SimpleWorld::stage1_ste());
  world.put_cd(0, SimpleWorld::cd(uint64_t{1} << 45));
  world.command(static_cast<uint64_t>(Opcode::kCfgiSteRange), 31);
  EXPECT_EQ(world.access(kInput).event, EventType::kBadCd);
  EXPECT_EQ(reads(), 0u);
  const uint64_t root = world.new_table();
  world.memory.memory.put64(root, (uint64_t{1} << 45) | 3);
  world.put_cd(0, SimpleWorld::cd(root));
  world.command(static_cast<uint64_t>(Opcode::kCfgiSteRange), 31);
  EXPECT_EQ(world.access(kInput).event, EventType::kAddressSize);
  EXPECT_EQ(reads(), 1u);
}

TEST(SmmuBadInput, QueuesOfOneEntry) {
  SimpleWorld world;
  world.write(RegisterId::kCr0, 0);
  world.write(RegisterId::kCmdqBase, kCommandQueue);
  world.write(RegisterId::kEventqBase, kEventQueue);
  world.enable();
  for (unsigned i = 1; i <= 5; ++i) {
    world.put_words(kCommandQueue, {static_cast<uint64_t>(Opcode::kSync), 0});
    world.write(RegisterId::kCmdqProd, i & 1);
    EXPECT_EQ(world.read(RegisterId::kCmdqCons), i & 1);
  }
  // The second event finds the queue full.
  world.access(kInput, false, 5);
  EXPECT_EQ(world.read(RegisterId::kEventqProd), 1u);
  world.access(kInput, false, 6);
  EXPECT_EQ(world.read(RegisterId::kEventqProd), kQueueOverflow | 1u);
  world.write(RegisterId::kEventqCons, kQueueOverflow | 1u);
  world.access(kInput, false, 7);
  EXPECT_EQ(world.read(RegisterId::kEventqProd), kQueueOverflow);
}

TEST(SmmuBadInput, LargestQueuesAndSizesBeyond) {
  for (const uint64_t log2 : {19, 20, 31}) {
    SimpleWorld world;
    world.write(RegisterId::kCr0, 0);
    world.write(RegisterId::kCmdqBase, 0x80000000 | log2);
    world.write(RegisterId::kEventqBase, 0xc0000000 | log2);
    constexpr uint64_t kLast = (uint64_t{1} << 19) - 1;
    world.write(RegisterId::kCmdqProd, kLast);
    world.write(RegisterId::kCmdqCons, kLast);
    world.write(RegisterId::kEventqProd, kLast);
    world.write(RegisterId::kEventqCons, kLast);
    world.enable();
    world.put_words(0x80000000 + kLast * 16, {static_cast<uint64_t>(Opcode::kSync), 0});
    world.put_words(0x80000000, {static_cast<uint64_t>(Opcode::kSync), 0});
    world.write(RegisterId::kCmdqProd, (kLast + 2) & 0xfffff);
    EXPECT_EQ(world.read(RegisterId::kCmdqCons), kLast + 2);
    world.access(kInput, false, 5);
    world.access(kInput, false, 6);
    EXPECT_EQ(world.read(RegisterId::kEventqProd), kLast + 2);
    EventRecord record;
    ASSERT_TRUE(world.memory.memory.read(0xc0000000 + kLast * 32, record.data(), sizeof record));
    EXPECT_EQ(type_of(record), EventType::kBadSte);
    ASSERT_TRUE(world.memory.memory.read(0xc0000000, record.data(), sizeof record));
    EXPECT_EQ(record[0] >> 32, 6u);
  }
}

TEST(SmmuBadInput, IndicesThatLieStopAQueue) {
  SimpleWorld world;
  world.start_stage1();
  // 64 entries: indices further apart than that cannot be.
  for (const uint64_t lie : {65, 100, 127}) {
    world.write(RegisterId::kCmdqProd, (world.read(RegisterId::kCmdqCons) + lie) & 127);
    EXPECT_EQ(world.read(RegisterId::kCmdqCons), 0u);
    EXPECT_EQ(world.command_error(), 0u);
  }
  // Bits above the index are no part of it.
  world.put_words(kCommandQueue, {static_cast<uint64_t>(Opcode::kSync), 0});
  world.write(RegisterId::kCmdqProd, 1 | 0xfff00);
  EXPECT_EQ(world.read(RegisterId::kCmdqCons) & 127, 1u);
  // An event queue that software claims to have read too far in counts as full.
  world.write(RegisterId::kEventqCons, 5);
  world.access(kInput, false, 9);
  EXPECT_EQ(world.read(RegisterId::kEventqProd), kQueueOverflow);
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass);
}

// Every opcode with several field patterns: what is not in the table of commands is CERROR_ILL, stops the queue at that
// command, and goes on after software's recovery.
TEST(SmmuBadInput, EveryCommandEncoding) {
  SimpleWorld world;
  world.start_stage1();
  world.environment.atc_answer = AtcAnswer::kDone;
  unsigned illegal = 0;
  for (uint64_t opcode = 0; opcode < 256; ++opcode) {
    for (const uint64_t low : {uint64_t{0}, uint64_t{0x400}, uint64_t{0x3000}, uint64_t{0x1f1f000}, ~uint64_t{0xff}}) {
      for (const uint64_t high : {uint64_t{0}, uint64_t{0x3f}, uint64_t{0x3000}, uint64_t{0x800}, ~uint64_t{0}}) {
        const CommandWords words = {(low & ~uint64_t{0xff}) | opcode, high};
        const uint64_t before = world.read(RegisterId::kCmdqCons) & 127;
        const bool consumed = world.command(words[0], words[1]);
        ASSERT_EQ(consumed, legal_command(words, world.smmu.config()) != nullptr)
            << std::hex << words[0] << " " << words[1];
        if (consumed) {
          // CMD_SYNC may have written its message into the tables; nobody reads them here.
          ASSERT_EQ(world.command_error(), 0u);
          continue;
        }
        ++illegal;
        ASSERT_EQ(world.command_error(), kErrorIllegal);
        ASSERT_EQ(world.read(RegisterId::kCmdqCons) & 127, before);
        ASSERT_EQ(world.read(RegisterId::kGerror) ^ world.read(RegisterId::kGerrorN), kGerrorCommand);
        // Nothing more is consumed before software acknowledges.
        world.write(RegisterId::kCmdqProd, world.read(RegisterId::kCmdqProd));
        ASSERT_EQ(world.read(RegisterId::kCmdqCons) & 127, before);
        world.recover();
      }
    }
  }
  EXPECT_GT(illegal, 5000u);
  ASSERT_TRUE(world.command(static_cast<uint64_t>(Opcode::kSync)));
}

TEST(SmmuBadInput, BusErrorsAtQueuesAndMessages) {
  SimpleWorld world;
  world.start_stage1();
  const auto active = [&] { return world.read(RegisterId::kGerror) ^ world.read(RegisterId::kGerrorN); };
  world.memory.memory.break_page(kCommandQueue);
  // Poking a broken page is no matter; the index is what counts.
  world.write(RegisterId::kCmdqProd, 1);
  EXPECT_EQ(world.command_error(), kErrorAbort);
  EXPECT_EQ(active(), kGerrorCommand);
  world.memory.memory.mend_page(kCommandQueue);
  world.put_words(kCommandQueue, {static_cast<uint64_t>(Opcode::kSync), 0});
  world.write(RegisterId::kGerrorN, world.read(RegisterId::kGerror));
  EXPECT_EQ(world.read(RegisterId::kCmdqCons) & 0xfffff, 1u);

  world.memory.memory.break_page(kEventQueue);
  EXPECT_EQ(world.access(kInput, false, 9).outcome, Outcome::kAbort);
  EXPECT_EQ(active(), kGerrorEventAbort);
  EXPECT_EQ(world.read(RegisterId::kEventqProd), 0u);
  EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass);

  world.memory.memory.break_page(kNowhere);
  EXPECT_TRUE(world.command(static_cast<uint64_t>(Opcode::kSync) | 1 << 12, kNowhere));
  EXPECT_EQ(active(), kGerrorEventAbort | kGerrorMsiCommand);
}

// The bus fails at the first, second, ... access of everything that a transaction does: the end is an abort with an
// event of a fetch or a walk, or nothing was wrong any more.
TEST(SmmuBadInput, BusErrorsAtEveryFetch) {
  for (const unsigned config : {5u, 6u, 7u}) {
    for (unsigned fail = 0;; ++fail) {
      ASSERT_LT(fail, kBusAccessesMax);
      SimpleWorld world;
      const uint64_t stage2 = world.new_table();
      world.start_stage1();
      Words ste = SimpleWorld::stage1_ste();
      if (config != 5) SimpleWorld::add_stage2(ste, stage2, config);
      world.put_ste(3, ste);
      for (uint64_t page = 0; page < 0x400000; page += 0x200000) world.map_stage2_identity(stage2, page, 2);
      world.map_stage2_identity(stage2, SimpleWorld::kPage, 2);
      world.map_stage2_identity(stage2, kInput, 3);
      world.memory.fail_after = static_cast<int>(fail);
      const TranslateResult result = world.access(kInput);
      if (world.memory.fail_after >= 0) {
        EXPECT_EQ(result.outcome, Outcome::kPass) << config << " " << fail;
        break;
      }
      world.memory.fail_after = -1;
      EXPECT_EQ(result.outcome, Outcome::kAbort);
      const bool fetch = result.event == EventType::kSteFetch || result.event == EventType::kCdFetch ||
                         result.event == EventType::kWalkExternalAbort;
      EXPECT_TRUE(fetch) << config << " " << fail << " " << name(result.event);
      EXPECT_EQ(world.take_events().size(), 1u);
      // Nothing of it was kept.
      EXPECT_EQ(world.access(kInput).outcome, Outcome::kPass) << config << " " << fail;
    }
  }
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
