// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "farm/coordinator/farm_state.h"

namespace lockstep::farm {

// Functional coverage of all cells that have a result, added up by plan.
struct MergedCoverage {
  std::string plan;
  std::string file;     // in a run's folder: "coverage.txt", or with a number where there are several plans
  uint64_t points = 0;  // that the plan has
  uint64_t cells = 0;   // that brought coverage
  std::map<std::string, uint64_t> hits;
  double percent() const {
    return points == 0 ? 0 : 100.0 * static_cast<double>(hits.size()) / static_cast<double>(points);
  }
};

// By plan, in the order of their names.
std::vector<MergedCoverage> merge_coverage(const FarmState& state);
// As `lockstep cosim coverage` reads it: the plan's name, how many cells, and a line a point.
std::string coverage_text(const MergedCoverage& coverage);

}  // namespace lockstep::farm
