// SPDX-License-Identifier: Apache-2.0
#include "matrix/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lockstep::matrix {
namespace {

using testing::HasSubstr;

// A sound contract to which a case adds what it is about. The first added line is line 11.
std::string with(const std::string& more) {
  return R"(version: 1
project: test
features:
  - name: net
    kind: runtime-option
    status: stable
    default: on
    aliases: [network]
    arguments: {on: --net user, off: --net none}
    description: d
)" + more;
}

std::string feature(const std::string& name, const std::string& keys = "", const std::string& status = "stable") {
  return "  - name: " + name + "\n    kind: runtime-option\n    status: " + status + "\n    description: d\n" + keys;
}

std::string message(const std::string& text) {
  const core::Result<Contract> contract = parse_contract(text, "f.yaml");
  return contract.ok() ? "(sound)" : contract.message();
}

TEST(Contract, ReadsWhatAFeatureSays) {
  const auto contract =
      parse_contract(with(feature("smp", "    values: [1, 2, 4]\n    requires: {4: [net]}\n")), "f.yaml");
  ASSERT_TRUE(contract.ok()) << contract.message();
  const Feature* smp = contract->find("smp");
  ASSERT_NE(smp, nullptr);
  EXPECT_EQ(smp->values, (std::vector<std::string>{"1", "2", "4"}));
  EXPECT_EQ(smp->line, 11);
  ASSERT_EQ(smp->required.at(2).size(), 1U);
  EXPECT_EQ(smp->required.at(2)[0].text(), "net");
  EXPECT_EQ(contract->find("net")->arguments.at(1), (std::vector<std::string>{"--net", "user"}));
  EXPECT_EQ(contract->resolve("network"), contract->find("net"));
}

TEST(Contract, DeprecatedNameResolvesWithAMigration) {
  const auto contract = parse_contract(
      with("  - name: smoltcp\n    deprecated-in-favour-of: net\n    migration: Write net.\n    description: d\n"),
      "f");
  ASSERT_TRUE(contract.ok()) << contract.message();
  std::string note;
  EXPECT_EQ(contract->resolve("smoltcp", &note), contract->find("net"));
  EXPECT_THAT(note, HasSubstr("Write net."));
  EXPECT_THAT(note, HasSubstr("deprecated in favour of `net`"));
}

TEST(Contract, UmbrellaClosureGoesThroughUmbrellas) {
  const auto contract =
      parse_contract(with(feature("a") + "  - {name: inner, kind: umbrella, contains: [a], description: d}\n"
                                         "  - {name: outer, kind: umbrella, contains: [inner, net], description: d}\n"
                                         "  - {name: everything, kind: umbrella, contains: ['*'], description: d}\n"),
                     "f");
  ASSERT_TRUE(contract.ok()) << contract.message();
  EXPECT_EQ(contract->closure({"outer", "on"}), (std::vector<FeatureRef>{{"a", "on"}, {"net", "on"}}));
  EXPECT_EQ(contract->closure({"everything", "on"}).size(), 2U);
}

TEST(Contract, WorkloadWithInstancesBecomesOneWorkloadEach) {
  const auto contract =
      parse_contract(with("workloads:\n  - {name: bare, instances: [traps, timers], limits: {wall-s: 5, memory: 2G}, "
                          "argv: '{lockstep} {features} {payload:{instance}}'}\n"),
                     "f");
  ASSERT_TRUE(contract.ok()) << contract.message();
  ASSERT_EQ(contract->workloads.size(), 2U);
  EXPECT_EQ(contract->workloads[1].name, "bare/timers");
  EXPECT_EQ(contract->workloads[1].argv.back(), "{payload:timers}");
  EXPECT_EQ(contract->workloads[1].limits.memory_bytes, std::uint64_t{2} << 30);
  EXPECT_EQ(contract->find_workload("bare/traps"), &contract->workloads[0]);
}

struct BadCase {
  const char* name;
  std::string text;
  std::string message;  // a part of what has to be said
};

class BadContract : public testing::TestWithParam<BadCase> {};

TEST_P(BadContract, IsRefusedWithItsPlaceAndTheWayOut) {
  EXPECT_THAT(message(GetParam().text), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Contract, BadContract,
    testing::Values(
        BadCase{"unknown_key", with(feature("a", "    requirs: [net]\n")),
                "f.yaml:15: unknown key \"requirs\"; did you mean \"requires\"?"},
        BadCase{"unknown_top_key", "version: 1\nproject: p\nfeature: []\n",
                "f.yaml:3: unknown key \"feature\"; did you mean \"features\"?"},
        BadCase{"key_twice", with(feature("a", "    status: planned\n")), "f.yaml:15: key \"status\" is given twice"},
        BadCase{"missing_key", with("  - name: a\n    kind: engine\n    status: stable\n"),
                "f.yaml:11: feature `a` needs a key \"description\""},
        BadCase{"no_version", "project: p\nfeatures: []\n", "f.yaml:1: a contract needs a key \"version\""},
        BadCase{"wrong_version", "version: 2\nproject: p\nfeatures: []\n",
                "f.yaml:1: \"version\" has to be a whole number from 1 to 1, not \"2\""},
        BadCase{"no_features", "version: 1\nproject: p\nfeatures: []\n", "\"features\" is empty"},
        BadCase{"list_for_text", with(feature("a", "    part: [x]\n")),
                "f.yaml:15: \"part\" has to be a text, not a list"},
        BadCase{"text_for_list", with(feature("a", "    aliases: x\n")),
                "f.yaml:15: \"aliases\" has to be a list, not a single value"},
        BadCase{"list_for_map", "- a\n- b\n", "f.yaml:1: a contract has to be a mapping, not a list"},
        BadCase{"unknown_kind", with("  - {name: a, kind: engin, status: stable, description: d}\n"),
                "f.yaml:11: \"kind\" cannot be \"engin\"; did you mean \"engine\"?"},
        BadCase{"unknown_status", with(feature("a", "", "stabel")),
                "f.yaml:13: \"status\" cannot be \"stabel\"; did you mean \"stable\"?"},
        BadCase{"unknown_reference", with(feature("a", "    requires: [nett]\n")),
                "f.yaml:15: unknown feature \"nett\"; did you mean \"net\"?"},
        BadCase{"unknown_value", with(feature("a", "    requires: [net=onn]\n")),
                "f.yaml:15: \"net\" has no value \"onn\"; did you mean \"on\"?"},
        BadCase{"value_needed", with(feature("smp", "    values: [1, 2]\n") + feature("a", "    requires: [smp]\n")),
                "f.yaml:20: \"smp\" has the values 1, 2; write smp=2"},
        BadCase{"reference_twice", with(feature("a", "    requires: [net, network]\n")),
                "f.yaml:15: \"network\" is given twice"},
        BadCase{"deprecated_reference",
                with("  - {name: old, deprecated-in-favour-of: net, migration: m, description: d}\n" +
                     feature("a", "    requires: [old]\n")),
                "f.yaml:16: \"old\" is deprecated; write \"net\""},
        BadCase{"deprecated_for_nothing",
                with("  - {name: old, deprecated-in-favour-of: nte, migration: m, description: d}\n"),
                "f.yaml:11: unknown feature \"nte\"; did you mean \"net\"?"},
        BadCase{"deprecated_chain",
                with("  - {name: o1, deprecated-in-favour-of: net, migration: m, description: d}\n  - {name: o2, "
                     "deprecated-in-favour-of: o1, migration: m, description: d}\n"),
                "`o2` is deprecated in favour of `o1`, which is deprecated too; name `net`"},
        BadCase{"deprecated_with_values",
                with("  - {name: old, deprecated-in-favour-of: net, migration: m, description: d, status: stable}\n"),
                "feature `old` is deprecated and stands for another; it takes no \"status\""},
        BadCase{"no_migration", with("  - {name: old, deprecated-in-favour-of: net, description: d}\n"),
                "feature `old` needs a key \"migration\""},
        BadCase{"name_twice", with(feature("net")), "f.yaml:11: the name \"net\" is already taken in line 4"},
        BadCase{"alias_taken", with(feature("network")), "f.yaml:11: the name \"network\" is already taken in line 4"},
        BadCase{"bad_name", with(feature("Net")), "f.yaml:11: a feature cannot be called \"Net\""},
        BadCase{"bad_default", with(feature("a", "    default: maybe\n")),
                "f.yaml:15: feature `a` has no value \"maybe\""},
        BadCase{"value_twice", with(feature("a", "    values: [x, x]\n")), "f.yaml:15: feature `a` has a value twice"},
        BadCase{"planned_but_on", with(feature("a", "    default: on\n", "planned")),
                "f.yaml:11: feature `a` is planned, so it needs a value \"off\""},
        BadCase{"becomes_of_stable", with(feature("a", "    becomes: experimental\n")),
                "f.yaml:15: \"becomes\" is for planned features"},
        BadCase{"umbrella_with_status",
                with("  - {name: u, kind: umbrella, contains: [net], status: stable, description: d}\n"),
                "f.yaml:11: umbrella `u` only names other features and takes no \"status\""},
        BadCase{"umbrella_with_value",
                with("  - {name: u, kind: umbrella, contains: [net], description: d}\n" +
                     feature("a", "    requires: ['u=off']\n")),
                "\"u\" is an umbrella and has no values"},
        BadCase{"build_option_missing", with("  - {name: a, kind: build-option, status: stable, description: d}\n"),
                "f.yaml:11: feature `a` is a build option and needs a key \"build-option\""},
        BadCase{"build_option_name", with(feature("a", "    build-option: x;y\n")),
                "f.yaml:15: \"build-option\" has to be a CMake option"},
        BadCase{"build_option_twice",
                with(feature("a", "    build-option: X\n") + feature("b", "    build-option: X\n")),
                "f.yaml:16: the build option \"X\" is already taken in line 11"},
        BadCase{"requires_cycle",
                with(feature("a", "    requires: [b]\n") + feature("b", "    requires: [c]\n") +
                     feature("c", "    requires: [a]\n")),
                "f.yaml:11: `requires` and umbrellas form a cycle: a -> b -> c -> a; take one of these links out"},
        BadCase{"requires_itself", with(feature("a", "    requires: [a]\n")), "form a cycle: a -> a"},
        BadCase{"contains_cycle",
                with("  - {name: u, kind: umbrella, contains: [v], description: d}\n  - {name: v, kind: umbrella, "
                     "contains: [u], description: d}\n"),
                "f.yaml:11: `contains` form a cycle: u -> v -> u"},
        BadCase{"cycle_through_umbrella",
                with("  - {name: u, kind: umbrella, contains: [a], description: d}\n" +
                     feature("a", "    requires: [u]\n")),
                "form a cycle: u -> a -> u"},
        BadCase{"requires_and_excludes",
                with(feature("a", "    requires: [b]\n    excludes: [net]\n") + feature("b", "    requires: [net]\n")),
                "f.yaml:11: `a` can never be on: it requires `net` (a -> b -> net), and `a` excludes `net` (a)"},
        BadCase{"never_on_by_rule", with(feature("a") + "rules:\n  - never: [a]\n"),
                "f.yaml:11: `a` can never be on: the rules contradict it"},
        BadCase{"never_on_by_two_rules",
                with(feature("a") + feature("b") + "rules:\n  - {when: [a], then: [b]}\n  - at-most-one-of: [a, b]\n"),
                "f.yaml:11: `a` can never be on"},
        BadCase{"never_that_value",
                with(feature("smp", "    values: [1, 2]\n    excludes: {2: ['net=on', 'net=off']}\n")),
                "f.yaml:11: `smp` can never be `2`"},
        BadCase{"contradicting_defaults", with(feature("a", "    default: on\n    excludes: [net]\n")),
                "the defaults contradict each other: `a` excludes `net` (line 11)"},
        BadCase{"default_umbrella_misses", with("  - {name: default, kind: umbrella, contains: [], description: d}\n"),
                "f.yaml:4: `net` is on by default, but umbrella `default` (line 11) does not contain it"},
        BadCase{"default_umbrella_too_much",
                with(feature("a") + "  - {name: default, kind: umbrella, contains: [net, a], description: d}\n"),
                "f.yaml:15: umbrella `default` contains `a`, whose default is `off`"},
        BadCase{"rule_without_form", with("rules:\n  - {why: x}\n"), "f.yaml:12: a rule has either"},
        BadCase{"rule_half", with("rules:\n  - {then: [net]}\n"), "f.yaml:12: \"when\" and \"then\" go together"},
        BadCase{"rule_umbrella",
                with("  - {name: u, kind: umbrella, contains: [net], description: d}\nrules:\n  - {at-most-one-of: [u, "
                     "net]}\n"),
                "f.yaml:13: umbrella `u` cannot be counted in a group"},
        BadCase{"workload_never_runs",
                with(feature("a", "    excludes: [net]\n") + "workloads:\n  - {name: w, needs: [a, net], argv: x}\n"),
                "f.yaml:17: workload `w` can never run"},
        BadCase{"workload_twice", with("workloads:\n  - {name: w, argv: x}\n  - {name: w, argv: x}\n"),
                "f.yaml:13: workload \"w\" is given twice"},
        BadCase{"unknown_placeholder", with("workloads:\n  - {name: w, argv: 'x {skratch}/y'}\n"),
                "f.yaml:12: unknown placeholder \"{skratch}\" in \"{skratch}/y\"; did you mean \"{scratch}\"?"},
        BadCase{"features_inside_word", with("workloads:\n  - {name: w, argv: 'x={features}'}\n"),
                "\"{features}\" has to be a word of its own"},
        BadCase{"open_placeholder", with("workloads:\n  - {name: w, argv: 'x {cell'}\n"),
                "unknown placeholder \"{cell\""},
        BadCase{"placeholder_in_argument", with(feature("a", "    arguments: {on: '--x {payload}'}\n")),
                "f.yaml:15: unknown placeholder \"{payload}\""},
        BadCase{"bad_limit", with("workloads:\n  - {name: w, argv: x, limits: {wall-s: soon}}\n"),
                "f.yaml:12: \"wall-s\" has to be a whole number from 1 to 604800, not \"soon\""},
        BadCase{"bad_size", with("workloads:\n  - {name: w, argv: x, limits: {memory: 5}}\n"),
                "f.yaml:12: \"memory\" has to be a size such as 512M or 4G, not \"5\""},
        BadCase{"bad_pattern", with("workloads:\n  - {name: w, argv: x, keep-lines: ['(']}\n"),
                "f.yaml:12: \"keep-lines\": \"(\" is not a regular expression"},
        BadCase{"not_yaml", "a: [b\n", "f.yaml:"}, BadCase{"empty", "", "f.yaml:1: the file is empty"},
        BadCase{"two_documents", with("") + "---\nx: y\n", "a second YAML document"},
        BadCase{"control_characters", with("") + "\"a\\x07\": b\n", "unknown key \"a\\x07\""},
        BadCase{"too_deep", std::string(100, '[') + std::string(100, ']'), "nested deeper than 32 levels"},
        BadCase{"alias_of_itself", "a: &x [*x]\n", "an alias stands inside the node that it names"}),
    [](const testing::TestParamInfo<BadCase>& item) { return std::string(item.param.name); });

TEST(Contract, AliasesThatMultiplyAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  EXPECT_THAT(message(text), HasSubstr("once aliases are written out"));
}

TEST(Contract, AFileThatIsTooLargeIsRefused) {
  EXPECT_THAT(message(std::string(kMaxContractSizeBytes + 1, ' ')), HasSubstr("a contract has at most"));
}

TEST(Contract, AFileThatIsNotThereIsNamed) {
  const auto contract = load_contract("/nonexistent/features.yaml");
  ASSERT_FALSE(contract.ok());
  EXPECT_THAT(contract.message(), HasSubstr("/nonexistent/features.yaml: cannot be read: No such file"));
  EXPECT_FALSE(load_contract("/").ok());
}

}  // namespace
}  // namespace lockstep::matrix
