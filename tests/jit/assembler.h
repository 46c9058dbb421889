// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace lockstep::jit {

// One instruction of a pattern, as it stands in the file and as the frontend's table encodes it.
struct AssembledInstruction {
  std::string text;  // without its label
  uint64_t pc = 0;
  uint32_t word = 0;
  unsigned length = 4;
};

struct Assembled {
  std::vector<AssembledInstruction> instructions;
  uint64_t end = 0;  // address behind the last one
};

// RISC-V in the frontend's own notation (`-M no-aliases`), an instruction a line. A line may begin with a label of one
// digit, `1:`; jumps name it `1b` or `1f`, and one that stands alone in the last line is the end's. What is encoded is
// disassembled again, so that text and words cannot differ.
core::Result<Assembled> assemble(const std::vector<std::string>& lines, uint64_t pc);

}  // namespace lockstep::jit
