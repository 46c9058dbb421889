// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/fold_known_bits.h"

#include "core/ir/fold.h"
#include "jit/passes/region_facts.h"
#include "jit/passes/rewriter.h"

namespace lockstep::jit::passes {

using core::ir::Effect;
using core::ir::Inst;
using core::ir::kNoValue;
using core::ir::mask_to;
using core::ir::Op;
using core::ir::op_info;
using core::ir::Type;
using core::ir::type_bits;
using core::ir::Value;

namespace {

bool is_compare(Op op) { return op >= Op::kEq && op <= Op::kGeS; }

// Where a constant costs nothing in host code: as the second operand of these, or as what is stored.
bool takes_constant(const Inst& i, unsigned operand) {
  switch (i.op) {
    case Op::kAdd:
    case Op::kSub:
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor:
    case Op::kShl:
    case Op::kShr:
    case Op::kSar:
    case Op::kRotL:
    case Op::kRotR:
    case Op::kStore:
      return operand == 1;
    case Op::kSet:
      return true;
    default:
      return is_compare(i.op) && operand == 1;
  }
}

// Host instructions have signed immediates of 32 bits.
bool is_immediate(Type type, uint64_t value) {
  const int64_t extended = core::ir::sign_extend(type, value);
  return extended == static_cast<int32_t>(extended);
}

class Folder {
 public:
  // `facts` stand at the beginning of the block.
  Folder(core::ir::Block& block, BlockFacts& facts) : block_(block), rewriter_(block), facts_(facts) {}

  bool run() {
    for (Value at = 0; at < block_.insts.size(); ++at) {
      Inst i = rewriter_.taken(at);
      const Value same = same_as(i);
      if (same != kNoValue) {
        rewriter_.replace(at, same);
        changed_ = true;
        continue;
      }
      take_constants(i);
      // An indirect jump stays one: it may not have been seen to go there, and what is known counts on that.
      if (i.op == Op::kBranch && is_known(i.args[0])) {
        const uint64_t pc = known(i.args[0]).ones & 1 ? i.imm : i.imm2;
        i = Inst{};
        i.op = Op::kJump;
        i.imm = pc;
        changed_ = true;
      }
      rewriter_.replace(at, add(i));
    }
    if (changed_) rewriter_.finish();
    return changed_;
  }

 private:
  Type type(Value v) const { return rewriter_.made(v).type; }
  uint64_t all_ones(Value v) const { return mask_to(type(v), ~uint64_t{0}); }
  const KnownBits& known(Value v) const { return facts_.value(v); }
  bool is_known(Value v) const { return core::ir::is_scalar(type(v)) && known(v).is_constant(type(v)); }

  Value add(const Inst& i) {
    facts_.note(i);
    return rewriter_.add(i);
  }
  Value make_const(Type of, uint64_t value) {
    Inst inst;
    inst.op = Op::kConst;
    inst.type = of;
    inst.imm = mask_to(of, value);
    return add(inst);
  }

  void take_constants(Inst& i) {
    for (unsigned k = 0; k < i.operands; ++k) {
      const Value v = i.args[k];
      if (!takes_constant(i, k) || rewriter_.made(v).op == Op::kConst || !is_known(v)) continue;
      if (!is_immediate(type(v), known(v).ones)) continue;
      i.args[k] = make_const(type(v), known(v).ones);
      changed_ = true;
    }
  }

  // The value that a pure operation is by what is known, or kNoValue.
  Value same_as(const Inst& i) {
    if (op_info(i.op).effect != Effect::kPure || i.operands == 0) return kNoValue;
    switch (i.op) {
      case Op::kSelect:
        if (is_known(i.args[0])) return i.args[known(i.args[0]).ones & 1 ? 1 : 2];
        return kNoValue;
      case Op::kZext:
      case Op::kSext:
        if (const Value wide = not_cut(i); wide != kNoValue) return wide;
        break;
      case Op::kAnd:
        for (unsigned k = 0; k < 2; ++k) {
          const Value v = i.args[k];
          if ((known(v).zeros | known(i.args[1 - k]).ones) == all_ones(v)) return v;
        }
        break;
      case Op::kOr:
        for (unsigned k = 0; k < 2; ++k) {
          const Value v = i.args[k];
          if ((known(v).ones | known(i.args[1 - k]).zeros) == all_ones(v)) return v;
        }
        break;
      default:
        if (is_compare(i.op)) {
          const int outcome = compare(i);
          return outcome < 0 ? kNoValue : make_const(Type::kI1, static_cast<uint64_t>(outcome));
        }
        break;
    }
    if (!core::ir::is_scalar(i.type)) return kNoValue;
    const KnownBits result = facts_.result_of(i);
    if (!result.is_constant(i.type) || !is_immediate(i.type, result.ones)) return kNoValue;
    return make_const(i.type, result.ones);
  }

  // The value that an extension puts together again from its low part.
  Value not_cut(const Inst& i) const {
    const Inst& part = rewriter_.made(i.args[0]);
    if (part.op != Op::kTrunc || type(part.args[0]) != i.type) return kNoValue;
    const KnownBits& whole = known(part.args[0]);
    const unsigned above = type_bits(i.type) - type_bits(part.type);
    const uint64_t upper = all_ones(part.args[0]) & ~mask_to(part.type, ~uint64_t{0});
    const bool same = i.op == Op::kSext ? whole.signs > above : (whole.zeros & upper) == upper;
    return same ? part.args[0] : kNoValue;
  }

  // 0 or 1, or -1 where both may be.
  int compare(const Inst& i) const {
    const Type of = type(i.args[0]);
    if (!core::ir::is_scalar(of)) return -1;
    const KnownBits &a = known(i.args[0]), &b = known(i.args[1]);
    if (i.op == Op::kEq || i.op == Op::kNe) {
      const bool differ = ((a.ones & b.zeros) | (a.zeros & b.ones)) != 0;
      return differ ? i.op == Op::kNe : -1;
    }
    // Signed order is unsigned order with the signs turned round.
    const uint64_t sign = i.op == Op::kLtS || i.op == Op::kGeS ? uint64_t{1} << (type_bits(of) - 1) : 0;
    const auto least = [&](const KnownBits& k) { return (k.ones & ~sign) | (k.zeros & sign); };
    const auto most = [&](const KnownBits& k) { return all_ones(i.args[0]) & ~((k.zeros & ~sign) | (k.ones & sign)); };
    const bool less = i.op == Op::kLtU || i.op == Op::kLtS;
    if (most(a) < least(b)) return less;
    if (least(a) >= most(b)) return !less;
    return -1;
  }

  core::ir::Block& block_;
  Rewriter rewriter_;
  BlockFacts& facts_;
  bool changed_ = false;
};

}  // namespace

bool fold_known_bits(Region& region, const Context& context) {
  const FollowedWords followed(region, context);
  const std::vector<WordFacts> entries = find_region_facts(region, context, followed);
  BlockFacts facts(context, followed);
  bool changed = false;
  for (size_t k = 0; k < region.blocks.size(); ++k) {
    core::ir::Block& block = region.blocks[k].ir;
    facts.begin(entries[k], block.insts.size());
    changed |= Folder(block, facts).run();
  }
  return changed;
}

}  // namespace lockstep::jit::passes
