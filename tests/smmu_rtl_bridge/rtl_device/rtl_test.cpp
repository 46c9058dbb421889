// SPDX-License-Identifier: Apache-2.0
// Designs that come with the tree, under directed and random scripts, judged and beside the model; and bugs that are
// found in a stranger's.
#include <gtest/gtest.h>

#include <filesystem>

#include "smmu_rtl_bridge/campaign/campaign.h"
#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/stimulus/directed/directed.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tests/core/seed.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

DeviceFactory factory_of(const std::string& name) {
  RtlOptions options;
  options.file = design_path(name, "plain");
  const auto factory = make_rtl_factory(options);
  EXPECT_TRUE(factory) << factory.message();
  return factory ? DeviceFactory(*factory) : DeviceFactory();
}

uint64_t first_seed() { return test::from_environment("LOCKSTEP_SEED", 1); }

class Designs : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Designs, ::testing::Values("little_smmu", "smmu"),
                         [](const auto& design) { return std::string(design.param); });

TEST_P(Designs, NothingIsWrongWithTheDirectedScripts) {
  const DeviceFactory factory = factory_of(GetParam());
  ASSERT_TRUE(factory);
  RunOptions options;
  options.beside = make_core_device;
  for (const DirectedScript& directed : directed_scripts()) {
    const auto result = run_script(factory, for_pins(script_of(directed)), options);
    ASSERT_TRUE(result) << directed.name << ": " << result.message();
    EXPECT_TRUE(result->ok()) << directed.name << ": " << result->rule << ": " << result->text;
  }
}

TEST_P(Designs, NothingIsWrongWithRandomScriptsBesideTheModel) {
  const DeviceFactory factory = factory_of(GetParam());
  ASSERT_TRUE(factory);
  RunOptions options;
  options.beside = make_core_device;
  for (const char* name : {"default", "faults", "invalidation"}) {
    SeedOptions seeds;
    seeds.mix = *load_mix(name);
    seeds.draw = [](uint64_t seed, const Mix&) { return draw_rtl_device(seed); };
    for (uint64_t seed = first_seed(); seed < first_seed() + 8; ++seed) {
      const auto run = run_seed(factory, seed, seeds, options);
      ASSERT_TRUE(run) << run.message();
      EXPECT_TRUE(run->result.ok()) << "mix " << name << " LOCKSTEP_SEED=" << seed << ": " << run->result.rule << ": "
                                    << run->result.text;
    }
  }
}

TEST_P(Designs, ARunRepeatsItselfToTheCycle) {
  const DeviceFactory factory = factory_of(GetParam());
  ASSERT_TRUE(factory);
  SeedOptions seeds;
  seeds.mix = *load_mix("default");
  seeds.draw = [](uint64_t seed, const Mix&) { return draw_rtl_device(seed); };
  const auto first = run_seed(factory, 5, seeds, {});
  ASSERT_TRUE(first);
  const auto again = run_script(factory, first->script, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(first->result.counts.cycles, again->counts.cycles);
  EXPECT_EQ(first->result.counts.events, again->counts.events);
}

// On our design's ID registers, mixes are what they say.
TEST(Smmu, SharesOfHitsMissesAndNestedAccesses) {
  const DeviceFactory factory = factory_of("smmu");
  ASSERT_TRUE(factory);
  const auto counts_of = [&](const char* name) {
    SeedOptions seeds;
    seeds.mix = *load_mix(name);
    seeds.draw = [](uint64_t seed, const Mix&) { return draw_rtl_device(seed); };
    RunCounts counts;
    for (uint64_t seed = 1; seed <= 30; ++seed) {
      const auto run = run_seed(factory, seed, seeds, {});
      EXPECT_TRUE(run && run->result.ok()) << name << " " << seed;
      if (run) counts.add(run->result.counts);
    }
    return counts;
  };
  const RunCounts hits = counts_of("hits"), some = counts_of("default");
  EXPECT_GE(hits.hits * 100, hits.answers * 95);
  EXPECT_GE(some.misses * 100, some.answers * 30);
  EXPECT_GE(some.nested * 100, some.answers * 30);
}

// Each of the author's bugs is found, and shrunk to a script that one can read. They are built by name:
// ninja rtl_little_smmu_old_limits ...
TEST(LittleBugs, AreFoundAndShrunk) {
  struct Bug {
    const char* name;
    const char* rule;
    size_t lines_max;
  };
  constexpr Bug kBugs[] = {
      {"old_limits", "answer-end", 10}, {"one_size", "answer-end", 10}, {"short_refusal", "pins.last", 3}};
  for (const Bug& bug : kBugs) {
    const std::string name = std::string("little_smmu_") + bug.name;
    if (!std::filesystem::exists(design_path(name, "plain")))
      GTEST_SKIP() << name << " is not built: ninja rtl_" << name;
    const DeviceFactory factory = factory_of(name);
    CampaignOptions options;
    options.last_seed = 100;
    options.seed.mix = *load_mix("default");
    options.seed.draw = [](uint64_t seed, const Mix&) { return draw_rtl_device(seed); };
    const auto campaign = run_campaign(factory, options, [](const CampaignProgress&) {});
    ASSERT_TRUE(campaign) << campaign.message();
    ASSERT_EQ(campaign->findings.size(), 1u) << bug.name;
    EXPECT_EQ(campaign->findings[0].result.rule, bug.rule) << bug.name;
    EXPECT_LE(campaign->findings[0].shrunk.lines.size(), bug.lines_max) << bug.name;
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
