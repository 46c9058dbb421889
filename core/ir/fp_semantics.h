// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/ir/ir.h"

// What the floating-point operations mean: the one definition that every engine falls back to and that a faster way of
// doing them is checked against.
namespace lockstep::core::ir {

// A scalar operation, kFAdd to kUToF.
struct FpOperation {
  Op op;
  Type type;          // of the result
  Type operand_type;  // of the operands
  FpControl control;

  // In 32 bits, for engines that keep an operation in a word.
  constexpr uint64_t pack() const {
    return static_cast<uint64_t>(op) | static_cast<uint64_t>(type) << 8 | static_cast<uint64_t>(operand_type) << 12 |
           control.pack() << 16;
  }
  static constexpr FpOperation unpack(uint64_t packed) {
    return {static_cast<Op>(packed & 0xff), static_cast<Type>(packed >> 8 & 15), static_cast<Type>(packed >> 12 & 15),
            FpControl::unpack(packed >> 16 & 0xffff)};
  }
};

// The scalar operation of an instruction; of each lane for kVFAdd, kVFMul and kVFMa.
FpOperation fp_operation_of(const Inst& inst, Type operand_type);

// Operands' bits above their type are ignored; those of the result are zero. `dynamic_rounding` is the state's mode.
// Exceptions are ORed into `flags`.
uint64_t run_fp(const FpOperation& operation, uint64_t a, uint64_t b, uint64_t c, uint32_t dynamic_rounding,
                uint32_t& flags);

}  // namespace lockstep::core::ir
