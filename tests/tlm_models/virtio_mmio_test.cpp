// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/virtio_bench.h"
#include "tlm_models/devices/virtio_rng/virtio_rng.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestDeviceBase;
using testing::kTestRamBase;

struct RngBench : testing::VirtioBench {
  VirtioRng rng{"rng", 42};
  RngBench() { plug(rng); }
};

TEST(VirtioMmio, RegistersKeepTheirTable) {
  RngBench bench;
  testing::check_registers(bench.rng, bench.cpu, kTestDeviceBase);
}

TEST(VirtioMmio, IdentifiesItself) {
  RngBench bench;
  EXPECT_EQ(bench.get(0), 0x74726976u);
  EXPECT_EQ(bench.get(4), 2u);
  EXPECT_EQ(bench.get(8), 4u);
}

TEST(VirtioMmio, EmptySlotHasDeviceIdZero) {
  testing::VirtioBench bench;
  VirtioMmio slot("slot");
  bench.plug(slot);
  EXPECT_EQ(bench.get(0), 0x74726976u);
  EXPECT_EQ(bench.get(8), 0u);
  bench.put(0x70, 15);
  EXPECT_EQ(bench.get(0x70), 0u);
  EXPECT_EQ(bench.get(0x34), 0u);
}

TEST(VirtioMmio, FeaturesThatWereNotOfferedAreRefused) {
  RngBench bench;
  bench.put(0x70, 3);
  bench.put(0x24, 1);
  bench.put(0x20, 0xffffffff);
  bench.put(0x70, 11);
  EXPECT_EQ(bench.get(0x70), 3u);
  bench.put(0x20, 1);
  bench.put(0x70, 11);
  EXPECT_EQ(bench.get(0x70), 11u);
}

TEST(VirtioMmio, LegacyDriverIsRefused) {
  RngBench bench;
  bench.put(0x70, 3);
  bench.put(0x70, 11);
  EXPECT_EQ(bench.get(0x70), 3u);
}

TEST(VirtioMmio, RequestIsServedWithAnInterrupt) {
  RngBench bench;
  bench.start(1);
  bench.submit(0, 0, {{kTestRamBase + 0x8000, 64, true}});
  bench.notify(0);
  EXPECT_EQ(bench.used_index(0), 1u);
  EXPECT_EQ(bench.used_length(0, 0), 64u);
  EXPECT_TRUE(bench.rng.irq.level());
  EXPECT_EQ(bench.get(0x60), 1u);
  bench.put(0x64, 1);
  EXPECT_FALSE(bench.rng.irq.level());
}

TEST(VirtioMmio, BytesOfTheRngFollowFromItsSeed) {
  RngBench bench;
  bench.start(1);
  SnapshotSection section("rng");
  bench.rng.save(section);
  const auto draw = [&] {
    bench.submit(0, 0, {{kTestRamBase + 0x8000, 8, true}});
    bench.notify(0);
    return bench.cpu.read(kTestRamBase + 0x8000, 8);
  };
  const uint64_t first = draw();
  EXPECT_NE(first, 0u);
  EXPECT_NE(draw(), first);
  ASSERT_TRUE(bench.rng.restore(section).ok());
  bench.poke<uint16_t>(testing::VirtioBench::kAvailable + 2, 0);
  EXPECT_EQ(draw(), first);
}

TEST(VirtioMmio, BrokenRingNeedsResetAndIsServedAgainAfterIt) {
  RngBench bench;
  bench.start(1);
  bench.submit(0, 0, {{0x10, 64, true}});
  bench.notify(0);
  EXPECT_TRUE(bench.needs_reset());
  EXPECT_EQ(bench.get(0x60) & 2, 2u);
  bench.submit(0, 0, {{kTestRamBase + 0x8000, 64, true}});
  bench.notify(0);
  EXPECT_EQ(bench.used_index(0), 0u);
  bench.poke<uint16_t>(testing::VirtioBench::kAvailable + 2, 0);
  bench.start(1);
  EXPECT_FALSE(bench.needs_reset());
  bench.submit(0, 0, {{kTestRamBase + 0x8000, 64, true}});
  bench.notify(0);
  EXPECT_EQ(bench.used_index(0), 1u);
}

TEST(VirtioMmio, FeaturesBeyondTheFirst64AreRefused) {
  RngBench bench;
  bench.put(0x70, 3);
  bench.put(0x24, 1);
  bench.put(0x20, 1);
  bench.put(0x24, 2);
  bench.put(0x20, 4);
  bench.put(0x70, 11);
  EXPECT_EQ(bench.get(0x70), 3u);
}

TEST(VirtioMmio, QueueSizeThatIsNoPowerOfTwoOrTooLargeMakesTheQueueUnusable) {
  RngBench bench;
  for (const uint64_t size : {0u, 3u, 100u, 512u, 0x80000000u}) {
    bench.poke<uint16_t>(testing::VirtioBench::kAvailable + 2, 0);
    bench.start(1);
    bench.put(0x44, 0);
    bench.put(0x38, size);
    bench.put(0x44, 1);
    bench.submit(0, 0, {{kTestRamBase + 0x8000, 4, true}});
    bench.notify(0);
    EXPECT_TRUE(bench.needs_reset()) << size;
  }
}

TEST(VirtioMmio, DoorbellsBeforeDriverOkOrOfUnknownQueuesDoNothing) {
  RngBench bench;
  bench.start(1);
  bench.submit(0, 0, {{kTestRamBase + 0x8000, 4, true}});
  bench.notify(1);
  bench.notify(0xffffffff);
  EXPECT_EQ(bench.used_index(0), 0u);
  bench.put(0x70, 11);
  bench.notify(0);
  EXPECT_EQ(bench.used_index(0), 0u);
  bench.put(0x70, 15);
  bench.notify(0);
  EXPECT_EQ(bench.used_index(0), 1u);
  EXPECT_EQ(bench.get(0xfc), 0u) << "the configuration never changes";
}

TEST(VirtioMmio, DriverMaySuppressInterrupts) {
  RngBench bench;
  bench.start(1);
  bench.poke<uint16_t>(testing::VirtioBench::kAvailable, 1);
  bench.submit(0, 0, {{kTestRamBase + 0x8000, 4, true}});
  bench.notify(0);
  EXPECT_EQ(bench.used_index(0), 1u);
  EXPECT_FALSE(bench.rng.irq.level());
}

}  // namespace
}  // namespace lockstep::tlm_models
