// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "core/gdb/gdb_target.h"

namespace lockstep::core::gdb {

// A control and status register by its ISA name and its 12-bit number.
struct RiscvCsr {
  std::string_view name;
  unsigned number = 0;
};

// gdb's numbers (gdb/riscv-tdep.h): x0 at 0, pc 32, f0 at 33, the CSR n at 65 + n, the privilege level 4161.
inline constexpr unsigned kRiscvPcNumber = 32;
inline constexpr unsigned kRiscvFloatBase = 33;
inline constexpr unsigned kRiscvCsrBase = 65;
inline constexpr unsigned kRiscvPrivilegeNumber = 4161;

// What gdb expects of an RV64 target: x registers by their ABI names, pc, f registers as doubles, fflags, frm and fcsr,
// the CSRs given (in any order, without those three), and `priv`.
Architecture riscv64_architecture(std::span<const RiscvCsr> csrs);

}  // namespace lockstep::core::gdb
