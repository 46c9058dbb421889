// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "matrix/model.h"

// Covering arrays of strength two under constraints.
namespace lockstep::matrix {

// Values of a model in all. The table of pairs is square in it (2 MiB at this bound).
inline constexpr std::size_t kMaxModelValues = 4096;

struct PairwiseOptions {
  std::uint64_t seed = 1;
  // Variables whose pairs are covered; empty: all. The others keep their preferred value if the clauses let them.
  std::vector<std::uint32_t> scope;
  // For each variable its values from most to least wanted; empty: in their order.
  std::vector<std::vector<std::uint8_t>> preference;
  // Rows that come first in the result; each has to satisfy the model.
  std::vector<Row> seeds;
  // Work for better candidates and restarts, in units of about a microsecond. It counts operations, not time, so that
  // the result does not depend on the machine.
  std::uint64_t effort = 400'000;
};

// Rows, each of which satisfies the model, such that every pair of values of two variables in scope that any row of
// the model can hold is in at least one. With one variable in scope, every possible value of it. Deterministic in
// model and options. Errors: the model has no row at all, is too large, or is too hard for the solver's bound.
core::Result<std::vector<Row>> cover_pairs(const Model& model, const PairwiseOptions& options);

}  // namespace lockstep::matrix
