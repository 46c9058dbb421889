// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/engine_choice.h"
#include "cli/lockstep_engine.h"
#include "cli/vm_options.h"

namespace lockstep::cli {

// The ends of a side's channels in its own process.
struct SideChannels {
  int records = -1;  // to the parent
  int control = -1;  // from the parent
  int copy = -1;     // both ways, for the frozen copy
};

struct SideOptions {
  EngineChoice engine;
  LockstepGrain grain = LockstepGrain::kBlock;
  uint64_t quantum = 1;      // instructions in one, at least 1
  uint64_t check_every = 0;  // instructions between checkpoints
  bool console = false;      // this side's console is the user's
  // A folder: at each checkpoint at which both sides agree, a snapshot goes there, named after its instructions; the
  // two latest stay. Empty: none.
  std::string snapshots;
  bool copies = false;  // at each checkpoint the process leaves a frozen copy of itself
};

// The name of the snapshot at this total.
std::string agreed_snapshot_name(uint64_t total);

// The process of one side: makes the machine, runs it to its end and sends a record for each window. At each checkpoint
// memory is compared too, and when both sides agree the machine is kept: as a snapshot, from which others begin, or as
// a frozen copy of the process, in the place of the one before, with whose copies the parent looks into a turn.
[[noreturn]] void run_side(const VmOptions& options, const SideOptions& side, const SideChannels& channels);

}  // namespace lockstep::cli
