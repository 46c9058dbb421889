// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/selection.h"

#include "core/interpreter/bytecode_choice.h"

namespace lockstep::core {

using ir::Inst;
using ir::Op;
using ir::Type;
using ir::Value;

namespace {

// Engines, floating-point operations and reservations change the header without a kSet, so its fields are nobody's
// home.
bool may_be_home(uint64_t offset) { return offset % 8 == 0 && offset >= sizeof(StateHeader); }

bool overlaps(const Inst& get, uint64_t offset) {
  return get.imm < offset + 8 && offset < get.imm + ir::type_bytes(get.type);
}

}  // namespace

Selection::Selection(const ir::Block& block, std::span<const HelperDescriptor> helpers, bool fusion)
    : block_(block), helpers_(helpers), fusion_(fusion) {
  const size_t n = block_.insts.size();
  operands_.resize(n);
  needed_.assign(n, 0);
  last_use_.assign(n, 0);
  home_.assign(n, kNoSlot);
  select();
  find_uses();
  assign_state_homes();
}

void Selection::select() {
  for (size_t p = 0; p < block_.insts.size(); ++p) {
    const Inst& i = block_.insts[p];
    Operands& o = operands_[p];
    o.count = i.operands;
    for (unsigned a = 0; a < i.operands; ++a) o.args[a] = through(i.args[a]);
    if (!fusion_) continue;
    if (ir::op_info(i.op).effect == ir::Effect::kMemory && (i.op == Op::kLoad || i.op == Op::kStore)) {
      const Inst& address = inst(o.args[0]);
      if (address.op == Op::kAdd && is_const(address.args[1])) {
        o.displacement = inst(address.args[1]).imm;
        o.args[0] = through(address.args[0]);
      }
    } else if (i.op == Op::kBranch) {
      const Inst& compare = inst(o.args[0]);
      if (is_integer_compare(compare.op) && compare.operand_type == Type::kI64) {
        o.fused = compare.op;
        o.args[0] = through(compare.args[0]);
        o.args[1] = through(compare.args[1]);
        o.count = 2;
      }
    } else if (i.op == Op::kSext && i.type == Type::kI64) {
      const Inst& from = inst(o.args[0]);
      if (i.operand_type == Type::kI32 && from.type == Type::kI32 && has_word_form(from.op)) {
        o.fused = from.op;
        o.args[0] = through(from.args[0]);
        o.args[1] = through(from.args[1]);
        o.count = 2;
      } else if (from.op == Op::kLoad && is_plain(from) && from.type == i.operand_type && i.args[0] + 1 == p) {
        // The load itself extends; handled when the load is emitted.
        o.fused = Op::kLoad;
      }
    }
  }
}

void Selection::find_uses() {
  for (size_t p = block_.insts.size(); p-- > 0;) {
    const Inst& i = block_.insts[p];
    const bool pure = ir::op_info(i.op).effect == ir::Effect::kPure;
    if (!pure) needed_[p] = 1;
    if (!needed_[p]) continue;
    const Operands& o = operands_[p];
    for (unsigned a = 0; a < o.count; ++a) {
      needed_[o.args[a]] = 1;
      if (last_use_[o.args[a]] == 0) last_use_[o.args[a]] = static_cast<uint32_t>(p);
    }
  }
}

bool Selection::writes_state(const Inst& i) const {
  if (i.op != Op::kCall) return false;
  return helpers_.empty() || i.imm >= helpers_.size() || (helpers_[i.imm].effects & kHelperWritesState);
}

bool Selection::state_changes(size_t from, size_t to, uint64_t offset) const {
  for (size_t p = from + 1; p < to; ++p) {
    const Inst& i = block_.insts[p];
    if (i.op == Op::kSet && i.imm < offset + 8 && offset < i.imm + ir::type_bytes(i.operand_type)) return true;
    if (writes_state(i)) return true;
  }
  return false;
}

void Selection::assign_state_homes() {
  for (size_t p = 0; p < block_.insts.size(); ++p) {
    const Inst& i = block_.insts[p];
    if (i.op == Op::kGet && needed_[p] && may_be_home(i.imm) && ir::type_bits(i.type) <= 64 &&
        !state_changes(p, last_use_[p], i.imm)) {
      home_[p] = static_cast<uint16_t>(i.imm / 8);
    }
  }
  for (size_t p = 0; p < block_.insts.size(); ++p) {
    const Inst& i = block_.insts[p];
    if (i.op == Op::kSet && i.operand_type == Type::kI64 && may_be_home(i.imm)) try_make_in_place(p, i);
  }
}

void Selection::try_make_in_place(size_t set, const Inst& i) {
  const Value v = i.args[0];
  const Op op = inst(v).op;
  if (home_[v] != kNoSlot || op == Op::kGet || op == Op::kConst || op == Op::kTrunc) return;
  Value maker = v;
  if (is_alias(v)) {
    maker = operands_[v].args[0];
    if (!fusion_ || maker + 1 != v || last_use_[maker] != v || home_[maker] != kNoSlot) return;
  }
  for (size_t p = maker + 1; p < set; ++p) {
    const Inst& between = block_.insts[p];
    const ir::Effect effect = ir::op_info(between.op).effect;
    if (effect != ir::Effect::kPure && effect != ir::Effect::kFp) return;
    if (between.op == Op::kGet && overlaps(between, i.imm)) return;
  }
  for (size_t p = 0; p < maker; ++p) {
    if (block_.insts[p].op == Op::kGet && overlaps(block_.insts[p], i.imm) && last_use_[p] > maker) return;
  }
  if (state_changes(set, last_use_[v], i.imm)) return;
  home_[v] = static_cast<uint16_t>(i.imm / 8);
  home_[maker] = home_[v];
}

bool Selection::is_alias(Value v) const {
  const Inst& i = inst(v);
  if (ir::type_bits(i.type) > 64) return false;
  if (i.op == Op::kSext) return operands_[v].fused == Op::kLoad;
  if (i.op != Op::kZext) return false;
  const Value source = operands_[v].args[0];
  if (inst(source).op == Op::kLoad) return inst(source).type == i.operand_type && !is_extended_load(source);
  return is_clean(source) && i.operand_type == Type::kI1;
}

bool Selection::is_extended_load(Value v) const {
  return v + 1 < block_.insts.size() && operands_[v + 1].fused == Op::kLoad && operands_[v + 1].args[0] == v &&
         needed_[v + 1];
}

}  // namespace lockstep::core
