// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/plic/plic.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/bench.h"

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kBase = 0x10000000;

struct PlicBench : testing::Bench {
  Plic plic{"plic", 2};

  PlicBench() {
    add(plic, kBase, Plic::kSizeBytes);
    advance();
  }
  void priority(unsigned source, unsigned value) { cpu.write(kBase + 4 * source, value); }
  void enable(unsigned context, unsigned source) {
    const uint64_t at = kBase + 0x2000 + 0x80 * context + source / 32 * 4;
    cpu.write(at, cpu.read(at) | (uint64_t{1} << source % 32));
  }
  uint64_t claim(unsigned context) { return cpu.read(kBase + 0x200004 + 0x1000 * context); }
  void complete(unsigned context, unsigned source) { cpu.write(kBase + 0x200004 + 0x1000 * context, source); }
};

TEST(Plic, RegistersKeepTheirTable) {
  PlicBench bench;
  testing::check_registers(bench.plic, bench.cpu, kBase);
}

TEST(Plic, HighestPriorityThenLowestNumberIsClaimed) {
  PlicBench bench;
  for (const unsigned source : {3u, 5u, 40u}) bench.enable(1, source);
  bench.priority(3, 2);
  bench.priority(5, 2);
  bench.priority(40, 7);
  for (const unsigned source : {5u, 3u, 40u}) bench.plic.set_source(source, true);
  EXPECT_TRUE(bench.plic.context_irq(1).level());
  EXPECT_FALSE(bench.plic.context_irq(0).level());
  EXPECT_EQ(bench.claim(1), 40u);
  EXPECT_EQ(bench.claim(1), 3u);
  EXPECT_EQ(bench.claim(1), 5u);
  EXPECT_EQ(bench.claim(1), 0u);
  EXPECT_FALSE(bench.plic.context_irq(1).level());
}

TEST(Plic, EdgesWaitForTheirClaim) {
  PlicBench bench;
  bench.plic.make_edge_triggered(66);
  bench.enable(0, 66);
  bench.priority(66, 1);
  const auto pulse = [&] {
    bench.plic.set_source(66, true);
    bench.plic.set_source(66, false);
  };
  pulse();
  pulse();
  EXPECT_TRUE(bench.plic.context_irq(0).level());
  EXPECT_EQ(bench.claim(0), 66u);
  EXPECT_EQ(bench.claim(0), 0u);
  bench.complete(0, 66);
  EXPECT_EQ(bench.claim(0), 0u) << "two edges before the claim are one";
  pulse();
  EXPECT_EQ(bench.claim(0), 66u);
  pulse();
  EXPECT_EQ(bench.claim(0), 0u);
  bench.complete(0, 66);
  EXPECT_EQ(bench.claim(0), 66u) << "an edge between claim and completion is not lost";
}

TEST(Plic, ThresholdAndZeroPriorityHoldSourcesBack) {
  PlicBench bench;
  bench.enable(2, 7);
  bench.plic.set_source(7, true);
  EXPECT_FALSE(bench.plic.context_irq(2).level());
  bench.priority(7, 3);
  EXPECT_TRUE(bench.plic.context_irq(2).level());
  bench.cpu.write(kBase + 0x202000, 3);
  EXPECT_FALSE(bench.plic.context_irq(2).level());
  bench.cpu.write(kBase + 0x202000, 2);
  EXPECT_TRUE(bench.plic.context_irq(2).level());
}

TEST(Plic, LevelThatStaysHighIsPendingAgainAfterCompletion) {
  PlicBench bench;
  bench.enable(0, 10);
  bench.priority(10, 1);
  bench.plic.set_source(10, true);
  EXPECT_EQ(bench.claim(0), 10u);
  EXPECT_FALSE(bench.plic.context_irq(0).level());
  bench.complete(0, 10);
  EXPECT_TRUE(bench.plic.context_irq(0).level());
  EXPECT_EQ(bench.claim(0), 10u);
  bench.plic.set_source(10, false);
  bench.complete(0, 10);
  EXPECT_FALSE(bench.plic.context_irq(0).level());
}

TEST(Plic, NonsenseCompletionsChangeNothing) {
  PlicBench bench;
  for (const unsigned source : {0u, 96u, 0xffffffffu}) bench.complete(3, source);
  bench.plic.set_source(0, true);
  bench.plic.set_source(96, true);
  EXPECT_EQ(bench.claim(3), 0u);
}

}  // namespace
}  // namespace lockstep::tlm_models
