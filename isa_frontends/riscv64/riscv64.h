// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/hart/hart.h"

// The RISC-V 64 frontend: RV64GC with Zba, Zbb, Zbs and Zihintpause, M, S and U modes, Sv39 and Sv48, 16 PMP entries.
// Follows the unprivileged specification 20191213 and the privileged specification 1.12.

namespace lockstep::isa::riscv64 {

struct HartOptions {
  // With true, menvcfg.ADUE is writable and software may let the hart set accessed and dirty bits (Svadu). With false
  // the bit is zero and such accesses fault (Svade).
  bool svadu = false;
};

// Interrupt inputs for Hart::set_interrupt: bits of mip.
inline constexpr unsigned kSupervisorSoftware = 1;
inline constexpr unsigned kMachineSoftware = 3;
inline constexpr unsigned kSupervisorTimer = 5;
inline constexpr unsigned kMachineTimer = 7;
inline constexpr unsigned kSupervisorExternal = 9;
inline constexpr unsigned kMachineExternal = 11;

// The frequency of the `time` counter; the device tree's timebase-frequency.
inline constexpr uint64_t kTimebaseHz = 10'000'000;
inline constexpr uint64_t kNsPerTick = 1'000'000'000 / kTimebaseHz;

// A hart after reset: M-mode, pc 0.
std::unique_ptr<core::Hart> make_hart(unsigned id, core::PhysicalBus& bus, core::VirtualClock& clock,
                                      const HartOptions& options = {});

// A CSR as a debugger sees it: no privilege checks, no side effects of the access itself. Empty or false when there is
// no such CSR. The hart must come from make_hart().
std::optional<uint64_t> read_csr_debug(core::Hart& hart, unsigned number);
bool write_csr_debug(core::Hart& hart, unsigned number, uint64_t value);

}  // namespace lockstep::isa::riscv64
