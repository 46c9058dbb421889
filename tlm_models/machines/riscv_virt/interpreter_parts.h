// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interpreter/interpreter.h"
#include "tlm_models/machines/riscv_virt/config.h"

namespace lockstep::tlm_models {

// Gives the configuration RISC-V harts (with config.svadu as it is now) that the IR interpreter runs.
void use_interpreter(MachineConfig& config, const core::InterpreterOptions& options = {});

}  // namespace lockstep::tlm_models
