// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa_frontends/riscv64/translator.h"

// Semantics of the integer instructions: RV64I without memory, M, Zba, Zbb and Zbs.

namespace lockstep::isa::riscv64::semantics {

using core::ir::Op;
using core::ir::Type;
using core::ir::Value;

inline void nop(Translator&, const Operands&) {}

inline void lui(Translator& t, const Operands& o) { t.set_x(o.rd, t.b.i64(o.imm)); }
inline void auipc(Translator& t, const Operands& o) { t.set_x(o.rd, t.b.i64(t.pc + o.imm)); }

inline void jal(Translator& t, const Operands& o) {
  t.set_x(o.rd, t.b.i64(t.next_pc));
  t.b.jump(t.pc + o.imm);
}

inline void jalr(Translator& t, const Operands& o) {
  const Value target = t.b.and_(t.b.add(t.x(o.rs1), t.b.i64(o.imm)), t.b.i64(~uint64_t{1}));
  t.set_x(o.rd, t.b.i64(t.next_pc));
  t.b.jump_indirect(target);
}

template <Op kCondition>
void branch(Translator& t, const Operands& o) {
  const Value a = t.x(o.rs1);
  const Value b = t.x(o.rs2);
  t.b.branch(t.b.compare(kCondition, a, b), t.pc + o.imm, t.next_pc);
}

template <Op kOp>
void binary(Translator& t, const Operands& o) {
  if (o.rd == 0) return;
  const Value a = t.x(o.rs1);
  const Value b = t.x(o.rs2);
  t.set_x(o.rd, t.b.binary(kOp, a, b));
}

template <Op kOp>
void binary_imm(Translator& t, const Operands& o) {
  if (o.rd == 0) return;
  const Value a = t.x(o.rs1);
  t.set_x(o.rd, t.b.binary(kOp, a, t.b.i64(o.imm)));
}

// The second operand inverted.
template <Op kOp>
void binary_not(Translator& t, const Operands& o) {
  if (o.rd == 0) return;
  const Value value =
      kOp == Op::kXor ? t.b.not_(t.b.xor_(t.x(o.rs1), t.x(o.rs2))) : t.b.binary(kOp, t.x(o.rs1), t.b.not_(t.x(o.rs2)));
  t.set_x(o.rd, value);
}

template <Op kCondition>
void set_if(Translator& t, const Operands& o) {
  if (o.rd != 0) t.set_x(o.rd, t.b.zext(Type::kI64, t.b.compare(kCondition, t.x(o.rs1), t.x(o.rs2))));
}

template <Op kCondition>
void set_if_imm(Translator& t, const Operands& o) {
  if (o.rd != 0) t.set_x(o.rd, t.b.zext(Type::kI64, t.b.compare(kCondition, t.x(o.rs1), t.b.i64(o.imm))));
}

template <Op kOp>
void word(Translator& t, const Operands& o) {
  if (o.rd == 0) return;
  const Value a = t.w(o.rs1);
  const Value b = t.w(o.rs2);
  t.set_w(o.rd, t.b.binary(kOp, a, b));
}

template <Op kOp>
void word_imm(Translator& t, const Operands& o) {
  if (o.rd != 0) t.set_w(o.rd, t.b.binary(kOp, t.w(o.rs1), t.b.i32(static_cast<uint32_t>(o.imm))));
}

template <Op kOp>
void unary(Translator& t, const Operands& o) {
  if (o.rd != 0) t.set_x(o.rd, t.b.unary(kOp, t.x(o.rs1)));
}

template <Op kOp>
void unary_word(Translator& t, const Operands& o) {
  if (o.rd != 0) t.set_w(o.rd, t.b.unary(kOp, t.w(o.rs1)));
}

template <Type kFrom, bool kSigned>
void extend(Translator& t, const Operands& o) {
  if (o.rd == 0) return;
  const Value part = t.b.trunc(kFrom, t.x(o.rs1));
  t.set_x(o.rd, kSigned ? t.b.sext(Type::kI64, part) : t.b.zext(Type::kI64, part));
}

template <unsigned kShift, bool kUnsignedWord>
void shift_add(Translator& t, const Operands& o) {
  if (o.rd == 0) return;
  Value index = t.x(o.rs1);
  if (kUnsignedWord) index = t.b.zext(Type::kI64, t.b.trunc(Type::kI32, index));
  if (kShift != 0) index = t.b.shl(index, t.b.i64(kShift));
  t.set_x(o.rd, t.b.add(index, t.x(o.rs2)));
}

inline void slli_uw(Translator& t, const Operands& o) {
  if (o.rd != 0) t.set_x(o.rd, t.b.shl(t.b.zext(Type::kI64, t.w(o.rs1)), t.b.i64(o.imm)));
}

enum class BitOp { kClear, kSet, kInvert, kExtract };

template <BitOp kOp>
void single_bit_of(Translator& t, const Operands& o, Value index) {
  if (o.rd == 0) return;
  const Value source = t.x(o.rs1);
  if (kOp == BitOp::kExtract) {
    t.set_x(o.rd, t.b.and_(t.b.shr(source, index), t.b.i64(1)));
    return;
  }
  const Value bit = t.b.shl(t.b.i64(1), index);
  switch (kOp) {
    case BitOp::kClear:
      return t.set_x(o.rd, t.b.and_(source, t.b.not_(bit)));
    case BitOp::kSet:
      return t.set_x(o.rd, t.b.or_(source, bit));
    default:
      return t.set_x(o.rd, t.b.xor_(source, bit));
  }
}

template <BitOp kOp>
void single_bit(Translator& t, const Operands& o) {
  single_bit_of<kOp>(t, o, t.x(o.rs2));
}

template <BitOp kOp>
void single_bit_imm(Translator& t, const Operands& o) {
  single_bit_of<kOp>(t, o, t.b.i64(o.imm));
}

}  // namespace lockstep::isa::riscv64::semantics
