// SPDX-License-Identifier: Apache-2.0
// How many reads a walk takes, and how many walks go on at a time. The design is built without the cache of stage 2
// alone, as the table of walk counts that is public for another SMMU wants it.
#include "tests/smmu_rtl_bridge/rtl/top_bench.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {
namespace {

constexpr uint64_t kRoot1 = 0x400000, kRoot2 = 0x500000;
// Input addresses that differ from the first in the index of one level.
constexpr uint64_t kInput = 0x123456789000;
constexpr std::array<uint64_t, 4> kOther = {uint64_t{1} << 39, uint64_t{1} << 30, uint64_t{1} << 21, uint64_t{1} << 12};

class SmmuWalks : public TopTest {
 protected:
  // Tables of stage 1 lie where stage 2 maps them onto themselves.
  void make_stream(unsigned config, unsigned last_level) {
    const uint64_t leaf = kLeaf1n;
    ste(1, config, kContexts, {.table = kRoot2});
    cd(kContexts, kRoot1);
    map(kRoot1, kInput, 0x80000000, 12, 0, last_level, leaf);
    uint64_t page = 1;
    for (unsigned level = 0; level <= last_level; ++level)
      map(kRoot1, kInput ^ kOther[level], 0x80000000 + page++ * 0x200000, 12, 0, last_level, leaf);
    if (config != 7) return;
    const uint64_t block = uint64_t{1} << (last_level == 3 ? 12 : 21);
    const auto identity = [&](uint64_t first, uint64_t last) {
      for (uint64_t at = first & ~(block - 1); at < last; at += block) map(kRoot2, at, at, 12, 0, last_level, kLeaf2);
    };
    identity(kContexts, kContexts + 64);
    identity(kRoot1, kRoot1 + 0x1000);
    identity(0x10000000, 0x10000000 + 64 * 0x1000);
    for (uint64_t at = 0; at < page; ++at) identity(0x80000000 + at * 0x200000, 0x80000000 + at * 0x200000 + 1);
  }
  // Configuration is known and no translation is.
  void forget_translations() {
    out(1, kInput);
    command(0x30);
    sync();
    settle_down();
  }
  size_t reads_of(uint64_t address) {
    memory.log.clear();
    EXPECT_NE(out(1, address), ~uint64_t{0}) << std::hex << address;
    return descriptor_reads();
  }
};

TEST_F(SmmuWalks, BothStagesTakeTwentyFourReadsAndFewerWithPointers) {
  make_stream(7, 3);
  enable();
  forget_translations();
  EXPECT_EQ(reads_of(kInput), 24u);
  EXPECT_EQ(reads_of(kInput ^ kOther[1]), 15u);
  EXPECT_EQ(reads_of(kInput ^ kOther[2]), 10u);
  EXPECT_EQ(reads_of(kInput ^ kOther[3]), 5u);
  EXPECT_EQ(reads_of(kInput), 0u);
  EXPECT_TRUE(events().empty());
}

TEST_F(SmmuWalks, StageOneTakesFourReadsAndFewerWithPointers) {
  make_stream(5, 3);
  enable();
  forget_translations();
  EXPECT_EQ(reads_of(kInput), 4u);
  EXPECT_EQ(reads_of(kInput ^ kOther[1]), 3u);
  EXPECT_EQ(reads_of(kInput ^ kOther[2]), 2u);
  EXPECT_EQ(reads_of(kInput ^ kOther[3]), 1u);
  EXPECT_EQ(reads_of(kInput), 0u);
}

TEST_F(SmmuWalks, BlocksOfBothStagesTakeFifteenReads) {
  make_stream(7, 2);
  enable();
  forget_translations();
  EXPECT_EQ(reads_of(kInput & ~uint64_t{0x1fffff}), 15u);
}

// Memory takes a hundred clocks, and answers come in any order.
class SmmuParallelWalks : public TopTest {
 protected:
  static constexpr unsigned kPages = 128;
  SmmuParallelWalks() : TopTest(8, 0) {
    memory.latency_min = 96;
    ste(1, 5, kContexts);
    cd(kContexts, kRoot1);
    // No two of them share the table of the last level or the one before.
    for (uint64_t page = 0; page < 2 * kPages; ++page) map1(kRoot1, page << 30, page << 12);
    enable();
    forget();
  }
  void forget() {
    out(1, 0);
    command(0x30);
    sync();
    settle_down();
    memory.reads_open_max = 0;
  }
};

TEST_F(SmmuParallelWalks, EightReachSixTimesTheThroughputOfOne) {
  uint64_t start = now;
  for (uint64_t page = 0; page < kPages; ++page) out(1, page << 30);
  const double one = static_cast<double>(now - start);
  EXPECT_EQ(memory.reads_open_max, 1u);
  forget();
  start = now;
  for (uint64_t page = kPages; page < 2 * kPages; ++page)
    offer({.address = page << 30, .id = static_cast<uint32_t>(page % 16), .sid = 1});
  run_until([&] { return offers_open == 0; }, 1'000'000);
  const double eight = static_cast<double>(now - start);
  EXPECT_EQ(memory.reads_open_max, 8u);
  std::printf("%u walks one after another: %.0f clocks; eight at a time: %.0f clocks, %.2f times the throughput\n",
              kPages, one, eight, one / eight);
  EXPECT_GE(one / eight, 6.0);
  for (const Offer& each : offers) EXPECT_TRUE(each.forwarded);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::rtl_test
