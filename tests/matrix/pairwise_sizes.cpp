// SPDX-License-Identifier: Apache-2.0
// Prints how many rows pairwise coverage of well-known models takes, beside what a public table gives for other tools.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "matrix/coverage.h"
#include "matrix/pairwise.h"

int main() {
  using namespace lockstep::matrix;
  struct Case {
    const char* name;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> groups;  // values, variables
    int best;
    int pict;
  };
  const std::vector<Case> cases{{"3^4", {{3, 4}}, 9, 12},
                                {"3^13", {{3, 13}}, 15, 19},
                                {"4^15 3^17 2^29", {{4, 15}, {3, 17}, {2, 29}}, 28, 38},
                                {"4^1 3^39 2^35", {{4, 1}, {3, 39}, {2, 35}}, 20, 28},
                                {"2^100", {{2, 100}}, 10, 16},
                                {"10^20", {{10, 20}}, 180, 213}};
  fmt::print("{:<16} {:>5} {:>12} {:>13} {:>9} {}\n", "model", "rows", "best public", "PICT default", "seconds",
             "checked");
  PairwiseOptions options;
  options.effort = 2'000'000;
  bool sound = true;
  for (const Case& item : cases) {
    Model model;
    for (const auto& [values, variables] : item.groups)
      model.value_counts.insert(model.value_counts.end(), variables, values);
    const auto start = std::chrono::steady_clock::now();
    const auto rows = cover_pairs(model, options);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (!rows.ok()) {
      fmt::print("{:<16} {}\n", item.name, rows.message());
      return 1;
    }
    const bool ok = check_pair_coverage(model, {}, *rows).ok();
    sound = sound && ok;
    fmt::print("{:<16} {:>5} {:>12} {:>13} {:>9.2f} {}\n", item.name, rows->size(), item.best, item.pict,
               seconds.count(), ok ? "yes" : "NO");
  }
  return sound ? 0 : 1;
}
