// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/vm_options.h"
#include "core/result.h"

namespace lockstep::cli {

// `--lockstep A,B`: runs the machine on both engines, compares them, narrows a difference, saves a snapshot from before
// it and reports. The answer is the exit status: 0 both are equal, 1 they differ.
core::Result<int> run_lockstep(const VmOptions& options);

}  // namespace lockstep::cli
