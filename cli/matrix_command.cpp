// SPDX-License-Identifier: Apache-2.0
#include "cli/matrix_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "matrix/contract.h"
#include "matrix/plan.h"

namespace lockstep::cli {
namespace {

constexpr int kBadInput = 2;

struct Options {
  std::string file;
  std::string name;
  std::string strategy = "default";
  matrix::ExpandOptions expand;
  bool json = false;
};

int fail(const std::string& message) {
  fmt::print(stderr, "lockstep: {}\n", message);
  return kBadInput;
}

int finish() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? 0 : 1; }

core::Result<matrix::Contract> open_contract(const Options& options) {
  std::string path = options.file;
  if (path.empty()) {
    core::Result<std::string> found = matrix::find_contract(".");
    if (!found) return found.error();
    path = *found;
  }
  return matrix::load_contract(path);
}

std::string count(std::size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

int expand(Options& options) {
  const core::Result<matrix::Contract> contract = open_contract(options);
  if (!contract) return fail(contract.message());
  options.expand.strategy = *matrix::parse_strategy(options.strategy);
  const core::Result<matrix::Plan> plan = matrix::expand(*contract, options.expand);
  if (!plan) return fail(plan.message());
  if (options.json) {
    fmt::print("{}\n", matrix::plan_to_json(*plan));
    return finish();
  }
  std::size_t workload_width = 8;
  std::map<std::string, std::size_t> group_sizes;
  for (const matrix::Cell& cell : plan->cells) {
    workload_width = std::max(workload_width, cell.workload.size());
    if (!cell.skipped() && !cell.exact_group.empty()) ++group_sizes[cell.exact_group];
  }
  fmt::print("{:<16}  {:<{}}  {:<8}  {}\n", "cell", "workload", workload_width, "group",
             "what differs from the workload's default");
  std::size_t skipped = 0;
  for (const matrix::Cell& cell : plan->cells) {
    const std::string group = cell.exact_group.empty() ? cell.behavioural_group : cell.exact_group;
    fmt::print("{:<16}  {:<{}}  {:<8}  {}\n", cell.id, cell.workload, workload_width, group.substr(0, 8), cell.label);
    if (!cell.skipped()) continue;
    ++skipped;
    fmt::print("{:<16}  {:<{}}  {:<8}  SKIP: {}\n", "", "", workload_width, "", cell.skip_reason);
  }
  const std::size_t compared = static_cast<std::size_t>(
      std::count_if(group_sizes.begin(), group_sizes.end(), [](const auto& entry) { return entry.second > 1; }));
  fmt::print("{}: {} to run, {} skipped; {} of cells that have to agree exactly ({}, seed {})\n",
             count(plan->cells.size(), "cell"), plan->cells.size() - skipped, skipped, count(compared, "group"),
             options.strategy, plan->seed);
  for (const std::string& note : plan->notes) fmt::print("note: {}\n", note);
  return finish();
}

std::string joined(const std::vector<matrix::FeatureRef>& refs) {
  std::vector<std::string> texts;
  texts.reserve(refs.size());
  for (const matrix::FeatureRef& ref : refs) texts.push_back(ref.text());
  return fmt::format("{}", fmt::join(texts, ", "));
}

void line(const char* key, const std::string& text) {
  if (!text.empty()) fmt::print("  {:<14}{}\n", key, text);
}

// What refers to a feature from elsewhere: its own entry does not show that.
std::vector<std::string> users_of(const matrix::Contract& contract, const std::string& name, bool exclusion) {
  std::vector<std::string> result;
  for (const matrix::Feature& other : contract.features) {
    for (const auto& [value, refs] : exclusion ? other.excluded : other.required) {
      const auto names = [&](const matrix::FeatureRef& ref) { return ref.name == name; };
      if (std::any_of(refs.begin(), refs.end(), names)) {
        result.push_back(matrix::FeatureRef{other.name, other.values[value]}.text());
      }
    }
  }
  return result;
}

void explain_rules(const matrix::Contract& contract, const std::string& name) {
  for (const matrix::Rule& rule : contract.rules) {
    const auto names = [&](const matrix::FeatureRef& ref) { return ref.name == name; };
    const bool concerned = std::any_of(rule.group.begin(), rule.group.end(), names) ||
                           std::any_of(rule.when.begin(), rule.when.end(), names);
    if (!concerned) continue;
    const std::string why = rule.why.empty() ? "" : fmt::format(" ({})", rule.why);
    switch (rule.kind) {
      case matrix::Rule::Kind::kImplication:
        line("rule", fmt::format("with {}: {}", joined(rule.when), joined(rule.group)) + why);
        break;
      case matrix::Rule::Kind::kAtMostOne:
        line("rule", "at most one of " + joined(rule.group) + why);
        break;
      case matrix::Rule::Kind::kAtLeastOne:
        line("rule", "at least one of " + joined(rule.group) + why);
        break;
      case matrix::Rule::Kind::kExactlyOne:
        line("rule", "exactly one of " + joined(rule.group) + why);
        break;
      case matrix::Rule::Kind::kNever:
        line("rule", "never together: " + joined(rule.group) + why);
        break;
    }
  }
}

nlohmann::ordered_json to_json(const matrix::Contract& contract, const matrix::Feature& feature) {
  nlohmann::ordered_json result{{"name", feature.name}, {"description", feature.description}, {"line", feature.line}};
  if (!feature.part.empty()) result["part"] = feature.part;
  if (!feature.aliases.empty()) result["aliases"] = feature.aliases;
  if (feature.deprecated()) {
    result["deprecated_in_favour_of"] = feature.in_favour_of;
    result["migration"] = feature.migration;
    return result;
  }
  result["kind"] = matrix::to_string(feature.kind);
  std::vector<std::string> contains;
  for (const matrix::FeatureRef& ref : feature.contains) contains.push_back(ref.text());
  result["contains"] = contains;
  result["required_by"] = users_of(contract, feature.name, false);
  if (feature.umbrella()) return result;
  result["status"] = matrix::to_string(feature.status);
  if (feature.becomes) result["becomes"] = matrix::to_string(*feature.becomes);
  result["values"] = feature.values;
  result["default"] = feature.values[feature.default_value];
  const auto by_value = [&](const std::map<std::size_t, std::vector<matrix::FeatureRef>>& map) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const auto& [value, refs] : map) {
      for (const matrix::FeatureRef& ref : refs) object[feature.values[value]].push_back(ref.text());
    }
    return object;
  };
  result["requires"] = by_value(feature.required);
  result["excludes"] = by_value(feature.excluded);
  if (!feature.build_option.empty()) result["build_option"] = feature.build_option;
  nlohmann::ordered_json arguments = nlohmann::ordered_json::object();
  for (const auto& [value, words] : feature.arguments) arguments[feature.values[value]] = words;
  result["arguments"] = arguments;
  result["agreement"] = matrix::to_string(feature.agreement);
  return result;
}

void explain_variable(const matrix::Feature& feature) {
  const char* const agreement[] = {"everything that a guest can see", "results of the guest's checks, not every count",
                                   "nothing: the guest is meant to do something else"};
  line("status", feature.becomes ? fmt::format("planned: not built yet ({} once it is)", to_string(*feature.becomes))
                 : feature.status == matrix::FeatureStatus::kPlanned ? "planned: not built yet"
                                                                     : to_string(feature.status));
  line("values",
       fmt::format("{} (default {})", fmt::join(feature.values, ", "), feature.values[feature.default_value]));
  for (const auto& [value, refs] : feature.required) {
    line("requires", feature.values[value] == "on" ? joined(refs)
                                                   : fmt::format("{} (when {})", joined(refs), feature.values[value]));
  }
  for (const auto& [value, refs] : feature.excluded) {
    line("excludes", feature.values[value] == "on" ? joined(refs)
                                                   : fmt::format("{} (when {})", joined(refs), feature.values[value]));
  }
  line("build option", feature.build_option);
  for (const auto& [value, words] : feature.arguments) {
    line("argument", fmt::format("{}: {}", feature.values[value], fmt::join(words, " ")));
  }
  line("cells share", agreement[static_cast<int>(feature.agreement)]);
}

int explain(const Options& options) {
  const core::Result<matrix::Contract> contract = open_contract(options);
  if (!contract) return fail(contract.message());
  const core::Result<matrix::FeatureRef> known = [&]() -> core::Result<matrix::FeatureRef> {
    if (const matrix::Feature* feature = contract->find(options.name)) return matrix::FeatureRef{feature->name, ""};
    if (const matrix::Feature* feature = contract->resolve(options.name)) return matrix::FeatureRef{feature->name, ""};
    return matrix::parse_ref(*contract, options.name);  // for its message
  }();
  if (!known) return fail(fmt::format("{}: {}", contract->path, known.message()));
  const matrix::Feature& feature = *contract->find(known->name);
  if (options.json) {
    fmt::print("{}\n", to_json(*contract, feature).dump());
    return finish();
  }
  if (feature.deprecated()) {
    fmt::print("{} (deprecated)\n  {}\n", feature.name, feature.description);
    line("instead", feature.in_favour_of);
    line("migration", feature.migration);
    return finish();
  }
  fmt::print("{} ({}{}{})\n  {}\n", feature.name, to_string(feature.kind), feature.part.empty() ? "" : ", part ",
             feature.part, feature.description);
  if (feature.name != options.name) line("asked for as", options.name);
  line("aliases", fmt::format("{}", fmt::join(feature.aliases, ", ")));
  if (!feature.umbrella()) explain_variable(feature);
  if (feature.umbrella()) {
    line("contains", feature.contains.empty() ? "nothing" : joined(feature.contains));
    line("turns on", joined(contract->closure({feature.name, "on"})));
  } else {
    line("its options", joined(feature.contains));
  }
  line("required by", fmt::format("{}", fmt::join(users_of(*contract, feature.name, false), ", ")));
  line("excluded by", fmt::format("{}", fmt::join(users_of(*contract, feature.name, true), ", ")));
  std::vector<std::string> holders;
  std::vector<std::string> old_names;
  for (const matrix::Feature& other : contract->features) {
    const auto names = [&](const matrix::FeatureRef& ref) { return ref.name == feature.name; };
    if (std::any_of(other.contains.begin(), other.contains.end(), names)) holders.push_back(other.name);
    if (other.in_favour_of == feature.name) old_names.push_back(other.name);
  }
  line("contained in", fmt::format("{}", fmt::join(holders, ", ")));
  line("replaces", fmt::format("{}", fmt::join(old_names, ", ")));
  explain_rules(*contract, feature.name);
  return finish();
}

int check(const Options& options) {
  const core::Result<matrix::Contract> contract = open_contract(options);
  if (!contract) return fail(contract.message());
  std::map<std::string, std::size_t> statuses;
  std::size_t umbrellas = 0;
  std::size_t deprecated = 0;
  std::size_t aliases = 0;
  for (const matrix::Feature& feature : contract->features) {
    aliases += feature.aliases.size();
    if (feature.deprecated())
      ++deprecated;
    else if (feature.umbrella())
      ++umbrellas;
    else
      ++statuses[to_string(feature.status)];
  }
  if (options.json) {
    const nlohmann::ordered_json result{{"contract", contract->path},
                                        {"project", contract->project},
                                        {"features", statuses},
                                        {"umbrellas", umbrellas},
                                        {"aliases", aliases},
                                        {"deprecated", deprecated},
                                        {"rules", contract->rules.size()},
                                        {"workloads", contract->workloads.size()}};
    fmt::print("{}\n", result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return finish();
  }
  fmt::print("{}: sound\n", contract->path);
  fmt::print("  features   {} stable, {} experimental, {} planned\n", statuses["stable"], statuses["experimental"],
             statuses["planned"]);
  fmt::print("  names      {}, {}, {}\n", count(umbrellas, "umbrella"),
             count(aliases, aliases == 1 ? "alia" : "aliase"), count(deprecated, "deprecated name"));
  fmt::print("  rules      {}\n", contract->rules.size());
  fmt::print("  workloads  {}\n", contract->workloads.size());
  return finish();
}

}  // namespace

void add_matrix_command(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      root.add_subcommand("matrix", "The feature contract: expand it into cells, explain a feature, check the file");
  command->require_subcommand(1);
  const char* const default_file = "The contract (default: matrix/features.yaml here or in a folder above)";

  CLI::App* expand_command =
      command->add_subcommand("expand",
                              "List the cells (workload under a combination of features) of a strategy:\n"
                              "  default   every feature at its default\n"
                              "  all       as many features on as the rules allow\n"
                              "  none      as few as the rules allow\n"
                              "  each      the default, and one cell for every other value\n"
                              "  pairwise  few cells that hold every possible pair of values\n"
                              "What is planned and not built yet is listed as SKIP with its reason.");
  expand_command->add_option("file", options->file, default_file);
  expand_command->add_option("--strategy", options->strategy, "Which combinations (default: default)")
      ->check(CLI::IsMember({"default", "all", "none", "each", "pairwise"}));
  expand_command->add_option("--seed", options->expand.seed,
                             "Seed of the pairwise planner; the same seed gives the same cells (default: 1)");
  expand_command->add_option("--workload", options->expand.workloads, "Only this workload or family; may be repeated")
      ->allow_extra_args(false);
  expand_command
      ->add_option("--with", options->expand.with, "Hold a feature in every cell: NAME or NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  expand_command->add_flag("!--no-references", options->expand.references,
                           "pairwise: leave out the cells that are only there to be compared with");
  expand_command->add_flag("--json", options->json, "One JSON object instead of the table");
  expand_command->callback([options, &exit_code] { exit_code = expand(*options); });

  CLI::App* explain_command =
      command->add_subcommand("explain", "Tell what a feature is, what goes with it and how it reaches the program");
  explain_command->add_option("name", options->name, "Feature, alias or deprecated name")->required();
  explain_command->add_option("file", options->file, default_file);
  explain_command->add_flag("--json", options->json, "One JSON object instead of text");
  explain_command->callback([options, &exit_code] { exit_code = explain(*options); });

  CLI::App* check_command =
      command->add_subcommand("check", "Check the contract; exit status 2 with file and line if it is not sound");
  check_command->add_option("file", options->file, default_file);
  check_command->add_flag("--json", options->json, "One JSON object instead of text");
  check_command->callback([options, &exit_code] { exit_code = check(*options); });
}

}  // namespace lockstep::cli
