// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/goldfish_rtc/goldfish_rtc.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/bench.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestDeviceBase;

constexpr uint64_t kEpochNs = 0x0123456789abcdef;

struct RtcBench : testing::Bench {
  TimerQueue timers{"timers"};
  GoldfishRtc rtc{"rtc", timers, kEpochNs};

  RtcBench() {
    add(rtc, kTestDeviceBase, 0x1000);
    advance();
  }
  uint64_t now() {
    const uint64_t low = cpu.read(kTestDeviceBase);
    return low | (cpu.read(kTestDeviceBase + 4) << 32);
  }
};

TEST(GoldfishRtc, RegistersKeepTheirTable) {
  RtcBench bench;
  testing::check_registers(bench.rtc, bench.cpu, kTestDeviceBase);
}

TEST(GoldfishRtc, ShowsEpochPlusVirtualTime) {
  RtcBench bench;
  EXPECT_EQ(bench.now(), kEpochNs);
  bench.advance(1234);
  EXPECT_EQ(bench.now(), kEpochNs + 1234);
  bench.cpu.write(kTestDeviceBase + 4, 1);
  bench.cpu.write(kTestDeviceBase, 5);
  bench.advance(10);
  EXPECT_EQ(bench.now(), (uint64_t{1} << 32) + 15);
}

TEST(GoldfishRtc, AlarmInterruptsUntilCleared) {
  RtcBench bench;
  const uint64_t alarm = kEpochNs + 500;
  bench.cpu.write(kTestDeviceBase + 0x10, 1);
  bench.cpu.write(kTestDeviceBase + 0x0c, alarm >> 32);
  bench.cpu.write(kTestDeviceBase + 0x08, alarm & 0xffffffff);
  EXPECT_EQ(bench.cpu.read(kTestDeviceBase + 0x18), 1u);
  bench.advance(499);
  EXPECT_FALSE(bench.rtc.irq.level());
  bench.advance(1);
  EXPECT_TRUE(bench.rtc.irq.level());
  EXPECT_EQ(bench.cpu.read(kTestDeviceBase + 0x18), 0u);
  bench.cpu.write(kTestDeviceBase + 0x1c, 0);
  EXPECT_FALSE(bench.rtc.irq.level());
  // An alarm in the past is due at once.
  bench.cpu.write(kTestDeviceBase + 0x08, 0);
  EXPECT_TRUE(bench.rtc.irq.level());
}

}  // namespace
}  // namespace lockstep::tlm_models
