// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farm/report/report.h"

namespace lockstep::farm {

// What a run says about one workload: the fold of its cells and of the groups that they form.
struct WorkloadSummary {
  std::string name;
  JobStatus status = JobStatus::kSkip;  // the worst of its cells and of its compared groups
  std::vector<uint32_t> cells;          // indices of jobs that were meant to run, in the order of the plan
  size_t passed = 0;
  size_t skipped = 0;
  size_t unfinished = 0;
  std::vector<size_t> exact_agreeing;        // sizes of its groups of that grade in which all compared cells agree
  std::vector<size_t> behavioural_agreeing;  // largest first
  size_t disagreeing_groups = 0;
  uint64_t wall_ms = 0;  // of all its cells together
  // The line of `uname -a` on the console of its first passed cell: the proof that an operating system came up.
  std::string system_line;
};

// By workload, in the order of the plan.
std::vector<WorkloadSummary> summarize(const Report& report);

// The workload of a cell: its title up to the first blank.
std::string workload_of(const JobSpec& spec);
// What is left of the title: the combination.
std::string combination_of(const JobSpec& spec);
// PASS and the like, or OPEN while nothing is wrong and cells are still without a result.
std::string_view status_text(const WorkloadSummary& summary);
// "6 + 2", or "-" where nothing agrees because nothing was compared.
std::string sizes_text(const std::vector<size_t>& sizes);
// "booted under 11 combinations that agree (exactly: 6 + 2, in behaviour: 11)"
std::string boot_text(const WorkloadSummary& summary);
// The first line of a console that `uname -a` printed on a Linux guest; empty when there is none.
std::string system_line_of(std::string_view console);

}  // namespace lockstep::farm
