// SPDX-License-Identifier: Apache-2.0
#include "core/ir/fold.h"
#include "jit/singles.h"
#include "jit/translator.h"

namespace lockstep::jit {

using asmjit::x86::CondCode;
using core::ir::type_bits;

namespace {

bool is_register(const asmjit::Operand& operand, int reg) {
  return operand.isReg() && operand.id() == static_cast<uint32_t>(reg);
}

bool is_compare(core::ir::Op op) { return op >= core::ir::Op::kEq && op <= core::ir::Op::kGeS; }

CondCode condition_of(core::ir::Op op) {
  switch (op) {
    case core::ir::Op::kEq:
      return CondCode::kEqual;
    case core::ir::Op::kNe:
      return CondCode::kNotEqual;
    case core::ir::Op::kLtU:
      return CondCode::kUnsignedLT;
    case core::ir::Op::kLtS:
      return CondCode::kSignedLT;
    case core::ir::Op::kGeU:
      return CondCode::kUnsignedGE;
    default:
      return CondCode::kSignedGE;
  }
}

// The condition of the comparison with its operands the other way round.
CondCode swapped_condition_of(core::ir::Op op) {
  switch (op) {
    case core::ir::Op::kLtU:
      return CondCode::kUnsignedGT;
    case core::ir::Op::kLtS:
      return CondCode::kSignedGT;
    case core::ir::Op::kGeU:
      return CondCode::kUnsignedLE;
    case core::ir::Op::kGeS:
      return CondCode::kSignedLE;
    default:
      return condition_of(op);
  }
}

}  // namespace

bool Translator::emit_integer(const Inst& i) {
  if (fold_constants(i)) return true;
  if (is_compare(i.op)) return emit_compare_value(i);
  switch (i.op) {
    case Op::kAdd:
      return emit_add(i);
    case Op::kSub:
      return emit_sub(i);
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor:
      return emit_logic(i);
    case Op::kShl:
    case Op::kShr:
    case Op::kSar:
    case Op::kRotL:
    case Op::kRotR:
      return emit_shift(i);
    case Op::kMul:
    case Op::kMulHighU:
    case Op::kMulHighS:
    case Op::kMulHighSU:
      return emit_multiply(i);
    case Op::kDivU:
    case Op::kDivS:
    case Op::kRemU:
    case Op::kRemS:
      return emit_divide(i);
    case Op::kMinU:
    case Op::kMinS:
    case Op::kMaxU:
    case Op::kMaxS:
      return emit_min_max(i);
    case Op::kNot:
    case Op::kClz:
    case Op::kCtz:
    case Op::kPopcnt:
    case Op::kBswap:
      return emit_unary(i);
    case Op::kBitrev:
    case Op::kOrcB:
      return emit_fold(i);
    case Op::kSelect:
      return emit_select(i);
    case Op::kZext:
    case Op::kSext:
    case Op::kTrunc:
      return emit_extend(i);
    default:
      return false;
  }
}

bool Translator::fold_constants(const Inst& i) {
  std::array<uint64_t, 2> operands = {};
  if (i.operands == 0 || i.operands > operands.size()) return false;
  for (unsigned k = 0; k < i.operands; ++k) {
    if (!is_const(i.args[k])) return false;
    operands[k] = imm(i.args[k]);
  }
  const auto value = core::ir::fold(i.op, i.type, inst(i.args[0]).type, std::span(operands).first(i.operands));
  if (!value) return false;
  for (unsigned k = 0; k < i.operands; ++k) consume(i.args[k]);
  define_const(*value);
  return true;
}

// The second operand of a commutative operation is where the result is wanted.
bool Translator::wants_swap(Value left, Value right) const {
  const int home = places_[index_].home;
  return home != kNone && places_[resolve(right)].reg == home && places_[resolve(left)].reg != home;
}

// The sum with a value that is shifted on the way.
bool Translator::emit_scaled_add(const Inst& i, Value times, Value other) {
  places_[index_].lazy = false;
  const Inst& shift = inst(times);
  const auto count = static_cast<uint32_t>(imm(shift.args[1]));
  const int a = use(shift.args[0]);
  const int b = is_const(other) && fits32(imm(other)) ? kNone : use(other);
  consume(shift.args[0]);
  consume(shift.args[1]);
  for (unsigned k = 0; k < 2; ++k) consume(i.args[k]);
  const int d = define(b != kNone && is_idle(b) ? b : a);
  a_.lea(gp(d), b == kNone ? asmjit::x86::ptr(Gp(), gp(a), count, static_cast<int32_t>(imm(other)))
                           : asmjit::x86::ptr(gp(b), gp(a), count));
  return true;
}

bool Translator::emit_add(const Inst& i) {
  Value left = i.args[0], right = i.args[1];
  for (unsigned k = 0; k < 2; ++k) {
    const Value times = i.args[k];
    if (inst(times).op == Op::kShl && places_[times].lazy) return emit_scaled_add(i, times, i.args[1 - k]);
  }
  if (is_const(left)) std::swap(left, right);
  // A sum with a constant that only addresses one access is folded into it.
  if (i.type == Type::kI64 && is_const(right) && fits32(imm(right)) && fits32(imm(right) + 8) && places_[index_].lazy) {
    return true;
  }
  places_[index_].lazy = false;
  if (!is_const(right) && wants_swap(left, right)) std::swap(left, right);
  const int a = use(left);
  if (is_const(right) && fits32(static_cast<uint64_t>(core::ir::sign_extend(i.type, imm(right))))) {
    const auto value = static_cast<int32_t>(core::ir::sign_extend(i.type, imm(right)));
    consume(left);
    consume(right);
    const int d = define(a);
    if (d == a) {
      a_.add(sized(d, i.type), value);
    } else {
      a_.lea(sized(d, i.type), asmjit::x86::ptr(gp(a), value));
    }
    return true;
  }
  const asmjit::Operand b = use_operand(right, i.type);
  consume(left);
  consume(right);
  const int d = define(a);
  if (d == a || !b.isReg()) {
    if (d != a) a_.mov(sized(d, i.type), sized(a, i.type));
    a_.arithmetic(asmjit::x86::Inst::kIdAdd, sized(d, i.type), b);
  } else {
    a_.lea(sized(d, i.type), asmjit::x86::ptr(gp(a), b.as<Gp>().r64()));
  }
  return true;
}

bool Translator::emit_sub(const Inst& i) {
  if (is_const(i.args[1]) && fits32(0 - static_cast<uint64_t>(core::ir::sign_extend(i.type, imm(i.args[1]))))) {
    const auto value = static_cast<int32_t>(0 - core::ir::sign_extend(i.type, imm(i.args[1])));
    const int a = use(i.args[0]);
    consume(i.args[0]);
    consume(i.args[1]);
    const int d = define(a);
    a_.lea(sized(d, i.type), asmjit::x86::ptr(gp(a), value));
    return true;
  }
  const int a = use(i.args[0]);
  const asmjit::Operand b = use_operand(i.args[1], i.type);
  consume(i.args[0]);
  consume(i.args[1]);
  const int d = is_register(b, a) ? define() : define(a);
  if (d != a) a_.mov(sized(d, i.type), sized(a, i.type));
  a_.arithmetic(asmjit::x86::Inst::kIdSub, sized(d, i.type), b);
  return true;
}

bool Translator::emit_logic(const Inst& i) {
  if (places_[i.args[0]].lazy && boxed_single(block_->insts, i) != core::ir::kNoValue) return emit_box(i);
  Value left = i.args[0], right = i.args[1];
  if (is_const(left)) std::swap(left, right);
  if (!is_const(right) && wants_swap(left, right)) std::swap(left, right);
  const auto id = i.op == Op::kAnd  ? asmjit::x86::Inst::kIdAnd
                  : i.op == Op::kOr ? asmjit::x86::Inst::kIdOr
                                    : asmjit::x86::Inst::kIdXor;
  const auto apply = [&](int d, const asmjit::Operand& operand) { a_.arithmetic(id, sized(d, i.type), operand); };
  const bool constant = is_const(right) && fits32(static_cast<uint64_t>(core::ir::sign_extend(i.type, imm(right))));
  if (i.type == Type::kI64 && is_narrow(left) && (constant || is_narrow(right))) {
    // What the halves give is the half of the whole.
    const int narrow = use_narrow(left);
    const asmjit::Operand other = constant ? asmjit::Operand(asmjit::imm(static_cast<int32_t>(imm(right))))
                                           : asmjit::Operand(gp32(use_narrow(right)));
    consume(left);
    consume(right);
    const int d = define(narrow);
    if (d != narrow) a_.mov(gp32(d), gp32(narrow));
    a_.arithmetic(id, gp32(d), other);
    registers_[static_cast<size_t>(d)].narrow = true;
    return true;
  }
  const int a = use(left);
  if (constant) {
    const auto value = static_cast<int32_t>(core::ir::sign_extend(i.type, imm(right)));
    consume(left);
    consume(right);
    const int d = define(a);
    if (d != a) a_.mov(sized(d, i.type), sized(a, i.type));
    apply(d, asmjit::imm(value));
    return true;
  }
  const asmjit::Operand b = use_operand(right, i.type);
  consume(left);
  consume(right);
  const int d = define(a);
  if (d != a) a_.mov(sized(d, i.type), sized(a, i.type));
  apply(d, b);
  return true;
}

bool Translator::emit_shift(const Inst& i) {
  const unsigned bits = type_bits(i.type);
  if (bits < 32) return false;
  if (places_[index_].lazy) return true;  // becomes a part of a sum
  const int a = use(i.args[0]);
  if (is_const(i.args[1])) {
    const auto count = static_cast<unsigned>(imm(i.args[1]) % bits);
    consume(i.args[0]);
    consume(i.args[1]);
    const int d = define(a);
    const Gp reg = sized(d, i.type);
    if (i.op == Op::kShl && count >= 1 && count <= 3 && d != a) {
      a_.lea(reg, asmjit::x86::ptr(asmjit::x86::Gp(), gp(a), count, 0));
      return true;
    }
    if (i.op == Op::kRotL || i.op == Op::kRotR) {
      const unsigned right = i.op == Op::kRotR ? count : (bits - count) % bits;
      if (input_.host.bmi2) {
        a_.rorx(reg, sized(a, i.type), right);
      } else {
        if (d != a) a_.mov(reg, sized(a, i.type));
        a_.ror(reg, right);
      }
      return true;
    }
    if (d != a) a_.mov(reg, sized(a, i.type));
    if (i.op == Op::kShl) {
      a_.shl(reg, count);
    } else if (i.op == Op::kShr) {
      a_.shr(reg, count);
    } else {
      a_.sar(reg, count);
    }
    return true;
  }
  if (!input_.host.bmi2) return emit_shift_by_cl(i);
  if (i.op == Op::kRotL || i.op == Op::kRotR) {
    // Two shifts: their counts are modulo the width, as the host's are.
    const int b = use(i.args[1]);
    const int t = temporary();
    consume(i.args[0]);
    consume(i.args[1]);
    const int d = define();
    const Gp reg = sized(d, i.type), temp = sized(t, i.type), from = sized(a, i.type), count = sized(b, i.type);
    a_.mov(temp, count);
    a_.neg(temp);
    if (i.op == Op::kRotL) {
      a_.shrx(temp, from, temp);
      a_.shlx(reg, from, count);
    } else {
      a_.shlx(temp, from, temp);
      a_.shrx(reg, from, count);
    }
    a_.or_(reg, temp);
    return true;
  }
  const int b = use(i.args[1]);
  consume(i.args[0]);
  consume(i.args[1]);
  const int d = define(a);
  const Gp reg = sized(d, i.type), from = sized(a, i.type), count = sized(b, i.type);
  if (i.op == Op::kShl) {
    a_.shlx(reg, from, count);
  } else if (i.op == Op::kShr) {
    a_.shrx(reg, from, count);
  } else {
    a_.sarx(reg, from, count);
  }
  return true;
}

// The count is in CL, whose register keeps what it has.
bool Translator::emit_shift_by_cl(const Inst& i) {
  constexpr int kCl = 1;
  const int a = use(i.args[0]);
  const int b = use(i.args[1]);
  lock(kCl);
  consume(i.args[0]);
  consume(i.args[1]);
  const int d = define();
  const Gp reg = sized(d, i.type);
  a_.mov(reg, sized(a, i.type));
  if (b != kCl) {
    a_.mov(frame(offsetof(Frame, operand)), asmjit::x86::rcx);
    a_.mov(asmjit::x86::ecx, gp32(b));
  }
  const auto id = i.op == Op::kShl    ? asmjit::x86::Inst::kIdShl
                  : i.op == Op::kShr  ? asmjit::x86::Inst::kIdShr
                  : i.op == Op::kSar  ? asmjit::x86::Inst::kIdSar
                  : i.op == Op::kRotL ? asmjit::x86::Inst::kIdRol
                                      : asmjit::x86::Inst::kIdRor;
  a_.emit(id, reg, asmjit::x86::cl);
  if (b != kCl) a_.mov(asmjit::x86::rcx, frame(offsetof(Frame, operand)));
  return true;
}

// Leading or trailing zeros; the host's scans leave nothing for zero.
bool Translator::emit_bit_scan(const Inst& i) {
  const unsigned bits = type_bits(i.type);
  const int a = use(i.args[0]);
  const int t = temporary();
  consume(i.args[0]);
  const int d = define();
  const Gp to = sized(d, i.type), from = sized(a, i.type), none = sized(t, i.type);
  if (i.op == Op::kCtz) {
    a_.mov(none, bits);
    a_.bsf(to, from);
    a_.cmovz(to, none);
  } else {
    a_.mov(none, 2 * bits - 1);
    a_.bsr(to, from);
    a_.cmovz(to, none);
    a_.xor_(to, bits - 1);
  }
  return true;
}

// Wide products and quotients are made in RAX and RDX: both are emptied, the first operand goes to RAX and the second
// to the register answered. `a` and `b` are where they were.
int Translator::take_wide_operands(const Inst& i, int a, int b) {
  for (int reg : {0, 2}) {
    evict(reg);
    lock(reg);
  }
  const int x = temporary();
  const auto fetch = [&](int to, Value v, int reg) {
    const Place& place = places_[resolve(v)];
    if (reg != 0 && reg != 2) {
      a_.mov(gp(to), gp(reg));
    } else if (place.constant) {
      move_const(to, place.imm);
    } else if (place.reg >= kFirstXmm) {
      a_.vmovq(gp(to), vec(place.reg));
    } else if (place.in_state) {
      a_.mov(gp(to), state(8 * place.word));
    } else {
      a_.mov(gp(to), frame(offsetof(Frame, spill) + 8 * static_cast<size_t>(place.spill)));
    }
  };
  fetch(x, i.args[1], b);
  fetch(0, i.args[0], a);
  return x;
}

bool Translator::emit_multiply(const Inst& i) {
  if (type_bits(i.type) < 32) return false;
  if (i.op == Op::kMul) {
    const int a = use(i.args[0]);
    const asmjit::Operand b = use_operand(i.args[1], i.type);
    consume(i.args[0]);
    consume(i.args[1]);
    const int d = is_register(b, a) ? define() : define(a);
    if (d != a) a_.mov(sized(d, i.type), sized(a, i.type));
    a_.emit(asmjit::x86::Inst::kIdImul, sized(d, i.type), b);
    return true;
  }
  if (i.type != Type::kI64) return false;
  const int a = use(i.args[0]);
  const int b = use(i.args[1]);
  const int x = take_wide_operands(i, a, b);
  consume(i.args[0]);
  consume(i.args[1]);
  const int d = define();
  if (i.op == Op::kMulHighU) {
    a_.mul(gp(x));
    a_.mov(gp(d), gp(2));
  } else if (i.op == Op::kMulHighS) {
    a_.imul(gp(x));
    a_.mov(gp(d), gp(2));
  } else {
    // Signed times unsigned: the unsigned product less the second factor where the first is negative.
    a_.mov(gp(d), gp(0));
    a_.sar(gp(d), 63);
    a_.and_(gp(d), gp(x));
    a_.mul(gp(x));
    a_.sub(gp(2), gp(d));
    a_.mov(gp(d), gp(2));
  }
  return true;
}

bool Translator::emit_divide(const Inst& i) {
  if (type_bits(i.type) < 32) return false;
  const bool is_signed = i.op == Op::kDivS || i.op == Op::kRemS;
  const bool wants_rest = i.op == Op::kRemU || i.op == Op::kRemS;
  const int a = use(i.args[0]);
  const int b = use(i.args[1]);
  const int x = take_wide_operands(i, a, b);
  consume(i.args[0]);
  consume(i.args[1]);
  const int d = define();
  const Gp rax = sized(0, i.type), rdx = sized(2, i.type), divisor = sized(x, i.type), out = sized(d, i.type);
  const HostAssembler::Label by_zero = a_.new_label(), by_minus_one = a_.new_label(), done = a_.new_label();
  a_.test(divisor, divisor);
  a_.jz(by_zero);
  if (is_signed) {
    a_.cmp(divisor, -1);
    a_.je(by_minus_one);
    if (i.type == Type::kI64) {
      a_.cqo();
    } else {
      a_.cdq();
    }
    a_.idiv(divisor);
  } else {
    a_.xor_(asmjit::x86::edx, asmjit::x86::edx);
    a_.div(divisor);
  }
  a_.mov(out, wants_rest ? rdx : rax);
  a_.jmp(done);
  a_.bind(by_zero);
  if (wants_rest) {
    a_.mov(out, rax);
  } else {
    a_.mov(out, -1);
  }
  if (is_signed) {
    a_.jmp(done);
    a_.bind(by_minus_one);
    if (wants_rest) {
      a_.xor_(gp32(d), gp32(d));
    } else {
      a_.mov(out, rax);
      a_.neg(out);
    }
  }
  a_.bind(done);
  return true;
}

bool Translator::emit_unary(const Inst& i) {
  const unsigned bits = type_bits(i.type);
  if (bits < 32 && i.op != Op::kNot) return false;
  if ((i.op == Op::kClz && !input_.host.lzcnt) || (i.op == Op::kCtz && !input_.host.bmi1)) return emit_bit_scan(i);
  if (i.op == Op::kPopcnt && !input_.host.popcnt) return emit_fold(i);
  const int a = use(i.args[0]);
  consume(i.args[0]);
  const int d = define(a);
  const Gp to = sized(d, i.type), from = sized(a, i.type);
  switch (i.op) {
    case Op::kClz:
      a_.lzcnt(to, from);
      return true;
    case Op::kCtz:
      a_.tzcnt(to, from);
      return true;
    case Op::kPopcnt:
      a_.popcnt(to, from);
      return true;
    default:
      if (d != a) a_.mov(to, from);
      if (i.op == Op::kNot) {
        a_.not_(to);
      } else {
        a_.bswap(to);
      }
      return true;
  }
}

bool Translator::emit_min_max(const Inst& i) {
  if (type_bits(i.type) < 32) return false;
  const int a = use(i.args[0]);
  const int b = use(i.args[1]);
  consume(i.args[0]);
  consume(i.args[1]);
  const int d = a == b ? define() : define(a);
  const Gp to = sized(d, i.type), left = sized(a, i.type), right = sized(b, i.type);
  if (d != a) a_.mov(to, left);
  a_.cmp(to, right);
  switch (i.op) {
    case Op::kMinU:
      a_.cmova(to, right);
      break;
    case Op::kMinS:
      a_.cmovg(to, right);
      break;
    case Op::kMaxU:
      a_.cmovb(to, right);
      break;
    default:
      a_.cmovl(to, right);
  }
  return true;
}

bool Translator::emit_fold(const Inst& i) {
  const int a = use(i.args[0]);
  consume(i.args[0]);
  a_.mov(frame(offsetof(Frame, operand)), gp(a));
  describe(static_cast<uint32_t>(i.op) | static_cast<uint32_t>(i.type) << 8);
  call(input_.thunks.fold);
  const int d = define();
  a_.mov(gp(d), frame(offsetof(Frame, operand)));
  return true;
}

bool Translator::emit_select(const Inst& i) {
  if (places_[i.args[0]].lazy && unboxed_from(block_->insts, i) != core::ir::kNoValue) return emit_unbox(i);
  // Operands first: making them may spoil the flags.
  const int then_reg = use(i.args[1]);
  const int else_reg = use(i.args[2]);
  const int d = define();
  a_.mov(gp(d), gp(else_reg));
  const CondCode condition = test_condition(i.args[0]);
  a_.emit(asmjit::x86::Inst::cmovccFromCond(condition), gp(d), gp(then_reg));
  consume(i.args[1]);
  consume(i.args[2]);
  return true;
}

bool Translator::emit_extend(const Inst& i) {
  const Type from = inst(i.args[0]).type;
  const Value source = resolve(i.args[0]);
  if (i.op == Op::kTrunc || places_[i.args[0]].wide_load) {
    define_alias(i.args[0]);
    consume(i.args[0]);
    return true;
  }
  if (makes_word(index_) && inst(source).type == Type::kI32 && places_[source].reg != kNone &&
      places_[source].reg < kFirstXmm) {
    // Most users want the low half only.
    registers_[static_cast<size_t>(places_[source].reg)].narrow = true;
    define_alias(i.args[0]);
    consume(i.args[0]);
    return true;
  }
  if (places_[index_].lazy) return true;  // becomes a box
  const bool lazy_compare = places_[source].lazy;
  if (lazy_compare) {
    const int d = define();
    const CondCode condition = test_condition(i.args[0]);
    a_.emit(asmjit::x86::Inst::setccFromCond(condition), gp(d).r8());
    a_.movzx(gp32(d), gp(d).r8());
    if (i.op == Op::kSext) a_.neg(gp(d));
    return true;
  }
  const int a = use(i.args[0]);
  consume(i.args[0]);
  const int d = define(a);
  switch (from) {
    case Type::kI1:
      if (d != a) a_.mov(gp32(d), gp32(a));
      a_.and_(gp32(d), 1);
      if (i.op == Op::kSext) a_.neg(gp(d));
      return true;
    case Type::kI8:
      if (i.op == Op::kZext) {
        a_.movzx(gp32(d), gp(a).r8());
      } else {
        a_.movsx(gp(d), gp(a).r8());
      }
      return true;
    case Type::kI16:
      if (i.op == Op::kZext) {
        a_.movzx(gp32(d), gp(a).r16());
      } else {
        a_.movsx(gp(d), gp(a).r16());
      }
      return true;
    default:
      if (i.op == Op::kZext) {
        a_.mov(gp32(d), gp32(a));
      } else {
        a_.movsxd(gp(d), gp32(a));
      }
      return true;
  }
}

// A comparison that is used once is made where it is used, as flags.
bool Translator::emit_compare_value(const Inst& i) {
  if (type_bits(inst(i.args[0]).type) < 32) return false;
  if (places_[index_].lazy) return true;
  const int d = define();
  places_[index_].lazy = true;
  ++places_[index_].uses;
  const CondCode condition = test_condition(index_);
  places_[index_].lazy = false;
  a_.emit(asmjit::x86::Inst::setccFromCond(condition), gp(d).r8());
  a_.movzx(gp32(d), gp(d).r8());
  return true;
}

CondCode Translator::test_condition(Value v) {
  const Value r = resolve(v);
  if (!places_[r].lazy) {
    const int reg = use(v);
    consume(v);
    a_.test(gp(reg).r8(), 1);
    return CondCode::kNotZero;
  }
  const Inst& compare = inst(r);
  Type type = inst(compare.args[0]).type;
  Value left = compare.args[0], right = compare.args[1];
  // Only the second operand can be a constant.
  const bool swap = is_const(left) && !is_const(right);
  if (swap) std::swap(left, right);
  // Sign extension keeps the order, signed and unsigned.
  const bool both_narrow =
      type == Type::kI64 && is_narrow(left) && (is_const(right) ? fits32(imm(right)) : is_narrow(right));
  if (both_narrow) type = Type::kI32;
  const int a = both_narrow ? use_narrow(left) : use(left);
  if (is_const(right) && fits32(static_cast<uint64_t>(core::ir::sign_extend(type, imm(right))))) {
    const auto value = static_cast<int32_t>(core::ir::sign_extend(type, imm(right)));
    if (value == 0 && (compare.op == Op::kEq || compare.op == Op::kNe)) {
      a_.test(sized(a, type), sized(a, type));
    } else {
      a_.cmp(sized(a, type), value);
    }
  } else {
    const int b = both_narrow ? use_narrow(right) : use(right);
    a_.cmp(sized(a, type), sized(b, type));
  }
  consume(left);
  consume(right);
  consume(v);
  return swap ? swapped_condition_of(compare.op) : condition_of(compare.op);
}

}  // namespace lockstep::jit
