// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "tlm_models/machines/riscv_virt/config.h"

namespace lockstep::tlm_models::riscv_virt {

// The flattened device tree of the machine. `initrd_first` == `initrd_end`: there is none.
core::Result<std::vector<uint8_t>> make_device_tree(const MachineConfig& config, uint64_t initrd_first,
                                                    uint64_t initrd_end);

}  // namespace lockstep::tlm_models::riscv_virt
