// SPDX-License-Identifier: Apache-2.0
#include "jit/minimal_runtime.h"
#include "jit/minimal_translator.h"

namespace lockstep::jit {

namespace x86 = asmjit::x86;
namespace ir = core::ir;

bool MinimalTranslator::emit_integer(const Inst& inst) {
  const Value left = inst.args[0];
  const Value right = inst.args[1];
  switch (inst.op) {
    case Op::kAdd:
      load(x86::rax, left);
      load(x86::rcx, right);
      a_.add(x86::rax, x86::rcx);
      break;
    case Op::kSub:
      load(x86::rax, left);
      load(x86::rcx, right);
      a_.sub(x86::rax, x86::rcx);
      break;
    case Op::kMul:
      load(x86::rax, left);
      load(x86::rcx, right);
      a_.imul(x86::rax, x86::rcx);
      break;
    case Op::kAnd:
      load(x86::rax, left);
      load(x86::rcx, right);
      a_.and_(x86::rax, x86::rcx);
      break;
    case Op::kOr:
      load(x86::rax, left);
      load(x86::rcx, right);
      a_.or_(x86::rax, x86::rcx);
      break;
    case Op::kXor:
      load(x86::rax, left);
      load(x86::rcx, right);
      a_.xor_(x86::rax, x86::rcx);
      break;
    case Op::kNot:
      load(x86::rax, left);
      a_.not_(x86::rax);
      break;
    case Op::kMulHighU:
    case Op::kMulHighS:
    case Op::kMulHighSU:
      emit_multiply_high(inst);
      break;
    case Op::kDivU:
    case Op::kDivS:
    case Op::kRemU:
    case Op::kRemS:
      emit_divide(inst);
      break;
    case Op::kDivWideU:
    case Op::kRemWideU:
      emit_divide_wide(inst);
      break;
    case Op::kShl:
    case Op::kShr:
    case Op::kSar:
    case Op::kRotL:
    case Op::kRotR:
      emit_shift(inst);
      break;
    case Op::kMinU:
    case Op::kMinS:
    case Op::kMaxU:
    case Op::kMaxS:
      emit_min_max(inst);
      break;
    case Op::kClz:
    case Op::kCtz:
      emit_bit_scan(inst);
      break;
    case Op::kPopcnt:
      load(x86::rax, left);
      a_.popcnt(x86::rax, x86::rax);
      break;
    case Op::kBswap:
      load(x86::rax, left);
      a_.bswap(x86::rax);
      a_.shr(x86::rax, 64 - ir::type_bits(inst.type));
      break;
    case Op::kBitrev:
      load(x86::rdi, left);
      call(&runtime::reverse_bits);
      a_.shr(x86::rax, 64 - ir::type_bits(inst.type));
      break;
    case Op::kOrcB:
      load(x86::rdi, left);
      call(&runtime::or_combine_bytes);
      break;
    default:
      return false;
  }
  finish(x86::rax);
  return true;
}

void MinimalTranslator::emit_multiply_high(const Inst& inst) {
  const bool left_signed = inst.op != Op::kMulHighU;
  const bool right_signed = inst.op == Op::kMulHighS;
  left_signed ? load_signed(x86::rax, inst.args[0]) : load(x86::rax, inst.args[0]);
  right_signed ? load_signed(x86::rcx, inst.args[1]) : load(x86::rcx, inst.args[1]);
  const unsigned bits = ir::type_bits(inst.type);
  if (bits < 64) {
    a_.imul(x86::rax, x86::rcx);
    a_.shr(x86::rax, bits);
    return;
  }
  if (inst.op == Op::kMulHighS) {
    a_.imul(x86::rcx);
    a_.mov(x86::rax, x86::rdx);
    return;
  }
  // A negative left operand counts 2^64 too much as an unsigned one: the right operand too much in the upper half.
  a_.mov(x86::rsi, x86::rax);
  a_.sar(x86::rsi, 63);
  a_.and_(x86::rsi, x86::rcx);
  a_.mul(x86::rcx);
  a_.mov(x86::rax, x86::rdx);
  if (inst.op == Op::kMulHighSU) a_.sub(x86::rax, x86::rsi);
}

void MinimalTranslator::emit_divide(const Inst& inst) {
  const bool is_signed = inst.op == Op::kDivS || inst.op == Op::kRemS;
  const bool remainder = inst.op == Op::kRemU || inst.op == Op::kRemS;
  is_signed ? load_signed(x86::rax, inst.args[0]) : load(x86::rax, inst.args[0]);
  is_signed ? load_signed(x86::rcx, inst.args[1]) : load(x86::rcx, inst.args[1]);
  const asmjit::Label by_zero = a_.newLabel();
  const asmjit::Label by_minus_one = a_.newLabel();
  const asmjit::Label done = a_.newLabel();
  a_.test(x86::rcx, x86::rcx);
  a_.jz(by_zero);
  if (is_signed) {
    // The host traps on the most negative number divided by -1.
    a_.cmp(x86::rcx, -1);
    a_.je(by_minus_one);
    a_.cqo();
    a_.idiv(x86::rcx);
  } else {
    a_.xor_(x86::edx, x86::edx);
    a_.div(x86::rcx);
  }
  if (remainder) a_.mov(x86::rax, x86::rdx);
  a_.jmp(done);
  a_.bind(by_minus_one);
  if (remainder) {
    a_.xor_(x86::eax, x86::eax);
  } else {
    a_.neg(x86::rax);
  }
  a_.jmp(done);
  a_.bind(by_zero);
  if (!remainder) a_.mov(x86::rax, -1);
  a_.bind(done);
}

void MinimalTranslator::emit_divide_wide(const Inst& inst) {
  const asmjit::Label overflow = a_.newLabel();
  const asmjit::Label done = a_.newLabel();
  load(x86::rdx, inst.args[0]);
  load(x86::rax, inst.args[1]);
  load(x86::rcx, inst.args[2]);
  // The host traps where the quotient does not fit; a divisor of zero is one such case.
  a_.cmp(x86::rdx, x86::rcx);
  a_.jae(overflow);
  a_.div(x86::rcx);
  if (inst.op == Op::kRemWideU) a_.mov(x86::rax, x86::rdx);
  a_.jmp(done);
  a_.bind(overflow);
  if (inst.op == Op::kDivWideU) a_.mov(x86::rax, -1);
  a_.bind(done);
}

void MinimalTranslator::emit_shift(const Inst& inst) {
  inst.op == Op::kSar ? load_signed(x86::rax, inst.args[0]) : load(x86::rax, inst.args[0]);
  load(x86::rcx, inst.args[1]);
  a_.and_(x86::ecx, ir::type_bits(inst.type) - 1);
  switch (inst.op) {
    case Op::kShl:
      a_.shl(x86::rax, x86::cl);
      break;
    case Op::kShr:
      a_.shr(x86::rax, x86::cl);
      break;
    case Op::kSar:
      a_.sar(x86::rax, x86::cl);
      break;
    case Op::kRotL:
      a_.rol(sized(x86::rax, inst.type), x86::cl);
      break;
    default:
      a_.ror(sized(x86::rax, inst.type), x86::cl);
      break;
  }
}

void MinimalTranslator::emit_min_max(const Inst& inst) {
  const bool is_signed = inst.op == Op::kMinS || inst.op == Op::kMaxS;
  is_signed ? load_signed(x86::rax, inst.args[0]) : load(x86::rax, inst.args[0]);
  is_signed ? load_signed(x86::rcx, inst.args[1]) : load(x86::rcx, inst.args[1]);
  a_.cmp(x86::rcx, x86::rax);
  switch (inst.op) {
    case Op::kMinU:
      a_.cmovb(x86::rax, x86::rcx);
      break;
    case Op::kMinS:
      a_.cmovl(x86::rax, x86::rcx);
      break;
    case Op::kMaxU:
      a_.cmova(x86::rax, x86::rcx);
      break;
    default:
      a_.cmovg(x86::rax, x86::rcx);
      break;
  }
}

void MinimalTranslator::emit_bit_scan(const Inst& inst) {
  const unsigned bits = ir::type_bits(inst.type);
  load(x86::rcx, inst.args[0]);
  const asmjit::Label done = a_.newLabel();
  a_.mov(x86::eax, bits);
  a_.test(x86::rcx, x86::rcx);
  a_.jz(done);
  if (inst.op == Op::kCtz) {
    a_.bsf(x86::rax, x86::rcx);
  } else {
    a_.bsr(x86::rcx, x86::rcx);
    a_.mov(x86::eax, bits - 1);
    a_.sub(x86::rax, x86::rcx);
  }
  a_.bind(done);
}

void MinimalTranslator::emit_compare(const Inst& inst) {
  const bool is_signed = inst.op == Op::kLtS || inst.op == Op::kGeS;
  is_signed ? load_signed(x86::rax, inst.args[0]) : load(x86::rax, inst.args[0]);
  is_signed ? load_signed(x86::rcx, inst.args[1]) : load(x86::rcx, inst.args[1]);
  a_.cmp(x86::rax, x86::rcx);
  switch (inst.op) {
    case Op::kEq:
      a_.sete(x86::al);
      break;
    case Op::kNe:
      a_.setne(x86::al);
      break;
    case Op::kLtU:
      a_.setb(x86::al);
      break;
    case Op::kLtS:
      a_.setl(x86::al);
      break;
    case Op::kGeU:
      a_.setae(x86::al);
      break;
    default:
      a_.setge(x86::al);
      break;
  }
  a_.movzx(x86::eax, x86::al);
  finish(x86::rax);
}

void MinimalTranslator::emit_convert(const Inst& inst) {
  if (inst.op == Op::kTrunc) {
    load(x86::rax, inst.args[0]);
  } else if (inst.op == Op::kZext) {
    load(x86::rax, inst.args[0]);
    a_.xor_(x86::ecx, x86::ecx);
  } else {
    load_signed(x86::rax, inst.args[0]);
    a_.mov(x86::rcx, x86::rax);
    a_.sar(x86::rcx, 63);
  }
  finish(x86::rax);
  if (ir::is_wide(inst.type)) a_.mov(result(8), x86::rcx);
}

void MinimalTranslator::emit_carry(const Inst& inst) {
  if (inst.op == Op::kParity) {
    load(x86::rax, inst.args[0]);
    a_.test(x86::al, x86::al);
    a_.setp(x86::al);
    a_.movzx(x86::eax, x86::al);
    finish(x86::rax);
    return;
  }
  const Type type = type_of(inst.args[0]);
  load(x86::rax, inst.args[0]);
  load(x86::rcx, inst.args[1]);
  load(x86::rdx, inst.args[2]);
  a_.neg(x86::dl);  // sets the host's carry flag when the carry is 1
  const bool subtract = inst.op == Op::kSbb || inst.op == Op::kSubBorrow || inst.op == Op::kSubOverflow;
  if (subtract) {
    a_.sbb(sized(x86::rax, type), sized(x86::rcx, type));
  } else {
    a_.adc(sized(x86::rax, type), sized(x86::rcx, type));
  }
  if (inst.op == Op::kAddCarry || inst.op == Op::kSubBorrow) {
    a_.setc(x86::al);
    a_.movzx(x86::eax, x86::al);
  } else if (inst.op == Op::kAddOverflow || inst.op == Op::kSubOverflow) {
    a_.seto(x86::al);
    a_.movzx(x86::eax, x86::al);
  }
  finish(x86::rax);
}

}  // namespace lockstep::jit
