// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/memory/guest_ram.h"
#include "core/result.h"
#include "tlm_models/machines/riscv_virt/config.h"

namespace lockstep::tlm_models::riscv_virt {

struct BootImage {
  std::vector<uint8_t> reset_code;         // for the start of the ROM
  std::optional<uint64_t> tohost_address;  // physical, where the kernel is an ELF with the symbol `tohost`
  uint64_t device_tree_address = 0;
};

// Loads firmware, kernel, initrd and device tree into RAM and makes the reset code that enters them as QEMU's does:
// a0 = hart, a1 = device tree, a2 = fw_dynamic_info. Fails, naming the file, when something does not fit.
core::Result<BootImage> load_boot_image(const MachineConfig& config, core::GuestRam& ram);

}  // namespace lockstep::tlm_models::riscv_virt
