// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/mutation/hunt.h"
#include "smmu_rtl_bridge/mutation/mutants.h"

namespace lockstep::smmu_rtl_bridge {

// How the hunt for one mutant ended: a line of a table of results.
struct MutantResult {
  std::string kind, name;
  bool killed = false;
  bool argued = false;  // survived, and the list of mutants says why
  double seconds = 0;   // with shrinking; no verdict rests on it
  uint64_t accesses = 0;
  size_t lines = 0;
  std::string stimulus;  // "default:17", "directed"
  std::string rule;

  std::string text() const;
  static std::optional<MutantResult> parse(const std::string& line);
};
MutantResult result_of(const Mutant& mutant, const Hunted& hunted);
bool is_of(const MutantResult& result, const Mutant& mutant);

// In the order of `mutants`, which are all of some designs. Of a mutant that is no more, results are dropped; those of
// kinds that these designs do not have are another design's, and stay behind the others.
std::vector<MutantResult> in_order(const std::vector<Mutant>& mutants, const std::vector<MutantResult>& results);

// What a set of results says together; numbers of transactions and lines are of those that were killed.
struct MutationSummary {
  size_t mutants = 0, killed = 0, argued = 0, unexplained = 0;
  uint64_t accesses_median = 0, accesses_p90 = 0;
  size_t lines_median = 0, lines_p90 = 0;

  double killed_percent() const;
  std::string text() const;
};
MutationSummary summarize(const std::vector<MutantResult>& results);

// A table in a file, one line a mutant: what was found last. A file that is not there is an empty table.
core::Result<std::vector<MutantResult>> load_results(const std::string& path);
core::Status save_results(const std::string& path, const std::vector<MutantResult>& results, uint64_t seed);

}  // namespace lockstep::smmu_rtl_bridge
