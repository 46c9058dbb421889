// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "core/memory/tlb.h"
#include "jit/translator.h"

namespace lockstep::jit {

using core::TlbContext;

namespace {

constexpr int32_t biased(size_t offset) {
  return static_cast<int32_t>(offset) - static_cast<int32_t>(core::kTlbContextBias);
}
constexpr size_t kArrayBytes = sizeof(uint64_t) * core::kTlbEntries;
constexpr uint64_t kSpecialFlags = core::ir::kMemBigEndian | core::ir::kMemAligned;

}  // namespace

// The hit: BEXTR, AND, CMP, JNE, MOV. The last byte's page is what is compared, so that an access that leaves the page
// misses and a misaligned one inside it does not.
Translator::Mem Translator::translate_address(Value address, unsigned size_bytes, bool store) {
  const Value r = resolve(address);
  int base;
  int32_t displacement = 0;
  if (places_[r].lazy) {
    const Inst& sum = inst(r);
    const bool left_const = is_const(sum.args[0]);
    displacement = static_cast<int32_t>(imm(sum.args[left_const ? 0 : 1]));
    base = use(sum.args[left_const ? 1 : 0]);
    consume(sum.args[0]);
    consume(sum.args[1]);
  } else {
    base = use(address);
  }
  consume(address);
  const int index = temporary();
  const int page = temporary();
  const size_t kind = store ? 1 : 0;
  SlowPath slow{a_.newLabel(), a_.newLabel(), a_.newLabel(), base, displacement, index,
                (store ? input_.thunks.slow_store : input_.thunks.slow_load)[std::countr_zero(size_bytes)]};
  a_.bind(slow.retry);
  if (displacement != 0) {
    a_.lea(gp(index), asmjit::x86::ptr(gp(base), displacement));
    a_.bextr(gp(index), gp(index), asmjit::x86::r14);
  } else {
    a_.bextr(gp(index), gp(base), asmjit::x86::r14);
  }
  a_.lea(gp(page), asmjit::x86::ptr(gp(base), displacement + static_cast<int32_t>(size_bytes) - 1));
  a_.and_(gp(page), static_cast<int32_t>(core::kPageMask));
  a_.cmp(gp(page),
         asmjit::x86::ptr(asmjit::x86::r14, gp(index), 3, biased(offsetof(TlbContext, tags) + kind * kArrayBytes)));
  a_.jne(slow.entry);
  a_.mov(gp(index),
         asmjit::x86::ptr(asmjit::x86::r14, gp(index), 3, biased(offsetof(TlbContext, addends) + kind * kArrayBytes)));
  note_hand_over(slow.return_point);
  slow_paths_.push_back(slow);
  return asmjit::x86::ptr(gp(base), gp(index), 0, displacement);
}

// The instruction that is being translated may be handed over by the call that returns to `return_point`.
void Translator::note_hand_over(const asmjit::Label& return_point) {
  HandOver hand_over;
  hand_over.first_home = static_cast<uint32_t>(unit_.homes.size());
  hand_over.unbegun = static_cast<uint16_t>(block_->guest_instructions - begun_ + 1);
  hand_over.pc = insn_pc_;
  for (unsigned word : active_) {
    const Word& w = words_[word];
    if (!w.dirty) continue;
    unit_.homes.push_back(
        {static_cast<uint16_t>(word), w.constant ? StateHome::kConstant : static_cast<uint8_t>(w.reg), w.imm});
  }
  hand_over.homes = static_cast<uint16_t>(unit_.homes.size() - hand_over.first_home);
  unit_.hand_overs.push_back(hand_over);
  hand_over_labels_.push_back(return_point);
}

bool Translator::emit_load(const Inst& i) {
  if (i.imm & kSpecialFlags) return false;
  const unsigned bytes = core::ir::type_bytes(i.type);
  if (i.type == Type::kI1) return false;
  Mem from = translate_address(i.args[0], bytes, false);
  const bool is_signed = places_[index_].wide_load && places_[index_].imm != 0;
  const int home = places_[index_].home;
  if (bytes >= 4 && !places_[index_].wide_load && (home != kNone ? home >= kFirstXmm : places_[index_].prefers_vector)) {
    const int d = define_vector();
    bytes == 8 ? a_.vmovq(vec(d), from) : a_.vmovd(vec(d), from);
    return true;
  }
  const int d = define();
  from.setSize(bytes);
  if (bytes == 8) {
    a_.mov(gp(d), from);
  } else if (bytes == 4) {
    if (is_signed) {
      a_.movsxd(gp(d), from);
    } else {
      a_.mov(gp32(d), from);
    }
  } else if (is_signed) {
    a_.movsx(gp(d), from);
  } else {
    a_.movzx(gp32(d), from);
  }
  return true;
}

bool Translator::emit_store(const Inst& i) {
  if (i.imm & kSpecialFlags || i.operand_type == Type::kI1) return false;
  const unsigned bytes = core::ir::type_bytes(i.operand_type);
  const Value value = i.args[1];
  const uint64_t constant = is_const(value) ? static_cast<uint64_t>(imm(value)) : 0;
  if (is_const(value) && (bytes < 8 || fits32(constant))) {
    Mem to = translate_address(i.args[0], bytes, true);
    to.setSize(bytes);
    const unsigned unused = 64 - 8 * bytes;
    a_.mov(to, static_cast<int64_t>(constant << unused) >> unused);
    consume(value);
    return true;
  }
  const bool vector = places_[resolve(value)].reg >= kFirstXmm && bytes >= 4;
  const int reg = vector ? use_vector(value) : use(value);
  const Mem to = translate_address(i.args[0], bytes, true);
  consume(value);
  if (vector) {
    if (bytes == 8) {
      a_.vmovq(to, vec(reg));
    } else {
      a_.vmovd(to, vec(reg));
    }
    return true;
  }
  switch (bytes) {
    case 1:
      a_.mov(to, gp(reg).r8());
      break;
    case 2:
      a_.mov(to, gp(reg).r16());
      break;
    case 4:
      a_.mov(to, gp32(reg));
      break;
    default:
      a_.mov(to, gp(reg));
  }
  return true;
}

bool Translator::emit_atomic(const Inst& i) {
  if (i.imm & core::ir::kMemBigEndian) return false;
  AtomicDescriptor descriptor{};
  Type type = i.type;
  if (i.op == Op::kLoadReserved) {
    descriptor.kind = AtomicKind::kLoadReserved;
  } else if (i.op == Op::kStoreConditional) {
    descriptor.kind = AtomicKind::kStoreConditional;
    type = i.operand_type;
  } else {
    descriptor.kind = AtomicKind::kRmw;
    descriptor.op = static_cast<uint8_t>(i.imm2);
  }
  if (core::ir::type_bits(type) < 8) return false;
  descriptor.type = static_cast<uint8_t>(type);
  descriptor.flags = static_cast<uint8_t>(i.imm);
  const int address = use(i.args[0]);
  a_.mov(frame(offsetof(Frame, address)), gp(address));
  consume(i.args[0]);
  if (i.operands > 1) {
    const int value = use(i.args[1]);
    a_.mov(frame(offsetof(Frame, operand)), gp(value));
    consume(i.args[1]);
  }
  describe(std::bit_cast<uint32_t>(descriptor));
  call(input_.thunks.atomic);
  const asmjit::Label return_point = a_.newLabel();
  a_.bind(return_point);
  note_hand_over(return_point);
  if (places_[index_].uses == 0) return true;
  const int d = define();
  a_.mov(gp(d), frame(offsetof(Frame, operand)));
  return true;
}

}  // namespace lockstep::jit
