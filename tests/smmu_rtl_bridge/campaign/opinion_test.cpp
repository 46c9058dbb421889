// SPDX-License-Identifier: Apache-2.0
// The reference walker beside the judge, on devices with all their caches: a slice of what cosim_reference runs.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "smmu_rtl_bridge/tlm_device.h"
#include "tests/core/seed.h"
#include "tests/smmu_rtl_bridge/campaign/reference_opinion.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

TEST(CosimOpinion, ModelJudgeAndReferenceAgree) {
  const uint64_t first = test::seed();
  const uint64_t seeds = test::from_environment("LOCKSTEP_WORLDS", 12);
  for (const char* name : {"default", "nested", "faults", "invalidation", "stall", "hits", "ats"}) {
    const auto mix = load_mix(name);
    ASSERT_TRUE(mix);
    ReferenceCounts counts;
    RunOptions options;
    options.second_opinion = [&](Device& device, Judge& judge) {
      return std::make_unique<ReferenceOpinion>(device, judge, counts);
    };
    SeedOptions seed_options;
    seed_options.mix = *mix;
    for (uint64_t seed = first; seed < first + seeds; ++seed) {
      const auto run = run_seed(make_core_device, seed, seed_options, options);
      ASSERT_TRUE(run) << run.message();
      ASSERT_TRUE(run->result.ok()) << "mix " << name << " LOCKSTEP_SEED=" << seed
                                    << " LOCKSTEP_WORLDS=1: " << run->result.rule << ": " << run->result.text;
    }
    std::printf("  %-14s %" PRIu64 " with one outcome, %" PRIu64 " with several, %" PRIu64 " passed, %" PRIu64
                " updates\n",
                name, counts.one, counts.several, counts.passed, counts.updated);
    EXPECT_GT(counts.one, seeds * 100);
    EXPECT_GT(counts.passed, 0u);
  }
}

// A reference that is told of other accesses than the device's must differ, in the first seeds in which some get
// through.
TEST(CosimOpinion, DifferenceIsAFailure) {
  struct Misled : ReferenceOpinion {
    using ReferenceOpinion::ReferenceOpinion;
    void accepted(const ClientAccess& access) override {
      ClientAccess other = access;
      other.address ^= 0x8;
      ReferenceOpinion::accepted(other);
    }
  };
  const auto mix = load_mix("default");
  ASSERT_TRUE(mix);
  ReferenceCounts counts;
  RunOptions options;
  options.second_opinion = [&](Device& device, Judge& judge) {
    return std::make_unique<Misled>(device, judge, counts);
  };
  SeedOptions seed_options;
  seed_options.mix = *mix;
  constexpr uint64_t kEnough = 200, kSeedsMax = 50;
  uint64_t passed = 0;
  std::string rule;
  for (uint64_t i = 0; passed < kEnough && rule.empty(); ++i) {
    ASSERT_LT(i, kSeedsMax) << "no access gets through";
    const auto run = run_seed(make_core_device, test::seed() + i, seed_options, options);
    ASSERT_TRUE(run) << run.message();
    passed += run->result.counts.accesses - run->result.counts.faults;
    rule = run->result.rule;
  }
  EXPECT_EQ(rule, "second-opinion");
}

TEST(CosimOpinion, CountsComeThroughText) {
  ReferenceCounts counts;
  counts.one = 3;
  counts.faults[0x10] = 2;
  ReferenceCounts sum;
  EXPECT_TRUE(sum.add_text(counts.to_text()));
  EXPECT_TRUE(sum.add_text(counts.to_text()));
  EXPECT_FALSE(sum.add_text("[1]"));
  EXPECT_EQ(sum.one, 6u);
  EXPECT_EQ(sum.faults[0x10], 4u);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
