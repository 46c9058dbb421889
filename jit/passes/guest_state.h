// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/hart/state.h"
#include "core/ir/ir.h"
#include "jit/passes/passes.h"

// What passes have to know about the guest's state: which words an instruction reaches, who may look at them, and who
// may change them. The Translator keeps words in registers by the same rules.
namespace lockstep::jit::passes {

inline core::ir::Type accessed_type(const core::ir::Inst& i) {
  return i.op == core::ir::Op::kGet ? i.type : i.operand_type;
}

// A kGet or kSet of one whole word. What engines keep for themselves in front of the state changes behind the IR's
// back.
inline bool reaches_word(const core::ir::Inst& i) {
  return (i.op == core::ir::Op::kGet || i.op == core::ir::Op::kSet) && accessed_type(i) == core::ir::Type::kI64 &&
         i.imm % 8 == 0 && i.imm >= sizeof(core::StateHeader);
}

inline unsigned word_of(const core::ir::Inst& i) { return static_cast<unsigned>(i.imm / 8); }
// The last word of which a kGet or kSet reaches something.
inline unsigned last_word_of(const core::ir::Inst& i) {
  return static_cast<unsigned>((i.imm + core::ir::type_bytes(accessed_type(i)) - 1) / 8);
}

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
