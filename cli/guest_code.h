// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/hart/hart.h"

namespace lockstep::cli {

struct GuestInstruction {
  uint64_t pc = 0;
  std::string bytes;  // hexadecimal, as they lie in memory
  std::string text;
};

// The instruction at `pc`; nothing to read leaves text and bytes empty.
GuestInstruction instruction_at(core::Hart& hart, uint64_t pc, unsigned& length);
// The block at `pc` as the frontend makes it now, in the IR's text form; empty where nothing can be fetched. Fills the
// hart's TLB.
std::string ir_at(core::Hart& hart, uint64_t pc, unsigned max_instructions);

}  // namespace lockstep::cli
