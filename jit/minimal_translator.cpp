// SPDX-License-Identifier: Apache-2.0
#include "jit/minimal_translator.h"

namespace lockstep::jit {

namespace x86 = asmjit::x86;
namespace ir = core::ir;

bool MinimalTranslator::run() {
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

x86::Gp MinimalTranslator::sized(const x86::Gp& reg, Type type) {
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

void MinimalTranslator::load(const x86::Gp& reg, const x86::Mem& from, Type type) {
  x86::Mem memory = from;
  memory.setSize(ir::type_bytes(type) > 8 ? 8 : ir::type_bytes(type));
  if (memory.size() <= 2) {
    a_.movzx(reg.r32(), memory);
  } else {
    a_.mov(memory.size() == 4 ? reg.r32().as<x86::Gp>() : reg.r64().as<x86::Gp>(), memory);
  }
  if (type == Type::kI1) a_.and_(reg.r32(), 1);
}

void MinimalTranslator::load_signed(const x86::Gp& reg, const x86::Mem& from, Type type) {
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

void MinimalTranslator::store_narrow(const x86::Mem& to, const x86::Gp& reg, unsigned bytes) {
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

void MinimalTranslator::copy(const x86::Mem& to, const x86::Mem& from, unsigned bytes) {
  for (unsigned at = 0; at < bytes; at += 8) {
    a_.mov(x86::rax, from.cloneAdjusted(at));
    a_.mov(to.cloneAdjusted(at), x86::rax);
  }
}

void MinimalTranslator::call(const void* function) {
  a_.mov(x86::rax, reinterpret_cast<uint64_t>(function));
  a_.call(x86::rax);
}

void MinimalTranslator::leave(BlockEnd end) {
  a_.mov(x86::eax, static_cast<uint32_t>(end));
  a_.jmp(leave_);
}

void MinimalTranslator::set_pc(uint64_t pc) {
  a_.mov(x86::rax, pc);
  a_.mov(state_at(kPcAt), x86::rax);
}

bool MinimalTranslator::emit(const Inst& inst) {
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
    case Op::kFenceTso:
      return true;  // the host orders all but stores before loads by itself
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
  if (inst.op >= Op::kZext && inst.op <= Op::kTrunc) {
    emit_convert(inst);
    return true;
  }
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

bool MinimalTranslator::emit_insn(const Inst& inst) {
  ++begun_;
  set_pc(inst.imm);
  a_.mov(x86::qword_ptr(state_, kUnbegunAt), static_cast<int32_t>(block_.guest_instructions - begun_));
  return true;
}

void MinimalTranslator::emit_select(const Inst& inst) {
  a_.lea(x86::rcx, slot(inst.args[1]));
  a_.lea(x86::rdx, slot(inst.args[2]));
  load(x86::rax, inst.args[0]);
  a_.test(x86::eax, x86::eax);
  a_.cmovz(x86::rcx, x86::rdx);
  copy(result(), x86::ptr(x86::rcx), ir::is_wide(inst.type) ? ir::type_bytes(inst.type) : 8);
}

bool MinimalTranslator::emit_end(const Inst& inst) {
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

}  // namespace lockstep::jit
