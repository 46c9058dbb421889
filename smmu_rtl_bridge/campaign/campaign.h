// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/campaign/shrink.h"

namespace lockstep::smmu_rtl_bridge {

// One script that showed something wrong.
struct Finding {
  uint64_t seed = 0;
  RunResult result;
  Script script;  // whole
  Script shrunk;
  ShrinkReport shrinking;
};

struct CampaignOptions {
  uint64_t first_seed = 1;
  uint64_t last_seed = 1;  // inclusive
  unsigned jobs = 1;
  unsigned seeds_per_process = 32;
  uint64_t silence_ms = 20'000;  // of one seed, after which its process counts as hanging
  unsigned findings_max = 1;     // the campaign ends when it has so many
  bool shrinks = true;
  ShrinkLimits shrink_limits;
  SeedOptions seed;
  RunOptions run;
  // Gets what RunOptions::collect returned in each process whose seeds are through.
  std::function<void(const std::string&)> collected;
};

struct CampaignProgress {
  uint64_t seeds_done = 0;
  uint64_t seeds = 0;
  RunCounts counts;
  double seconds = 0;
  size_t findings = 0;
};

struct CampaignResult {
  CampaignProgress progress;
  std::vector<Finding> findings;
};

// Plays the scripts of many seeds in processes of their own. `tell` is called now and then.
core::Result<CampaignResult> run_campaign(const DeviceFactory& factory, const CampaignOptions& options,
                                          const std::function<void(const CampaignProgress&)>& tell);

core::Result<Script> script_of_seed_isolated(const DeviceFactory& factory, uint64_t seed, const SeedOptions& options,
                                             uint64_t silence_ms);

// One script in a process of its own: crashes and hangs are results too.
core::Result<RunResult> run_script_isolated(const DeviceFactory& factory, const Script& script,
                                            const RunOptions& options, uint64_t silence_ms);

// The smallest script with the same signature.
Script shrink_failure(const DeviceFactory& factory, const Script& script, const RunResult& failure,
                      const RunOptions& options, uint64_t silence_ms, const ShrinkLimits& limits, ShrinkReport& report);

}  // namespace lockstep::smmu_rtl_bridge
