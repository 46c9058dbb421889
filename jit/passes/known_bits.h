// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/ir/ir.h"

namespace lockstep::jit::passes {

// What is known about the bits of a value of up to 64 bits, whichever way the code went. Above the value's type nothing
// is known.
struct KnownBits {
  uint64_t zeros = 0;  // bits that are 0
  uint64_t ones = 0;   // bits that are 1
  unsigned signs = 1;  // the highest so many bits of the type are equal; at least 1

  bool operator==(const KnownBits&) const = default;

  static KnownBits of_constant(core::ir::Type type, uint64_t value);
  // What holds for both.
  KnownBits meet(const KnownBits& other) const;
  bool is_constant(core::ir::Type type) const;
};

// Of the result of a pure operation, by what is known about its operands. `operand_type` is that of the first one.
KnownBits known_result(const core::ir::Inst& i, core::ir::Type operand_type, std::span<const KnownBits> operands);

}  // namespace lockstep::jit::passes
