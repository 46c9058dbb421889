// SPDX-License-Identifier: Apache-2.0
// The checkers at the pins, and the settings that say how quick the world around a design is.
#include <gtest/gtest.h>

#include "smmu_rtl_bridge/rtl_device/axi_memory.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/rtl_device/pin_checker.h"
#include "smmu_rtl_bridge/rtl_device/timing.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

class AxiPort : public ::testing::Test {
 protected:
  AxiChecker checker{"test"};
  AxiManagerPins manager;
  AxiSubordinatePins subordinate;
  PinBreach breach;

  void cycle() { checker.watch(manager, subordinate, breach); }
  std::string rule() const { return breach.rule ? breach.rule : ""; }
  void ask(uint32_t id, uint64_t address, uint8_t length) {
    manager.ar.valid = true;
    manager.ar.id = id;
    manager.ar.address = address;
    manager.ar.length = length;
    subordinate.ar_ready = true;
    cycle();
    manager.ar = {};
  }
  void answer(uint32_t id, bool last) {
    subordinate.r = {true, id, 0, kAxiOkay, last};
    manager.r_ready = true;
    cycle();
    subordinate.r = {};
  }
  void ask_to_write(uint32_t id, uint8_t length) {
    manager.aw.valid = true;
    manager.aw.id = id;
    manager.aw.length = length;
    subordinate.aw_ready = true;
    cycle();
    manager.aw = {};
  }
  void data(bool last) {
    manager.w = {true, 0, 0xff, last};
    subordinate.w_ready = true;
    cycle();
    manager.w = {};
  }
  void done(uint32_t id) {
    subordinate.b = {true, id, kAxiOkay};
    manager.b_ready = true;
    cycle();
    subordinate.b = {};
  }
};

TEST_F(AxiPort, OrdinaryTrafficBreaksNothing) {
  ask(1, 0x1000, 1);
  ask(2, 0x2ff8, 0);
  ask(1, 0x3000, 0);
  answer(2, true);
  answer(1, false);
  answer(1, true);
  answer(1, true);
  ask_to_write(3, 1);
  data(false);
  data(true);
  done(3);
  EXPECT_EQ(rule(), "");
  EXPECT_EQ(checker.outstanding(), 0u);
}

TEST_F(AxiPort, TheLongestBurst) {
  ask(1, 0x1800, 255);
  for (unsigned beat = 0; beat < 256; ++beat) answer(1, beat == 255);
  ask_to_write(2, 255);
  for (unsigned beat = 0; beat < 256; ++beat) data(beat == 255);
  done(2);
  EXPECT_EQ(rule(), "");
  EXPECT_EQ(checker.outstanding(), 0u);
}

TEST_F(AxiPort, WriteDataThatNeverEnds) {
  for (unsigned beat = 0; beat < 257; ++beat) data(false);
  EXPECT_EQ(rule(), "pins.last");
}

TEST_F(AxiPort, DataOfAWriteMayComeBeforeItsAddress) {
  data(true);
  ask_to_write(3, 0);
  done(3);
  EXPECT_EQ(rule(), "");
}

TEST_F(AxiPort, WhatWaitsMustNotChange) {
  manager.ar.valid = true;
  manager.ar.address = 0x1000;
  cycle();
  manager.ar.address = 0x1008;
  cycle();
  EXPECT_EQ(rule(), "pins.unstable");
}

TEST_F(AxiPort, WhatWaitsMustNotGoAway) {
  ask(1, 0, 0);
  subordinate.r = {true, 1, 5, kAxiOkay, true};
  cycle();
  subordinate.r = {};
  cycle();
  EXPECT_EQ(rule(), "pins.unstable");
}

TEST_F(AxiPort, AnAnswerWithoutAQuestion) {
  ask(1, 0, 0);
  answer(2, true);
  EXPECT_EQ(rule(), "pins.unasked");
}

TEST_F(AxiPort, ASecondAnswer) {
  ask(1, 0, 0);
  answer(1, true);
  answer(1, true);
  EXPECT_EQ(rule(), "pins.unasked");
}

TEST_F(AxiPort, AWriteIsAnsweredAfterItsData) {
  ask_to_write(1, 1);
  data(false);
  done(1);
  EXPECT_EQ(rule(), "pins.unasked");
}

TEST_F(AxiPort, TheLastBeatIsTheLast) {
  ask(1, 0, 1);
  answer(1, true);
  EXPECT_EQ(rule(), "pins.last");
}

TEST_F(AxiPort, TheLastBeatOfAWriteIsTheLast) {
  ask_to_write(1, 2);
  data(true);
  EXPECT_EQ(rule(), "pins.last");
}

TEST_F(AxiPort, ABurstStaysInItsPage) {
  ask(1, 0xff8, 1);
  EXPECT_EQ(rule(), "pins.burst");
}

TEST_F(AxiPort, ABurstThatBeginsOffItsLanesEndsWhereTheLanesDo) {
  ask(1, 0xff1, 1);
  EXPECT_EQ(rule(), "");
}

TEST(ApbPort, PhasesFollowOneAnother) {
  ApbChecker checker;
  PinBreach breach;
  ApbRequest request;
  request.select = true;
  checker.watch(request, {}, breach);
  request.enable = true;
  checker.watch(request, {}, breach);
  checker.watch(request, {true, 0, false}, breach);
  EXPECT_EQ(breach.rule, nullptr);
  checker.watch(request, {}, breach);
  EXPECT_STREQ(breach.rule, "pins.apb");
}

TEST(PinTiming, NumbersFollowFromTheSeedAlone) {
  EXPECT_EQ(draw_pin_timing(7), draw_pin_timing(7));
  EXPECT_NE(draw_pin_timing(7), draw_pin_timing(8));
  const ChannelDice first(3, 1), same(3, 1), other(3, 2);
  unsigned differ = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(first.up_to(1000, i), same.up_to(1000, i));
    EXPECT_LE(first.up_to(1000, i), 1000u);
    differ += first.up_to(1000, i) != other.up_to(1000, i);
  }
  EXPECT_GT(differ, 90u);
}

TEST(PinTiming, EachDrawnSettingIsOneThatIsKnown) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::vector<Setting> settings = draw_pin_timing(seed);
    const auto timing = take_pin_timing(settings);
    ASSERT_TRUE(timing) << timing.message();
    EXPECT_TRUE(settings.empty()) << settings.front().name;
  }
}

TEST(PinTiming, AWrongNumberSaysWhatIsRight) {
  std::vector<Setting> settings = {{"memory_stall", "91"}};
  const auto timing = take_pin_timing(settings);
  ASSERT_FALSE(timing);
  EXPECT_NE(timing.message().find("0 to 90"), std::string::npos) << timing.message();
}

TEST(DesignFile, OneThatIsNotThereSaysHowItIsBuilt) {
  const auto file = load_design_file("nowhere/smmu.trace.so");
  ASSERT_FALSE(file);
  EXPECT_NE(file.message().find("rtl_smmu_trace"), std::string::npos) << file.message();
}

// A handler that remembers what memory would have been asked.
class Remembers : public AxiMemory::Handler {
 public:
  void taken(AxiBurst&) override { ++taken_count; }
  void read(AxiBurst& burst) override {
    reads.push_back(burst.address.id);
    burst.data[0] = burst.address.address;
  }
  void write(AxiBurst& burst) override { writes.push_back(burst.data[0]); }
  unsigned taken_count = 0;
  std::vector<uint32_t> reads;
  std::vector<uint64_t> writes;
};

TEST(AxiMemory, AnswersOfOneIdStayInOrderAndOthersMix) {
  Remembers handler;
  AxiMemory memory(handler, {0, 30, 20, true, 0}, 5, 1);
  AxiManagerPins manager;
  AxiSubordinatePins pins;
  AxiChecker checker("memory");
  PinBreach breach;
  unsigned asked = 0, answered = 0;
  std::map<uint32_t, uint64_t> last;
  manager.r_ready = true;
  constexpr unsigned kReads = 200;
  for (uint64_t cycle = 0; cycle < 100'000 && answered < kReads; ++cycle) {
    checker.watch(manager, pins, breach);
    if (manager.ar.valid && pins.ar_ready) ++asked;
    if (pins.r.valid) {
      EXPECT_GT(pins.r.data, last[pins.r.id]);
      last[pins.r.id] = pins.r.data;
      ++answered;
    }
    const AxiManagerPins before = manager;
    memory.update(cycle, before, pins);
    manager.ar = {};
    if (asked < kReads) {
      manager.ar.valid = true;
      manager.ar.id = asked % 4;
      manager.ar.address = 8 * (asked + 1);
    }
  }
  EXPECT_EQ(answered, kReads);
  EXPECT_EQ(breach.rule, nullptr) << breach.text;
  EXPECT_FALSE(std::is_sorted(handler.reads.begin(), handler.reads.end()));
}

TEST(AxiMemory, TakesNoMoreThanItHasRoomFor) {
  Remembers handler;
  AxiMemory::Timing timing;
  timing.latency = 30;
  timing.room = 2;
  AxiMemory memory(handler, timing, 5, 1);
  AxiManagerPins manager;
  AxiSubordinatePins pins;
  manager.ar.valid = true;
  manager.r_ready = true;
  unsigned asked = 0, answered = 0, most = 0;
  for (uint64_t cycle = 0; cycle < 1000; ++cycle) {
    asked += pins.ar_ready;
    answered += pins.r.valid;
    most = std::max(most, asked - answered);
    manager.ar.id = asked;
    memory.update(cycle, manager, pins);
  }
  EXPECT_GT(answered, 50u);
  EXPECT_EQ(most, 2u);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
