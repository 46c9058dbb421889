// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa_frontends/riscv64/translator.h"

// Semantics of system instructions. What changes privilege, interrupts or translation leaves the block, so that the
// engine looks at all of it again before the next instruction.

namespace lockstep::isa::riscv64::semantics {

using core::ir::Type;
using core::ir::Value;

inline void illegal(Translator& t, const Operands&) { t.illegal(); }

inline void ecall(Translator& t, const Operands&) {
  t.b.call(kEcall, Type::kVoid, {});
  t.b.exit(t.next_pc);
}

inline void ebreak(Translator& t, const Operands&) {
  t.b.call(kRaiseException, Type::kVoid, {t.b.i64(kBreakpoint), t.b.i64(t.pc)});
  t.b.exit(t.next_pc);
}

inline void mret(Translator& t, const Operands&) { t.b.exit_indirect(t.b.call(kMret, Type::kI64, {t.b.i64(t.bits)})); }

inline void sret(Translator& t, const Operands&) { t.b.exit_indirect(t.b.call(kSret, Type::kI64, {t.b.i64(t.bits)})); }

inline void wfi(Translator& t, const Operands&) {
  t.b.call(kWfi, Type::kVoid, {t.b.i64(t.bits)});
  t.b.exit(t.next_pc);
}

inline void pause(Translator& t, const Operands&) {
  t.b.call(kPause, Type::kVoid, {});
  t.b.exit(t.next_pc);
}

inline void fence_i(Translator& t, const Operands&) {
  t.b.fence();
  t.b.exit(t.next_pc);
}

inline void sfence_vma(Translator& t, const Operands& o) {
  const uint64_t given = (o.rs1 != 0 ? 1 : 0) | (o.rs2 != 0 ? 2 : 0);
  t.b.call(kSfenceVma, Type::kVoid, {t.x(o.rs1), t.x(o.rs2), t.b.i64(given), t.b.i64(t.bits)});
  t.b.exit(t.next_pc);
}

inline constexpr uint64_t kCsrFflags = 0x001;

// Comparisons that must not raise a flag save and restore them, in the middle of loops: that ends no block.
inline void fflags_access(Translator& t, const Operands& o, CsrOp op, Value operand) {
  const bool writes = op == CsrOp::kWrite || o.rs1 != 0;
  Value old = core::ir::kNoValue;
  if (op != CsrOp::kWrite || o.rd != 0) old = t.b.call(kReadFflags, Type::kI64, {});
  if (writes) {
    Value value = operand;
    if (op == CsrOp::kSet) value = t.b.or_(old, operand);
    if (op == CsrOp::kClear) value = t.b.and_(old, t.b.not_(operand));
    t.b.call(kWriteFflags, Type::kVoid, {value});
  }
  if (old != core::ir::kNoValue) t.set_x(o.rd, old);
}

inline void csr_access(Translator& t, const Operands& o, CsrOp op, Value operand) {
  const uint64_t number = static_cast<uint64_t>(o.imm);
  if (number == kCsrFflags && !t.key.fp_off && t.key.fp_dirty) return fflags_access(t, o, op, operand);
  // csrrs and csrrc of x0 do not write, and need not end the block.
  if (op != CsrOp::kWrite && o.rs1 == 0) {
    const Value value = t.b.call(kCsrRead, Type::kI64, {t.b.i64(number), t.b.i64(t.bits)});
    return t.set_x(o.rd, value);
  }
  const uint64_t access = number | static_cast<uint64_t>(op) << 12 | (o.rd != 0 ? 1u << 14 : 0);
  const Value old = t.b.call(kCsrWrite, Type::kI64, {t.b.i64(access), operand, t.b.i64(t.bits)});
  t.set_x(o.rd, old);
  t.b.exit(t.next_pc);
}

template <CsrOp kOp>
void csr(Translator& t, const Operands& o) {
  csr_access(t, o, kOp, t.x(o.rs1));
}

template <CsrOp kOp>
void csr_imm(Translator& t, const Operands& o) {
  csr_access(t, o, kOp, t.b.i64(o.rs1));
}

}  // namespace lockstep::isa::riscv64::semantics
