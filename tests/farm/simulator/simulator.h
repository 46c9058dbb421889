// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "farm/coordinator/coordinator.h"
#include "farm/worker/worker.h"

// A whole farm in one process: the production coordinator and workers on a simulated clock, network and disks, driven
// by one seed. Faults happen in the first part of the schedule; then the world heals, and every job must get its
// result.
namespace lockstep::farm::simulation {

// Deliberate mistakes of the world around the logic, each of which the oracles must notice.
enum class Sabotage {
  kNone,
  kSendBeforeCommit,  // tells the coordinator that records are durable before they are
  kLyingDisk,         // a crash takes records that were said to be durable
  kSpoolInMemory,     // tells the worker that a result is on disk when it is not
  kDropJob,           // loses a job's record from the journal at a restart
};

struct Settings {
  uint64_t seed = 1;
  Sabotage sabotage = Sabotage::kNone;
};

struct Outcome {
  std::string violation;  // empty: all oracles hold
  uint64_t executions = 0;
  uint64_t messages = 0;
  uint64_t restarts = 0;
  uint64_t late_or_duplicate = 0;
  bool ok() const { return violation.empty(); }
};

Outcome run_schedule(const Settings& settings);

}  // namespace lockstep::farm::simulation
