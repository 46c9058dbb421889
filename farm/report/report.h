// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "farm/coordinator/farm_state.h"
#include "farm/report/coverage.h"
#include "farm/verdict.h"

namespace lockstep::farm {

// What every form of report is made from.
struct Report {
  std::string run_name;
  std::string run_folder;
  std::string matrix_path;
  std::string strategy;
  std::vector<std::string> notes;
  uint64_t started_unix_ms = 0;
  uint64_t ended_unix_ms = 0;
  FarmState state;
  Verdict verdict;
  std::vector<MergedCoverage> coverage;
  std::vector<uint64_t> recorded_unix_ms;  // by job; 0: not yet
};

// Reads a run's folder, whether the run goes on or is over.
core::Result<Report> read_report(const std::string& run_folder);

// The verdict table for a terminal or a log, with what to try next: a line a workload, each boot, and each cell and
// group that is not as it should be. `verbose` adds a line for every cell and every group.
std::string verdict_table(const Report& report, bool colour, bool verbose = false);
// One line for a cell that has its result.
std::string cell_line(const JobEntry& job, bool colour);
// One JSON object with everything that the table tells.
std::string report_json(const Report& report);
// JUnit XML in the shape of pytest's junit-10 schema: a test suite of cells and one of groups.
std::string report_junit(const Report& report);
// One HTML page without external resources.
std::string report_html(const Report& report);

// `text` for XML and HTML: markup is escaped, and characters that XML 1.0 cannot hold become '?'.
std::string escape_markup(std::string_view text);
// A job's command line with quotes where a shell needs them.
std::string shell_line(const std::vector<std::string>& argv);
std::string with_separators(uint64_t number);

}  // namespace lockstep::farm
