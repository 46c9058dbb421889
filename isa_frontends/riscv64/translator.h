// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/ir/builder.h"
#include "isa_frontends/riscv64/instruction_table.h"
#include "isa_frontends/riscv64/state.h"

namespace lockstep::isa::riscv64 {

// Functions that the IR calls; indices into Hart::helpers() (helpers.cpp).
enum Helper : uint32_t {
  kRaiseException,  // cause, tval
  kRaiseIllegal,    // instruction bits
  kEcall,
  kMret,
  kSret,
  kWfi,
  kPause,
  kSfenceVma,  // vaddr, asid, which of the two are given
  kCsrRead,    // CSR number, instruction bits -> value
  kCsrWrite,   // CSR number | CsrOp << 12 | the old value is wanted << 14, operand, instruction bits -> old value
  kMarkFpDirty,
  kReadFflags,   // -> fflags
  kWriteFflags,  // fflags; FS is dirty already
  kHelperCount,
};

enum class CsrOp : uint32_t { kWrite, kSet, kClear };

// What a block depends on besides its bytes.
struct CodeKey {
  bool fp_off = true;          // mstatus.FS = Off: floating-point instructions are illegal
  bool fp_dirty = false;       // mstatus.FS = Dirty already
  bool rounding_valid = true;  // frm holds one of the five modes

  static CodeKey of(const State64& state) {
    const uint64_t fs = (state.mstatus & kStatusFs) >> kStatusFsShift;
    return {fs == 0, fs == kFsDirty, state.fp_rounding <= 4};
  }
  uint64_t value() const { return (fp_off ? 1 : 0) | (fp_dirty ? 2 : 0) | (rounding_valid ? 4 : 0); }
};

// Where the semantics of one instruction put their IR.
struct Translator {
  using Value = core::ir::Value;
  using Type = core::ir::Type;
  using Op = core::ir::Op;

  core::ir::Builder& b;
  CodeKey key;
  uint64_t pc = 0;
  uint64_t next_pc = 0;
  uint32_t bits = 0;  // of the instruction

  Value x(unsigned index) { return index == 0 ? b.i64(0) : b.get(Type::kI64, x_offset(index)); }
  void set_x(unsigned index, Value value) {
    if (index != 0) b.set(x_offset(index), value);
  }
  // The low 32 bits of a register.
  Value w(unsigned index) { return index == 0 ? b.i32(0) : b.trunc(Type::kI32, b.get(Type::kI64, x_offset(index))); }
  void set_w(unsigned index, Value value) {
    if (index != 0) b.set(x_offset(index), b.sext(Type::kI64, value));
  }

  void illegal() {
    b.call(kRaiseIllegal, Type::kVoid, {b.i64(bits)});
    b.exit(next_pc);
  }

  // Floating-point instructions ask first; false: the instruction was found illegal and is done.
  bool fp_begin() {
    if (key.fp_off) illegal();
    return !key.fp_off;
  }
  // The same for instructions with a rounding mode.
  bool fp_begin(unsigned rm) {
    if (key.fp_off || rm == 5 || rm == 6 || (rm == 7 && !key.rounding_valid)) {
      illegal();
      return false;
    }
    return true;
  }
  // After the last operation of one that changes floating-point state: the first such instruction after a context
  // switch makes FS dirty and ends the block, so that later blocks need not.
  void fp_end() {
    if (key.fp_dirty) return;
    b.call(kMarkFpDirty, Type::kVoid, {});
    b.exit(next_pc);
  }

  // The number in an f register: of a single, the canonical NaN when it is not boxed.
  Value f(Type type, unsigned index) {
    const Value raw = b.get(Type::kI64, f_offset(index));
    if (type == Type::kI64) return raw;
    if (boxed_singles >> index & 1) return b.trunc(Type::kI32, raw);
    const Value boxed = b.compare(Op::kGeU, raw, b.i64(0xffff'ffff'0000'0000));
    return b.select(boxed, b.trunc(Type::kI32, raw), b.i32(0x7fc0'0000));
  }
  void set_f(Type type, unsigned index, Value value) {
    if (type == Type::kI32) value = b.or_(b.zext(Type::kI64, value), b.i64(0xffff'ffff'0000'0000));
    b.set(f_offset(index), value);
    const uint32_t bit = 1u << index;
    boxed_singles = type == Type::kI32 ? boxed_singles | bit : boxed_singles & ~bit;
  }

  // f registers that this block has written singles to, so that they need no look at their boxes.
  uint32_t boxed_singles = 0;
};

}  // namespace lockstep::isa::riscv64
