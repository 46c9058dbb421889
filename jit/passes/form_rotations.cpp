// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/form_rotations.h"

#include <optional>
#include <utility>

#include "jit/passes/rewriter.h"

namespace lockstep::jit::passes {

using core::ir::Inst;
using core::ir::Op;
using core::ir::Type;
using core::ir::type_bits;
using core::ir::Value;

namespace {

class Former {
 public:
  explicit Former(core::ir::Block& block) : block_(block), rewriter_(block) {}

  bool run() {
    bool changed = false;
    for (Value at = 0; at < block_.insts.size(); ++at) {
      const Inst i = rewriter_.taken(at);
      const auto rotation = find(i);
      if (!rotation) {
        rewriter_.keep(at);
        continue;
      }
      changed = true;
      Value v = rewriter_.add(*rotation);
      if (rotation->type != i.type) {
        Inst sext;
        sext.op = Op::kSext;
        sext.type = i.type;
        sext.operand_type = rotation->type;
        sext.operands = 1;
        sext.args[0] = v;
        v = rewriter_.add(sext);
      }
      rewriter_.replace(at, v);
    }
    if (changed) rewriter_.finish();
    return changed;
  }

 private:
  const Inst& made(Value v) const { return rewriter_.made(v); }

  // The halves have no bit in common, so that a sum is as good as a disjunction.
  std::optional<Inst> find(const Inst& i) const {
    const bool joins = i.op == Op::kOr || i.op == Op::kXor || i.op == Op::kAdd;
    if (!joins || (i.type != Type::kI32 && i.type != Type::kI64)) return std::nullopt;
    for (unsigned k = 0; k < 2; ++k) {
      if (auto rotation = find(i.type, i.args[k], i.args[1 - k])) return rotation;
    }
    return std::nullopt;
  }

  std::optional<Inst> find(Type type, Value left, Value right) const {
    // Words are extended each by itself. The one that was shifted to the right has no sign.
    const bool words = type == Type::kI64 && is_word(left) && is_word(right);
    const Inst& shl = words ? made(made(left).args[0]) : made(left);
    const Inst& shr = words ? made(made(right).args[0]) : made(right);
    if (shl.op != Op::kShl || shr.op != Op::kShr || shl.type != shr.type) return std::nullopt;
    if (!words && shl.type != type) return std::nullopt;
    const Inst &up = made(shl.args[1]), &down = made(shr.args[1]);
    if (up.op != Op::kConst || down.op != Op::kConst) return std::nullopt;
    const unsigned bits = type_bits(shl.type);
    if (up.imm == 0 || down.imm == 0 || up.imm + down.imm != bits) return std::nullopt;
    if (whole(shl.args[0]) != whole(shr.args[0])) return std::nullopt;
    Inst rotation = shl;
    rotation.op = Op::kRotR;
    rotation.args[1] = shr.args[1];
    return rotation;
  }

  bool is_word(Value v) const { return made(v).op == Op::kSext && made(v).operand_type == Type::kI32; }
  // What a value is the low part of.
  Value whole(Value v) const { return made(v).op == Op::kTrunc ? made(v).args[0] : v; }

  core::ir::Block& block_;
  Rewriter rewriter_;
};

}  // namespace

bool form_rotations(Region& region, const Context&) {
  bool changed = false;
  for (RegionBlock& block : region.blocks) changed |= Former(block.ir).run();
  return changed;
}

}  // namespace lockstep::jit::passes
