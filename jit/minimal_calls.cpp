// SPDX-License-Identifier: Apache-2.0
#include "core/ir/fp_semantics.h"
#include "jit/minimal_runtime.h"
#include "jit/minimal_translator.h"

// Guest memory, floating point and helpers: operations that are calls.

namespace lockstep::jit {

namespace x86 = asmjit::x86;
namespace ir = core::ir;

void MinimalTranslator::emit_fp(const Inst& inst) {
  const ir::FpOperation operation = ir::fp_operation_of(inst, type_of(inst.args[0]));
  const x86::Gp registers[] = {x86::rdx, x86::rcx, x86::r8};
  for (unsigned i = 0; i < inst.operands; ++i) load(registers[i], inst.args[i]);
  a_.mov(x86::rdi, state_);
  a_.mov(x86::rsi, operation.pack());
  call(&runtime::fp);
  finish(x86::rax);
}

void MinimalTranslator::emit_fp_lanes(const Inst& inst) {
  const ir::FpOperation operation = ir::fp_operation_of(inst, Type::kVoid);
  const x86::Gp registers[] = {x86::rdx, x86::rcx, x86::r8};
  a_.xor_(x86::r8d, x86::r8d);
  for (unsigned i = 0; i < inst.operands; ++i) a_.lea(registers[i], slot(inst.args[i]));
  a_.mov(x86::rdi, state_);
  a_.mov(x86::rsi, operation.pack());
  a_.lea(x86::r9, result());
  // The seventh argument goes on the stack, which stays aligned with a second word.
  a_.push(ir::type_bytes(inst.type));
  a_.push(ir::type_bytes(inst.type));
  call(&runtime::fp_lanes);
  a_.add(x86::rsp, 16);
}

bool MinimalTranslator::emit_memory(const Inst& inst) {
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
      a_.lea(x86::rcx, result());
      call(&runtime::load_reserved);
      break;
    case Op::kStoreConditional:
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

bool MinimalTranslator::emit_call(const Inst& inst) {
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

}  // namespace lockstep::jit
