// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::isa::riscv64 {

class Hart64;

// One control and status register. Privilege and read-only rules follow from its number (privileged specification,
// chapter 2); `read` and `write` do the rest. A register without `write` ignores writes.
struct Csr {
  uint16_t number = 0;
  std::string_view name;
  uint64_t (*read)(Hart64& hart) = nullptr;
  void (*write)(Hart64& hart, uint64_t value) = nullptr;
};

// The CSR with this number, or nullptr.
const Csr* find_csr(unsigned number);

// Its name, or its number in hexadecimal.
std::string csr_name(unsigned number);

}  // namespace lockstep::isa::riscv64
