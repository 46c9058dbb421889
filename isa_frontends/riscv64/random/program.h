// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::isa::riscv64::random {

// One instruction's word: 2 bytes when its low two bits are not both ones, else 4.
struct RandomProgram {
  uint64_t seed = 0;
  std::vector<uint32_t> words;  // one after another, from `start` bytes into the program's first page
  uint64_t start = 0;
  uint64_t bound = 0;     // instructions after which it ends, whatever it does
  bool paging = false;    // in S or U mode under Sv39, with mappings that fault
  bool aligned = false;   // stores do not cross a page's end
  bool portable = false;  // the same on every implementation of the specification: see docs/random.md
};

struct RandomOptions {
  unsigned min_instructions = 20;
  unsigned max_instructions = 500;
  // What a program may execute in its loops, about; small programs execute less.
  uint64_t max_executed = 200'000;
  bool portable = false;
  bool aligned = false;  // of portable ones: where a store that faults in its second page may have written the first
};

// The same program for the same seed and options. Registers, data, page tables and CSRs at its start follow from the
// program's seed alone (InitialState), so that a program with fewer words begins in the same state.
RandomProgram generate(uint64_t seed, const RandomOptions& options = {});

// One line an instruction: address, word, disassembly.
std::string listing(const RandomProgram& program);

}  // namespace lockstep::isa::riscv64::random
