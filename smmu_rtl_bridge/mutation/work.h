// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

// What a script cost a device.
struct Work {
  uint64_t reads = 0;   // of the device's own, in pieces of at most 64 bytes
  uint64_t cycles = 0;  // of its clock
};

// An assertion of performance: a script and what it may cost.
struct WorkBound {
  std::string name;  // "walk-caches/stage-1"
  std::string why;   // how the bounds come about
  std::string script;
  uint64_t reads_max = 0;
  uint64_t cycles_max = 0;  // 0: none
};

// Walks and fetches that caches must save, the TLB's size, hits that pass misses, walks at a time; for the default
// parameters of our design.
const std::vector<WorkBound>& work_bounds();

struct Measured {
  RunResult result;
  Work work;
};
// Plays a script on a device in a process of its own, and counts.
core::Result<Measured> measure(const DeviceFactory& factory, const Script& script, const RunOptions& options,
                               uint64_t silence_ms);

// "performance.reads", "performance.cycles", or empty where the bound is kept.
std::string work_verdict(const Work& work, uint64_t reads_max, uint64_t cycles_max);

// What another device may need at most for a script that cost this one so much, where both should be equally good: no
// read more, and some slack of time.
Work allowance(const Work& work);

}  // namespace lockstep::smmu_rtl_bridge
