// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "isa_frontends/riscv64/random/program.h"

namespace lockstep::isa::riscv64::random {

// Where a program begins: everything that is not zero. It follows from the program, its words included, alone.
struct InitialState {
  struct Piece {
    uint64_t address = 0;  // physical
    std::vector<uint8_t> bytes;
  };
  std::vector<Piece> memory;
  // In the order in which they are written. mstatus is the one after the return into the program.
  std::vector<std::pair<unsigned, uint64_t>> csrs;
  uint64_t x[32] = {};
  uint64_t f[32] = {};
  uint64_t privilege = 0;
  uint64_t pc = 0;
};

InitialState initial_state(const RandomProgram& program);

// The address of the program's first instruction.
uint64_t entry_address(const RandomProgram& program);

}  // namespace lockstep::isa::riscv64::random
