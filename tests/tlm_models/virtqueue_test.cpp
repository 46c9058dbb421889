// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_mmio/virtqueue.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/tlm_models/virtio_bench.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestRamBase;
using testing::kTestRamBytes;

struct QueueBench : testing::VirtioBench {
  DmaPort dma{"dma"};
  Virtqueue queue;
  VirtioChain chain;

  QueueBench() {
    dma.socket.bind(router.in);
    queue.size = kQueueSize;
    queue.ready = true;
    queue.descriptors = kDescriptors;
    queue.driver_area = kAvailable;
    queue.device_area = kUsed;
    advance();
  }
};

TEST(Virtqueue, ChainsComeInOrderAndReturnAsUsed) {
  QueueBench bench;
  bench.submit(0, 2, {{kTestRamBase + 0x8000, 16, false}, {kTestRamBase + 0x9000, 32, true}});
  ASSERT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kChain);
  EXPECT_EQ(bench.chain.head, 2);
  EXPECT_EQ(bench.chain.readable_bytes(), 16u);
  EXPECT_EQ(bench.chain.writable_bytes(), 32u);
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kEmpty);
  EXPECT_TRUE(bench.queue.push(bench.dma, 2, 5));
  EXPECT_EQ(bench.used_index(0), 1u);
  EXPECT_EQ(bench.used_length(0, 0), 5u);
}

TEST(Virtqueue, LoopIsBroken) {
  QueueBench bench;
  bench.submit(0, 0, {{kTestRamBase, 16, false}, {kTestRamBase, 16, false}});
  bench.poke<uint16_t>(testing::VirtioBench::kDescriptors + 16 + 12, 1);
  bench.poke<uint16_t>(testing::VirtioBench::kDescriptors + 16 + 14, 0);
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
}

TEST(Virtqueue, IndicesOutsideTheTableAreBroken) {
  QueueBench bench;
  bench.make_available(0, 200);
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
}

TEST(Virtqueue, MoreAvailableThanEntriesIsBroken) {
  QueueBench bench;
  bench.poke<uint16_t>(testing::VirtioBench::kAvailable + 2, 17);
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
}

TEST(Virtqueue, RingsOutsideMemoryAreBroken) {
  QueueBench bench;
  bench.queue.driver_area = ~uint64_t{0} - 1;
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
  bench.queue.device_area = 0;
  EXPECT_FALSE(bench.queue.push(bench.dma, 0, 0));
}

TEST(Virtqueue, ReadableAfterWritableIsBroken) {
  QueueBench bench;
  bench.submit(0, 0, {{kTestRamBase, 16, true}, {kTestRamBase, 16, false}});
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
}

TEST(Virtqueue, HugeChainIsBroken) {
  QueueBench bench;
  bench.submit(0, 0, {{kTestRamBase, 0xffffffff, true}});
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
}

TEST(Virtqueue, IndirectTablesAreFollowedOnce) {
  QueueBench bench;
  const uint64_t table = kTestRamBase + 0x20000;
  bench.poke<uint64_t>(table, kTestRamBase + 0x8000);
  bench.poke<uint32_t>(table + 8, 100);
  bench.poke<uint16_t>(table + 12, 2);
  bench.poke<uint64_t>(testing::VirtioBench::kDescriptors, table);
  bench.poke<uint32_t>(testing::VirtioBench::kDescriptors + 8, 16);
  bench.poke<uint16_t>(testing::VirtioBench::kDescriptors + 12, 4);
  bench.make_available(0, 0);
  ASSERT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kChain);
  EXPECT_EQ(bench.chain.writable_bytes(), 100u);
  bench.poke<uint16_t>(table + 12, 4);
  bench.make_available(0, 0);
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
}

TEST(Virtqueue, IndirectTableThatWasNotNegotiatedIsBroken) {
  QueueBench bench;
  const uint64_t table = kTestRamBase + 0x20000;
  bench.poke<uint32_t>(table + 8, 100);
  bench.poke<uint64_t>(testing::VirtioBench::kDescriptors, table);
  bench.poke<uint32_t>(testing::VirtioBench::kDescriptors + 8, 16);
  bench.poke<uint16_t>(testing::VirtioBench::kDescriptors + 12, 4);
  bench.make_available(0, 0);
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain, false), Virtqueue::Pop::kBroken);
}

TEST(Virtqueue, LoopInAnIndirectTableIsBroken) {
  QueueBench bench;
  const uint64_t table = kTestRamBase + 0x20000;
  bench.poke<uint32_t>(table + 8, 1);
  bench.poke<uint16_t>(table + 12, 1);
  bench.poke<uint16_t>(table + 14, 0);
  bench.poke<uint64_t>(testing::VirtioBench::kDescriptors, table);
  bench.poke<uint32_t>(testing::VirtioBench::kDescriptors + 8, 64);
  bench.poke<uint16_t>(testing::VirtioBench::kDescriptors + 12, 4);
  bench.make_available(0, 0);
  EXPECT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kBroken);
}

// Available and used indices are 16 bits and run far beyond the size of the queue.
TEST(Virtqueue, IndicesWrapAfter65536Requests) {
  QueueBench bench;
  for (uint32_t i = 0; i < 65'536 + 40; ++i) {
    bench.submit(0, static_cast<uint16_t>(i % 16), {{kTestRamBase + 0x8000, 4, true}});
    ASSERT_EQ(bench.queue.pop(bench.dma, bench.chain), Virtqueue::Pop::kChain) << i;
    ASSERT_EQ(bench.chain.head, i % 16);
    ASSERT_TRUE(bench.queue.push(bench.dma, bench.chain.head, i));
    ASSERT_EQ(bench.used_length(0, i % 16), i);
  }
  EXPECT_EQ(bench.used_index(0), 40u);
}

TEST(Virtqueue, ScatterAndGatherCrossSegments) {
  QueueBench bench;
  VirtioChain chain;
  chain.segments = {{kTestRamBase + 0x100, 3, true}, {kTestRamBase + 0x200, 5, true}};
  const uint8_t data[] = {1, 2, 3, 4, 5, 6};
  EXPECT_TRUE(scatter(bench.dma, chain, 1, data));
  EXPECT_EQ(bench.bytes(kTestRamBase + 0x101, 1)[0], 1);
  EXPECT_EQ(bench.bytes(kTestRamBase + 0x203, 1)[0], 6);
  EXPECT_FALSE(scatter(bench.dma, chain, 4, data));
  chain.segments = {{~uint64_t{0}, 16, false}};
  uint8_t out[8];
  EXPECT_FALSE(gather(bench.dma, chain, 4, out));
}

// Whatever the guest's memory holds, a walk ends and stays in bounds. The seed is fixed; --gtest_shuffle takes others.
TEST(VirtqueueFuzz, RandomRingsNeverEscape) {
  QueueBench bench;
  const auto seed = static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed()) + 1;
  RecordProperty("seed", static_cast<int>(seed));
  std::printf("seed %u (give it with --gtest_shuffle --gtest_random_seed=%u)\n", seed, seed - 1);
  std::mt19937_64 random(seed);
  for (unsigned round = 0; round < 3000; ++round) {
    auto area = bench.bytes(kTestRamBase, 0x4000);
    for (size_t i = 0x1000; i + 8 <= area.size(); i += 8) {
      uint64_t word = random();
      if (random() % 2 == 0) word &= 0x00030007000000ff;
      if (random() % 4 == 0) word = kTestRamBase + random() % kTestRamBytes;
      std::memcpy(&area[i], &word, 8);
    }
    bench.queue.size = static_cast<uint32_t>(random() % 20);
    const auto result = bench.queue.pop(bench.dma, bench.chain);
    if (result == Virtqueue::Pop::kChain) {
      EXPECT_LE(bench.chain.segments.size(), Virtqueue::kMaxSegments);
      std::vector<uint8_t> data(std::min<uint64_t>(bench.chain.readable_bytes(), 4096));
      gather(bench.dma, bench.chain, random() % 64, data);
      bench.queue.push(bench.dma, bench.chain.head, 1);
    }
  }
}

}  // namespace
}  // namespace lockstep::tlm_models
