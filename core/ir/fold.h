// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/ir/ir.h"

// What integer operations mean on constants: the one definition that the builder and the JIT fold with.

namespace lockstep::core::ir {

// `value` cut to the type's width.
constexpr uint64_t mask_to(Type type, uint64_t value) {
  return type_bits(type) >= 64 ? value : value & ((uint64_t{1} << type_bits(type)) - 1);
}

// `value`, of the type's width, as a signed 64-bit number.
constexpr int64_t sign_extend(Type type, uint64_t value) {
  const unsigned shift = 64 - type_bits(type);
  return static_cast<int64_t>(value << shift) >> shift;
}

// Result of a unary or binary kSame operation or a comparison on scalar constants, or nothing when the operation is
// not one that folds.
std::optional<uint64_t> fold_unary(Op op, Type type, uint64_t a);
std::optional<uint64_t> fold_binary(Op op, Type operand_type, uint64_t a, uint64_t b);

// Result of any of these or of a conversion, whose operands are scalar constants; bits above `operand_type` do not
// count.
std::optional<uint64_t> fold(Op op, Type type, Type operand_type, std::span<const uint64_t> operands);

}  // namespace lockstep::core::ir
