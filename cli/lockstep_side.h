// SPDX-License-Identifier: Apache-2.0
#pragma once

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
};

// The process of one side: makes the machine, runs it to its end and sends a record for each window. At each checkpoint
// memory is compared too, and when both sides agree the process leaves a frozen copy of itself behind, in the place of
// the one before: the parent narrows a difference with copies of that copy.
[[noreturn]] void run_side(const VmOptions& options, const SideOptions& side, const SideChannels& channels);

}  // namespace lockstep::cli
