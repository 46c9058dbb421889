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
// A group may be this long: longer ones would cross a page's end too often.
constexpr int64_t kMaxGroupBytes = 512;
constexpr uint64_t kSpecialFlags = core::ir::kMemBigEndian | core::ir::kMemAligned;

}  // namespace

// Finds accesses of one kind that lie beside one another: at constant distances from a value that they share. Between
// them nothing may change the TLB but their like, whose slow paths look whether it lost something.
void Translator::find_groups() {
  groups_.clear();
  const std::vector<Inst>& insts = block_->insts;
  group_of_.assign(insts.size(), kNone);
  if (!input_.joint_checks || input_.accesses != nullptr) return;
  offset_of_.assign(insts.size(), 0);
  struct Root {
    Value value = core::ir::kNoValue;
    int64_t offset = 0;
  };
  std::vector<Root> roots(insts.size());
  std::vector<Root> words(words_.size());
  std::vector<int> open;
  for (Value at = 0; at < insts.size(); ++at) {
    const Inst& i = insts[at];
    roots[at] = {at, 0};
    switch (i.op) {
      case Op::kGet:
        if (i.type == Type::kI64 && i.imm % 8 == 0) {
          Root& word = words[i.imm / 8];
          if (word.value == core::ir::kNoValue) word = roots[at];
          roots[at] = word;
        }
        break;
      case Op::kSet: {
        const bool whole = i.operand_type == Type::kI64 && i.imm % 8 == 0;
        for (uint64_t w = i.imm / 8; w <= (i.imm + core::ir::type_bytes(i.operand_type) - 1) / 8; ++w) words[w] = {};
        if (whole) words[i.imm / 8] = roots[i.args[0]];
        break;
      }
      case Op::kAdd:
        for (unsigned k = 0; k < 2 && i.type == Type::kI64; ++k) {
          const Inst& constant = insts[i.args[k]];
          const Root& base = roots[i.args[1 - k]];
          if (constant.op != Op::kConst) continue;
          const int64_t offset = base.offset + static_cast<int64_t>(constant.imm);
          if (offset == static_cast<int32_t>(offset)) roots[at] = {base.value, offset};
        }
        break;
      case Op::kLoad:
      case Op::kStore: {
        const bool store = i.op == Op::kStore;
        const Type type = store ? i.operand_type : i.type;
        if (i.imm & kSpecialFlags || core::ir::type_bits(type) > 64) break;
        const Root& root = roots[i.args[0]];
        const int64_t end = root.offset + core::ir::type_bytes(type);
        const auto joins = [&](int k) {
          const Group& g = groups_[static_cast<size_t>(k)];
          return g.root == root.value && g.store == store &&
                 std::max(g.high, end) - std::min(g.low, root.offset) <= kMaxGroupBytes;
        };
        const auto found = std::find_if(open.begin(), open.end(), joins);
        group_of_[at] = found != open.end() ? *found : static_cast<int>(groups_.size());
        if (found == open.end()) {
          open.push_back(group_of_[at]);
          groups_.push_back(
              {.root = root.value, .store = store, .low = root.offset, .high = end, .first = root.offset});
        }
        Group& group = groups_[static_cast<size_t>(group_of_[at])];
        group.low = std::min(group.low, root.offset);
        group.high = std::max(group.high, end);
        ++group.members;
        offset_of_[at] = root.offset;
        break;
      }
      case Op::kCall:
        std::fill(words.begin(), words.end(), Root{});
        open.clear();
        break;
      case Op::kLoadReserved:
      case Op::kStoreConditional:
      case Op::kAtomicRmw:
      case Op::kCas:
        open.clear();
        break;
      default:
        break;
    }
  }
}

bool Translator::any_group_begun() const {
  for (size_t k = 0; k < groups_.size(); ++k) {
    if (groups_[k].begun && places_[block_->insts.size() + k].uses > 0) return true;
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
  const int in_group = group_of_[index_];
  Group* group = in_group != kNone && groups_[static_cast<size_t>(in_group)].members > 1
                     ? &groups_[static_cast<size_t>(in_group)]
                     : nullptr;
  const auto host = static_cast<Value>(block_->insts.size() + static_cast<size_t>(std::max(in_group, 0)));
  const Value r = resolve(address);
  const bool lazy = places_[r].lazy;
  if (group != nullptr && group->begun) {
    if (lazy) {
      for (Value operand : {inst(r).args[0], inst(r).args[1]}) consume(operand);
    }
    consume(address);
    const int reg = use(host);
    consume(host);
    return asmjit::x86::ptr(gp(reg), static_cast<int32_t>(offset_of_[index_] - group->first));
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
  SlowPath slow{.entry = a_.newLabel(),
                .retry = a_.newLabel(),
                .return_point = a_.newLabel(),
                .base = base,
                .displacement = displacement,
                .index = index,
                .page = page,
                .thunk = (store ? input_.thunks.slow_store : input_.thunks.slow_load)[std::countr_zero(size_bytes)],
                .low = displacement,
                .high = displacement,
                .guarded = any_group_begun(),
                .aligned = 1,
                .split = {}};
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
  note_hand_over(slow.return_point);
  if (group != nullptr || slow.guarded) {
    slow.split = a_.newLabel();
    unit_.hand_overs[note_hand_over(slow.split)].joint = true;
  }
  slow_paths_.push_back(slow);
  if (group == nullptr) return asmjit::x86::ptr(gp(base), gp(index), 0, displacement);
  a_.lea(gp(index), asmjit::x86::ptr(gp(base), gp(index), 0, displacement));
  group->begun = true;
  set_register(host, index);
  places_[host].uses = group->members - 1;
  return asmjit::x86::ptr(gp(index));
}

void Translator::finish_slow(const SlowPath& slow) {
  const asmjit::Label give_up = a_.newLabel();
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
  a_.bind(slow.return_point);
  if (slow.guarded) {
    // What other groups found may be gone.
    a_.test(asmjit::x86::byte_ptr(asmjit::x86::rsp, offsetof(Frame, lost)), 2);
    a_.jnz(give_up);
  }
  a_.jmp(slow.retry);
  if (slow.split.isValid()) {
    a_.bind(give_up);
    call(input_.thunks.hand_over);
    a_.bind(slow.split);
  }
}

// The instruction that is being translated may be handed over by the call that returns to `return_point`. Answers the
// note's place.
size_t Translator::note_hand_over(const asmjit::Label& return_point) {
  HandOver hand_over;
  hand_over.first_home = static_cast<uint32_t>(unit_.homes.size());
  hand_over.unbegun = static_cast<uint16_t>(block_->guest_instructions - begun_ + 1);
  hand_over.pc = insn_pc_;
  hand_over.block = static_cast<uint32_t>(current_);
  for (unsigned word : active_) {
    const Word w = noted(word);
    if (!w.dirty) continue;
    const int location = w.constant ? StateHome::kConstant : w.narrow ? w.reg + StateHome::kNarrow : w.reg;
    unit_.homes.push_back({static_cast<uint16_t>(word), static_cast<uint8_t>(location), w.constant ? w.imm : 0});
  }
  hand_over.homes = static_cast<uint16_t>(unit_.homes.size() - hand_over.first_home);
  // Often nothing has been written since the last one.
  if (!unit_.hand_overs.empty() && unit_.hand_overs.back().homes == hand_over.homes) {
    const uint32_t last = unit_.hand_overs.back().first_home;
    const auto at = [&](uint32_t k) { return unit_.homes.begin() + static_cast<ptrdiff_t>(k); };
    if (std::equal(at(last), at(last + hand_over.homes), at(hand_over.first_home))) {
      unit_.homes.resize(hand_over.first_home);
      hand_over.first_home = last;
    }
  }
  unit_.hand_overs.push_back(hand_over);
  hand_over_labels_.push_back(return_point);
  return unit_.hand_overs.size() - 1;
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
