// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::isa::riscv64::random {

inline constexpr uint64_t kRamBase = 0x8000'0000;
inline constexpr uint64_t kRamBytes = 256 << 10;
inline constexpr uint64_t kHandler = kRamBase;  // trap handler of all modes
inline constexpr uint64_t kText = kRamBase + 0x1'0000;
inline constexpr uint64_t kData = kRamBase + 0x2'0000;
inline constexpr uint64_t kDataBytes = 0x8000;

// One instruction's word: 2 bytes when its low two bits are not both ones, else 4.
struct RandomProgram {
  uint64_t seed = 0;
  std::vector<uint32_t> words;  // placed one after another at kText
  uint64_t bound = 0;           // instructions after which it ends, whatever it does
};

struct RandomOptions {
  unsigned min_instructions = 20;
  unsigned max_instructions = 500;
  uint64_t bound = 3000;
};

// The same program for the same seed and options. Registers, data and CSRs at its start follow from the seed alone
// (Machine::load), so that a program with fewer words begins in the same state.
RandomProgram generate(uint64_t seed, const RandomOptions& options = {});

// One line an instruction: address, word, disassembly.
std::string listing(const RandomProgram& program);

}  // namespace lockstep::isa::riscv64::random
