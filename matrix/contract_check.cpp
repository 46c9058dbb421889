// SPDX-License-Identifier: Apache-2.0
#include "matrix/contract_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "matrix/contract_model.h"
#include "matrix/load_error.h"
#include "matrix/pairwise.h"

namespace lockstep::matrix {
namespace {

// Edges between features, by index.
using Graph = std::vector<std::vector<std::size_t>>;

std::map<std::string, std::size_t> indices(const Contract& contract) {
  std::map<std::string, std::size_t> result;
  for (std::size_t i = 0; i < contract.features.size(); ++i) result.emplace(contract.features[i].name, i);
  return result;
}

// A path that returns to its start, or nothing.
std::vector<std::size_t> find_cycle(const Graph& graph) {
  enum class Colour { kNew, kOpen, kDone };
  std::vector<Colour> colour(graph.size(), Colour::kNew);
  std::vector<std::pair<std::size_t, std::size_t>> path;  // node, next edge
  for (std::size_t start = 0; start < graph.size(); ++start) {
    if (colour[start] != Colour::kNew) continue;
    path.assign(1, {start, 0});
    colour[start] = Colour::kOpen;
    while (!path.empty()) {
      auto& [node, edge] = path.back();
      if (edge == graph[node].size()) {
        colour[node] = Colour::kDone;
        path.pop_back();
        continue;
      }
      const std::size_t next = graph[node][edge++];
      if (colour[next] == Colour::kOpen) {
        std::vector<std::size_t> cycle;
        const auto first = std::find_if(path.begin(), path.end(), [&](const auto& step) { return step.first == next; });
        for (auto step = first; step != path.end(); ++step) cycle.push_back(step->first);
        cycle.push_back(next);
        return cycle;
      }
      if (colour[next] == Colour::kNew) {
        colour[next] = Colour::kOpen;
        path.emplace_back(next, 0);
      }
    }
  }
  return {};
}

void report_cycle(const Contract& contract, const Graph& graph, const char* what) {
  const std::vector<std::size_t> cycle = find_cycle(graph);
  if (cycle.empty()) return;
  std::vector<std::string> names;
  names.reserve(cycle.size());
  for (const std::size_t index : cycle) names.push_back(contract.features[index].name);
  throw LoadError{contract.features[cycle[0]].line,
                  fmt::format("{} form a cycle: {}; take one of these links out", what, fmt::join(names, " -> "))};
}

// The features that `start` needs, each with the one that asks for it.
std::map<std::string, std::string> needs_of(const Contract& contract, const Feature& start) {
  std::map<std::string, std::string> parent{{start.name, ""}};
  std::vector<const Feature*> pending{&start};
  while (!pending.empty()) {
    const Feature* feature = pending.back();
    pending.pop_back();
    for (const auto& [value, refs] : feature->required) {
      if (feature->values[value] != "on") continue;
      for (const FeatureRef& ref : refs) {
        for (const FeatureRef& member : contract.closure(ref)) {
          if (member.value == "on" && parent.emplace(member.name, feature->name).second) {
            pending.push_back(contract.find(member.name));
          }
        }
      }
    }
  }
  return parent;
}

std::string chain(const std::map<std::string, std::string>& parent, const std::string& last) {
  std::vector<std::string> names;
  for (std::string name = last; !name.empty(); name = parent.at(name)) names.insert(names.begin(), name);
  return fmt::format("{}", fmt::join(names, " -> "));
}

void check_requires_against_excludes(const Contract& contract) {
  std::map<std::string, std::set<std::string>> enemies;  // both ways
  for (const Feature& feature : contract.features) {
    for (const auto& [value, refs] : feature.excluded) {
      if (feature.values[value] != "on") continue;
      for (const FeatureRef& ref : refs) {
        for (const FeatureRef& member : contract.closure(ref)) {
          if (member.value != "on") continue;
          enemies[feature.name].insert(member.name);
        }
      }
    }
  }
  for (const Feature& feature : contract.features) {
    if (!feature.variable()) continue;
    const std::map<std::string, std::string> needs = needs_of(contract, feature);
    for (const auto& [name, ignored] : needs) {
      for (const std::string& enemy : enemies[name]) {
        if (!needs.contains(enemy)) continue;
        throw LoadError{feature.line,
                        fmt::format("`{}` can never be on: it requires `{}` ({}), and `{}` excludes `{}` ({})",
                                    feature.name, enemy, chain(needs, enemy), name, enemy, chain(needs, name))};
      }
    }
  }
}

void check_default_umbrella(const Contract& contract) {
  const Feature* umbrella = contract.find("default");
  if (umbrella == nullptr || !umbrella->umbrella()) return;
  std::set<std::string> contained;
  for (const FeatureRef& ref : contract.closure({"default", "on"})) {
    const Feature* feature = contract.find(ref.name);
    if (feature->values[feature->default_value] != ref.value) {
      throw LoadError{umbrella->line, fmt::format("umbrella `default` contains `{}`, whose default is `{}`", ref.text(),
                                                  feature->values[feature->default_value])};
    }
    contained.insert(ref.name);
  }
  for (const Feature& feature : contract.features) {
    if (!feature.variable() || feature.values[feature.default_value] != "on" || contained.contains(feature.name))
      continue;
    throw LoadError{feature.line,
                    fmt::format("`{}` is on by default, but umbrella `default` (line {}) does not contain it",
                                feature.name, umbrella->line)};
  }
}

}  // namespace

void check_cycles(const Contract& contract) {
  const std::map<std::string, std::size_t> index = indices(contract);
  Graph wants(contract.features.size());
  Graph holds(contract.features.size());
  for (std::size_t i = 0; i < contract.features.size(); ++i) {
    const Feature& feature = contract.features[i];
    for (const auto& [value, refs] : feature.required) {
      for (const FeatureRef& ref : refs) wants[i].push_back(index.at(ref.name));
    }
    for (const FeatureRef& ref : feature.contains) {
      holds[i].push_back(index.at(ref.name));
      if (feature.umbrella()) wants[i].push_back(index.at(ref.name));
    }
  }
  report_cycle(contract, holds, "`contains`");
  report_cycle(contract, wants, "`requires` and umbrellas");
}

void check_contradictions(const Contract& contract) {
  check_requires_against_excludes(contract);
  check_default_umbrella(contract);

  const ContractModel built = build_model(contract);
  if (built.too_large) throw LoadError{1, fmt::format("the rules make more than {} clauses", kMaxClauses)};
  const std::uint64_t values =
      std::accumulate(built.model.value_counts.begin(), built.model.value_counts.end(), std::uint64_t{0});
  if (values > kMaxModelValues) {
    throw LoadError{
        1, fmt::format("the features have {} values in all; at most {} are planned for", values, kMaxModelValues)};
  }
  Row defaults;
  for (const Feature* feature : built.features) defaults.push_back(static_cast<std::uint8_t>(feature->default_value));
  for (std::size_t i = 0; i < built.model.clauses.size(); ++i) {
    if (satisfies(built.model.clauses[i], defaults)) continue;
    throw LoadError{1, fmt::format("the defaults contradict each other: {}; change a `default`", built.origins[i])};
  }

  // The defaults satisfy every clause, so only other values need a search.
  Solver solver(built.model);
  std::vector<std::uint32_t> order(built.features.size());
  std::iota(order.begin(), order.end(), 0U);
  std::vector<std::vector<std::uint8_t>> preference;
  for (const Feature* feature : built.features) {
    std::vector<std::uint8_t> wish{static_cast<std::uint8_t>(feature->default_value)};
    for (std::size_t value = 0; value < feature->values.size(); ++value) {
      if (value != feature->default_value) wish.push_back(static_cast<std::uint8_t>(value));
    }
    preference.push_back(std::move(wish));
  }
  const auto possible = [&](const std::vector<Literal>& literals) {
    const std::size_t mark = solver.mark();
    bool found = true;
    for (const Literal& literal : literals) found = found && solver.narrow(literal.variable, literal.mask);
    found = found && solver.solve(order, preference).has_value();
    solver.undo(mark);
    if (solver.exhausted()) {
      throw LoadError{
          1, fmt::format("the rules are too tangled: the search was given up after {} steps", kMaxSearchNodes)};
    }
    return found;
  };
  for (std::uint32_t variable = 0; variable < built.features.size(); ++variable) {
    const Feature& feature = *built.features[variable];
    for (std::size_t value = 0; value < feature.values.size(); ++value) {
      if (value == feature.default_value || possible({{variable, std::uint64_t{1} << value}})) continue;
      if (feature.values[value] == "on") {
        throw LoadError{feature.line, fmt::format("`{}` can never be on: the rules contradict it", feature.name)};
      }
      throw LoadError{feature.line,
                      fmt::format("`{}` can never be `{}`: the rules contradict it; give it only the values "
                                  "that it can have",
                                  feature.name, feature.values[value])};
    }
  }
  std::set<std::string> families;
  for (const Workload& workload : contract.workloads) {
    if (!families.insert(workload.family).second) continue;
    std::vector<Literal> needs;
    for (const FeatureRef& ref : workload.needs) {
      const std::vector<Literal> more = literals_of(contract, built, ref);
      needs.insert(needs.end(), more.begin(), more.end());
    }
    if (!possible(needs)) {
      throw LoadError{workload.line,
                      fmt::format("workload `{}` can never run: its `needs` contradict the rules", workload.family)};
    }
  }
}

}  // namespace lockstep::matrix
