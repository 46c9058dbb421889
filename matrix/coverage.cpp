// SPDX-License-Identifier: Apache-2.0
#include "matrix/coverage.h"

#include <fmt/format.h>

#include <numeric>
#include <set>
#include <tuple>

namespace lockstep::matrix {
namespace {

// Steps of one search for a row that holds a pair. Reaching it counts as a fault: it must not pass as "impossible".
constexpr std::uint64_t kMaxSteps = 2'000'000;

// Plain backtracking over partial rows: a clause is looked at only to see whether it is already broken.
class Existence {
 public:
  explicit Existence(const Model& model) : model_(model), row_(model.value_counts.size(), -1) {}

  enum class Answer { kYes, kNo, kUnknown };
  Answer holds(std::uint32_t u, int a, std::uint32_t v, int b) {
    row_.assign(row_.size(), -1);
    row_[u] = a;
    row_[v] = b;
    steps_ = 0;
    const bool found = !broken() && extend();
    if (steps_ > kMaxSteps) return Answer::kUnknown;
    return found ? Answer::kYes : Answer::kNo;
  }

 private:
  // The variable of the clause with fewest ways left comes next; without such a clause every extension is sound.
  bool extend() {
    if (++steps_ > kMaxSteps) return false;
    const Clause* tightest = nullptr;
    std::size_t fewest = 0;
    for (const Clause& clause : model_.clauses) {
      std::size_t open = 0;
      bool holds = false;
      for (const Literal& literal : clause.literals) {
        const int value = row_[literal.variable];
        if (value < 0)
          ++open;
        else if ((literal.mask >> value) & 1)
          holds = true;
      }
      if (holds) continue;
      if (tightest == nullptr || open < fewest) {
        tightest = &clause;
        fewest = open;
      }
    }
    if (tightest == nullptr) return true;
    for (const Literal& literal : tightest->literals) {
      if (row_[literal.variable] >= 0) continue;
      for (int value = 0; value < static_cast<int>(model_.value_counts[literal.variable]); ++value) {
        row_[literal.variable] = value;
        if (!broken() && extend()) return true;
      }
      row_[literal.variable] = -1;
      return false;
    }
    return false;
  }

  bool broken() const {
    for (const Clause& clause : model_.clauses) {
      bool alive = false;
      for (const Literal& literal : clause.literals) {
        const int value = row_[literal.variable];
        if (value < 0 ? literal.mask != 0 : ((literal.mask >> value) & 1) != 0) {
          alive = true;
          break;
        }
      }
      if (!alive) return true;
    }
    return false;
  }

  const Model& model_;
  std::vector<int> row_;
  std::uint64_t steps_ = 0;
};

}  // namespace

CoverageReport check_pair_coverage(const Model& model, const std::vector<std::uint32_t>& scope_in,
                                   const std::vector<Row>& rows) {
  CoverageReport report;
  const auto fault = [&](std::string text) {
    if (report.faults.size() < kMaxFaults) report.faults.push_back(std::move(text));
  };
  std::vector<std::uint32_t> scope = scope_in;
  if (scope.empty()) {
    scope.resize(model.value_counts.size());
    std::iota(scope.begin(), scope.end(), 0U);
  }

  std::set<std::tuple<std::uint32_t, int, std::uint32_t, int>> seen;
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const Row& row = rows[index];
    if (row.size() != model.value_counts.size()) {
      fault(fmt::format("row {} has {} values instead of {}", index, row.size(), model.value_counts.size()));
      continue;
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] >= model.value_counts[i]) fault(fmt::format("row {}: variable {} has no value {}", index, i, row[i]));
    }
    for (std::size_t i = 0; i < model.clauses.size(); ++i) {
      bool holds = false;
      for (const Literal& literal : model.clauses[i].literals) {
        holds = holds || ((literal.mask >> row[literal.variable]) & 1) != 0;
      }
      if (!holds) fault(fmt::format("row {} breaks clause {}", index, i));
    }
    for (const std::uint32_t u : scope) {
      for (const std::uint32_t v : scope) {
        if (u < v) seen.emplace(u, row[u], v, row[v]);
      }
    }
  }

  Existence existence(model);
  for (const std::uint32_t u : scope) {
    for (const std::uint32_t v : scope) {
      if (u >= v) continue;
      for (int a = 0; a < static_cast<int>(model.value_counts[u]); ++a) {
        for (int b = 0; b < static_cast<int>(model.value_counts[v]); ++b) {
          ++report.pairs;
          if (seen.contains({u, a, v, b})) {
            ++report.covered;
            continue;
          }
          switch (existence.holds(u, a, v, b)) {
            case Existence::Answer::kNo:
              ++report.impossible;
              break;
            case Existence::Answer::kYes:
              fault(fmt::format("no row holds the possible pair {}={} {}={}", u, a, v, b));
              break;
            case Existence::Answer::kUnknown:
              fault(fmt::format("could not decide whether the pair {}={} {}={} is possible", u, a, v, b));
              break;
          }
        }
      }
    }
  }
  return report;
}

}  // namespace lockstep::matrix
