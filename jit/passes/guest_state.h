// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/hart/state.h"
#include "core/ir/ir.h"
#include "jit/passes/passes.h"

// What passes have to know about the guest's state: what an instruction reaches of it, who may look at it, and who may
// change it. The Translator keeps words in registers by the same rules.
namespace lockstep::jit::passes {

inline bool reaches_state(const core::ir::Inst& i) { return i.op == core::ir::Op::kGet || i.op == core::ir::Op::kSet; }
inline core::ir::Type reached_type(const core::ir::Inst& i) {
  return i.op == core::ir::Op::kGet ? i.type : i.operand_type;
}
// The first byte of the state behind what a kGet or kSet reaches, which begins at its imm.
inline uint64_t reached_end(const core::ir::Inst& i) { return i.imm + core::ir::type_bytes(reached_type(i)); }

// A kGet or kSet of the guest's own state. What engines keep for themselves in front of it changes behind the IR's
// back.
inline bool reaches_guest(const core::ir::Inst& i) { return reaches_state(i) && i.imm >= sizeof(core::StateHeader); }

// The same of one whole word.
inline bool reaches_word(const core::ir::Inst& i) {
  return reaches_guest(i) && reached_type(i) == core::ir::Type::kI64 && i.imm % 8 == 0;
}
inline size_t word_of(const core::ir::Inst& i) { return i.imm / 8; }
// The last word of which a kGet or kSet reaches something.
inline size_t last_word_of(const core::ir::Inst& i) { return (reached_end(i) - 1) / 8; }

// The state may be looked at before this operation has done anything: an access may hand its guest instruction over or
// fault, a helper reads what it wants, an exit leaves.
inline bool observes_state(const core::ir::Inst& i) {
  const core::ir::Effect effect = core::ir::op_info(i.op).effect;
  return effect == core::ir::Effect::kMemory || effect == core::ir::Effect::kCall || effect == core::ir::Effect::kEnd;
}

// A helper that may write any word.
inline bool changes_state(const core::ir::Inst& i, const Context& context) {
  return i.op == core::ir::Op::kCall &&
         (i.imm >= context.helpers.size() || (context.helpers[i.imm].effects & core::kHelperWritesState) != 0);
}

}  // namespace lockstep::jit::passes
