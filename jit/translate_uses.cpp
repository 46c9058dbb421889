// SPDX-License-Identifier: Apache-2.0
// What a block's values are wanted for, found before its code is written: how often and by whom, which of them are made
// where they are used, and in which register they would best be made.
#include <algorithm>

#include "jit/singles.h"
#include "jit/translator.h"

namespace lockstep::jit {

using core::ir::Effect;
using core::ir::kNoValue;
using core::ir::op_info;
using core::ir::type_bits;

void Translator::count_uses() {
  has_vectors_ = false;
  for (size_t i = block_->insts.size(); i-- > 0;) {
    const Inst& in = block_->insts[i];
    const bool pure = op_info(in.op).effect == Effect::kPure;
    if (in.operands == 0 || (pure && places_[i].uses == 0)) continue;
    // What is pure may stand for its operand, or ask for it only where it is used itself.
    const Value last = pure ? std::max(static_cast<Value>(i), places_[i].last) : static_cast<Value>(i);
    for (unsigned k = 0; k < in.operands; ++k) {
      Place& place = places_[in.args[k]];
      if (place.uses++ == 0) place.user = static_cast<Value>(i);
      place.last = std::max(place.last, last);
    }
  }
  for (const Inst& in : block_->insts) {
    if (in.operands > 0) note_shape(in);
  }
}

// An operand that its user takes in another way than out of a register of its own.
void Translator::note_shape(const Inst& in) {
  Place& first = places_[in.args[0]];
  const Op made_by = inst(in.args[0]).op;
  bool asks = false;  // for a condition
  switch (in.op) {
    case Op::kLoad:
    case Op::kStore:
      if (made_by == Op::kAdd && first.uses == 1) first.lazy = true;
      break;
    case Op::kAdd:
      // Two, four or eight times a value is a part of the sum that it goes into.
      for (unsigned k = 2; in.type == Type::kI64 && k-- > 0;) {
        const Inst &times = inst(in.args[k]), &other = inst(in.args[1 - k]);
        if (times.op != Op::kShl || inst(times.args[1]).op != Op::kConst || other.op == Op::kConst) continue;
        const uint64_t count = inst(times.args[1]).imm;
        if (count < 1 || count > 3 || places_[in.args[k]].uses != 1) continue;
        places_[in.args[k]].lazy = true;
        break;
      }
      break;
    case Op::kSext:
    case Op::kZext:
      asks = true;
      if (in.type == Type::kI64 && first.uses == 1 &&
          (made_by == Op::kLoad ? inst(in.args[0]).type != Type::kI1 : loads_wide(inst(in.args[0])))) {
        first.wide_load = true;
        first.imm = in.op == Op::kSext ? 1 : 0;
      }
      break;
    case Op::kBranch:
    case Op::kExitIf:
    case Op::kSelect:
      asks = true;
      break;
    case Op::kFAdd:
    case Op::kFSub:
    case Op::kFMul:
    case Op::kFDiv:
    case Op::kFSqrt:
    case Op::kFMa:
    case Op::kFLt:
    case Op::kFLe:
    case Op::kFEq:
      for (unsigned k = 0; k < in.operands; ++k) {
        places_[in.args[k]].prefers_vector = true;
        places_[float_source(block_->insts, in.args[k])].prefers_vector = true;
      }
      has_vectors_ = true;
      break;
    case Op::kOr:
      if (const Value single = boxed_single(block_->insts, in); single != kNoValue && first.uses == 1) {
        first.lazy = true;
        places_[single].wide_load = false;
        places_[single].prefers_vector = true;
        has_vectors_ = true;
      }
      break;
    default:
      break;
  }
  if (!asks || first.uses != 1 || made_by < Op::kEq || made_by > Op::kGeS) return;
  if (type_bits(inst(inst(in.args[0]).args[0]).type) >= 32) first.lazy = true;
}

// Something may look at the state as it is before this operation, or between it and the next.
bool Translator::observes_state(Op op) const {
  const Effect effect = op_info(op).effect;
  return op == Op::kInsn || effect == Effect::kMemory || effect == Effect::kCall || effect == Effect::kEnd;
}

// The sign extension of a 32-bit operation's result, which its register stands for as it is.
bool Translator::makes_word(Value v) const {
  const Inst& i = inst(v);
  return i.op == Op::kSext && i.type == Type::kI64 && inst(i.args[0]).type == Type::kI32 &&
         inst(i.args[0]).op != Op::kTrunc;
}

// A value that becomes a pinned word is made in that word's register, where nothing asks for the old one in between.
// Values that become words which floating point reads are made in vector registers.
void Translator::find_homes() {
  if (input_.pins.empty() && !has_vectors_) return;
  Notes<bool> read_as_vector(words_.size(), false, &notes_);
  // Behind a call code may be left where the next guest instruction begins.
  const auto covered = [this](Value k) { return k < access_groups_.covered.size() && access_groups_.covered[k]; };
  const bool has_call = std::ranges::any_of(block_->insts, [](const Inst& i) { return i.op == Op::kCall; });
  for (size_t k = 0; k < block_->insts.size(); ++k) {
    const Inst& i = block_->insts[k];
    if (i.op == Op::kGet && places_[k].prefers_vector) read_as_vector[i.imm / 8] = true;
  }
  for (Value at = 0; at < block_->insts.size(); ++at) {
    const Inst& i = block_->insts[at];
    if (i.op != Op::kSet || i.operand_type != Type::kI64 || i.imm % 8 != 0) continue;
    const auto word = static_cast<unsigned>(i.imm / 8);
    Value made = i.args[0];
    const Op op = inst(made).op;
    const bool extends = op == Op::kSext || op == Op::kZext;
    if (extends && (places_[inst(made).args[0]].wide_load || makes_word(made))) made = inst(made).args[0];
    Place& place = places_[made];
    if (read_as_vector[word]) place.prefers_vector = true;
    if (pin_of_[word] == kNone) continue;
    const int home = input_.pins[static_cast<size_t>(pin_of_[word])].home;
    // So is what it is made of, as far as that is for nothing else.
    for (Value behind = at; made != core::ir::kNoValue && places_[made].home == kNone;
         behind = made, made = made_of(made)) {
      Value k = made + 1;
      for (; k < behind; ++k) {
        const Inst& between = block_->insts[k];
        const bool observes = between.op == Op::kInsn ? has_call : observes_state(between.op) && !covered(k);
        if (observes || (between.op == Op::kGet && between.imm / 8 == word)) break;
      }
      if (k < behind) break;
      places_[made].home = home;
    }
  }
}

// The operand that a value takes the register of when it is the last that wants it, or kNoValue.
Translator::Value Translator::made_of(Value made) const {
  const Inst& i = inst(made);
  if (i.operands == 0 || op_info(i.op).effect != Effect::kPure) return kNoValue;
  Value user = made;
  Value v = i.args[0];
  while (places_[v].user == user && (inst(v).op == Op::kTrunc || makes_word(v))) {
    user = v;
    v = inst(v).args[0];
  }
  const Op op = inst(v).op;
  const bool moves = op == Op::kGet || op == Op::kConst || op_info(op).effect == Effect::kCall || places_[v].lazy;
  return places_[v].user == user && !moves ? v : kNoValue;
}

}  // namespace lockstep::jit
