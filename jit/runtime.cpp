// SPDX-License-Identifier: Apache-2.0
#include "jit/runtime.h"

#include <bit>
#include <cstring>

#include "core/ir/fold.h"
#include "core/ir/fp_semantics.h"

namespace lockstep::jit::runtime {

uint64_t probe(Runtime* runtime, uint64_t vaddr, uint64_t size_bytes, uint64_t access) {
  const core::Tlb& tlb = runtime->hart().tlb();
  const uint64_t losses = tlb.losses();
  const bool is_ram =
      runtime->memory().probe(vaddr, static_cast<unsigned>(size_bytes), static_cast<core::Access>(access)) != nullptr;
  return (is_ram && !runtime->code_changed() ? 1 : 0) | (tlb.losses() != losses ? 2 : 0);
}

bool atomic(Runtime* runtime, Frame* frame) {
  const auto d = std::bit_cast<AtomicDescriptor>(frame->descriptor);
  const auto type = static_cast<core::ir::Type>(d.type);
  const unsigned size_bytes = core::ir::type_bytes(type);
  const bool is_load = d.kind == AtomicKind::kLoadReserved;
  core::MemoryAccess& memory = runtime->memory();
  if (frame->address % size_bytes != 0) return false;
  if (memory.probe(frame->address, size_bytes, is_load ? core::Access::kLoad : core::Access::kStore) == nullptr ||
      runtime->code_changed()) {
    return false;
  }
  // The access is one to plain RAM now, so that none of these can fail.
  switch (d.kind) {
    case AtomicKind::kLoadReserved: {
      uint64_t value = 0;
      memory.load_reserved(frame->address, size_bytes, d.flags, &value);
      frame->operand[0] = value;
      return true;
    }
    case AtomicKind::kStoreConditional: {
      uint64_t failed = 0;
      memory.store_conditional(frame->address, size_bytes, d.flags, &frame->operand[0], failed);
      frame->operand[0] = failed;
      return true;
    }
    case AtomicKind::kRmw: {
      uint64_t old = 0;
      memory.rmw(static_cast<core::ir::RmwOp>(d.op), frame->address, type, d.flags, frame->operand[0], old);
      frame->operand[0] = old;
      return true;
    }
  }
  return false;
}

void fp(Runtime* runtime, Frame* frame) {
  core::StateHeader& state = runtime->hart().state();
  frame->operand[0] = core::ir::run_fp(core::ir::FpOperation::unpack(frame->descriptor), frame->operand[0],
                                       frame->operand[1], frame->operand[2], state.fp_rounding, state.fp_flags);
}

void fold(Runtime*, Frame* frame) {
  const auto op = static_cast<core::ir::Op>(frame->descriptor & 0xff);
  const auto type = static_cast<core::ir::Type>(frame->descriptor >> 8);
  if (core::ir::op_info(op).operands == 1) {
    frame->operand[0] = core::ir::fold_unary(op, type, frame->operand[0]).value_or(0);
  } else {
    frame->operand[0] = core::ir::fold_binary(op, type, frame->operand[0], frame->operand[1]).value_or(0);
  }
}

uint64_t hand_over(Runtime* runtime, const uint8_t* return_address, const Frame* frame) {
  return runtime->hand_over(return_address, *frame);
}

}  // namespace lockstep::jit::runtime
