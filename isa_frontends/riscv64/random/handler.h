// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "isa_frontends/riscv64/random/program.h"

namespace lockstep::isa::riscv64::random {

// The words of a trap handler that fits a program. It writes a digest of every exception to the page of notes and then
//   - ends a portable program at its last store (image.h);
//   - mends the entry of a page that faulted, or goes on behind the instruction, by a rule that follows from the seed;
//     it may take another page away in exchange;
//   - changes the mode after ecall;
//   - goes on at kRecover after a failed fetch;
//   - turns an interrupt that it has taken off.
std::vector<uint32_t> handler_words(const RandomProgram& program, bool supervisor);

}  // namespace lockstep::isa::riscv64::random
