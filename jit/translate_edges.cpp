// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "core/memory/tlb.h"
#include "jit/translator.h"

// What happens between blocks. A block begins with every pinned word in its register and all others in memory; settle()
// makes it so at its end. A jump inside the unit goes straight to the next block; one that leaves it writes the pinned
// words and goes over a link. A page other than the current one must be mapped as it was.

namespace lockstep::jit {

using asmjit::x86::rax;
using core::StateHeader;

namespace {

// Stands where a mapping number will be written; no mapping has it, and it needs all four bytes of an immediate.
constexpr int32_t kNoLinkYet = 0x7fffffff;

// Most blocks have no more.
constexpr size_t kCommonLinks = 2;
constexpr size_t kCommonRelocations = 16;

int32_t mapping_offset(uint64_t pc) {
  return static_cast<int32_t>(offsetof(core::TlbContext, mappings) + sizeof(uint32_t) * core::tlb_index(pc));
}

}  // namespace

void Translator::compare_mapping(uint64_t pc, uint32_t& constant_at) {
  a_.mov(rax, frame(offsetof(Frame, fetch)));
  a_.cmp(asmjit::x86::dword_ptr(rax, mapping_offset(pc)), kNoLinkYet);
  constant_at = static_cast<uint32_t>(a_.offset() - 4);
}

void Translator::begin_unit() {
  unit_.links.reserve(kCommonLinks);
  unit_.relocations.reserve(kCommonRelocations);
  moved_ = a_.new_label();
  hot_ = a_.new_label();
  for (size_t k = 0; k < input_.blocks.size(); ++k) {
    block_labels_.push_back(a_.new_label());
    short_budgets_.push_back(a_.new_label());
    if (input_.accesses != nullptr) full_buffers_.push_back(a_.new_label());
  }
  const RegionBlock& first = input_.blocks.front();
  // For jumps that come from anywhere: the pages must still be mapped as they were.
  compare_mapping(first.ir.pc, unit_.mapping_at[0]);
  a_.jne(moved_);
  if (first.spans_pages) {
    compare_mapping(first.ir.pc + core::kPageSize, unit_.mapping_at[1]);
    a_.jne(moved_);
  }
  unit_.entry_at = static_cast<uint32_t>(a_.offset());
  a_.comment("; entry");
  if (input_.profiled) {
    move_address(rax, reinterpret_cast<uint64_t>(&unit_.profile.heat), Relocation::Kind::kHeat);
    a_.sub(asmjit::x86::dword_ptr(rax), 1);
    a_.js(hot_);
  }
  for (const Pin& pin : input_.pins) {
    if (pin.home >= kFirstXmm) {
      a_.vmovq(vec(pin.home), state(8 * pin.word));
    } else {
      a_.mov(gp(pin.home), state(8 * pin.word));
    }
  }
}

void Translator::begin_block() {
  const auto goes_back = [&](size_t k) {
    const Inst& end = input_.blocks[k].ir.insts.back();
    return (end.op == Op::kJump || end.op == Op::kBranch) &&
           (end.imm == block_->pc || (end.op == Op::kBranch && end.imm2 == block_->pc));
  };
  bool is_loop = false;
  for (size_t k = current_; !input_.profiled && k < input_.blocks.size(); ++k) is_loop |= goes_back(k);
  if (is_loop) a_.align(asmjit::AlignMode::kCode, 16);
  a_.commentf("; block %#llx", static_cast<unsigned long long>(block_->pc));
  a_.bind(block_labels_[current_]);
  if (input_.accesses != nullptr) look_at_buffer();
  a_.sub(asmjit::x86::r15, static_cast<int32_t>(block_->guest_instructions));
  a_.jl(short_budgets_[current_]);
  if (input_.coverage == core::Coverage::kCounted) write_cell(current_, begun_, true);
}

// Puts the pin's word into its register. No other pinned word is there.
void Translator::place_pin(const Pin& pin) {
  const int home = pin.home;
  Register& r = registers_[static_cast<size_t>(home)];
  if (r.value != core::ir::kNoValue && places_[r.value].reg == home) {
    const Value value = r.value;
    if (places_[value].uses > 0) {
      const int other = allocate(home >= kFirstXmm);
      move_register(other, home);
      registers_[static_cast<size_t>(other)].narrow = r.narrow;
      set_register(value, other);
      unlock(other);
    } else {
      places_[value].reg = kNone;
    }
  }
  r.value = core::ir::kNoValue;
  const Word word = noted(pin.word);
  drop_words(home);
  r.narrow = false;
  if (word.constant) {
    if (home < kFirstXmm) {
      move_const(home, word.imm);
    } else if (word.imm == 0) {
      a_.vxorps(vec(home), vec(home), vec(home));
    } else {
      const int temp = allocate(false);
      move_const(temp, word.imm);
      a_.vmovq(vec(home), gp(temp));
      unlock(temp);
    }
  } else if (const int from = words_[pin.word].reg; from != kNone) {
    if (home < kFirstXmm && registers_[static_cast<size_t>(from)].narrow) {
      a_.movsxd(gp(home), gp32(from));
    } else {
      widen(from);
      move_register(home, from);
    }
  } else if (home >= kFirstXmm) {
    a_.vmovq(vec(home), state(8 * pin.word));
  } else {
    a_.mov(gp(home), state(8 * pin.word));
  }
  bind(pin.word, home, pin.written);
}

void Translator::settle() {
  for (unsigned word : active_) {
    if (pin_of_[word] != kNone || !words_[word].dirty) continue;
    if (words_[word].reg != kNone) widen(words_[word].reg);
    store_word(word, words_[word]);
    words_[word].dirty = false;
  }
  locked_ |= homes_;
  std::vector<const Pin*> waiting;
  for (const Pin& pin : input_.pins) {
    if (words_[pin.word].reg != pin.home) {
      waiting.push_back(&pin);
    } else {
      widen(pin.home);
    }
  }
  while (!waiting.empty()) {
    const auto free = std::find_if(waiting.begin(), waiting.end(), [&](const Pin* pin) {
      return std::none_of(waiting.begin(), waiting.end(),
                          [&](const Pin* other) { return other != pin && words_[other->word].reg == pin->home; });
    });
    if (free != waiting.end()) {
      place_pin(**free);
      waiting.erase(free);
      continue;
    }
    // Words wait for one another's registers: one steps aside.
    const int home = waiting.front()->home;
    const auto in_the_way =
        std::find_if(waiting.begin(), waiting.end(), [&](const Pin* pin) { return words_[pin->word].reg == home; });
    const int aside = allocate(home >= kFirstXmm);
    move_register(aside, home);
    registers_[static_cast<size_t>(aside)].narrow = registers_[static_cast<size_t>(home)].narrow;
    unlock(aside);
    bind((*in_the_way)->word, aside, words_[(*in_the_way)->word].dirty);
  }
  // Words that are written somewhere are taken for changed everywhere.
  for (const Pin& pin : input_.pins) words_[pin.word].dirty = pin.written;
}

void Translator::store_pins() {
  for (const Pin& pin : input_.pins) {
    if (pin.written) store_word(pin.word, Word{.reg = static_cast<int8_t>(pin.home)});
  }
}

int Translator::find_block(uint64_t pc) const {
  if (input_.profiled) return kNone;
  for (size_t k = 0; k < input_.blocks.size(); ++k) {
    if (input_.blocks[k].ir.pc == pc) return static_cast<int>(k);
  }
  return kNone;
}

bool Translator::on_same_page(const RegionBlock& to) const {
  const RegionBlock& from = *region_block_;
  return !from.spans_pages && !to.spans_pages && ((to.ir.pc ^ from.ir.pc) & core::kPageMask) == 0;
}

size_t Translator::page_index(uint64_t vaddr) const {
  const auto page = std::ranges::find(input_.pages, vaddr & core::kPageMask, &PlannedPage::vpage);
  return static_cast<size_t>(page - input_.pages.begin());
}

void Translator::edge_here(uint64_t pc) {
  const int index = find_block(pc);
  if (index == kNone) {
    store_pins();
    PendingLink pending{a_.new_label(), unit_.links.size()};
    unit_.links.push_back({});
    Link& link = unit_.links.back();
    link.source = &unit_;
    link.pc = pc;
    if (region_block_->spans_pages || ((pc ^ region_block_->ir.pc) & core::kPageMask) != 0) {
      compare_mapping(pc, link.mapping_at);
      a_.jne(pending.stub);
    }
    a_.jmp(pending.stub);
    link.jump_at = static_cast<uint32_t>(a_.offset() - 4);
    pending_links_.push_back(pending);
    return;
  }
  const RegionBlock& to = input_.blocks[static_cast<size_t>(index)];
  if (!on_same_page(to)) {
    const StaleExit stale{a_.new_label(), pc};
    a_.mov(rax, frame(offsetof(Frame, fetch)));
    for (unsigned page = 0; page < (to.spans_pages ? 2u : 1u); ++page) {
      a_.cmp(asmjit::x86::dword_ptr(rax, mapping_offset(pc + page * core::kPageSize)), kNoLinkYet);
      relocate_last(Relocation::Kind::kMapping, page_index(pc + page * core::kPageSize));
      a_.jne(stale.entry);
    }
    stale_exits_.push_back(stale);
  }
  if (static_cast<size_t>(index) != current_ + 1) a_.jmp(block_labels_[static_cast<size_t>(index)]);
}

HostAssembler::Label Translator::edge(uint64_t pc) {
  const int index = find_block(pc);
  if (index != kNone && on_same_page(input_.blocks[static_cast<size_t>(index)])) {
    return block_labels_[static_cast<size_t>(index)];
  }
  for (const PendingEdge& known : pending_edges_) {
    if (known.from == region_block_ && known.pc == pc) return known.entry;
  }
  pending_edges_.push_back({a_.new_label(), region_block_, pc});
  return pending_edges_.back().entry;
}

void Translator::finish_edges() {
  current_ = input_.blocks.size();  // nothing follows
  for (const PendingEdge& pending : pending_edges_) {
    a_.bind(pending.entry);
    region_block_ = pending.from;
    edge_here(pending.pc);
  }
  for (const StaleExit& exit : stale_exits_) {
    a_.bind(exit.entry);
    store_pins();
    set_pc(exit.pc);
    leave(Leave::kStale, &unit_, Relocation::Kind::kUnit);
  }
  for (size_t k = 0; k < input_.blocks.size(); ++k) {
    const core::ir::Block& block = input_.blocks[k].ir;
    a_.bind(short_budgets_[k]);
    a_.add(asmjit::x86::r15, static_cast<int32_t>(block.guest_instructions));
    store_pins();
    set_pc(block.pc);
    leave(Leave::kBudget);
    if (input_.accesses == nullptr) continue;
    a_.bind(full_buffers_[k]);
    store_pins();
    set_pc(block.pc);
    leave(Leave::kExit);
  }
  a_.bind(moved_);
  set_pc(input_.blocks.front().ir.pc);
  leave(Leave::kMoved);
  if (input_.profiled) {
    a_.bind(hot_);
    set_pc(input_.blocks.front().ir.pc);
    leave(Leave::kHot, &unit_, Relocation::Kind::kUnit);
  }
}

}  // namespace lockstep::jit
