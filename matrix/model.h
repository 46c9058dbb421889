// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// Variables with a few values each, and clauses over them: what is left of a contract once its words are gone.
namespace lockstep::matrix {

// A clause holds when one of its literals does; a literal holds when the variable's value is a bit of the mask.
struct Literal {
  std::uint32_t variable;
  std::uint64_t mask;
};
struct Clause {
  std::vector<Literal> literals;
};
struct Model {
  std::vector<std::uint32_t> value_counts;  // 1 to 64 a variable
  std::vector<Clause> clauses;

  std::uint64_t full_mask(std::size_t variable) const {
    const std::uint32_t count = value_counts[variable];
    return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
  }
};

using Row = std::vector<std::uint8_t>;  // one value a variable

bool satisfies(const Clause& clause, const Row& row);
bool satisfies(const Model& model, const Row& row);

// What one search may cost. Contracts need a few hundred nodes; a model that reaches this is reported, not waited for.
inline constexpr std::uint64_t kMaxSearchNodes = 1U << 17;

// Search with propagation: a clause whose other literals cannot hold any more narrows the variable of the last one.
class Solver {
 public:
  explicit Solver(const Model& model);

  // Narrows a variable to the values of `mask` and draws the consequences. False when nothing is left; the state is
  // then unusable until undo().
  bool narrow(std::size_t variable, std::uint64_t mask);
  std::uint64_t domain(std::size_t variable) const { return domains_[variable]; }
  std::size_t mark() const { return trail_.size(); }
  void undo(std::size_t mark);
  // False when the clauses alone are contradictory.
  bool consistent() const { return consistent_; }

  // A row that fits the present domains: variables are decided in `order`, values by `preference` (for each variable,
  // its values from most to least wanted). The domains are as before afterwards. Nothing when there is none, or when
  // the search was given up (then exhausted() is true).
  std::optional<Row> solve(const std::vector<std::uint32_t>& order,
                           const std::vector<std::vector<std::uint8_t>>& preference);
  bool exhausted() const { return exhausted_; }

 private:
  struct Change {
    std::uint32_t variable;
    std::uint64_t before;
  };
  bool propagate(std::size_t from);
  bool search(std::size_t depth, const std::vector<std::uint32_t>& order,
              const std::vector<std::vector<std::uint8_t>>& preference);

  const Model& model_;
  std::vector<std::uint64_t> domains_;
  std::vector<std::vector<std::uint32_t>> clauses_of_;  // indices into model_.clauses
  std::vector<Change> trail_;
  std::uint64_t nodes_ = 0;
  bool consistent_ = true;
  bool exhausted_ = false;
};

}  // namespace lockstep::matrix
