// SPDX-License-Identifier: Apache-2.0
#include "farm/report/coverage.h"

#include <algorithm>

namespace lockstep::farm {

std::vector<MergedCoverage> merge_coverage(const FarmState& state) {
  std::map<std::string, MergedCoverage> by_plan;
  for (const JobEntry& job : state.jobs()) {
    if (!job.result || !job.result->coverage) continue;
    const PlanCoverage& part = *job.result->coverage;
    MergedCoverage& all = by_plan[part.plan];
    all.plan = part.plan;
    all.points = std::max(all.points, part.points);
    ++all.cells;
    for (const auto& [point, hits] : part.hits) all.hits[point] += hits;
  }
  std::vector<MergedCoverage> merged;
  for (auto& [plan, coverage] : by_plan) {
    coverage.file = merged.empty() ? "coverage.txt" : "coverage-" + std::to_string(merged.size()) + ".txt";
    merged.push_back(std::move(coverage));
  }
  return merged;
}

std::string coverage_text(const MergedCoverage& coverage) {
  std::string text = coverage.plan + "\nruns " + std::to_string(coverage.cells) + "\n";
  for (const auto& [point, hits] : coverage.hits) text += point + " " + std::to_string(hits) + "\n";
  return text;
}

}  // namespace lockstep::farm
