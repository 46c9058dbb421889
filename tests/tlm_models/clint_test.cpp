// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/clint/clint.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/bench.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestDeviceBase;

struct ClintBench : testing::Bench {
  core::VirtualClock clock;
  TimerQueue timers{"timers"};
  Clint clint{"clint", timers, clock, 2};

  ClintBench() {
    add(clint, kTestDeviceBase, Clint::kSizeBytes);
    advance();
  }
};

constexpr uint64_t kCompare = kTestDeviceBase + 0x4000;
constexpr uint64_t kTime = kTestDeviceBase + 0xbff8;

TEST(Clint, RegistersKeepTheirTable) {
  ClintBench bench;
  testing::check_registers(bench.clint, bench.cpu, kTestDeviceBase);
}

TEST(Clint, SoftwareInterruptFollowsItsBit) {
  ClintBench bench;
  bench.cpu.write(kTestDeviceBase + 4, 0xffffffff);
  EXPECT_TRUE(bench.clint.software_irq(1).level());
  EXPECT_FALSE(bench.clint.software_irq(0).level());
  EXPECT_EQ(bench.cpu.read(kTestDeviceBase + 4), 1u);
  bench.cpu.write(kTestDeviceBase + 4, 0);
  EXPECT_FALSE(bench.clint.software_irq(1).level());
}

TEST(Clint, TimeIsVirtualTimeWithTheReadersLead) {
  ClintBench bench;
  bench.advance(1000);
  bench.clock.begin_turn(1000);
  EXPECT_EQ(bench.cpu.read(kTime, 8), 10u);
  EXPECT_EQ(bench.cpu.read(kTime, 8, 5000), 60u);
  EXPECT_EQ(bench.cpu.read(kTime, 8), 60u) << "a counter never goes back";
}

TEST(Clint, TimerInterruptComesAtTheComparedTime) {
  ClintBench bench;
  bench.cpu.write(kCompare + 8, 50, 8);
  EXPECT_FALSE(bench.clint.timer_irq(1).level());
  bench.advance(4999);
  EXPECT_FALSE(bench.clint.timer_irq(1).level());
  bench.advance(1);
  EXPECT_TRUE(bench.clint.timer_irq(1).level());
  bench.cpu.write(kCompare + 8, 1000, 8);
  EXPECT_FALSE(bench.clint.timer_irq(1).level());
  bench.cpu.write(kCompare + 8, 0, 8);
  EXPECT_TRUE(bench.clint.timer_irq(1).level());
  bench.cpu.write(kCompare + 8, ~uint64_t{0}, 8);
  EXPECT_FALSE(bench.clint.timer_irq(1).level());
  EXPECT_EQ(bench.timers.next_deadline_ns(), kNever);
}

TEST(Clint, SnapshotArmsTimersAgain) {
  ClintBench bench;
  bench.cpu.write(kCompare, 70, 8);
  SnapshotSection section("clint");
  bench.clint.save(section);
  bench.clint.reset();
  EXPECT_EQ(bench.timers.next_deadline_ns(), kNever);
  ASSERT_TRUE(bench.clint.restore(section).ok());
  EXPECT_EQ(bench.timers.next_deadline_ns(), 7000u);
  bench.advance(7000);
  EXPECT_TRUE(bench.clint.timer_irq(0).level());
}

}  // namespace
}  // namespace lockstep::tlm_models
