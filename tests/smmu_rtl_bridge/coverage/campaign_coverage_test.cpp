// SPDX-License-Identifier: Apache-2.0
// What a small campaign over all mixes and the directed scripts reaches of the plan. LOCKSTEP_SEED chooses the first
// seed, LOCKSTEP_SEEDS how many of each mix; LOCKSTEP_COVERAGE names a file for the result.
#include <gtest/gtest.h>

#include <cstdlib>

#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/coverage/watch.h"
#include "smmu_rtl_bridge/stimulus/directed/crosses.h"
#include "smmu_rtl_bridge/stimulus/directed/directed.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tests/core/seed.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

TEST(SmmuCoverageCampaign, TheJudgeAgreesWithTheModelInEachCross) {
  for (const DirectedScript& directed : cross_scripts()) {
    const auto parsed = parse_script("smmu-script 1\n" + directed.lines, directed.name);
    ASSERT_TRUE(parsed.ok()) << parsed.message();
    const auto run = run_script(make_core_device, script_of(directed), {});
    ASSERT_TRUE(run.ok()) << directed.name << ": " << run.message();
    EXPECT_TRUE(run->ok()) << directed.name << ": " << run->rule << ": " << run->text << "\n" << directed.lines;
  }
}

TEST(SmmuCoverageCampaign, AFewSeedsOfEachMixReachMostOfThePlan) {
  const uint64_t seeds = test::from_environment("LOCKSTEP_SEEDS", 12);
  const uint64_t first = test::seed();
  Database database;
  RunOptions options;
  options.judge = false;
  options.watchers.push_back(watch(database));
  const DeviceFactory factory = make_core_device;
  for (const auto& scripts : {directed_scripts(), cross_scripts()}) {
    for (const DirectedScript& directed : scripts) {
      const auto run = run_script(factory, script_of(directed), options);
      ASSERT_TRUE(run.ok()) << directed.name << ": " << run.message();
    }
  }
  for (const NamedText& known : known_mixes()) {
    SeedOptions seed_options;
    auto mix = load_mix(std::string(known.name));
    ASSERT_TRUE(mix.ok()) << mix.message();
    seed_options.mix = *mix;
    for (uint64_t i = 0; i < seeds; ++i) {
      const auto run = run_seed(factory, first + i, seed_options, options);
      ASSERT_TRUE(run.ok()) << run.message();
    }
  }
  for (const auto& [name, count] : database.unplanned()) ADD_FAILURE() << "the plan lacks " << name << " " << count;
  TreeOptions tree_options;
  tree_options.depth = 1;
  std::fputs(tree(database, tree_options).c_str(), stdout);
  EXPECT_GT(database.percent(), 50);
  if (const char* path = std::getenv("LOCKSTEP_COVERAGE")) {
    EXPECT_TRUE(database.save(path).ok());
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::coverage
