// SPDX-License-Identifier: Apache-2.0
#include "jit/minimal_translator.h"

namespace lockstep::jit {

namespace x86 = asmjit::x86;
namespace ir = core::ir;

bool MinimalTranslator::emit_vector(const Inst& inst) {
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

bool MinimalTranslator::emit_vector_arithmetic(const Inst& inst) {
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

}  // namespace lockstep::jit
