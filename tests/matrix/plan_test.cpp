// SPDX-License-Identifier: Apache-2.0
#include "matrix/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "matrix/contract_model.h"
#include "matrix/random.h"
#include "tests/core/seed.h"

namespace lockstep::matrix {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Contract contract_of(const std::string& text) {
  auto contract = parse_contract(text, "f.yaml");
  EXPECT_TRUE(contract.ok()) << contract.message();
  return contract.ok() ? std::move(contract).value() : Contract{};
}

Plan plan_of(const Contract& contract, Strategy strategy, ExpandOptions options = {}) {
  options.strategy = strategy;
  auto plan = expand(contract, options);
  EXPECT_TRUE(plan.ok()) << plan.message();
  return plan.ok() ? std::move(plan).value() : Plan{};
}

std::vector<std::string> labels(const Plan& plan) {
  std::vector<std::string> result;
  for (const Cell& cell : plan.cells) result.push_back(cell.label + (cell.skipped() ? " SKIP" : ""));
  return result;
}

const char* const kSmall = R"(version: 1
project: small
features:
  - {name: interp, kind: engine, status: stable, default: on, contains: [fusion], agreement: exact,
     arguments: {on: --engine interp}, description: d}
  - {name: fusion, kind: runtime-option, status: stable, default: on, agreement: exact,
     arguments: {on: --fusion on, off: --fusion off}, description: d}
  - {name: jit, kind: engine, status: planned, agreement: exact, arguments: {on: --engine jit}, description: d}
  - {name: smp, kind: runtime-option, status: stable, values: [1, 2], arguments: {1: --smp 1, 2: --smp 2}, description: d}
  - {name: net, kind: runtime-option, status: stable, agreement: none, description: d}
  - {name: block, kind: runtime-option, status: stable, agreement: none, excludes: [net], description: d}
  - {name: io, kind: umbrella, contains: [net], description: d}
rules:
  - {exactly-one-of: [interp, jit], why: one engine}
workloads:
  - {name: boot, argv: "{lockstep} run {features} --log {scratch}/log"}
)";

TEST(Plan, DefaultIsOneCellAtTheDefaults) {
  const Plan plan = plan_of(contract_of(kSmall), Strategy::kDefault);
  ASSERT_EQ(plan.cells.size(), 1U);
  const Cell& cell = plan.cells[0];
  EXPECT_EQ(cell.label, "default");
  EXPECT_THAT(cell.argv, ElementsAre("{lockstep}", "run", "--engine", "interp", "--fusion", "on", "--smp", "1", "--log",
                                     "{scratch}/log"));
  EXPECT_EQ(cell.assignment.at("smp"), "1");
  EXPECT_EQ(cell.assignment.count("io"), 0U);
  EXPECT_EQ(cell.id.size(), 16U);
  EXPECT_FALSE(cell.skipped());
}

TEST(Plan, AllRespectsExclusionsAndShowsWhatIsPlanned) {
  EXPECT_THAT(labels(plan_of(contract_of(kSmall), Strategy::kAll)), ElementsAre("smp=2 net=on"));
}

TEST(Plan, NoneTurnsOffWhatTheRulesAllow) {
  EXPECT_THAT(labels(plan_of(contract_of(kSmall), Strategy::kNone)), ElementsAre("fusion=off"));
}

TEST(Plan, EachGivesEveryOtherValueOnce) {
  EXPECT_THAT(labels(plan_of(contract_of(kSmall), Strategy::kEach)),
              ElementsAre("default", "fusion=off", "smp=2", "net=on", "block=on", "interp=off fusion=off jit=on SKIP"));
}

TEST(Plan, PlannedIsSkippedWithItsReason) {
  ExpandOptions options;
  options.with = {"jit"};
  const Plan plan = plan_of(contract_of(kSmall), Strategy::kDefault, options);
  ASSERT_EQ(plan.cells.size(), 1U);
  EXPECT_EQ(plan.cells[0].skip_reason, "needs jit, which is planned and not built yet");
}

TEST(Plan, OptionsOfAnEngineThatIsOffAreFolded) {
  ExpandOptions options;
  options.with = {"jit", "fusion"};
  const auto plan = expand(contract_of(kSmall), options);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.message(), HasSubstr("`fusion` is an option of `interp`"));
}

// What no two runs give alike is compared with others by behaviour alone, and has no reference.
TEST(Plan, UnrepeatableCellsAreInNoExactGroup) {
  std::string text = kSmall;
  text.insert(text.find("  - {name: io,"),
              "  - {name: threads, kind: runtime-option, status: stable, agreement: unrepeatable, description: d}\n");
  const Contract contract = contract_of(text.c_str());
  for (const Strategy strategy : {Strategy::kAll, Strategy::kEach, Strategy::kPairwise}) {
    bool seen = false;
    for (const Cell& cell : plan_of(contract, strategy).cells) {
      const bool threads = cell.assignment.at("threads") == "on";
      EXPECT_EQ(cell.exact_group.empty(), threads) << cell.label;
      EXPECT_FALSE(cell.behavioural_group.empty()) << cell.label;
      seen = seen || threads;
    }
    EXPECT_TRUE(seen);
  }
}

TEST(Plan, HeldFeaturesAreInEveryCell) {
  ExpandOptions options;
  options.with = {"io", "smp=2"};
  for (const Cell& cell : plan_of(contract_of(kSmall), Strategy::kPairwise, options).cells) {
    EXPECT_EQ(cell.assignment.at("net"), "on");
    EXPECT_EQ(cell.assignment.at("smp"), "2");
    EXPECT_EQ(cell.assignment.at("block"), "off");
  }
}

TEST(Plan, ImpossibleChoicesNameTheRule) {
  ExpandOptions options;
  options.with = {"net", "block"};
  auto plan = expand(contract_of(kSmall), options);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.message(), HasSubstr("workload `boot` cannot run with net, block: `block` excludes `net`"));
  options.with = {"interp", "jit"};
  plan = expand(contract_of(kSmall), options);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.message(), HasSubstr("one engine"));
  options.with = {"smp=1", "smp=2"};
  EXPECT_THAT(expand(contract_of(kSmall), options).message(), HasSubstr("two values"));
  options.with = {"nte"};
  EXPECT_THAT(expand(contract_of(kSmall), options).message(), HasSubstr("did you mean \"net\"?"));
  options.with = {};
  options.workloads = {"bot"};
  EXPECT_THAT(expand(contract_of(kSmall), options).message(),
              HasSubstr("unknown workload \"bot\"; did you mean \"boot\"?"));
}

TEST(Plan, GroupsFollowAgreement) {
  const Plan plan = plan_of(contract_of(kSmall), Strategy::kEach);
  const Cell& usual = plan.cells[0];
  const Cell& fusion_off = plan.cells[1];
  const Cell& smp2 = plan.cells[2];
  const Cell& net = plan.cells[3];
  EXPECT_EQ(usual.grade, Agreement::kExact);
  EXPECT_EQ(fusion_off.exact_group, usual.exact_group);
  EXPECT_NE(smp2.exact_group, usual.exact_group);
  EXPECT_EQ(smp2.behavioural_group, usual.behavioural_group);
  EXPECT_NE(net.behavioural_group, usual.behavioural_group);
}

TEST(Plan, IdsDoNotChangeWhenAFeatureThatIsOffIsAdded) {
  std::string text = kSmall;
  text.insert(text.find("rules:"), "  - {name: extra, kind: runtime-option, status: stable, description: d}\n");
  const Plan before = plan_of(contract_of(kSmall), Strategy::kEach);
  const Plan after = plan_of(contract_of(text), Strategy::kEach);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(after.cells[i].id, before.cells[i].id);
    EXPECT_EQ(after.cells[i].exact_group, before.cells[i].exact_group);
  }
}

TEST(Plan, PairwiseGivesEveryExactGroupSomethingToCompare) {
  const Plan plan = plan_of(contract_of(kSmall), Strategy::kPairwise);
  std::map<std::string, std::set<std::string>> groups;
  for (const Cell& cell : plan.cells) {
    if (!cell.skipped()) groups[cell.exact_group].insert(cell.assignment.at("fusion"));
  }
  EXPECT_GT(groups.size(), 3U);
  for (const auto& [group, fusion] : groups) EXPECT_TRUE(fusion.contains("on")) << group;
  ExpandOptions options;
  options.references = false;
  EXPECT_LT(plan_of(contract_of(kSmall), Strategy::kPairwise, options).cells.size(), plan.cells.size());
}

// Random contracts as text: whatever loads must expand under every strategy into distinct, sound cells.
TEST(Plan, RandomContracts) {
  const std::uint64_t seed = test::from_environment("LOCKSTEP_SEED", 11);
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  int loaded = 0;
  for (std::uint64_t round = 0; round < 150; ++round) {
    SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
    Random random(seed * 1'000'003 + round);
    std::string text = "version: 1\nproject: random\nfeatures:\n";
    const std::uint32_t count = 2 + random.below(9);
    for (std::uint32_t i = 0; i < count; ++i) {
      const char* const agreements[] = {"exact", "behavioural", "none", "unrepeatable"};
      text += fmt::format("  - {{name: f{}, kind: runtime-option, status: {}, agreement: {}, description: d", i,
                          random.below(4) == 0 ? "planned" : "stable", agreements[random.below(4)]);
      if (i > 0 && random.below(3) == 0) text += fmt::format(", requires: [f{}]", random.below(i));
      if (i > 0 && random.below(3) == 0) text += fmt::format(", excludes: [f{}]", random.below(i));
      if (i > 0 && random.below(5) == 0) text += fmt::format(", contains: [f{}]", random.below(i));
      text += "}\n";
    }
    text += fmt::format("  - {{name: u, kind: umbrella, contains: [f0, f{}], description: d}}\n", count - 1);
    if (random.below(2) == 0) text += fmt::format("rules:\n  - at-most-one-of: [f0, f{}]\n", count - 1);
    text += "workloads:\n  - {name: w, argv: x}\n";
    const auto contract = parse_contract(text, "random.yaml");
    if (!contract.ok()) continue;
    ++loaded;
    const ContractModel built = build_model(*contract);
    for (const Strategy strategy :
         {Strategy::kDefault, Strategy::kAll, Strategy::kNone, Strategy::kEach, Strategy::kPairwise}) {
      ExpandOptions options;
      options.strategy = strategy;
      options.seed = round;
      const auto plan = expand(*contract, options);
      ASSERT_TRUE(plan.ok()) << plan.message();
      ASSERT_FALSE(plan->cells.empty());
      std::set<std::string> ids;
      for (const Cell& cell : plan->cells) {
        EXPECT_TRUE(ids.insert(cell.id).second) << cell.label;
        Row row;
        bool planned = false;
        for (const Feature* feature : built.features) {
          const std::size_t value = *feature->find_value(cell.assignment.at(feature->name));
          row.push_back(static_cast<std::uint8_t>(value));
          planned = planned || (feature->status == FeatureStatus::kPlanned && feature->values[value] == "on");
        }
        EXPECT_TRUE(satisfies(built.model, row)) << cell.label;
        EXPECT_EQ(cell.skipped(), planned) << cell.label;
      }
      const auto again = expand(*contract, options);
      EXPECT_EQ(plan_to_json(*again), plan_to_json(*plan));
    }
  }
  EXPECT_GT(loaded, 40);
}

// The plan of the tree itself as text, so that a change of the contract shows what it does to the cells.
// LOCKSTEP_UPDATE_GOLDEN=1 writes the file anew.
TEST(Plan, GoldenExpansionOfTheTree) {
  const auto contract = load_contract(LOCKSTEP_TREE "/matrix/features.yaml");
  ASSERT_TRUE(contract.ok()) << contract.message();
  std::string text;
  for (const Strategy strategy :
       {Strategy::kDefault, Strategy::kAll, Strategy::kNone, Strategy::kEach, Strategy::kPairwise}) {
    const Plan plan = plan_of(*contract, strategy);
    text += fmt::format("== {}\n", to_string(strategy));
    for (const Cell& cell : plan.cells) {
      text += fmt::format("{} {} {} {}: {}{}\n", cell.id, cell.exact_group.substr(0, 6),
                          cell.behavioural_group.substr(0, 6), cell.workload, cell.label,
                          cell.skipped() ? " | SKIP " + cell.skip_reason : "");
    }
    for (const std::string& note : plan.notes) text += fmt::format("note: {}\n", note);
  }
  const std::string path = LOCKSTEP_TREE "/tests/matrix/tree_plan.golden";
  if (std::getenv("LOCKSTEP_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream file(path, std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, golden) << "if this is meant, run again with LOCKSTEP_UPDATE_GOLDEN=1 and look at the difference";
}

TEST(Plan, TreeKeepsItsPromises) {
  const auto contract = load_contract(LOCKSTEP_TREE "/matrix/features.yaml");
  ASSERT_TRUE(contract.ok()) << contract.message();
  for (const char* name :
       {"riscv64",     "arm64",        "x86_64",   "interpreter", "jit",       "async", "optimizations", "devices",
        "smmu",        "mmu",          "atsu",     "tlb",         "interrupt", "net",   "accel",         "kvm",
        "whpx",        "hvf",          "vz",       "gpu",         "cuda",      "rocm",  "npu",           "default",
        "performance", "acceleration", "all-arch", "all",         "none",      "std",   "smoltcp",       "hardware"}) {
    EXPECT_NE(contract->resolve(name), nullptr) << name;
  }
  const Plan plan = plan_of(*contract, Strategy::kPairwise);
  std::set<std::string> shown;
  for (const Cell& cell : plan.cells) {
    for (const Feature& feature : contract->features) {
      if (feature.status != FeatureStatus::kPlanned || !feature.variable() || cell.assignment.at(feature.name) == "off")
        continue;
      shown.insert(feature.name);
      EXPECT_TRUE(cell.skipped()) << cell.label;
    }
  }
  for (const Feature& feature : contract->features) {
    if (!feature.variable() || feature.status != FeatureStatus::kPlanned) continue;
    EXPECT_TRUE(shown.contains(feature.name)) << feature.name;
  }
}

TEST(Plan, EveryBareMetalGuestIsInAWorkload) {
  const std::filesystem::path folder = LOCKSTEP_TREE "/guests/bare/tests";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is not in this tree";
  std::set<std::string> sources;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) sources.insert(entry.path().stem().string());
  const auto contract = load_contract(LOCKSTEP_TREE "/matrix/features.yaml");
  ASSERT_TRUE(contract.ok()) << contract.message();
  std::set<std::string> instances;
  for (const Workload& workload : contract->workloads) {
    if (!workload.instance.empty()) instances.insert(workload.instance);
  }
  EXPECT_THAT(sources, testing::IsSubsetOf(instances));
}

TEST(Plan, JsonHoldsEveryCell) {
  const Plan plan = plan_of(contract_of(kSmall), Strategy::kEach);
  const auto json = nlohmann::json::parse(plan_to_json(plan));
  ASSERT_EQ(json["cells"].size(), plan.cells.size());
  EXPECT_EQ(json["cells"][0]["id"], plan.cells[0].id);
  EXPECT_FALSE(json["cells"][0].contains("skip_reason"));
  EXPECT_EQ(json["cells"][5]["skip_reason"], plan.cells[5].skip_reason);
}

}  // namespace
}  // namespace lockstep::matrix
