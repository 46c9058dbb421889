// SPDX-License-Identifier: Apache-2.0
#include "jit/minimal_emitter.h"

#include <asmjit/x86.h>
#include <fmt/format.h>

#include <cassert>
#include <cstddef>
#include <functional>
#include <vector>

#include "jit/minimal_runtime.h"

namespace lockstep::jit {

namespace x86 = asmjit::x86;
namespace ir = core::ir;
using core::Error;
using core::Result;
using core::StateHeader;
using ir::Inst;
using ir::Op;
using ir::Type;
using ir::Value;

namespace {

constexpr unsigned kSlotBytes = 32;
// A slot's displacement must fit 31 bits by far; blocks have a few hundred operations.
constexpr size_t kMaxInsts = 1u << 16;

using BlockFunction = uint32_t (*)(StateHeader* state, uint8_t* slots, core::Hart* hart, core::MemoryAccess* memory);

// Keeps the first thing that the assembler could not do.
class FirstError : public asmjit::ErrorHandler {
 public:
  void handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) override {
    if (text_.empty()) text_ = message;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Translator {
 public:
  Translator(const ir::Block& block, std::span<const core::HelperDescriptor> helpers, asmjit::CodeHolder& code)
      : block_(block), helpers_(helpers), a_(&code), trap_(a_.newLabel()), leave_(a_.newLabel()) {}

  // False when the current operation has no host code; index() then says which.
  bool run();
  size_t index() const { return index_; }

 private:
  const x86::Gp state_ = x86::rbx;
  const x86::Gp slots_ = x86::rbp;
  const x86::Gp hart_ = x86::r12;
  const x86::Gp memory_ = x86::r13;

  Type type_of(Value value) const { return block_.insts[value].type; }
  x86::Mem slot(Value value, int offset = 0) const {
    return x86::ptr(slots_, static_cast<int32_t>(value * kSlotBytes) + offset);
  }
  x86::Mem result(int offset = 0) const { return slot(static_cast<Value>(index_), offset); }
  x86::Mem state_at(uint64_t offset) const { return x86::ptr(state_, static_cast<int32_t>(offset)); }

  void load(const x86::Gp& reg, const x86::Mem& from, Type type);         // zero-extended to 64 bits
  void load_signed(const x86::Gp& reg, const x86::Mem& from, Type type);  // sign-extended
  void load(const x86::Gp& reg, Value value) { load(reg, slot(value), type_of(value)); }
  void load_signed(const x86::Gp& reg, Value value) { load_signed(reg, slot(value), type_of(value)); }
  void store_narrow(const x86::Mem& to, const x86::Gp& reg, unsigned bytes);
  void finish(const x86::Gp& reg) { a_.mov(result(), reg.r64()); }
  void copy(const x86::Mem& to, const x86::Mem& from, unsigned bytes);
  void call(const void* function);
  template <typename Function>
  void call(Function* function) {
    call(reinterpret_cast<const void*>(function));
  }
  void leave(BlockEnd end);
  void set_pc(uint64_t pc);
  static x86::Gp sized(const x86::Gp& reg, Type type);

  bool emit(const Inst& inst);
  bool emit_insn(const Inst& inst);
  bool emit_integer(const Inst& inst);
  void emit_multiply_high(const Inst& inst);
  void emit_divide(const Inst& inst);
  void emit_shift(const Inst& inst);
  void emit_min_max(const Inst& inst);
  void emit_bit_scan(const Inst& inst);
  void emit_compare(const Inst& inst);
  bool emit_convert(const Inst& inst);
  void emit_carry(const Inst& inst);
  void emit_select(const Inst& inst);
  bool emit_vector(const Inst& inst);
  bool emit_vector_arithmetic(const Inst& inst);
  void emit_fp(const Inst& inst);
  void emit_fp_lanes(const Inst& inst);
  bool emit_memory(const Inst& inst);
  bool emit_call(const Inst& inst);
  bool emit_end(const Inst& inst);

  const ir::Block& block_;
  std::span<const core::HelperDescriptor> helpers_;
  x86::Assembler a_;
  asmjit::Label trap_;
  asmjit::Label leave_;
  size_t index_ = 0;
  unsigned begun_ = 0;
};

constexpr uint64_t kPcAt = 0;
constexpr uint64_t kBudgetAt = 8;
constexpr uint64_t kUnbegunAt = 24;
constexpr uint64_t kTrappedAt = 36;

// StateHeader is standard layout, so that its offsets are what generated code may rely on.
static_assert(offsetof(StateHeader, pc) == kPcAt && offsetof(StateHeader, budget) == kBudgetAt &&
              offsetof(StateHeader, unbegun) == kUnbegunAt && offsetof(StateHeader, trapped) == kTrappedAt);

bool Translator::run() {
  for (const x86::Gp& reg : {x86::rbx, x86::rbp, x86::r12, x86::r13}) a_.push(reg);
  a_.sub(x86::rsp, 8);  // calls want the stack aligned to 16 bytes
  a_.mov(state_, x86::rdi);
  a_.mov(slots_, x86::rsi);
  a_.mov(hart_, x86::rdx);
  a_.mov(memory_, x86::rcx);
  a_.sub(x86::qword_ptr(state_, kBudgetAt), static_cast<int32_t>(block_.guest_instructions));
  for (index_ = 0; index_ < block_.insts.size(); ++index_) {
    if (!emit(block_.insts[index_])) return false;
  }
  a_.bind(trap_);
  a_.mov(x86::eax, static_cast<uint32_t>(BlockEnd::kTrap));
  a_.bind(leave_);
  // Instructions that did not begin go back to the budget.
  a_.mov(x86::rcx, state_at(kUnbegunAt));
  a_.add(state_at(kBudgetAt), x86::rcx);
  a_.mov(x86::qword_ptr(state_, kUnbegunAt), 0);
  a_.add(x86::rsp, 8);
  for (const x86::Gp& reg : {x86::r13, x86::r12, x86::rbp, x86::rbx}) a_.pop(reg);
  a_.ret();
  return true;
}

x86::Gp Translator::sized(const x86::Gp& reg, Type type) {
  switch (ir::type_bytes(type)) {
    case 1:
      return reg.r8();
    case 2:
      return reg.r16();
    case 4:
      return reg.r32();
    default:
      return reg.r64();
  }
}

void Translator::load(const x86::Gp& reg, const x86::Mem& from, Type type) {
  x86::Mem memory = from;
  memory.setSize(ir::type_bytes(type) > 8 ? 8 : ir::type_bytes(type));
  if (memory.size() <= 2) {
    a_.movzx(reg.r32(), memory);
  } else {
    a_.mov(memory.size() == 4 ? reg.r32().as<x86::Gp>() : reg.r64().as<x86::Gp>(), memory);
  }
  if (type == Type::kI1) a_.and_(reg.r32(), 1);
}

void Translator::load_signed(const x86::Gp& reg, const x86::Mem& from, Type type) {
  if (type == Type::kI1) {
    load(reg, from, type);
    a_.neg(reg.r64());
    return;
  }
  x86::Mem memory = from;
  memory.setSize(ir::type_bytes(type));
  if (memory.size() <= 2) {
    a_.movsx(reg.r64(), memory);
  } else if (memory.size() == 4) {
    a_.movsxd(reg.r64(), memory);
  } else {
    a_.mov(reg.r64(), memory);
  }
}

void Translator::store_narrow(const x86::Mem& to, const x86::Gp& reg, unsigned bytes) {
  switch (bytes) {
    case 1:
      a_.mov(to, reg.r8());
      break;
    case 2:
      a_.mov(to, reg.r16());
      break;
    case 4:
      a_.mov(to, reg.r32());
      break;
    default:
      a_.mov(to, reg.r64());
      break;
  }
}

void Translator::copy(const x86::Mem& to, const x86::Mem& from, unsigned bytes) {
  for (unsigned at = 0; at < bytes; at += 8) {
    a_.mov(x86::rax, from.cloneAdjusted(at));
    a_.mov(to.cloneAdjusted(at), x86::rax);
  }
}

void Translator::call(const void* function) {
  a_.mov(x86::rax, reinterpret_cast<uint64_t>(function));
  a_.call(x86::rax);
}

void Translator::leave(BlockEnd end) {
  a_.mov(x86::eax, static_cast<uint32_t>(end));
  a_.jmp(leave_);
}

void Translator::set_pc(uint64_t pc) {
  a_.mov(x86::rax, pc);
  a_.mov(state_at(kPcAt), x86::rax);
}

bool Translator::emit(const Inst& inst) {
  switch (inst.op) {
    case Op::kConst:
      a_.mov(x86::rax, inst.imm);
      finish(x86::rax);
      return true;
    case Op::kGet:
      if (ir::is_wide(inst.type)) {
        copy(result(), state_at(inst.imm), ir::type_bytes(inst.type));
      } else {
        load(x86::rax, state_at(inst.imm), inst.type);
        finish(x86::rax);
      }
      return true;
    case Op::kSet:
      if (ir::is_wide(inst.operand_type)) {
        copy(state_at(inst.imm), slot(inst.args[0]), ir::type_bytes(inst.operand_type));
      } else {
        load(x86::rax, inst.args[0]);
        store_narrow(state_at(inst.imm), x86::rax, ir::type_bytes(inst.operand_type));
      }
      return true;
    case Op::kInsn:
      return emit_insn(inst);
    case Op::kFence:
      a_.mfence();
      return true;
    case Op::kSelect:
      emit_select(inst);
      return true;
    default:
      break;
  }
  if (inst.op >= Op::kAdd && inst.op <= Op::kOrcB) return emit_integer(inst);
  if (inst.op >= Op::kEq && inst.op <= Op::kGeS) {
    emit_compare(inst);
    return true;
  }
  if (inst.op >= Op::kZext && inst.op <= Op::kTrunc) return emit_convert(inst);
  if (inst.op >= Op::kAdc && inst.op <= Op::kParity) {
    emit_carry(inst);
    return true;
  }
  if (inst.op >= Op::kConcat && inst.op <= Op::kVFMa) return emit_vector(inst);
  if (inst.op >= Op::kFAdd && inst.op <= Op::kUToF) {
    emit_fp(inst);
    return true;
  }
  if (inst.op >= Op::kLoad && inst.op <= Op::kCas) return emit_memory(inst);
  if (inst.op == Op::kCall) return emit_call(inst);
  return emit_end(inst);
}

bool Translator::emit_insn(const Inst& inst) {
  ++begun_;
  set_pc(inst.imm);
  a_.mov(x86::qword_ptr(state_, kUnbegunAt), static_cast<int32_t>(block_.guest_instructions - begun_));
  return true;
}

bool Translator::emit_integer(const Inst& inst) {
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

void Translator::emit_multiply_high(const Inst& inst) {
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

void Translator::emit_divide(const Inst& inst) {
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

void Translator::emit_shift(const Inst& inst) {
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

void Translator::emit_min_max(const Inst& inst) {
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

void Translator::emit_bit_scan(const Inst& inst) {
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

void Translator::emit_compare(const Inst& inst) {
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

bool Translator::emit_convert(const Inst& inst) {
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
  return true;
}

void Translator::emit_carry(const Inst& inst) {
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

void Translator::emit_select(const Inst& inst) {
  a_.lea(x86::rcx, slot(inst.args[1]));
  a_.lea(x86::rdx, slot(inst.args[2]));
  load(x86::rax, inst.args[0]);
  a_.test(x86::eax, x86::eax);
  a_.cmovz(x86::rcx, x86::rdx);
  copy(result(), x86::ptr(x86::rcx), ir::is_wide(inst.type) ? ir::type_bytes(inst.type) : 8);
}

bool Translator::emit_vector(const Inst& inst) {
  const unsigned bytes = ir::type_bytes(inst.type);
  const unsigned lane_bytes = static_cast<unsigned>(inst.imm / 8);
  switch (inst.op) {
    case Op::kConcat:
      copy(result(), slot(inst.args[0]), bytes / 2);
      copy(result(static_cast<int>(bytes / 2)), slot(inst.args[1]), bytes / 2);
      return true;
    case Op::kLow:
      copy(result(), slot(inst.args[0]), bytes);
      return true;
    case Op::kHigh:
      copy(result(), slot(inst.args[0], static_cast<int>(bytes)), bytes);
      return true;
    case Op::kVSplat:
      load(x86::rax, inst.args[0]);
      for (unsigned at = 0; at < bytes; at += lane_bytes) {
        store_narrow(result(static_cast<int>(at)), x86::rax, lane_bytes);
      }
      return true;
    case Op::kVExtract:
      load(x86::rax, slot(inst.args[0], static_cast<int>(inst.imm2 * lane_bytes)), inst.type);
      finish(x86::rax);
      return true;
    case Op::kVInsert:
      copy(result(), slot(inst.args[0]), bytes);
      load(x86::rax, inst.args[1]);
      store_narrow(result(static_cast<int>(inst.imm2 * lane_bytes)), x86::rax, lane_bytes);
      return true;
    case Op::kVFAdd:
    case Op::kVFMul:
    case Op::kVFMa:
      emit_fp_lanes(inst);
      return true;
    default:
      return emit_vector_arithmetic(inst);
  }
}

bool Translator::emit_vector_arithmetic(const Inst& inst) {
  const unsigned bytes = ir::type_bytes(inst.type);
  const unsigned lane = inst.imm == 8 ? 0 : inst.imm == 16 ? 1 : inst.imm == 32 ? 2 : 3;
  namespace id = x86::Inst;
  constexpr uint32_t kAdd[] = {id::kIdPaddb, id::kIdPaddw, id::kIdPaddd, id::kIdPaddq};
  constexpr uint32_t kSub[] = {id::kIdPsubb, id::kIdPsubw, id::kIdPsubd, id::kIdPsubq};
  constexpr uint32_t kEqual[] = {id::kIdPcmpeqb, id::kIdPcmpeqw, id::kIdPcmpeqd, id::kIdPcmpeqq};
  constexpr uint32_t kGreater[] = {id::kIdPcmpgtb, id::kIdPcmpgtw, id::kIdPcmpgtd, id::kIdPcmpgtq};
  uint32_t chosen = 0;
  switch (inst.op) {
    case Op::kVAdd:
      chosen = kAdd[lane];
      break;
    case Op::kVSub:
      chosen = kSub[lane];
      break;
    case Op::kVEq:
      chosen = kEqual[lane];
      break;
    case Op::kVGtS:
      chosen = kGreater[lane];
      break;
    case Op::kVAnd:
      chosen = id::kIdPand;
      break;
    case Op::kVOr:
      chosen = id::kIdPor;
      break;
    case Op::kVXor:
      chosen = id::kIdPxor;
      break;
    case Op::kVMul: {
      // The host multiplies only some widths; all of them lane by lane is the plain way.
      const Type scalar = lane == 0 ? Type::kI8 : lane == 1 ? Type::kI16 : lane == 2 ? Type::kI32 : Type::kI64;
      for (unsigned at = 0; at < bytes; at += ir::type_bytes(scalar)) {
        load(x86::rax, slot(inst.args[0], static_cast<int>(at)), scalar);
        load(x86::rcx, slot(inst.args[1], static_cast<int>(at)), scalar);
        a_.imul(x86::rax, x86::rcx);
        store_narrow(result(static_cast<int>(at)), x86::rax, ir::type_bytes(scalar));
      }
      return true;
    }
    default:
      return false;
  }
  for (unsigned at = 0; at < bytes; at += 16) {
    a_.movdqu(x86::xmm0, slot(inst.args[0], static_cast<int>(at)));
    a_.movdqu(x86::xmm1, slot(inst.args[1], static_cast<int>(at)));
    a_.emit(chosen, x86::xmm0, x86::xmm1);
    a_.movdqu(result(static_cast<int>(at)), x86::xmm0);
  }
  return true;
}

void Translator::emit_fp(const Inst& inst) {
  const bool rounds = inst.op < Op::kFMin || inst.op > Op::kFClass;
  const runtime::FpRequest request{inst.op, inst.type, type_of(inst.args[0]),
                                   static_cast<uint8_t>(rounds ? inst.imm : 0)};
  const x86::Gp registers[] = {x86::rdx, x86::rcx, x86::r8};
  for (unsigned i = 0; i < inst.operands; ++i) load(registers[i], inst.args[i]);
  a_.mov(x86::rdi, state_);
  a_.mov(x86::rsi, runtime::pack(request));
  call(&runtime::fp);
  finish(x86::rax);
}

void Translator::emit_fp_lanes(const Inst& inst) {
  const Type scalar = inst.imm == 32 ? Type::kI32 : Type::kI64;
  const Op op = inst.op == Op::kVFAdd ? Op::kFAdd : inst.op == Op::kVFMul ? Op::kFMul : Op::kFMa;
  const runtime::FpRequest request{op, scalar, scalar, static_cast<uint8_t>(ir::kRoundDynamic)};
  const x86::Gp registers[] = {x86::rdx, x86::rcx, x86::r8};
  a_.xor_(x86::r8d, x86::r8d);
  for (unsigned i = 0; i < inst.operands; ++i) a_.lea(registers[i], slot(inst.args[i]));
  a_.mov(x86::rdi, state_);
  a_.mov(x86::rsi, runtime::pack(request));
  a_.lea(x86::r9, result());
  // The seventh argument goes on the stack, which stays aligned with a second word.
  a_.push(ir::type_bytes(inst.type));
  a_.push(ir::type_bytes(inst.type));
  call(&runtime::fp_lanes);
  a_.add(x86::rsp, 16);
}

bool Translator::emit_memory(const Inst& inst) {
  const bool stores = inst.op == Op::kStore || inst.op == Op::kStoreConditional;
  const Type type = stores ? inst.operand_type : inst.type;
  const uint64_t size_flags = ir::type_bytes(type) | inst.imm << 8;
  a_.mov(x86::rdi, memory_);
  load(x86::rsi, inst.args[0]);
  a_.mov(x86::rdx, size_flags);
  switch (inst.op) {
    case Op::kLoad:
      a_.lea(x86::rcx, result());
      call(&runtime::load);
      break;
    case Op::kStore:
      a_.lea(x86::rcx, slot(inst.args[1]));
      call(&runtime::store);
      break;
    case Op::kLoadReserved:
      if (ir::is_wide(type)) return false;
      a_.lea(x86::rcx, result());
      call(&runtime::load_reserved);
      break;
    case Op::kStoreConditional:
      if (ir::is_wide(type)) return false;
      a_.lea(x86::rcx, slot(inst.args[1]));
      a_.lea(x86::r8, result());
      call(&runtime::store_conditional);
      break;
    case Op::kAtomicRmw:
      a_.mov(x86::rdx, inst.imm2 | static_cast<uint64_t>(inst.type) << 8);
      a_.mov(x86::rcx, inst.imm);
      load(x86::r8, inst.args[1]);
      a_.lea(x86::r9, result());
      call(&runtime::rmw);
      break;
    case Op::kCas:
      a_.lea(x86::rcx, slot(inst.args[1]));
      a_.lea(x86::r8, slot(inst.args[2]));
      a_.lea(x86::r9, result());
      call(&runtime::compare_and_swap);
      break;
    default:
      return false;
  }
  a_.test(x86::al, x86::al);
  a_.jz(trap_);
  return true;
}

bool Translator::emit_call(const Inst& inst) {
  if (inst.imm >= helpers_.size()) return false;
  const core::HelperDescriptor& helper = helpers_[inst.imm];
  const x86::Gp registers[] = {x86::rsi, x86::rdx, x86::rcx, x86::r8};
  for (unsigned i = 0; i < inst.operands; ++i) load(registers[i], inst.args[i]);
  a_.mov(x86::rdi, hart_);
  call(helper.function);
  if (inst.type != Type::kVoid) finish(x86::rax);
  if (helper.effects & core::kHelperMayTrap) {
    a_.cmp(x86::dword_ptr(state_, kTrappedAt), 0);
    a_.jne(trap_);
  }
  return true;
}

bool Translator::emit_end(const Inst& inst) {
  switch (inst.op) {
    case Op::kExitIf: {
      const asmjit::Label stay = a_.newLabel();
      load(x86::rax, inst.args[0]);
      a_.test(x86::eax, x86::eax);
      a_.jz(stay);
      set_pc(inst.imm);
      leave(BlockEnd::kExit);
      a_.bind(stay);
      return true;
    }
    case Op::kJump:
    case Op::kExit:
      set_pc(inst.imm);
      break;
    case Op::kJumpIndirect:
    case Op::kExitIndirect:
      load(x86::rax, inst.args[0]);
      a_.mov(state_at(kPcAt), x86::rax);
      break;
    case Op::kBranch:
      load(x86::rdx, inst.args[0]);
      a_.mov(x86::rax, inst.imm);
      a_.mov(x86::rcx, inst.imm2);
      a_.test(x86::edx, x86::edx);
      a_.cmovz(x86::rax, x86::rcx);
      a_.mov(state_at(kPcAt), x86::rax);
      break;
    default:
      return false;
  }
  leave(inst.op == Op::kExit || inst.op == Op::kExitIndirect ? BlockEnd::kExit : BlockEnd::kJump);
  return true;
}

}  // namespace

class MinimalEmitter::Runtime {
 public:
  asmjit::JitRuntime jit;
};

struct MinimalBlock::Code {
  ~Code() { release(function); }

  BlockFunction function = nullptr;
  size_t code_bytes = 0;
  size_t values = 0;
  std::function<void(BlockFunction)> release;
};

BlockEnd MinimalBlock::run(core::Hart& hart, core::MemoryAccess& memory) const {
  assert(hart.state().budget >= 0);
  std::vector<uint8_t> slots(code_->values * kSlotBytes);
  hart.state().trapped = 0;
  return static_cast<BlockEnd>(code_->function(&hart.state(), slots.data(), &hart, &memory));
}

size_t MinimalBlock::code_bytes() const { return code_->code_bytes; }

MinimalEmitter::MinimalEmitter() : runtime_(std::make_shared<Runtime>()) {}
MinimalEmitter::~MinimalEmitter() = default;

Result<MinimalBlock> MinimalEmitter::compile(const ir::Block& block,
                                             std::span<const core::HelperDescriptor> helpers) const {
  if (block.insts.size() > kMaxInsts) {
    return Error{fmt::format("the block at {:#x} has {} operations; at most {} are compiled", block.pc,
                             block.insts.size(), kMaxInsts)};
  }
  FirstError errors;
  asmjit::CodeHolder code;
  code.init(runtime_->jit.environment());
  code.setErrorHandler(&errors);
  Translator translator(block, helpers, code);
  if (!translator.run()) {
    const Inst& inst = block.insts[translator.index()];
    return Error{fmt::format("the block at {:#x}: operation %{} `{}` has no host code", block.pc, translator.index(),
                             ir::op_info(inst.op).text)};
  }
  auto result = std::make_shared<MinimalBlock::Code>();
  result->release = [runtime = runtime_](BlockFunction function) { runtime->jit.release(function); };
  const asmjit::Error failed = errors.text().empty() ? runtime_->jit.add(&result->function, &code) : asmjit::kErrorOk;
  if (!errors.text().empty() || failed != asmjit::kErrorOk) {
    return Error{fmt::format("the block at {:#x} cannot be assembled: {}", block.pc,
                             errors.text().empty() ? asmjit::DebugUtils::errorAsString(failed) : errors.text())};
  }
  result->code_bytes = code.codeSize();
  result->values = block.insts.size();
  return MinimalBlock(std::move(result));
}

}  // namespace lockstep::jit
