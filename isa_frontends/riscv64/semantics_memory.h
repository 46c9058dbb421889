// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa_frontends/riscv64/translator.h"

// Semantics of loads, stores, fences and the A extension.

namespace lockstep::isa::riscv64::semantics {

using core::ir::Op;
using core::ir::RmwOp;
using core::ir::Type;
using core::ir::Value;

inline Value address_of(Translator& t, const Operands& o) {
  const Value base = t.x(o.rs1);
  return t.b.add(base, t.b.i64(o.imm));
}

template <Type kType, bool kSigned>
void load(Translator& t, const Operands& o) {
  const Value value = t.b.load(kType, address_of(t, o));
  if (o.rd == 0) return;
  if (kType == Type::kI64) return t.set_x(o.rd, value);
  t.set_x(o.rd, kSigned ? t.b.sext(Type::kI64, value) : t.b.zext(Type::kI64, value));
}

template <Type kType>
void store(Translator& t, const Operands& o) {
  const Value value = t.x(o.rs2);
  t.b.store(address_of(t, o), kType == Type::kI64 ? value : t.b.trunc(kType, value));
}

// Bits of the sets that FENCE names. Device accesses are in order without it.
inline constexpr uint32_t kPredecessorWrites = 1u << 24;
inline constexpr uint32_t kSuccessorReads = 1u << 21;

// Only one that puts a later load behind an earlier store asks for more than a total store order.
inline void fence(Translator& t, const Operands&) {
  const bool store_load = (t.bits & kPredecessorWrites) && (t.bits & kSuccessorReads);
  store_load ? t.b.fence() : t.b.fence_tso();
}

inline void fence_tso(Translator& t, const Operands&) { t.b.fence_tso(); }

inline uint64_t atomic_flags(const Operands& o) {
  uint64_t flags = core::ir::kMemAligned | core::ir::kMemAtomic;
  if (o.acquire) flags |= core::ir::kMemAcquire;
  if (o.release) flags |= core::ir::kMemRelease;
  return flags;
}

// The old value of memory, as LR and AMOs give it to rd.
template <Type kType>
void set_loaded(Translator& t, const Operands& o, Value value) {
  if (o.rd != 0) t.set_x(o.rd, kType == Type::kI64 ? value : t.b.sext(Type::kI64, value));
}

template <Type kType>
void load_reserved(Translator& t, const Operands& o) {
  set_loaded<kType>(t, o, t.b.load_reserved(kType, t.x(o.rs1), atomic_flags(o)));
}

template <Type kType>
void store_conditional(Translator& t, const Operands& o) {
  const Value value = kType == Type::kI64 ? t.x(o.rs2) : t.w(o.rs2);
  const Value failed = t.b.store_conditional(t.x(o.rs1), value, atomic_flags(o));
  if (o.rd != 0) t.set_x(o.rd, failed);
}

template <Type kType, RmwOp kOp>
void amo(Translator& t, const Operands& o) {
  const Value value = kType == Type::kI64 ? t.x(o.rs2) : t.w(o.rs2);
  set_loaded<kType>(t, o, t.b.atomic_rmw(kOp, t.x(o.rs1), value, atomic_flags(o)));
}

}  // namespace lockstep::isa::riscv64::semantics
