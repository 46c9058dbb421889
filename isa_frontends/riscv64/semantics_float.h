// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa_frontends/riscv64/semantics_memory.h"
#include "isa_frontends/riscv64/translator.h"

// Semantics of F and D. kI32 stands for single and kI64 for double precision.

namespace lockstep::isa::riscv64::semantics {

using core::ir::Op;
using core::ir::Type;
using core::ir::Value;

inline Value sign_bit(Translator& t, Type type) {
  return t.b.constant(type, uint64_t{1} << (core::ir::type_bits(type) - 1));
}

template <Type kType>
void fp_load(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  t.set_f(kType, o.rd, t.b.load(kType, address_of(t, o)));
  t.fp_end();
}

// Stores the register's low bits as they are, boxed or not.
template <Type kType>
void fp_store(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  const Value raw = t.f(Type::kI64, o.rs2);
  t.b.store(address_of(t, o), kType == Type::kI64 ? raw : t.b.trunc(Type::kI32, raw));
}

template <Type kType, Op kOp>
void fp_binary(Translator& t, const Operands& o) {
  if (!t.fp_begin(o.rm)) return;
  const Value a = t.f(kType, o.rs1);
  const Value b = t.f(kType, o.rs2);
  t.set_f(kType, o.rd, t.b.fp_binary(kOp, a, b, o.rm));
  t.fp_end();
}

template <Type kType>
void fp_sqrt(Translator& t, const Operands& o) {
  if (!t.fp_begin(o.rm)) return;
  t.set_f(kType, o.rd, t.b.fp_unary(Op::kFSqrt, t.f(kType, o.rs1), o.rm));
  t.fp_end();
}

template <Type kType, bool kNegateProduct, bool kNegateAddend>
void fp_fma(Translator& t, const Operands& o) {
  if (!t.fp_begin(o.rm)) return;
  Value a = t.f(kType, o.rs1);
  Value c = t.f(kType, o.rs3);
  if (kNegateProduct) a = t.b.xor_(a, sign_bit(t, kType));
  if (kNegateAddend) c = t.b.xor_(c, sign_bit(t, kType));
  t.set_f(kType, o.rd, t.b.fp_fma(a, t.f(kType, o.rs2), c, o.rm));
  t.fp_end();
}

template <Type kType, Op kOp>
void fp_min_max(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  const Value a = t.f(kType, o.rs1);
  const Value b = t.f(kType, o.rs2);
  t.set_f(kType, o.rd, t.b.fp_binary(kOp, a, b, 0));
  t.fp_end();
}

enum class Sign { kCopy, kNegate, kXor };

template <Type kType, Sign kSign>
void fp_sign(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  const Value magnitude = t.f(kType, o.rs1);
  const Value mask = sign_bit(t, kType);
  if (kSign == Sign::kXor) {
    t.set_f(kType, o.rd, t.b.xor_(magnitude, t.b.and_(t.f(kType, o.rs2), mask)));
  } else if (o.rs1 == o.rs2) {  // fmv and fneg
    t.set_f(kType, o.rd, kSign == Sign::kCopy ? magnitude : t.b.xor_(magnitude, mask));
  } else {
    Value sign = t.f(kType, o.rs2);
    if (kSign == Sign::kNegate) sign = t.b.not_(sign);
    t.set_f(kType, o.rd, t.b.or_(t.b.and_(magnitude, t.b.not_(mask)), t.b.and_(sign, mask)));
  }
  t.fp_end();
}

// Comparisons may raise flags, so that they are done even for x0.
template <Type kType, Op kOp>
void fp_compare(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  const Value a = t.f(kType, o.rs1);
  const Value b = t.f(kType, o.rs2);
  const Value result = t.b.fp_compare(kOp, a, b);
  if (o.rd != 0) t.set_x(o.rd, t.b.zext(Type::kI64, result));
  t.fp_end();
}

template <Type kType>
void fp_class(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  t.set_x(o.rd, t.b.fp_class(t.f(kType, o.rs1)));
}

template <Type kType, Type kInteger, bool kSigned>
void fp_to_int(Translator& t, const Operands& o) {
  if (!t.fp_begin(o.rm)) return;
  const Value result = t.b.fp_convert(kSigned ? Op::kFToS : Op::kFToU, kInteger, t.f(kType, o.rs1), o.rm);
  if (kInteger == Type::kI64) {
    t.set_x(o.rd, result);
  } else {
    t.set_w(o.rd, result);
  }
  t.fp_end();
}

template <Type kType, Type kInteger, bool kSigned>
void int_to_fp(Translator& t, const Operands& o) {
  if (!t.fp_begin(o.rm)) return;
  const Value integer = kInteger == Type::kI64 ? t.x(o.rs1) : t.w(o.rs1);
  t.set_f(kType, o.rd, t.b.fp_convert(kSigned ? Op::kSToF : Op::kUToF, kType, integer, o.rm));
  t.fp_end();
}

template <Type kFrom, Type kTo>
void fp_convert(Translator& t, const Operands& o) {
  if (!t.fp_begin(o.rm)) return;
  t.set_f(kTo, o.rd, t.b.fp_convert(Op::kFCvt, kTo, t.f(kFrom, o.rs1), o.rm));
  t.fp_end();
}

// The register's low bits as they are, boxed or not.
template <Type kType>
void fp_to_bits(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  const Value raw = t.f(Type::kI64, o.rs1);
  if (kType == Type::kI64) {
    t.set_x(o.rd, raw);
  } else {
    t.set_w(o.rd, t.b.trunc(Type::kI32, raw));
  }
}

template <Type kType>
void bits_to_fp(Translator& t, const Operands& o) {
  if (!t.fp_begin()) return;
  t.set_f(kType, o.rd, kType == Type::kI64 ? t.x(o.rs1) : t.w(o.rs1));
  t.fp_end();
}

}  // namespace lockstep::isa::riscv64::semantics
