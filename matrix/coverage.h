// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "matrix/model.h"

// Checks a plan without the planner: it shares neither the solver nor the table of pairs with it, so that a mistake in
// one of them does not hide itself.
namespace lockstep::matrix {

struct CoverageReport {
  std::uint64_t pairs = 0;  // of values of two variables in scope
  std::uint64_t covered = 0;
  std::uint64_t impossible = 0;     // no row of the model can hold them
  std::vector<std::string> faults;  // rows that break a clause, pairs that are missing; at most kMaxFaults
  bool ok() const { return faults.empty(); }
};
inline constexpr std::size_t kMaxFaults = 20;

// `scope` empty: all variables.
CoverageReport check_pair_coverage(const Model& model, const std::vector<std::uint32_t>& scope,
                                   const std::vector<Row>& rows);

}  // namespace lockstep::matrix
