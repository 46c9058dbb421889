// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "isa_frontends/riscv64/random/generator.h"
#include "isa_frontends/riscv64/random/initial_state.h"

namespace lockstep::isa::riscv64::random {

RandomProgram generate(uint64_t seed, const RandomOptions& options) { return Generator(seed, options).program(); }

std::string listing(const RandomProgram& program) {
  std::string text;
  uint64_t pc = entry_address(program);
  for (uint32_t word : program.words) {
    const Row* row = InstructionTable::get().find(word);
    const std::string line = row != nullptr ? format_instruction(*row, word, pc) : "unknown";
    fmt::format_to(std::back_inserter(text), "{:x}: {:08x}  {}\n", pc, word, line);
    pc += word_bytes(word);
  }
  return text;
}

}  // namespace lockstep::isa::riscv64::random
