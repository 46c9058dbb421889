// SPDX-License-Identifier: Apache-2.0
#include "matrix/model.h"

#include <algorithm>
#include <bit>

namespace lockstep::matrix {

bool satisfies(const Clause& clause, const Row& row) {
  return std::any_of(clause.literals.begin(), clause.literals.end(),
                     [&](const Literal& literal) { return ((literal.mask >> row[literal.variable]) & 1) != 0; });
}

bool satisfies(const Model& model, const Row& row) {
  return std::all_of(model.clauses.begin(), model.clauses.end(),
                     [&](const Clause& clause) { return satisfies(clause, row); });
}

Solver::Solver(const Model& model) : model_(model), clauses_of_(model.value_counts.size()) {
  for (std::size_t i = 0; i < model.value_counts.size(); ++i) domains_.push_back(model.full_mask(i));
  for (std::uint32_t i = 0; i < model.clauses.size(); ++i) {
    for (const Literal& literal : model.clauses[i].literals) clauses_of_[literal.variable].push_back(i);
  }
  // Propagation starts from changes, so what a clause says before any change is drawn here.
  for (const Clause& clause : model.clauses) {
    const Literal* open = nullptr;
    std::size_t live = 0;
    for (const Literal& literal : clause.literals) {
      if ((domains_[literal.variable] & literal.mask) == 0) continue;
      ++live;
      open = &literal;
    }
    if (live == 0 || (live == 1 && !narrow(open->variable, open->mask))) {
      consistent_ = false;
      return;
    }
  }
}

bool Solver::narrow(std::size_t variable, std::uint64_t mask) {
  const std::uint64_t before = domains_[variable];
  const std::uint64_t after = before & mask;
  if (after == before) return after != 0;
  const std::size_t from = trail_.size();
  trail_.push_back({static_cast<std::uint32_t>(variable), before});
  domains_[variable] = after;
  return after != 0 && propagate(from);
}

bool Solver::propagate(std::size_t from) {
  // The trail itself is the queue: every change on it is visited once.
  for (std::size_t next = from; next < trail_.size(); ++next) {
    for (const std::uint32_t index : clauses_of_[trail_[next].variable]) {
      const Literal* open = nullptr;
      bool undecided = false;
      for (const Literal& literal : model_.clauses[index].literals) {
        const std::uint64_t domain = domains_[literal.variable];
        if ((domain & literal.mask) == 0) continue;
        if ((domain & ~literal.mask) == 0 || open != nullptr) {
          undecided = true;
          break;
        }
        open = &literal;
      }
      if (undecided) continue;
      if (open == nullptr) return false;
      trail_.push_back({open->variable, domains_[open->variable]});
      domains_[open->variable] &= open->mask;
    }
  }
  return true;
}

void Solver::undo(std::size_t mark) {
  while (trail_.size() > mark) {
    domains_[trail_.back().variable] = trail_.back().before;
    trail_.pop_back();
  }
}

bool Solver::search(std::size_t depth, const std::vector<std::uint32_t>& order,
                    const std::vector<std::vector<std::uint8_t>>& preference) {
  while (depth < order.size() && std::has_single_bit(domains_[order[depth]])) ++depth;
  if (depth == order.size()) return true;
  const std::uint32_t variable = order[depth];
  for (const std::uint8_t value : preference[variable]) {
    const std::uint64_t bit = std::uint64_t{1} << value;
    if ((domains_[variable] & bit) == 0) continue;
    if (++nodes_ > kMaxSearchNodes) {
      exhausted_ = true;
      return false;
    }
    const std::size_t before = mark();
    if (narrow(variable, bit) && search(depth + 1, order, preference)) return true;
    undo(before);
    if (exhausted_) return false;
    // The value has failed, and what follows from its absence may settle the rest without another guess.
    if (!narrow(variable, ~bit)) return false;
  }
  return false;
}

std::optional<Row> Solver::solve(const std::vector<std::uint32_t>& order,
                                 const std::vector<std::vector<std::uint8_t>>& preference) {
  if (!consistent_) return std::nullopt;
  nodes_ = 0;
  exhausted_ = false;
  const std::size_t before = mark();
  std::optional<Row> row;
  if (search(0, order, preference)) {
    row.emplace(domains_.size());
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      (*row)[i] = static_cast<std::uint8_t>(std::countr_zero(domains_[i]));
    }
  }
  undo(before);
  return row;
}

}  // namespace lockstep::matrix
