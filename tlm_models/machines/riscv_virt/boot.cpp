// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/machines/riscv_virt/boot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/loader/loader.h"
#include "tlm_models/machines/riscv_virt/device_tree.h"
#include "tlm_models/machines/riscv_virt/memory_map.h"

namespace lockstep::tlm_models::riscv_virt {
namespace {

// Room for the device tree at the top of RAM. Kernels map it with one large page, so it begins on one where RAM allows.
constexpr uint64_t kTreeBytes = 64 * 1024;
constexpr uint64_t kTreeAlign = 2 * 1024 * 1024;
constexpr uint64_t kLargeMemoryBytes = uint64_t{64} << 20;
constexpr size_t kMaxAppendBytes = 4096;

// OpenSBI's fw_dynamic_info, version 2.
constexpr uint64_t kDynamicMagic = 0x4942534f;
constexpr uint64_t kDynamicVersion = 2;
constexpr uint64_t kNextModeSupervisor = 1;

uint64_t align_down(uint64_t value, uint64_t alignment) { return value & ~(alignment - 1); }

std::vector<uint8_t> make_reset_code(uint64_t start, uint64_t device_tree, uint64_t next) {
  // Words at fixed distances from the first instruction: start at 24, device tree at 32, the dynamic info at 40.
  constexpr uint32_t kCode[] = {
      0x00000297,  // auipc t0, 0
      0x02828613,  // addi  a2, t0, 40
      0xf1402573,  // csrr  a0, mhartid
      0x0202b583,  // ld    a1, 32(t0)
      0x0182b283,  // ld    t0, 24(t0)
      0x00028067,  // jr    t0
  };
  const uint64_t data[] = {start, device_tree, kDynamicMagic, kDynamicVersion, next, kNextModeSupervisor, 0, 0};
  std::vector<uint8_t> bytes(sizeof(kCode) + sizeof(data));
  std::memcpy(bytes.data(), kCode, sizeof(kCode));
  std::memcpy(bytes.data() + sizeof(kCode), data, sizeof(data));
  return bytes;
}

}  // namespace

core::Result<BootImage> load_boot_image(const MachineConfig& config, core::GuestRam& ram) {
  const uint64_t ram_end = kRamBase + config.memory_bytes;
  const uint64_t alignment = config.memory_bytes >= kLargeMemoryBytes ? kTreeAlign : core::kPageSize;
  const uint64_t tree_at = align_down(ram_end - kTreeBytes, alignment);
  const bool bare = config.bios.empty() || config.bios == "none";
  if (config.append.size() > kMaxAppendBytes) {
    return core::Error{
        fmt::format("the kernel command line has {} bytes; at most {} fit", config.append.size(), kMaxAppendBytes)};
  }

  BootImage boot;
  uint64_t start = kRamBase;
  uint64_t next = kKernelBase;
  uint64_t used_end = kRamBase;
  if (!bare) {
    const core::Placement placement{core::ElfMachine::kRiscv, "firmware", kRamBase, kRamBase};
    auto firmware = core::load_kernel(config.bios, placement, ram);
    if (!firmware.ok()) return firmware.error();
    start = firmware->entry;
    used_end = firmware->end;
  }
  if (!config.kernel.empty()) {
    // Image headers of RISC-V give their distance from the start of RAM; plain binaries go to where firmware expects
    // its next stage, or to the start of RAM without firmware.
    const core::Placement placement{core::ElfMachine::kRiscv, "kernel", kRamBase, bare ? kRamBase : kKernelBase};
    auto kernel = core::load_kernel(config.kernel, placement, ram);
    if (!kernel.ok()) return kernel.error();
    if (!bare && kernel->first < used_end) {
      return core::Error{fmt::format("kernel '{}' at {:#x} overlaps the firmware, which ends at {:#x}", config.kernel,
                                     kernel->first, used_end)};
    }
    next = kernel->entry;
    if (bare) start = kernel->entry;
    used_end = std::max(used_end, kernel->end);
    boot.tohost_address = kernel->symbol("tohost");
    if (boot.tohost_address && !ram.window().contains(*boot.tohost_address, sizeof(uint64_t))) {
      boot.tohost_address.reset();
    }
  }
  if (used_end > tree_at) {
    return core::Error{
        fmt::format("kernel '{}' ends at {:#x} and leaves no room for the device tree at {:#x}; give "
                    "the machine more --memory",
                    config.kernel, used_end, tree_at)};
  }
  core::AddressRange initrd;
  if (!config.initrd.empty()) {
    auto loaded = core::load_initrd(config.initrd, ram, used_end, tree_at);
    if (!loaded.ok()) return loaded.error();
    initrd = *loaded;
  }
  auto tree = make_device_tree(config, initrd.first, initrd.end);
  if (!tree.ok()) return tree.error();
  if (tree->size() > kTreeBytes) return core::Error{"the device tree is larger than 64 KiB"};
  ram.write(tree_at, *tree);
  boot.device_tree_address = tree_at;
  boot.reset_code = make_reset_code(start, tree_at, next);
  return boot;
}

}  // namespace lockstep::tlm_models::riscv_virt
