// SPDX-License-Identifier: Apache-2.0
// What the judge asks of queues, of their indices and of interrupts where one rule has many ways to be kept or broken:
// records and indices that cross on their way, overflow, wires and messages that are switched on and off.
#include <gtest/gtest.h>

#include "tests/smmu_rtl_bridge/oracle/small_world.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using Id = core_smmu::RegisterId;
using core_smmu::AccessKind;

constexpr uint64_t kUnmapped = SmallWorld::kInput + 0x40000;

// EVENTQ_CONS on its way to the device while a record is written: whether the queue was empty, nobody can say.
TEST(OracleEventQueue, ARecordMayComeBeforeTheConsumerIndexThatSoftwareWrites) {
  for (const bool interrupt : {false, true}) {
    SmallWorld w;
    w.start();
    w.read(kUnmapped);
    w.get(Id::kEventqProd);
    w.judge.register_written(0x100ac, 4, 1);
    w.lose_pulses = true;
    w.read(kUnmapped + 0x1000);
    if (interrupt) w.judge.pulsed(Wire::kEventQueue);
    w.smmu.write_register(0x100ac, 4, 1);
    w.judge.register_write_done(0x100ac);
    w.rest();
    EXPECT_TRUE(w.judge.failures().empty()) << w.judge.failures()[0].text;
  }
}

// A record that is in memory and that EVENTQ_PROD does not tell of yet: software empties the queue as far as it can
// see.
TEST(OracleEventQueue, ARecordMayBeToldAfterTheConsumerIndexHasCaughtUp) {
  SmallWorld w;
  w.start();
  w.read(kUnmapped);
  w.get(Id::kEventqProd);
  w.read(kUnmapped + 0x1000);
  w.set(Id::kEventqCons, 1);
  w.judge.pulsed(Wire::kEventQueue);
  w.rest();
  EXPECT_TRUE(w.judge.failures().empty()) << w.judge.failures()[0].text;
}

// CR0 says that the queue is to be off, and the device has not said yet that it is.
TEST(OracleEventQueue, ARecordMayBeWrittenUntilTheQueueIsAcknowledgedAsOff) {
  SmallWorld w;
  w.start();
  w.judge.register_written(0x20, 4, 0);
  w.read(kUnmapped);
  w.smmu.write_register(0x20, 4, 0);
  w.judge.register_write_done(0x20);
  w.get(Id::kCr0Ack);
  EXPECT_TRUE(w.judge.failures().empty()) << w.judge.failures()[0].text;
}

// A record may be on its way while a CMD_SYNC is over that the device has read before the access ended.
TEST(OracleEventQueue, ARecordMayComeAfterACmdSyncThatWasReadBeforeItsAccessEnded) {
  SmallWorld w;
  w.start();
  w.put_words(kCommandQueue, {0x46, 0});
  const uint64_t sync[2] = {0x46, 0};
  w.judge.register_written(0x98, 4, 1);
  w.judge.device_read(kCommandQueue, sync, sizeof sync, w.queue_attributes(), false);
  w.hold_accesses = true;
  w.read(kUnmapped);
  w.judge.register_read(0x9c, 4, 1);
  w.release();
  w.rest();
  EXPECT_TRUE(w.judge.failures().empty()) << w.judge.failures()[0].text;
}

// A record finds the queue full and is lost: EVENTQ_PROD says so until software acknowledges it.
TEST(OracleEventQueue, ALostRecordIsToldOf) {
  enum class Told { kTold, kSilent, kOff, kAborted, kAcknowledged };
  for (const Told which : {Told::kTold, Told::kSilent, Told::kOff, Told::kAborted, Told::kAcknowledged}) {
    SmallWorld w;
    w.set(Id::kCr0, 0);
    w.get(Id::kCr0Ack);
    w.set(Id::kEventqBase, kEventQueue);  // one record
    w.start();
    w.read(kUnmapped);
    w.get(Id::kEventqProd);
    const auto silent = [](Id id, uint64_t& value) {
      if (id == Id::kEventqProd) value &= ~uint64_t{core_smmu::kQueueOverflow};
    };
    if (which != Told::kTold && which != Told::kAcknowledged) w.change_register = silent;
    if (which == Told::kOff) {
      w.set(Id::kCr0, 0x9);
      w.get(Id::kCr0Ack);
    }
    if (which == Told::kAborted) {
      const core_smmu::EventRecord none{};
      w.set(Id::kEventqCons, 1);
      w.judge.device_wrote(kEventQueue, none.data(), 32, w.queue_attributes(), true);
    } else {
      w.read(kUnmapped + 0x1000);
    }
    if (which == Told::kAcknowledged) w.set(Id::kEventqCons, 1 | core_smmu::kQueueOverflow);
    w.get(Id::kEventqProd);
    w.judge.quiet();
    if (which == Told::kAborted) w.read(kUnmapped + 0x1000);
    w.get(Id::kEventqProd);
    size_t found = 0;
    for (const Failure& failure : w.judge.failures()) found += std::string(failure.rule) == "register-value";
    EXPECT_EQ(found != 0, which == Told::kSilent) << static_cast<int>(which);
  }
}

// Upper bits of an index are software's, or zero; the device counts in those that the queue has.
TEST(OracleQueueIndices, DoNotLeaveTheirQueue) {
  struct Row {
    Id id;
    uint64_t written, read;
    bool right;
  };
  for (const Row& row :
       {Row{Id::kCmdqCons, 0, 0, true}, Row{Id::kCmdqCons, 0, 0x80, false}, Row{Id::kCmdqCons, 0x80, 0x80, true},
        Row{Id::kCmdqCons, 0x80, 0, true}, Row{Id::kCmdqCons, 0x180, 0x80, false}, Row{Id::kEventqProd, 0, 0, true},
        Row{Id::kEventqProd, 0, 0x400, false}, Row{Id::kEventqProd, 0x400, 0x400, true},
        Row{Id::kEventqProd, 0x400, 0, true}}) {
    SmallWorld w;
    w.set(Id::kCr0, 0);
    w.get(Id::kCr0Ack);
    w.set(row.id, row.written);
    w.start();
    w.change_register = [&](Id id, uint64_t& value) { value = id == row.id ? row.read : value; };
    w.get(row.id);
    EXPECT_EQ(w.judge.failures().empty(), row.right) << row.written << " " << row.read;
    if (!row.right && !w.judge.failures().empty()) {
      EXPECT_STREQ(w.judge.failures()[0].rule, "register-value");
    }
  }
}

// A device that has shown that its events arrive sends one where a CMD_SYNC asks for it, and for a queue that was full.
TEST(OracleWires, EventsAreSent) {
  constexpr uint64_t kSync = 0x46 | 2 << 12;
  for (const bool fills : {false, true})
    for (const bool lost : {false, true}) {
      SmallWorld w;
      w.set(Id::kCr0, 0);
      w.get(Id::kCr0Ack);
      w.set(Id::kCmdqBase, kCommandQueue | 1);  // two commands
      w.start();
      const auto send = [&](uint64_t index, uint64_t word) {
        w.put_words(kCommandQueue + (index & 1) * 16, {word, 0});
      };
      send(0, kSync);
      w.set(Id::kCmdqProd, 1);
      w.get(Id::kCmdqCons);
      w.rest();
      w.lose_events = lost;
      send(1, fills ? 0x30 : kSync);
      send(2, 0x30);
      w.set(Id::kCmdqProd, fills ? 3 : 2);
      w.get(Id::kCmdqCons);
      w.rest();
      ASSERT_EQ(w.judge.failures().empty(), !lost) << fills << lost;
      if (lost) {
        EXPECT_STREQ(w.judge.failures()[0].rule, fills ? "interrupt-missing" : "sync-signal");
      }
    }
}

// What IRQ_CTRLACK shows as off is off: what was on its way has come.
TEST(OracleWires, NothingComesAfterAnInterruptIsOff) {
  for (const bool by_message : {false, true})
    for (const bool late : {false, true}) {
      SmallWorld w;
      if (by_message) {
        w.set(Id::kIrqCtrl, 0);
        w.get(Id::kIrqCtrlAck);
        w.set(Id::kEventqIrqCfg0, 0x7000000);
        w.set(Id::kIrqCtrl, 7);
        w.get(Id::kIrqCtrlAck);
      }
      w.start();
      w.lose_pulses = true;
      w.change_write = [](uint64_t&, std::array<uint8_t, 64>&, size_t, AccessKind kind) {
        return kind == AccessKind::kMsi ? 0u : 1u;
      };
      w.read(kUnmapped);
      w.set(Id::kIrqCtrl, 0);
      const auto comes = [&] {
        const uint32_t data = 0;
        if (by_message) {
          w.judge.device_wrote(0x7000000, &data, 4,
                               to_pins(core_smmu::device_attributes(core_smmu::DeviceType::kNGnRnE)), false);
        } else {
          w.judge.pulsed(Wire::kEventQueue);
        }
      };
      if (!late) comes();
      w.get(Id::kIrqCtrlAck);
      if (late) comes();
      w.rest();
      ASSERT_EQ(w.judge.failures().empty(), !late) << by_message << w.judge.failures()[0].text;
      if (late) {
        EXPECT_STREQ(w.judge.failures()[0].rule, "interrupt-unexpected");
      }
    }
}

// A message takes the place of no pulse, on a device that has wires.
TEST(OracleWires, AMessageTakesNoPulseAway) {
  constexpr uint64_t kSync = 0x46 | 1 << 12, kMessage = 0x9ff0'0000;
  for (const bool has_wires : {false, true})
    for (const bool lost : {false, true}) {
      SmallWorld w;
      w.start();
      w.lose_pulses = !has_wires;
      if (has_wires) w.command(kSync);
      w.rest();
      w.lose_pulses = w.lose_pulses || lost;
      w.command(kSync, kMessage);
      w.rest();
      ASSERT_EQ(w.judge.failures().empty(), !has_wires || !lost) << has_wires << lost;
      if (!w.judge.failures().empty()) {
        EXPECT_STREQ(w.judge.failures()[0].rule, "sync-signal");
      }
    }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
