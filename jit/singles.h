// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/ir/ir.h"

// A single in a 64-bit register has ones above it (RISC-V's NaN boxing). These are the shapes that this has in the IR,
// for which there is better host code than for their parts.
namespace lockstep::jit {

inline constexpr uint64_t kSingleBox = 0xffff'ffff'0000'0000;
inline constexpr uint64_t kSingleNan = 0x7fc0'0000;

inline bool is_constant(const std::vector<core::ir::Inst>& insts, core::ir::Value v, uint64_t value) {
  return insts[v].op == core::ir::Op::kConst && insts[v].imm == value;
}

// The single that `i` puts into its box, or kNoValue where it does something else.
inline core::ir::Value boxed_single(const std::vector<core::ir::Inst>& insts, const core::ir::Inst& i) {
  using core::ir::Op;
  if (i.op != Op::kOr || i.type != core::ir::Type::kI64 || !is_constant(insts, i.args[1], kSingleBox)) {
    return core::ir::kNoValue;
  }
  const core::ir::Inst& single = insts[i.args[0]];
  const bool widens = single.op == Op::kZext && insts[single.args[0]].type == core::ir::Type::kI32;
  return widens ? single.args[0] : core::ir::kNoValue;
}

// The 64 bits out of which `i` takes a single, or the canonical NaN where there is none in them; else kNoValue.
inline core::ir::Value unboxed_from(const std::vector<core::ir::Inst>& insts, const core::ir::Inst& i) {
  using core::ir::Op;
  if (i.op != Op::kSelect || i.type != core::ir::Type::kI32) return core::ir::kNoValue;
  const core::ir::Inst& compare = insts[i.args[0]];
  const core::ir::Inst& single = insts[i.args[1]];
  const bool fits = compare.op == Op::kGeU && is_constant(insts, compare.args[1], kSingleBox) &&
                    single.op == Op::kTrunc && single.args[0] == compare.args[0] &&
                    is_constant(insts, i.args[2], kSingleNan);
  return fits ? compare.args[0] : core::ir::kNoValue;
}

// The 64-bit value of which a floating-point operand is the single, or the operand itself.
inline core::ir::Value float_source(const std::vector<core::ir::Inst>& insts, core::ir::Value v) {
  if (insts[v].op == core::ir::Op::kTrunc) return insts[v].args[0];
  const core::ir::Value raw = unboxed_from(insts, insts[v]);
  return raw != core::ir::kNoValue ? raw : v;
}

}  // namespace lockstep::jit
