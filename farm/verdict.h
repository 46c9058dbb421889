// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "farm/coordinator/farm_state.h"

namespace lockstep::farm {

// What two cells of a group show of the same thing.
struct Difference {
  std::string observable;
  std::string usual;  // of most cells
  std::string other;  // of the first that disagrees
};

struct GroupVerdict {
  std::string name;
  Grade grade = Grade::kExact;
  JobStatus status = JobStatus::kDone;
  std::string message;
  std::vector<uint32_t> members;      // indices of jobs, in the order of the plan
  std::vector<uint32_t> disagreeing;  // of those, the ones that differ from most
  size_t compared = 0;                // members that passed
  uint32_t usual = 0;                 // of a FAIL, the cell that stands for most
  std::vector<Difference> differences;
};

struct Verdict {
  std::vector<GroupVerdict> groups;     // by name
  std::array<size_t, 6> cell_counts{};  // by JobStatus
  size_t unfinished = 0;                // cells without a result
  size_t count(JobStatus status) const { return cell_counts[static_cast<size_t>(status)]; }
  // 0: all is PASS, DONE or SKIP. 1: a cell or a group is FAIL. 3: something is ERROR, MISS or unfinished, nothing
  // FAIL.
  int exit_code() const;
};

// Compares the cells that passed within each equivalence group. A FAIL names both values and a cell of each.
Verdict judge_run(const FarmState& state);

}  // namespace lockstep::farm
