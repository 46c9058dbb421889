// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "farm/job.h"

namespace lockstep::farm {

// How a process ended, as the executor saw it.
struct ProcessOutcome {
  std::string spawn_error;  // not empty: it never ran
  int exit_code = 0;
  int signal = 0;
  bool wall_limit_hit = false;  // the farm killed it
  uint64_t wall_ms = 0;
  uint64_t cpu_ms = 0;
  uint64_t peak_rss_bytes = 0;
};

// Decides a job's status from how its process ended and what it left. FAIL is said only of what the product did: a
// crash, a wrong exit code, a CPU limit. What the machine or the farm did is ERROR.
JobResult judge(const JobSpec& job, const ProcessOutcome& outcome, std::string_view standard_output,
                std::string_view standard_error, std::string_view console);

// The files that a job needs and that are not there; empty when it can run.
std::string missing_file(const JobSpec& job);
JobResult missing_result(const JobSpec& job, const std::string& file);

}  // namespace lockstep::farm
