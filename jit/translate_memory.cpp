// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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

void Translator::find_groups() {
  if (input_.joint_checks && input_.accesses == nullptr) access_groups_ = find_access_groups(*block_);
  begun_groups_.assign(access_groups_.groups.size(), false);
}

bool Translator::any_group_begun() const {
  for (size_t k = 0; k < begun_groups_.size(); ++k) {
    if (begun_groups_[k] && places_[block_->insts.size() + k].uses > 0) return true;
  }
  return false;
}

void Translator::take_index(int to, int address) {
  if (input_.host.bmi1) {
    a_.bextr(gp(to), gp(address), asmjit::x86::r14);
    return;
  }
  if (to != address) a_.mov(gp(to), gp(address));
  a_.shr(gp(to), core::kPageBits);
  a_.and_(gp32(to), core::kTlbEntries - 1);
}

// The hit: BEXTR, AND, CMP, JNE, MOV. The last byte's page is what is compared, so that an access that leaves the page
// misses and a misaligned one inside it does not. Those of a group look for all the group's bytes at the first of them
// and keep the host address.
Translator::Mem Translator::translate_address(Value address, unsigned size_bytes, bool store) {
  const int in_group = access_groups_.group_of.empty() ? kNone : access_groups_.group_of[index_];
  const AccessGroup* group = in_group != kNone && access_groups_.groups[static_cast<size_t>(in_group)].members > 1
                                 ? &access_groups_.groups[static_cast<size_t>(in_group)]
                                 : nullptr;
  const auto host = static_cast<Value>(block_->insts.size() + static_cast<size_t>(std::max(in_group, 0)));
  const Value r = resolve(address);
  const bool lazy = places_[r].lazy;
  if (group != nullptr && begun_groups_[static_cast<size_t>(in_group)]) {
    if (lazy) {
      for (Value operand : {inst(r).args[0], inst(r).args[1]}) consume(operand);
    }
    consume(address);
    const int reg = use(host);
    consume(host);
    return asmjit::x86::ptr(gp(reg), static_cast<int32_t>(access_groups_.offset_of[index_] - group->first));
  }
  int base;
  int32_t displacement = 0;
  if (lazy) {
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
  SlowPath slow{.entry = a_.new_label(),
                .retry = a_.new_label(),
                .hand_over = 0,
                .base = base,
                .displacement = displacement,
                .index = index,
                .page = page,
                .thunk = (store ? input_.thunks.slow_store : input_.thunks.slow_load)[std::countr_zero(size_bytes)],
                .low = displacement,
                .high = displacement,
                .guarded = any_group_begun(),
                .aligned = 1,
                .split = kNoHandOver};
  int32_t end = displacement + static_cast<int32_t>(size_bytes);
  if (group != nullptr) {
    slow.low = displacement + static_cast<int32_t>(group->low - group->first);
    slow.high = end = displacement + static_cast<int32_t>(group->high - group->first);
  }
  if (input_.accesses != nullptr) begin_record(base, displacement, size_bytes, store, index, page);
  a_.bind(slow.retry);
  if (slow.low != 0) {
    a_.lea(gp(index), asmjit::x86::ptr(gp(base), slow.low));
    take_index(index, index);
  } else {
    take_index(index, base);
  }
  a_.lea(gp(page), asmjit::x86::ptr(gp(base), end - 1));
  a_.and_(gp(page), static_cast<int32_t>(core::kPageMask));
  a_.cmp(gp(page),
         asmjit::x86::ptr(asmjit::x86::r14, gp(index), 3, biased(offsetof(TlbContext, tags) + kind * kArrayBytes)));
  a_.jne(slow.entry);
  a_.mov(gp(index),
         asmjit::x86::ptr(asmjit::x86::r14, gp(index), 3, biased(offsetof(TlbContext, addends) + kind * kArrayBytes)));
  slow.hand_over = note_hand_over();
  if (group != nullptr || slow.guarded) {
    slow.split = note_hand_over();
    hand_overs_[slow.split].joint = true;
  }
  slow_paths_.push_back(slow);
  if (group == nullptr) return asmjit::x86::ptr(gp(base), gp(index), 0, displacement);
  a_.lea(gp(index), asmjit::x86::ptr(gp(base), gp(index), 0, displacement));
  begun_groups_[static_cast<size_t>(in_group)] = true;
  set_register(host, index);
  places_[host].uses = group->members - 1;
  return asmjit::x86::ptr(gp(index));
}

void Translator::finish_slow(const SlowPath& slow) {
  const HostAssembler::Label give_up = a_.new_label();
  a_.bind(slow.entry);
  if (slow.low != slow.high) {
    // Two pages: the instruction is done alone.
    a_.lea(gp(slow.index), asmjit::x86::ptr(gp(slow.base), slow.low));
    a_.lea(gp(slow.page), asmjit::x86::ptr(gp(slow.base), slow.high - 1));
    a_.xor_(gp(slow.index), gp(slow.page));
    a_.test(gp(slow.index), static_cast<int32_t>(core::kPageMask));
    a_.jnz(give_up);
  }
  if (slow.aligned > 1) {
    // A misaligned one is the interpreter's.
    a_.test(gp32(slow.base), slow.aligned - 1);
    a_.jnz(give_up);
  }
  if (slow.displacement != 0) a_.lea(gp(slow.index), asmjit::x86::ptr(gp(slow.base), slow.displacement));
  a_.mov(frame(offsetof(Frame, address)), gp(slow.displacement != 0 ? slow.index : slow.base));
  call(slow.thunk);
  returns_here(slow.hand_over);
  if (slow.guarded) {
    // What other groups found may be gone.
    a_.test(asmjit::x86::byte_ptr(asmjit::x86::rsp, offsetof(Frame, lost)), 2);
    a_.jnz(give_up);
  }
  a_.jmp(slow.retry);
  if (slow.split != kNoHandOver) {
    a_.bind(give_up);
    call(input_.thunks.hand_over);
    returns_here(slow.split);
  }
}

size_t Translator::note_hand_over() {
  HandOver hand_over;
  hand_over.first_home = static_cast<uint32_t>(state_homes_.size());
  hand_over.unbegun = static_cast<uint16_t>(block_->guest_instructions - begun_ + 1);
  hand_over.pc = insn_pc_;
  hand_over.block = static_cast<uint32_t>(current_);
  for (unsigned word : active_) {
    const Word w = noted(word);
    if (!w.dirty) continue;
    const int location = w.constant ? StateHome::kConstant : w.narrow ? w.reg + StateHome::kNarrow : w.reg;
    state_homes_.push_back({static_cast<uint16_t>(word), static_cast<uint8_t>(location), w.constant ? w.imm : 0});
  }
  hand_over.homes = static_cast<uint16_t>(state_homes_.size() - hand_over.first_home);
  // Often nothing has been written since the last one.
  if (!hand_overs_.empty() && hand_overs_.back().homes == hand_over.homes) {
    const uint32_t last = hand_overs_.back().first_home;
    const auto at = [&](uint32_t k) { return state_homes_.begin() + static_cast<ptrdiff_t>(k); };
    if (std::equal(at(last), at(last + hand_over.homes), at(hand_over.first_home))) {
      state_homes_.resize(hand_over.first_home);
      hand_over.first_home = last;
    }
  }
  hand_overs_.push_back(hand_over);
  return hand_overs_.size() - 1;
}

bool Translator::emit_load(const Inst& i) {
  if (i.imm & kSpecialFlags) return false;
  const unsigned bytes = core::ir::type_bytes(i.type);
  if (i.type == Type::kI1) return false;
  Mem from = translate_address(i.args[0], bytes, false);
  const bool is_signed = places_[index_].wide_load && places_[index_].imm != 0;
  const int home = places_[index_].home;
  if (bytes >= 4 && !places_[index_].wide_load &&
      (home != kNone ? home >= kFirstXmm : places_[index_].prefers_vector)) {
    const int d = define_vector();
    bytes == 8 ? a_.vmovq(vec(d), from) : a_.vmovd(vec(d), from);
    if (input_.accesses != nullptr) end_record(vec(d));
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
  if (input_.accesses != nullptr) end_record(gp(d));
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
    const int64_t extended = static_cast<int64_t>(constant << unused) >> unused;
    a_.mov(to, extended);
    if (input_.accesses != nullptr) end_record(asmjit::imm(extended));
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
    if (input_.accesses != nullptr) end_record(vec(reg));
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
  if (input_.accesses != nullptr) end_record(gp(reg));
  return true;
}

}  // namespace lockstep::jit
