// SPDX-License-Identifier: Apache-2.0
#include "matrix/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "matrix/contract_model.h"
#include "matrix/coverage.h"
#include "matrix/load_error.h"
#include "matrix/pairwise.h"

namespace lockstep::matrix {
namespace {

constexpr std::size_t kIdBytes = 8;
// A contract has few variables, whose plans are as small as they get after a fraction of the planner's usual effort.
constexpr std::uint64_t kPlanEffort = 100'000;

std::string digest(const std::string& text) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  std::string result;
  for (std::size_t i = 0; i < kIdBytes; ++i) result += fmt::format("{:02x}", hash[i]);
  return result;
}

enum class Wish { kDefault, kMost, kLeast };

// Expands one workload at a time.
class Expander {
 public:
  Expander(const Contract& contract, const ExpandOptions& options)
      : contract_(contract), options_(options), all_(build_model(contract)) {
    order_.resize(all_.features.size());
    std::iota(order_.begin(), order_.end(), 0U);
  }

  core::Result<Plan> run() {
    plan_.contract_path = contract_.path;
    plan_.strategy = options_.strategy;
    plan_.seed = options_.seed;
    for (const std::string& text : options_.with) {
      std::string note;
      const core::Result<FeatureRef> ref = parse_ref(contract_, text, &note);
      if (!ref) return ref.error();
      if (!note.empty() && std::find(plan_.notes.begin(), plan_.notes.end(), note) == plan_.notes.end()) {
        plan_.notes.push_back(note);
      }
      held_.push_back(*ref);
    }
    const core::Result<std::vector<const Workload*>> workloads = choose_workloads();
    if (!workloads) return workloads.error();
    for (const Workload* workload : *workloads) {
      if (core::Status done = expand_workload(*workload); !done) return done.error();
    }
    if (plan_.cells.empty()) {
      return core::Error{
          fmt::format("no workload can run with {}; `lockstep matrix explain NAME` tells what a feature "
                      "excludes",
                      fmt::join(options_.with, ", "))};
    }
    note_unseen(*workloads);
    return std::move(plan_);
  }

 private:
  core::Result<std::vector<const Workload*>> choose_workloads() const {
    std::vector<const Workload*> result;
    for (const Workload& workload : contract_.workloads) {
      const auto asked = [&](const std::string& name) { return name == workload.name || name == workload.family; };
      if (options_.workloads.empty() || std::any_of(options_.workloads.begin(), options_.workloads.end(), asked)) {
        result.push_back(&workload);
      }
    }
    std::vector<std::string> known;
    for (const Workload& workload : contract_.workloads) {
      if (known.empty() || known.back() != workload.family) known.push_back(workload.family);
    }
    for (const std::string& name : options_.workloads) {
      const auto named = [&](const Workload* workload) { return name == workload->name || name == workload->family; };
      if (!std::any_of(result.begin(), result.end(), named)) {
        return core::Error{
            fmt::format("{}: unknown workload {}{}", contract_.path, in_quotes(name), suggestion(name, known))};
      }
    }
    if (result.empty()) return core::Error{fmt::format("{}: the file has no workloads to expand", contract_.path)};
    return result;
  }

  // The values of a variable from most to least wanted. What the workload does not vary stays near its default.
  std::vector<std::vector<std::uint8_t>> preference(Wish wish, const std::vector<bool>& varies) const {
    std::vector<std::vector<std::uint8_t>> result;
    for (std::size_t i = 0; i < all_.features.size(); ++i) {
      const Feature& feature = *all_.features[i];
      std::vector<std::uint8_t> values(feature.values.size());
      std::iota(values.begin(), values.end(), std::uint8_t{0});
      if (wish == Wish::kMost && varies[i]) {
        std::reverse(values.begin(), values.end());
      } else if (wish == Wish::kDefault || !varies[i]) {
        std::rotate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(feature.default_value),
                    values.begin() + static_cast<std::ptrdiff_t>(feature.default_value) + 1);
      }
      result.push_back(std::move(values));
    }
    return result;
  }

  core::Status expand_workload(const Workload& workload) {
    std::vector<bool> varies(all_.features.size(), false);
    for (const std::string& name : workload.varies) varies[all_.variables.at(name)] = true;

    // What may run: the contract with the workload's needs and the user's choice fixed and planned features off.
    Model possible = all_.model;
    for (const std::vector<FeatureRef>* refs : {&workload.needs, &std::as_const(held_)}) {
      for (const FeatureRef& ref : *refs) {
        for (const Literal& literal : literals_of(contract_, all_, ref)) possible.clauses.push_back({{literal}});
      }
    }
    Model runnable = possible;
    for (std::uint32_t i = 0; i < all_.features.size(); ++i) {
      if (all_.features[i]->status != FeatureStatus::kPlanned) continue;
      runnable.clauses.push_back({{{i, std::uint64_t{1} << inactive_value(*all_.features[i])}}});
    }
    std::vector<Row> run_rows;
    std::vector<Row> skip_rows;
    Solver run_solver(runnable);
    Solver any_solver(possible);
    const auto defaults = preference(Wish::kDefault, varies);
    const std::optional<Row> base = run_solver.solve(order_, defaults);
    if (!base) {
      const std::optional<Row> planned = any_solver.solve(order_, defaults);
      if (planned) {
        skip_rows.push_back(*planned);
      } else {
        const std::string reason = fmt::format("workload `{}` cannot run with {}{}", workload.name,
                                               fmt::join(options_.with, ", "), contradiction(possible));
        if (!options_.workloads.empty() || contract_.workloads.size() == 1) return core::Error{reason};
        plan_.notes.push_back(reason);
        return {};
      }
    } else {
      switch (options_.strategy) {
        case Strategy::kDefault:
          run_rows.push_back(*base);
          break;
        case Strategy::kAll:
        case Strategy::kNone: {
          const auto wish = preference(options_.strategy == Strategy::kAll ? Wish::kMost : Wish::kLeast, varies);
          if (const auto row = run_solver.solve(order_, wish)) run_rows.push_back(*row);
          const auto full = options_.strategy == Strategy::kAll ? any_solver.solve(order_, wish) : std::nullopt;
          if (full) skip_rows.push_back(*full);
          break;
        }
        case Strategy::kEach:
          each(run_solver, *base, defaults, varies, run_rows);
          break;
        case Strategy::kPairwise: {
          // Instances of a workload differ in what they run and not in how.
          const auto [known, fresh] = rows_of_family_.try_emplace(workload.family);
          if (fresh) {
            core::Result<std::vector<Row>> rows = pairwise(runnable, run_solver, *base, defaults, varies);
            if (!rows) return core::Error{fmt::format("workload `{}`: {}", workload.name, rows.message())};
            known->second = std::move(*rows);
          }
          run_rows = known->second;
          if (options_.references && workload.grade == Agreement::kExact)
            add_references(run_solver, defaults, run_rows);
          break;
        }
      }
      if (options_.strategy == Strategy::kEach || options_.strategy == Strategy::kPairwise) {
        planned_once(any_solver, defaults, varies, skip_rows);
      }
    }

    const std::optional<Row> usual = default_row(workload, defaults);
    std::set<Row> seen;
    for (const std::vector<Row>* rows : {&run_rows, &skip_rows}) {
      for (const Row& row : *rows) {
        if (seen.insert(row).second) plan_.cells.push_back(make_cell(workload, row, *usual));
      }
    }
    return {};
  }

  // ": " and the statement of the file that the limits at the end of the model break, as far as propagation finds it.
  std::string contradiction(const Model& limited) const {
    Solver solver(all_.model);
    for (std::size_t i = all_.model.clauses.size(); i < limited.clauses.size(); ++i) {
      const Literal& limit = limited.clauses[i].literals[0];
      if (solver.narrow(limit.variable, limit.mask)) continue;
      for (std::size_t other = all_.model.clauses.size(); other < i; ++other) {
        const Literal& before = limited.clauses[other].literals[0];
        if (before.variable == limit.variable && (before.mask & limit.mask) == 0) {
          return fmt::format(": `{}` would need two values", all_.features[limit.variable]->name);
        }
      }
      // The broken statement is one that nothing can fulfil any more, the limit itself included.
      const auto dead = [&](const Literal& literal) {
        if (literal.variable == limit.variable && (literal.mask & limit.mask) != 0) return false;
        return (solver.domain(literal.variable) & literal.mask) == 0;
      };
      for (std::size_t clause = 0; clause < all_.model.clauses.size(); ++clause) {
        const std::vector<Literal>& literals = all_.model.clauses[clause].literals;
        if (std::all_of(literals.begin(), literals.end(), dead)) return ": " + all_.origins[clause];
      }
    }
    return "";
  }

  // The workload's cell nearest to the defaults, whatever the user holds. The contract's checks have made sure of one.
  std::optional<Row> default_row(const Workload& workload,
                                 const std::vector<std::vector<std::uint8_t>>& defaults) const {
    Solver solver(all_.model);
    for (const FeatureRef& ref : workload.needs) {
      for (const Literal& literal : literals_of(contract_, all_, ref)) solver.narrow(literal.variable, literal.mask);
    }
    return solver.solve(order_, defaults);
  }

  void each(Solver& solver, const Row& base, const std::vector<std::vector<std::uint8_t>>& defaults,
            const std::vector<bool>& varies, std::vector<Row>& rows) const {
    rows.push_back(base);
    for (std::uint32_t i = 0; i < all_.features.size(); ++i) {
      if (!varies[i]) continue;
      for (std::size_t value = 0; value < all_.features[i]->values.size(); ++value) {
        if (value == base[i]) continue;
        const std::size_t mark = solver.mark();
        if (solver.narrow(i, std::uint64_t{1} << value)) {
          if (const auto row = solver.solve(order_, defaults)) rows.push_back(*row);
        }
        solver.undo(mark);
      }
    }
  }

  core::Result<std::vector<Row>> pairwise(const Model& runnable, const Solver& solver, const Row& base,
                                          const std::vector<std::vector<std::uint8_t>>& defaults,
                                          const std::vector<bool>& varies) const {
    PairwiseOptions pairs;
    pairs.seed = options_.seed;
    pairs.effort = kPlanEffort;
    pairs.preference = defaults;
    pairs.seeds = {base};
    for (std::uint32_t i = 0; i < all_.features.size(); ++i) {
      // A variable that the limits leave one value has no pairs of interest.
      if (varies[i] && (solver.domain(i) & (solver.domain(i) - 1)) != 0) pairs.scope.push_back(i);
    }
    if (pairs.scope.empty()) return std::vector<Row>{base};
    core::Result<std::vector<Row>> rows = cover_pairs(runnable, pairs);
    if (!rows) return rows;
    const CoverageReport report = check_pair_coverage(runnable, pairs.scope, *rows);
    if (!report.ok()) {
      return core::Error{fmt::format("the planner's own check failed (seed {}): {}; this is a fault of the planner",
                                     options_.seed, report.faults.front())};
    }
    return rows;
  }

  // The features of the row that a guest can see: rows that share them have to agree exactly.
  Row visible(const Row& row) const {
    Row result = row;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (all_.features[i]->agreement == Agreement::kExact) result[i] = 0;
    }
    return result;
  }

  // Two runs of the row give the same.
  bool repeatable(const Row& row) const {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Feature& feature = *all_.features[i];
      if (feature.agreement == Agreement::kUnrepeatable && feature.values[row[i]] != "off") return false;
    }
    return true;
  }

  void add_references(Solver& solver, const std::vector<std::vector<std::uint8_t>>& defaults,
                      std::vector<Row>& rows) const {
    std::map<Row, std::size_t> members;
    for (const Row& row : rows) ++members[visible(row)];
    const std::size_t before = rows.size();
    for (std::size_t index = 0; index < before; ++index) {
      if (members[visible(rows[index])] > 1 || !repeatable(rows[index])) continue;
      const std::size_t mark = solver.mark();
      bool possible = true;
      for (std::uint32_t i = 0; i < rows[index].size() && possible; ++i) {
        if (all_.features[i]->agreement == Agreement::kExact) continue;
        possible = solver.narrow(i, std::uint64_t{1} << rows[index][i]);
      }
      const std::optional<Row> reference = possible ? solver.solve(order_, defaults) : std::nullopt;
      solver.undo(mark);
      if (reference && *reference != rows[index]) rows.push_back(*reference);
    }
  }

  // One cell for each planned feature in the first workload that can name it: enough to show it as SKIP.
  void planned_once(Solver& solver, const std::vector<std::vector<std::uint8_t>>& defaults,
                    const std::vector<bool>& varies, std::vector<Row>& rows) {
    for (std::uint32_t i = 0; i < all_.features.size(); ++i) {
      const Feature& feature = *all_.features[i];
      if (feature.status != FeatureStatus::kPlanned || !varies[i] || shown_.contains(i)) continue;
      for (std::size_t value = 0; value < feature.values.size(); ++value) {
        if (value == inactive_value(feature)) continue;
        const std::size_t mark = solver.mark();
        if (solver.narrow(i, std::uint64_t{1} << value)) {
          if (const auto row = solver.solve(order_, defaults)) {
            rows.push_back(*row);
            shown_.insert(i);
          }
        }
        solver.undo(mark);
      }
    }
  }

  void note_unseen(const std::vector<const Workload*>& workloads) {
    if (options_.strategy != Strategy::kEach && options_.strategy != Strategy::kPairwise) return;
    if (workloads.size() != contract_.workloads.size() || !held_.empty()) return;
    std::vector<std::string> unseen;
    for (std::uint32_t i = 0; i < all_.features.size(); ++i) {
      const Feature& feature = *all_.features[i];
      if (feature.status != FeatureStatus::kPlanned) continue;
      const bool seen = std::any_of(plan_.cells.begin(), plan_.cells.end(), [&](const Cell& cell) {
        return cell.assignment.at(feature.name) != feature.values[inactive_value(feature)];
      });
      if (!seen) unseen.push_back(feature.name);
    }
    if (!unseen.empty())
      plan_.notes.push_back(fmt::format("planned, and in no workload yet: {}", fmt::join(unseen, ", ")));
  }

  Cell make_cell(const Workload& workload, const Row& row, const Row& usual) const {
    Cell cell;
    cell.workload = workload.name;
    cell.grade = workload.grade;
    std::vector<std::string> planned;
    std::vector<std::string> differences;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> active;  // what the id rests on: a feature that is off does not change it
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Feature& feature = *all_.features[i];
      const std::string& value = feature.values[row[i]];
      cell.assignment.emplace(feature.name, value);
      if (value != "off") active.emplace(feature.name, value);
      if (feature.status == FeatureStatus::kPlanned && row[i] != inactive_value(feature)) {
        planned.push_back(FeatureRef{feature.name, value}.text());
      }
      if (row[i] != usual[i]) differences.push_back(fmt::format("{}={}", feature.name, value));
      if (!feature.build_option.empty()) cell.build_options.emplace(feature.build_option, value != "off");
      const auto words = feature.arguments.find(row[i]);
      if (words != feature.arguments.end()) {
        arguments.insert(arguments.end(), words->second.begin(), words->second.end());
      }
    }
    cell.label = differences.empty() ? "default" : fmt::format("{}", fmt::join(differences, " "));
    if (!planned.empty()) {
      cell.skip_reason = fmt::format("needs {}, which {} planned and not built yet", fmt::join(planned, ", "),
                                     planned.size() == 1 ? "is" : "are");
    }
    for (const std::string& word : workload.argv) {
      if (word == "{features}") {
        cell.argv.insert(cell.argv.end(), arguments.begin(), arguments.end());
      } else {
        cell.argv.push_back(word);
      }
    }

    std::string identity = "cell\n" + workload.name + "\n";
    std::string exact = "exact\n" + workload.name + "\n";
    std::string behavioural = "behavioural\n" + workload.name + "\n";
    for (const auto& [name, value] : active) {
      const std::string line = fmt::format("{}={}\n", name, value);
      identity += line;
      const Agreement agreement = contract_.find(name)->agreement;
      if (agreement != Agreement::kExact) exact += line;
      if (agreement == Agreement::kNone) behavioural += line;
    }
    cell.id = digest(identity);
    if (workload.grade == Agreement::kExact && repeatable(row)) cell.exact_group = digest(exact);
    if (workload.grade != Agreement::kNone) cell.behavioural_group = digest(behavioural);
    return cell;
  }

  const Contract& contract_;
  const ExpandOptions& options_;
  ContractModel all_;
  std::vector<std::uint32_t> order_;
  std::vector<FeatureRef> held_;
  std::set<std::uint32_t> shown_;
  std::map<std::string, std::vector<Row>> rows_of_family_;
  Plan plan_;
};

}  // namespace

const char* to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::kDefault:
      return "default";
    case Strategy::kAll:
      return "all";
    case Strategy::kNone:
      return "none";
    case Strategy::kEach:
      return "each";
    case Strategy::kPairwise:
      return "pairwise";
  }
  return "?";
}

std::optional<Strategy> parse_strategy(std::string_view text) {
  for (const Strategy strategy :
       {Strategy::kDefault, Strategy::kAll, Strategy::kNone, Strategy::kEach, Strategy::kPairwise}) {
    if (text == to_string(strategy)) return strategy;
  }
  return std::nullopt;
}

core::Result<Plan> expand(const Contract& contract, const ExpandOptions& options) {
  return Expander(contract, options).run();
}

std::string plan_to_json(const Plan& plan) {
  nlohmann::ordered_json cells = nlohmann::ordered_json::array();
  for (const Cell& cell : plan.cells) {
    nlohmann::ordered_json item{{"id", cell.id}, {"workload", cell.workload}, {"label", cell.label}};
    if (cell.skipped()) item["skip_reason"] = cell.skip_reason;
    item["assignment"] = cell.assignment;
    item["argv"] = cell.argv;
    item["build_options"] = cell.build_options;
    item["grade"] = to_string(cell.grade);
    if (!cell.exact_group.empty()) item["exact_group"] = cell.exact_group;
    if (!cell.behavioural_group.empty()) item["behavioural_group"] = cell.behavioural_group;
    cells.push_back(std::move(item));
  }
  const nlohmann::ordered_json result{{"contract", plan.contract_path},
                                      {"strategy", to_string(plan.strategy)},
                                      {"seed", plan.seed},
                                      {"notes", plan.notes},
                                      {"cells", std::move(cells)}};
  // Names from the command line can hold bytes that are not UTF-8.
  return result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace lockstep::matrix
