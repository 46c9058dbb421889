// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/machines/riscv_virt/interpreter_parts.h"

#include "isa_frontends/riscv64/riscv64.h"

namespace lockstep::tlm_models {

void use_interpreter(MachineConfig& config, const core::InterpreterOptions& options) {
  config.make_hart = [svadu = config.svadu](unsigned id, core::PhysicalBus& bus, core::VirtualClock& clock) {
    return isa::riscv64::make_hart(id, bus, clock, isa::riscv64::HartOptions{.svadu = svadu});
  };
  config.make_engine = [options](core::Hart& hart) -> std::unique_ptr<core::Engine> {
    return core::make_interpreter(hart, options);
  };
}

}  // namespace lockstep::tlm_models
