// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstdint>

#include "core/ir/ir.h"

namespace lockstep::core::ir {

// Appends instructions to a block. Frontends call it in program order; small algebraic identities and constants fold on
// the way, so that a frontend may be written plainly.
class Builder {
 public:
  explicit Builder(Block& block) : block_(&block) { block.insts.reserve(kCommonInsts); }

  Block& block() { return *block_; }
  Type type_of(Value value) const { return block_->insts[value].type; }
  bool is_const(Value value) const { return block_->insts[value].op == Op::kConst; }
  uint64_t const_value(Value value) const { return block_->insts[value].imm; }
  bool ended() const { return ended_; }

  // A guest instruction of `length` bytes begins at `pc`.
  void insn(uint64_t pc, unsigned length);

  Value constant(Type type, uint64_t value);
  Value i64(uint64_t value) { return constant(Type::kI64, value); }
  Value i32(uint32_t value) { return constant(Type::kI32, value); }
  Value i1(bool value) { return constant(Type::kI1, value); }

  Value get(Type type, uint32_t offset);
  void set(uint32_t offset, Value value);

  // Operations whose result has the operands' type.
  Value unary(Op op, Value a);
  Value binary(Op op, Value a, Value b);
  Value add(Value a, Value b) { return binary(Op::kAdd, a, b); }
  Value sub(Value a, Value b) { return binary(Op::kSub, a, b); }
  Value and_(Value a, Value b) { return binary(Op::kAnd, a, b); }
  Value or_(Value a, Value b) { return binary(Op::kOr, a, b); }
  Value xor_(Value a, Value b) { return binary(Op::kXor, a, b); }
  Value not_(Value a) { return unary(Op::kNot, a); }
  Value shl(Value a, Value b) { return binary(Op::kShl, a, b); }
  Value shr(Value a, Value b) { return binary(Op::kShr, a, b); }
  Value sar(Value a, Value b) { return binary(Op::kSar, a, b); }

  Value compare(Op op, Value a, Value b);  // kEq ... kGeS -> i1
  Value select(Value condition, Value then_value, Value else_value);
  Value zext(Type type, Value a);
  Value sext(Type type, Value a);
  Value trunc(Type type, Value a);

  // kAdc, kSbb (result of the operands' type); kAddCarry ... kSubOverflow (i1).
  Value carry_op(Op op, Value a, Value b, Value carry_in);
  Value parity(Value a);

  // kDivWideU, kRemWideU of i64 values.
  Value divide_wide(Op op, Value high, Value low, Value divisor);

  Value concat(Type type, Value low, Value high);
  Value half(Op op, Value a);  // kLow, kHigh
  Value vsplat(Type vector, Value scalar);
  Value vextract(Type scalar, Value vector, unsigned lane);
  Value vinsert(Value vector, Value scalar, unsigned lane);
  Value vector(Op op, unsigned lane_bits, Value a, Value b);

  // `control`: FpControl::pack(); a rounding mode alone is RISC-V's.
  Value fp_unary(Op op, Value a, uint64_t control);            // kFSqrt
  Value fp_binary(Op op, Value a, Value b, uint64_t control);  // kFAdd ... kFMax
  Value fp_fma(Value a, Value b, Value c, uint64_t control);
  Value fp_compare(Op op, Value a, Value b, uint64_t control = 0);  // kFEq, kFLt, kFLe -> i1
  Value fp_class(Value a);
  Value fp_convert(Op op, Type to, Value a, uint64_t control);  // kFCvt, kFToS, kFToU, kSToF, kUToF
  // kVFAdd, kVFMul, kVFMa on lanes of 32 or 64 bits.
  Value fp_vector(Op op, unsigned lane_bits, std::initializer_list<Value> operands, uint64_t control);

  Value load(Type type, Value address, uint64_t flags = kMemPlain);
  void store(Value address, Value value, uint64_t flags = kMemPlain);
  Value load_reserved(Type type, Value address, uint64_t flags);
  Value store_conditional(Value address, Value value, uint64_t flags);
  Value atomic_rmw(RmwOp op, Value address, Value value, uint64_t flags);
  Value cas(Value address, Value expected, Value value, uint64_t flags);
  void fence();
  void fence_tso();

  // Result type as the helper declares it; kNoValue when that is kVoid.
  Value call(uint32_t helper, Type result, std::initializer_list<Value> args);

  void exit_if(Value condition, uint64_t pc);
  void jump(uint64_t pc);
  void jump_indirect(Value pc);
  void branch(Value condition, uint64_t pc_true, uint64_t pc_false);
  void exit(uint64_t pc);
  void exit_indirect(Value pc);

 private:
  // Most blocks of guests have fewer.
  static constexpr size_t kCommonInsts = 64;

  Value append(const Inst& inst);

  Block* block_;
  bool ended_ = false;
};

}  // namespace lockstep::core::ir
