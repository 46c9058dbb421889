// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/fold_constants.h"

#include <array>
#include <bit>
#include <span>
#include <utility>

#include "core/ir/fold.h"
#include "jit/passes/rewriter.h"

namespace lockstep::jit::passes {

using core::ir::Inst;
using core::ir::kNoValue;
using core::ir::mask_to;
using core::ir::Op;
using core::ir::Type;
using core::ir::type_bits;
using core::ir::Value;

namespace {

bool commutes(Op op) {
  switch (op) {
    case Op::kAdd:
    case Op::kMul:
    case Op::kMulHighU:
    case Op::kMulHighS:
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor:
    case Op::kMinU:
    case Op::kMinS:
    case Op::kMaxU:
    case Op::kMaxS:
    case Op::kEq:
    case Op::kNe:
      return true;
    default:
      return false;
  }
}

class Folder {
 public:
  explicit Folder(core::ir::Block& block) : block_(block), rewriter_(block) {}

  bool run() {
    for (Value at = 0; at < block_.insts.size(); ++at) {
      Inst i = rewriter_.taken(at);
      const Value same = simplify(i);
      if (same != kNoValue) {
        rewriter_.replace(at, same);
      } else if (i.op == Op::kExitIf && is_const(i.args[0]) && (constant(i.args[0]) & 1) == 0) {
        changed_ = true;
      } else {
        rewriter_.replace(at, rewriter_.add(i));
      }
    }
    if (changed_) rewriter_.finish();
    return changed_;
  }

 private:
  const Inst& made(Value v) const { return rewriter_.made(v); }
  bool is_const(Value v) const { return made(v).op == Op::kConst; }
  uint64_t constant(Value v) const { return made(v).imm; }
  Type operand_type(const Inst& i) const { return made(i.args[0]).type; }

  Value make_const(Type type, uint64_t value) {
    Inst inst;
    inst.op = Op::kConst;
    inst.type = type;
    inst.imm = mask_to(type, value);
    return rewriter_.add(inst);
  }

  // The value that the instruction is, or kNoValue; then `i` may have become a simpler one.
  Value simplify(Inst& i) {
    const Value same = same_as(i);
    if (same != kNoValue) {
      changed_ = true;
      return same;
    }
    changed_ |= become_simpler(i);
    return kNoValue;
  }

  Value same_as(Inst& i) {
    if (const auto value = fold_all(i)) return make_const(i.type, *value);
    if (commutes(i.op) && is_const(i.args[0]) && !is_const(i.args[1])) {
      std::swap(i.args[0], i.args[1]);
      changed_ = true;
    }
    if (i.op == Op::kSelect) {
      if (i.args[1] == i.args[2]) return i.args[1];
      if (is_const(i.args[0])) return i.args[constant(i.args[0]) & 1 ? 1 : 2];
      return kNoValue;
    }
    if (i.op == Op::kTrunc) return unboxed(i);
    if (i.operands != 2 || !core::ir::is_scalar(operand_type(i))) return kNoValue;
    if (i.args[0] == i.args[1]) return of_equals(i);
    return is_const(i.args[1]) ? with_constant(i, mask_to(operand_type(i), constant(i.args[1]))) : kNoValue;
  }

  std::optional<uint64_t> fold_all(const Inst& i) const {
    std::array<uint64_t, 2> operands = {};
    if (i.type == Type::kVoid || i.operands == 0 || i.operands > operands.size()) return std::nullopt;
    for (unsigned k = 0; k < i.operands; ++k) {
      if (!is_const(i.args[k])) return std::nullopt;
      operands[k] = constant(i.args[k]);
    }
    return core::ir::fold(i.op, i.type, operand_type(i), std::span(operands).first(i.operands));
  }

  // The low half of what was put below other bits, as a single into its box.
  Value unboxed(const Inst& trunc) const {
    const Inst& whole = made(trunc.args[0]);
    if (whole.op != Op::kOr || !is_const(whole.args[1])) return kNoValue;
    const Inst& part = made(whole.args[0]);
    const bool untouched = mask_to(trunc.type, constant(whole.args[1])) == 0;
    return part.op == Op::kZext && operand_type(part) == trunc.type && untouched ? part.args[0] : kNoValue;
  }

  Value of_equals(const Inst& i) {
    switch (i.op) {
      case Op::kSub:
      case Op::kXor:
        return make_const(i.type, 0);
      case Op::kAnd:
      case Op::kOr:
      case Op::kMinU:
      case Op::kMinS:
      case Op::kMaxU:
      case Op::kMaxS:
        return i.args[0];
      case Op::kEq:
      case Op::kGeU:
      case Op::kGeS:
        return make_const(Type::kI1, 1);
      case Op::kNe:
      case Op::kLtU:
      case Op::kLtS:
        return make_const(Type::kI1, 0);
      default:
        return kNoValue;
    }
  }

  Value with_constant(const Inst& i, uint64_t c) const {
    const Value a = i.args[0], b = i.args[1];
    const unsigned bits = type_bits(i.type);
    switch (i.op) {
      case Op::kAdd:
      case Op::kSub:
      case Op::kXor:
        return c == 0 ? a : kNoValue;
      case Op::kOr:
        return c == 0 ? a : c == mask_to(i.type, ~uint64_t{0}) ? b : kNoValue;
      case Op::kAnd:
        return c == 0 ? b : c == mask_to(i.type, ~uint64_t{0}) ? a : kNoValue;
      case Op::kMul:
        return c == 0 ? b : c == 1 ? a : kNoValue;
      case Op::kDivU:
        return c == 1 ? a : kNoValue;
      case Op::kShl:
      case Op::kShr:
      case Op::kSar:
      case Op::kRotL:
      case Op::kRotR:
        return c % bits == 0 ? a : kNoValue;
      default:
        return kNoValue;
    }
  }

  bool become_simpler(Inst& i) {
    switch (i.op) {
      case Op::kMul:
      case Op::kDivU:
      case Op::kRemU:
        return become_bits(i);
      case Op::kShr:
      case Op::kSar:
        return become_extension(i);
      case Op::kZext:
      case Op::kSext:
        return become_one_extension(i);
      case Op::kSelect:
        if (made(i.args[0]).op != Op::kNot) return false;
        i.args = {made(i.args[0]).args[0], i.args[2], i.args[1], kNoValue};
        return true;
      case Op::kBranch:
        return become_jump(i);
      case Op::kJumpIndirect:
        if (!is_const(i.args[0])) return false;
        make_jump(i, constant(i.args[0]));
        return true;
      default:
        return false;
    }
  }

  // Products, quotients and rests by a power of two.
  bool become_bits(Inst& i) {
    if (!is_const(i.args[1])) return false;
    const uint64_t c = mask_to(i.type, constant(i.args[1]));
    if (!std::has_single_bit(c)) return false;
    const uint64_t operand = i.op == Op::kRemU ? c - 1 : static_cast<uint64_t>(std::countr_zero(c));
    i.op = i.op == Op::kMul ? Op::kShl : i.op == Op::kDivU ? Op::kShr : Op::kAnd;
    i.args[1] = make_const(i.type, operand);
    return true;
  }

  // (x << n) >> n where the bits that stay are those of a type.
  bool become_extension(Inst& i) {
    const Inst left = made(i.args[0]);
    if (left.op != Op::kShl || !is_const(left.args[1]) || !is_const(i.args[1])) return false;
    const unsigned bits = type_bits(i.type);
    const uint64_t count = constant(i.args[1]) % bits;
    if (constant(left.args[1]) % bits != count) return false;
    Type part = Type::kVoid;
    for (const Type type : {Type::kI8, Type::kI16, Type::kI32}) {
      if (type_bits(type) + count == bits) part = type;
    }
    if (part == Type::kVoid || count == 0) return false;
    Inst trunc;
    trunc.op = Op::kTrunc;
    trunc.type = part;
    trunc.operand_type = i.type;
    trunc.operands = 1;
    trunc.args[0] = left.args[0];
    i.op = i.op == Op::kShr ? Op::kZext : Op::kSext;
    i.operand_type = part;
    i.operands = 1;
    i.args = {rewriter_.add(trunc), kNoValue, kNoValue, kNoValue};
    return true;
  }

  // An extension of an extension. What had zeros put above it has no sign.
  bool become_one_extension(Inst& i) {
    const Inst& first = made(i.args[0]);
    if (!core::ir::is_scalar(i.type)) return false;
    if (first.op != Op::kZext && (first.op != Op::kSext || i.op != Op::kSext)) return false;
    i.op = first.op;
    i.operand_type = first.operand_type;
    i.args[0] = first.args[0];
    return true;
  }

  bool become_jump(Inst& i) {
    if (is_const(i.args[0])) {
      make_jump(i, constant(i.args[0]) & 1 ? i.imm : i.imm2);
      return true;
    }
    if (made(i.args[0]).op != Op::kNot) return false;
    i.args[0] = made(i.args[0]).args[0];
    std::swap(i.imm, i.imm2);
    return true;
  }

  static void make_jump(Inst& i, uint64_t pc) {
    i = Inst{};
    i.op = Op::kJump;
    i.imm = pc;
  }

  core::ir::Block& block_;
  Rewriter rewriter_;
  bool changed_ = false;
};

}  // namespace

bool fold_constants(Region& region, const Context&) {
  bool changed = false;
  for (RegionBlock& block : region.blocks) changed |= Folder(block.ir).run();
  return changed;
}

}  // namespace lockstep::jit::passes
