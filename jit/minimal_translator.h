// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asmjit/x86.h>

#include <cstddef>
#include <span>

#include "core/hart/hart.h"
#include "core/ir/ir.h"
#include "jit/minimal_emitter.h"

namespace lockstep::jit {

// Writes the host code of one IR block. Its function is called with the state, the values' slots, the hart and its
// memory, and answers a BlockEnd. Every value lives in its slot; registers hold nothing from one operation to the next.
//
// minimal_translator.cpp has the frame, the state, selection and the ends; minimal_integer.cpp, minimal_vector.cpp and
// minimal_calls.cpp the operations.
class MinimalTranslator {
 public:
  static constexpr unsigned kSlotBytes = 32;

  MinimalTranslator(const core::ir::Block& block, std::span<const core::HelperDescriptor> helpers,
                    asmjit::CodeHolder& code)
      : block_(block), helpers_(helpers), a_(&code), trap_(a_.newLabel()), leave_(a_.newLabel()) {}
  MinimalTranslator(const MinimalTranslator&) = delete;
  MinimalTranslator& operator=(const MinimalTranslator&) = delete;

  // False when the current operation has no host code; index() then says which.
  bool run();
  size_t index() const { return index_; }

 private:
  using Inst = core::ir::Inst;
  using Op = core::ir::Op;
  using Type = core::ir::Type;
  using Value = core::ir::Value;

  // Offsets in StateHeader that generated code relies on.
  static constexpr uint64_t kPcAt = 0;
  static constexpr uint64_t kBudgetAt = 8;
  static constexpr uint64_t kUnbegunAt = 24;
  static constexpr uint64_t kTrappedAt = 36;
  static_assert(offsetof(core::StateHeader, pc) == kPcAt && offsetof(core::StateHeader, budget) == kBudgetAt &&
                offsetof(core::StateHeader, unbegun) == kUnbegunAt &&
                offsetof(core::StateHeader, trapped) == kTrappedAt);

  const asmjit::x86::Gp state_ = asmjit::x86::rbx;
  const asmjit::x86::Gp slots_ = asmjit::x86::rbp;
  const asmjit::x86::Gp hart_ = asmjit::x86::r12;
  const asmjit::x86::Gp memory_ = asmjit::x86::r13;

  Type type_of(Value value) const { return block_.insts[value].type; }
  asmjit::x86::Mem slot(Value value, int offset = 0) const {
    return asmjit::x86::ptr(slots_, static_cast<int32_t>(value * kSlotBytes) + offset);
  }
  asmjit::x86::Mem result(int offset = 0) const { return slot(static_cast<Value>(index_), offset); }
  asmjit::x86::Mem state_at(uint64_t offset) const { return asmjit::x86::ptr(state_, static_cast<int32_t>(offset)); }

  void load(const asmjit::x86::Gp& reg, const asmjit::x86::Mem& from, Type type);         // zero-extended to 64 bits
  void load_signed(const asmjit::x86::Gp& reg, const asmjit::x86::Mem& from, Type type);  // sign-extended
  void load(const asmjit::x86::Gp& reg, Value value) { load(reg, slot(value), type_of(value)); }
  void load_signed(const asmjit::x86::Gp& reg, Value value) { load_signed(reg, slot(value), type_of(value)); }
  void store_narrow(const asmjit::x86::Mem& to, const asmjit::x86::Gp& reg, unsigned bytes);
  void finish(const asmjit::x86::Gp& reg) { a_.mov(result(), reg.r64()); }
  void copy(const asmjit::x86::Mem& to, const asmjit::x86::Mem& from, unsigned bytes);
  void call(const void* function);
  template <typename Function>
  void call(Function* function) {
    call(reinterpret_cast<const void*>(function));
  }
  void leave(BlockEnd end);
  void set_pc(uint64_t pc);
  static asmjit::x86::Gp sized(const asmjit::x86::Gp& reg, Type type);

  bool emit(const Inst& inst);
  bool emit_insn(const Inst& inst);
  bool emit_integer(const Inst& inst);
  void emit_multiply_high(const Inst& inst);
  void emit_divide(const Inst& inst);
  void emit_divide_wide(const Inst& inst);
  void emit_shift(const Inst& inst);
  void emit_min_max(const Inst& inst);
  void emit_bit_scan(const Inst& inst);
  void emit_compare(const Inst& inst);
  void emit_convert(const Inst& inst);
  void emit_carry(const Inst& inst);
  void emit_select(const Inst& inst);
  bool emit_vector(const Inst& inst);
  bool emit_vector_arithmetic(const Inst& inst);
  void emit_fp(const Inst& inst);
  void emit_fp_lanes(const Inst& inst);
  bool emit_memory(const Inst& inst);
  bool emit_call(const Inst& inst);
  bool emit_end(const Inst& inst);

  const core::ir::Block& block_;
  std::span<const core::HelperDescriptor> helpers_;
  asmjit::x86::Assembler a_;
  asmjit::Label trap_;
  asmjit::Label leave_;
  size_t index_ = 0;
  unsigned begun_ = 0;
};

}  // namespace lockstep::jit
