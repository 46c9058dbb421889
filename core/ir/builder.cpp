// SPDX-License-Identifier: Apache-2.0
#include "core/ir/builder.h"

#include "core/ir/fold.h"

namespace lockstep::core::ir {

namespace {

// Operands whose number the compiler knows, so that it writes an instruction straight into the block: one that is made
// in pieces and copied as a whole costs more than all the rest of building it.
struct Args {
  Args() = default;
  Args(Value a) : all{a, kNoValue, kNoValue, kNoValue}, count(1) {}
  Args(Value a, Value b) : all{a, b, kNoValue, kNoValue}, count(2) {}
  Args(Value a, Value b, Value c) : all{a, b, c, kNoValue}, count(3) {}
  static Args of(std::initializer_list<Value> list) {
    Args args;
    for (Value arg : list) args.all[args.count++] = arg;
    return args;
  }

  std::array<Value, 4> all = {kNoValue, kNoValue, kNoValue, kNoValue};
  uint8_t count = 0;
};

[[gnu::always_inline]] inline Inst make(Op op, Type type, const Args& args, uint64_t imm = 0, uint64_t imm2 = 0) {
  return {.op = op, .type = type, .operands = args.count, .args = args.all, .imm = imm, .imm2 = imm2};
}

}  // namespace

[[gnu::always_inline]] inline Value Builder::append(const Inst& inst) {
  assert(!ended_);
  block_->insts.emplace_back() = inst;
  const Op op = inst.op;
  ended_ = op_info(op).effect == Effect::kEnd && op != Op::kExitIf;
  return inst.type == Type::kVoid ? kNoValue : static_cast<Value>(block_->insts.size() - 1);
}

void Builder::insn(uint64_t pc, unsigned length) {
  if (block_->guest_instructions == 0) block_->pc = pc;
  append(make(Op::kInsn, Type::kVoid, {}, pc, length));
  ++block_->guest_instructions;
  block_->code_bytes = pc + length - block_->pc;
}

Value Builder::constant(Type type, uint64_t value) { return append(make(Op::kConst, type, {}, mask_to(type, value))); }

Value Builder::get(Type type, uint32_t offset) { return append(make(Op::kGet, type, {}, offset)); }

void Builder::set(uint32_t offset, Value value) {
  Inst inst = make(Op::kSet, Type::kVoid, {value}, offset);
  inst.operand_type = type_of(value);
  append(inst);
}

Value Builder::unary(Op op, Value a) {
  const Type type = type_of(a);
  if (is_const(a)) {
    if (auto folded = fold_unary(op, type, const_value(a))) return constant(type, *folded);
  }
  return append(make(op, type, {a}));
}

Value Builder::binary(Op op, Value a, Value b) {
  const Type type = type_of(a);
  assert(type == type_of(b));
  if (is_const(a) && is_const(b)) {
    if (auto folded = fold_binary(op, type, const_value(a), const_value(b))) return constant(type, *folded);
  }
  if (is_const(b) && const_value(b) == 0) {
    switch (op) {
      case Op::kAdd:
      case Op::kSub:
      case Op::kOr:
      case Op::kXor:
      case Op::kShl:
      case Op::kShr:
      case Op::kSar:
      case Op::kRotL:
      case Op::kRotR:
        return a;
      case Op::kAnd:
      case Op::kMul:
        return b;
      default:
        break;
    }
  }
  if (is_const(a) && const_value(a) == 0 && (op == Op::kAdd || op == Op::kOr || op == Op::kXor)) return b;
  return append(make(op, type, {a, b}));
}

Value Builder::compare(Op op, Value a, Value b) {
  assert(type_of(a) == type_of(b));
  if (is_const(a) && is_const(b)) return i1(*fold_binary(op, type_of(a), const_value(a), const_value(b)) != 0);
  Inst inst = make(op, Type::kI1, {a, b});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::select(Value condition, Value then_value, Value else_value) {
  if (is_const(condition)) return const_value(condition) ? then_value : else_value;
  return append(make(Op::kSelect, type_of(then_value), {condition, then_value, else_value}));
}

Value Builder::zext(Type type, Value a) {
  if (type == type_of(a)) return a;
  if (is_const(a) && is_scalar(type)) return constant(type, const_value(a));
  Inst inst = make(Op::kZext, type, {a});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::sext(Type type, Value a) {
  if (type == type_of(a)) return a;
  if (is_const(a) && is_scalar(type)) {
    return constant(type, static_cast<uint64_t>(sign_extend(type_of(a), const_value(a))));
  }
  Inst inst = make(Op::kSext, type, {a});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::trunc(Type type, Value a) {
  if (type == type_of(a)) return a;
  if (is_const(a)) return constant(type, const_value(a));
  Inst inst = make(Op::kTrunc, type, {a});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::carry_op(Op op, Value a, Value b, Value carry_in) {
  const bool full = op == Op::kAdc || op == Op::kSbb;
  Inst inst = make(op, full ? type_of(a) : Type::kI1, {a, b, carry_in});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::parity(Value a) {
  Inst inst = make(Op::kParity, Type::kI1, {a});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::divide_wide(Op op, Value high, Value low, Value divisor) {
  return append(make(op, Type::kI64, {high, low, divisor}));
}

Value Builder::concat(Type type, Value low, Value high) { return append(make(Op::kConcat, type, {low, high})); }

Value Builder::half(Op op, Value a) {
  Inst inst = make(op, type_of(a) == Type::kV256 ? Type::kV128 : Type::kI64, {a});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::vsplat(Type vector, Value scalar) {
  Inst inst = make(Op::kVSplat, vector, {scalar}, type_bits(type_of(scalar)));
  inst.operand_type = type_of(scalar);
  return append(inst);
}

Value Builder::vextract(Type scalar, Value vector, unsigned lane) {
  Inst inst = make(Op::kVExtract, scalar, {vector}, type_bits(scalar), lane);
  inst.operand_type = type_of(vector);
  return append(inst);
}

Value Builder::vinsert(Value vector, Value scalar, unsigned lane) {
  Inst inst = make(Op::kVInsert, type_of(vector), {vector, scalar}, type_bits(type_of(scalar)), lane);
  inst.operand_type = type_of(scalar);
  return append(inst);
}

Value Builder::vector(Op op, unsigned lane_bits, Value a, Value b) {
  return append(make(op, type_of(a), {a, b}, lane_bits));
}

Value Builder::fp_unary(Op op, Value a, uint64_t control) { return append(make(op, type_of(a), {a}, control)); }

Value Builder::fp_binary(Op op, Value a, Value b, uint64_t control) {
  return append(make(op, type_of(a), {a, b}, control));
}

Value Builder::fp_fma(Value a, Value b, Value c, uint64_t control) {
  return append(make(Op::kFMa, type_of(a), {a, b, c}, control));
}

Value Builder::fp_compare(Op op, Value a, Value b, uint64_t control) {
  Inst inst = make(op, Type::kI1, {a, b}, control);
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::fp_class(Value a) {
  Inst inst = make(Op::kFClass, Type::kI64, {a});
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::fp_convert(Op op, Type to, Value a, uint64_t control) {
  Inst inst = make(op, to, {a}, control);
  inst.operand_type = type_of(a);
  return append(inst);
}

Value Builder::fp_vector(Op op, unsigned lane_bits, std::initializer_list<Value> operands, uint64_t control) {
  return append(make(op, type_of(*operands.begin()), Args::of(operands), lane_bits, control));
}

Value Builder::load(Type type, Value address, uint64_t flags) {
  return append(make(Op::kLoad, type, {address}, flags));
}

void Builder::store(Value address, Value value, uint64_t flags) {
  Inst inst = make(Op::kStore, Type::kVoid, {address, value}, flags);
  inst.operand_type = type_of(value);
  append(inst);
}

Value Builder::load_reserved(Type type, Value address, uint64_t flags) {
  return append(make(Op::kLoadReserved, type, {address}, flags));
}

Value Builder::store_conditional(Value address, Value value, uint64_t flags) {
  Inst inst = make(Op::kStoreConditional, Type::kI64, {address, value}, flags);
  inst.operand_type = type_of(value);
  return append(inst);
}

Value Builder::atomic_rmw(RmwOp op, Value address, Value value, uint64_t flags) {
  return append(make(Op::kAtomicRmw, type_of(value), {address, value}, flags, static_cast<uint64_t>(op)));
}

Value Builder::cas(Value address, Value expected, Value value, uint64_t flags) {
  return append(make(Op::kCas, type_of(value), {address, expected, value}, flags));
}

void Builder::fence() { append(make(Op::kFence, Type::kVoid, {})); }

void Builder::fence_tso() { append(make(Op::kFenceTso, Type::kVoid, {})); }

Value Builder::call(uint32_t helper, Type result, std::initializer_list<Value> args) {
  return append(make(Op::kCall, result, Args::of(args), helper));
}

void Builder::exit_if(Value condition, uint64_t pc) { append(make(Op::kExitIf, Type::kVoid, {condition}, pc)); }
void Builder::jump(uint64_t pc) { append(make(Op::kJump, Type::kVoid, {}, pc)); }
void Builder::jump_indirect(Value pc) { append(make(Op::kJumpIndirect, Type::kVoid, {pc})); }

void Builder::branch(Value condition, uint64_t pc_true, uint64_t pc_false) {
  append(make(Op::kBranch, Type::kVoid, {condition}, pc_true, pc_false));
}

void Builder::exit(uint64_t pc) { append(make(Op::kExit, Type::kVoid, {}, pc)); }
void Builder::exit_indirect(Value pc) { append(make(Op::kExitIndirect, Type::kVoid, {pc})); }

}  // namespace lockstep::core::ir
