// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "farm/job.h"
#include "matrix/contract.h"
#include "matrix/plan.h"

namespace lockstep::farm {

// Where payloads are, by the command that makes them.
struct Payloads {
  struct Recipe {
    std::map<std::string, std::string> paths;  // by the name that a cell uses in {payload:NAME}
    std::string problem;                       // why there are none, in one sentence
  };
  std::map<std::vector<std::string>, Recipe> recipes;
  std::map<std::string, std::string> given;  // by name: what the user gave by hand goes first
};

constexpr uint64_t kPayloadLimitMs = 3'600'000;  // a first run fetches kernels over a slow line

// Runs the payload recipes of the plan's cells that are not skipped, each once, in the folder `root`. What is made
// already makes a recipe quick. A recipe that fails leaves its problem, and its cells become MISS.
// `progress` is told what is being made, about twice a second; its answer false ends the recipe.
Payloads make_payloads(const matrix::Contract& contract, const matrix::Plan& plan, const std::string& root,
                       const std::map<std::string, std::string>& given, bool run_recipes,
                       const std::function<bool(const std::string& line, uint64_t elapsed_ms)>& progress);

// One job for each cell. {payload:NAME} and {cell} are replaced here; what a worker knows better stays.
core::Result<std::vector<JobSpec>> jobs_of(const matrix::Contract& contract, const matrix::Plan& plan,
                                           const Payloads& payloads);

}  // namespace lockstep::farm
