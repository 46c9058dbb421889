// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/interpreter.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <set>
#include <utility>

#include "core/fp/fp.h"
#include "core/interpreter/block_cache.h"
#include "core/interpreter/code_block.h"
#include "core/interpreter/memory_access.h"
#include "core/interpreter/wide.h"
#include "core/ir/builder.h"
#include "core/ir/fold.h"
#include "core/ir/fp_semantics.h"
#include "core/ir/text.h"

namespace lockstep::core {

namespace {

// Longer blocks gain nothing for an interpreter, and a slot index must reach every temporary.
constexpr unsigned kMaxBlockInstructions = 64;

// Feeds the frontend from the hart's fetch translations and remembers what the block depends on.
class MmuCodeReader : public CodeReader {
 public:
  MmuCodeReader(MemoryAccess& memory, uint64_t pc) : memory_(memory), first_page_(pc & kPageMask) {}

  bool fetch16(uint64_t vaddr, uint16_t& bits) override { return read(vaddr, &bits, sizeof bits); }
  bool fetch8(uint64_t vaddr, uint8_t& byte) override { return read(vaddr, &byte, sizeof byte); }

  Fault fault() const { return fault_; }
  uint64_t fault_address() const { return fault_address_; }
  bool cacheable() const { return cacheable_; }
  uint64_t second_ppage() const { return second_ppage_; }

 private:
  bool read(uint64_t vaddr, void* out, unsigned size_bytes) {
    const MemoryAccess::Fetch fetch = memory_.fetch(vaddr);
    if (fetch.fault != Fault::kNone) {
      fault_ = fetch.fault;
      fault_address_ = vaddr;
      return false;
    }
    cacheable_ &= fetch.cacheable;
    if ((vaddr & kPageMask) != first_page_) second_ppage_ = fetch.paddr & kPageMask;
    std::memcpy(out, fetch.host, size_bytes);
    return true;
  }

  MemoryAccess& memory_;
  uint64_t first_page_;
  uint64_t second_ppage_ = 0;
  Fault fault_ = Fault::kNone;
  uint64_t fault_address_ = 0;
  bool cacheable_ = true;
};

class ThreadedInterpreter : public Interpreter {
 public:
  ThreadedInterpreter(Hart& hart, const InterpreterOptions& options)
      : hart_(hart), state_(hart.state()), options_(options), memory_(hart) {
    execute(nullptr);
  }

  std::string_view name() const override { return "interpreter"; }
  RunResult run(uint64_t budget) override;

  bool invalidate_code(uint64_t paddr, uint64_t size_bytes) override {
    const uint64_t before = cache_.invalidated();
    const bool remain = cache_.invalidate(paddr, size_bytes);
    code_changed_ |= cache_.invalidated() != before;
    return remain;
  }
  void invalidate_all_code() override {
    cache_.invalidate_all();
    code_changed_ = true;
  }

  void set_breakpoint(uint64_t vaddr, bool on) override {
    if (on) {
      breakpoints_.insert(vaddr);
    } else {
      breakpoints_.erase(vaddr);
    }
    invalidate_all_code();
  }
  void set_watchpoint(const Watchpoint& watchpoint, bool on) override { memory_.set_watchpoint(watchpoint, on); }
  uint64_t watchpoint_address() const override { return memory_.watchpoint_address(); }
  void set_instruction_hook(InstructionHook hook, void* context) override {
    hook_ = hook;
    hook_context_ = context;
    invalidate_all_code();  // no block may go on to another without the hook
  }

  InterpreterStatistics statistics() const override {
    InterpreterStatistics s = statistics_;
    s.blocks_invalidated = cache_.invalidated();
    return s;
  }

 private:
  // Runs cells until the hart must leave to run(); nullptr fills the handler table instead.
  void execute(CodeBlock* block);

  // Runs the first `count` guest instructions of a block, then leaves.
  void execute_part(CodeBlock* block, unsigned count);

  CodeBlock* enter(uint64_t pc);
  bool still_mapped(const CodeBlock& block) const;
  bool leave_now() const { return state_.exit_request != 0 || code_changed_ || memory_.watchpoint_hit(); }

  // Makes pc and the count exact for guest instruction `index` of `block`.
  void begin_slow(const CodeBlock* block, unsigned index) {
    state_.pc = block->instructions[index].pc;
    state_.unbegun = part_ != 0 ? part_ - index - 1 : static_cast<uint64_t>(block->count_at_entry) - index - 1;
  }

  const Cell* finish_instruction(CodeBlock* block, const Cell* ip, unsigned index);

  // Takes all but `rest` from the budget until run() looks again, so that no further block can be entered.
  void hide_budget(int64_t rest) {
    const int64_t hidden = state_.budget - rest;
    held_budget_ += hidden;
    state_.budget = rest;
    state_.end_count -= static_cast<uint64_t>(hidden);
  }

  Hart& hart_;
  StateHeader& state_;
  InterpreterOptions options_;
  MemoryAccess memory_;
  BlockCache cache_;
  InterpreterStatistics statistics_;
  const void* handlers_[static_cast<size_t>(Bytecode::kCount)] = {};

  // Answers whether state().pc is a breakpoint that has not been reported since its instruction was last reached.
  bool at_new_breakpoint();

  std::set<uint64_t> breakpoints_;
  uint64_t reported_breakpoint_ = 0;  // address and instruction count of the last one that ended a run
  uint64_t reported_count_ = ~uint64_t{0};
  InstructionHook hook_ = nullptr;
  void* hook_context_ = nullptr;

  uint64_t code_key_ = 0;
  Link* pending_link_ = nullptr;
  bool code_changed_ = false;
  bool finishing_ = false;   // the current instruction is the last before leaving
  uint64_t part_ = 0;        // guest instructions of a part that is being run; 0: whole blocks
  int64_t held_budget_ = 0;  // taken from the budget so that the next block cannot be entered
  std::unique_ptr<CodeBlock> uncached_;
  std::vector<Cell> part_cells_;
};

RunResult ThreadedInterpreter::run(uint64_t budget) {
  const uint64_t start = hart_.instruction_count();
  state_.budget = static_cast<int64_t>(budget);
  state_.unbegun = 0;
  state_.end_count = start + budget;
  const auto stop = [&](StopReason reason) {
    const uint64_t executed = hart_.instruction_count() - start;
    state_.end_count = hart_.instruction_count();
    state_.budget = 0;
    pending_link_ = nullptr;
    return RunResult{reason, executed};
  };
  while (true) {
    if (held_budget_ != 0) {
      state_.budget += held_budget_;
      state_.end_count += static_cast<uint64_t>(held_budget_);
      held_budget_ = 0;
    }
    Link* link = std::exchange(pending_link_, nullptr);
    code_changed_ = false;
    finishing_ = false;
    part_ = 0;
    if (const uint32_t request = std::exchange(state_.exit_request, 0); request != 0) {
      if (request & kExitStop) return stop(StopReason::kStop);
      if ((request & kExitWaitForInterrupt) && !hart_.wakeup_pending()) return stop(StopReason::kWaitForInterrupt);
      if (request & kExitYield) return stop(StopReason::kYield);
    }
    if (memory_.watchpoint_hit()) {
      memory_.clear_watchpoint_hit();
      return stop(StopReason::kWatchpoint);
    }
    if (hart_.interrupt_ready()) {
      hart_.take_interrupt();
      state_.trapped = 0;
      link = nullptr;  // what follows is the handler, whatever its address is
    }
    if (state_.budget <= 0) return stop(StopReason::kBudget);
    if (!breakpoints_.empty() && at_new_breakpoint()) return stop(StopReason::kBreakpoint);
    if (hook_ != nullptr) hook_(hook_context_, hart_);

    code_key_ = hart_.code_key();
    CodeBlock* block = enter(state_.pc);
    if (block == nullptr) continue;  // the fetch trapped; its instruction has been counted
    // The uncached block goes away with the next one, so nothing may link to or from it; `link` may already be gone
    // with it, which is why that is asked first.
    if (link != nullptr && options_.block_links && block != uncached_.get() && link->source != uncached_.get() &&
        !block->spans_pages && link->source->count != CodeBlock::kCannotEnter &&
        link->source->code_key == block->code_key && link->pc == block->pc && link->target == cache_.none() &&
        (link->check_page || ((link->source->paddr ^ block->paddr) & kPageMask) == 0) && hook_ == nullptr &&
        !breakpoints_.contains(block->pc)) {
      cache_.link(*link, block);
    }
    cache_.collect();
    if (hook_ != nullptr) hide_budget(1);
    const int64_t whole = static_cast<int64_t>(block->instructions.size());
    if (whole > state_.budget) {
      execute_part(block, static_cast<unsigned>(state_.budget));
    } else {
      state_.budget -= whole;
      execute(block);
    }
  }
}

bool ThreadedInterpreter::at_new_breakpoint() {
  if (!breakpoints_.contains(state_.pc)) return false;
  const uint64_t count = hart_.instruction_count();
  if (reported_breakpoint_ == state_.pc && reported_count_ == count) return false;
  reported_breakpoint_ = state_.pc;
  reported_count_ = count;
  return true;
}

bool ThreadedInterpreter::still_mapped(const CodeBlock& block) const {
  const TlbEntry& entry = hart_.tlb().fetch().fast[static_cast<unsigned>(Access::kFetch)][tlb_index(block.pc)];
  return entry.tag == (block.pc & kPageMask) && entry.addend == block.fetch_addend;
}

CodeBlock* ThreadedInterpreter::enter(uint64_t pc) {
  ++statistics_.lookups;
  CodeBlock*& cached = cache_.jump_cache(pc);
  if (cached->pc == pc && cached->code_key == code_key_ && cached->count != CodeBlock::kCannotEnter &&
      !cached->spans_pages && still_mapped(*cached)) {
    return cached;
  }
  const auto fault = [&](Fault kind, uint64_t vaddr) -> CodeBlock* {
    // The instruction that cannot be fetched has begun.
    state_.budget -= 1;
    state_.pc = pc;
    hart_.raise_fault(kind, Access::kFetch, vaddr);
    state_.trapped = 0;
    return nullptr;
  };
  const MemoryAccess::Fetch fetch = memory_.fetch(pc);
  if (fetch.fault != Fault::kNone) return fault(fetch.fault, pc);
  if (fetch.cacheable) {
    CodeBlock* found = cache_.find(fetch.paddr, pc, code_key_);
    if (found != nullptr && found->spans_pages) {
      const MemoryAccess::Fetch second = memory_.fetch((pc & kPageMask) + kPageSize);
      // Setting an accessed bit for the second page may have been a write to the block's own bytes.
      if (second.fault != Fault::kNone || (second.paddr & kPageMask) != found->second_ppage ||
          found->count == CodeBlock::kCannotEnter) {
        found = nullptr;
      }
    }
    if (found != nullptr) {
      found->fetch_addend = reinterpret_cast<uint64_t>(fetch.host) - pc;
      if (!found->spans_pages && !breakpoints_.contains(pc)) cached = found;
      return found;
    }
  }
  unsigned max_instructions = fetch.cacheable ? kMaxBlockInstructions : 1;
  if (!breakpoints_.empty()) {
    // A block never runs into a breakpoint: it ends before the next one on its page.
    const auto next = breakpoints_.upper_bound(pc);
    if (next != breakpoints_.end() && *next - pc < kPageSize) max_instructions = 1;
  }
  while (true) {
    ir::Block ir_block;
    ir_block.pc = pc;
    ir::Builder builder(ir_block);
    MmuCodeReader reader(memory_, pc);
    hart_.translate_block(reader, pc, max_instructions, builder);
    if (ir_block.guest_instructions == 0) {
      const Fault kind = reader.fault() == Fault::kNone ? Fault::kAccess : reader.fault();
      return fault(kind, reader.fault() == Fault::kNone ? pc : reader.fault_address());
    }
    [[maybe_unused]] const ir::Names names{&hart_.layout(), hart_.helpers()};
    assert(ir::verify(ir_block, names).ok());
    auto block = std::make_unique<CodeBlock>();
    block->pc = pc;
    block->code_key = code_key_;
    block->paddr = fetch.paddr;
    block->fetch_addend = reinterpret_cast<uint64_t>(fetch.host) - pc;
    block->size_bytes = static_cast<uint32_t>(ir_block.code_bytes);
    block->spans_pages = ((pc + ir_block.code_bytes - 1) & kPageMask) != (pc & kPageMask);
    block->second_ppage = reader.second_ppage();
    if (!lower(ir_block, hart_.layout(), hart_.helpers(), options_.fusion, handlers_, *block)) {
      assert(ir_block.guest_instructions > 1 && "one instruction's temporaries fit the scratch area");
      max_instructions = std::max(1u, ir_block.guest_instructions / 2);
      continue;
    }
    block->count_at_entry = block->instructions.size();
    block->count = static_cast<int64_t>(block->instructions.size());
    ++statistics_.blocks_translated;
    statistics_.instructions_translated += block->instructions.size();
    hart_.bus().page_has_code(fetch.paddr);
    if (block->spans_pages) hart_.bus().page_has_code(block->second_ppage);
    if (!fetch.cacheable || !reader.cacheable()) {
      if (ir_block.guest_instructions > 1) {
        // Only the last instruction reaches into a page whose translation may not be kept: it is left to a block of its
        // own, which sees what the instructions before it wrote.
        max_instructions = ir_block.guest_instructions - 1;
        continue;
      }
      // The answer of the MMU holds for this address alone, so the block is run once.
      for (Link& link : block->links) link = Link{cache_.none(), block.get(), link.pc, true};
      block->entry = block->cells.data();
      uncached_ = std::move(block);
      return uncached_.get();
    }
    if (CodeBlock* stale = cache_.find(block->paddr, pc, code_key_); stale != nullptr) {
      cache_.invalidate(stale->paddr, 1);
    }
    CodeBlock* result = cache_.insert(std::move(block));
    if (!result->spans_pages && !breakpoints_.contains(pc)) cached = result;
    return result;
  }
}

void ThreadedInterpreter::execute_part(CodeBlock* block, unsigned count) {
  const uint32_t end = block->instructions[count].first_cell;
  part_cells_.assign(block->cells.begin(), block->cells.begin() + end);
  Cell exit;
  exit.handler = handlers_[static_cast<size_t>(Bytecode::k_exit)];
  exit.imm = block->instructions[count].pc;
  part_cells_.push_back(exit);
  const Cell* entry = std::exchange(block->entry, part_cells_.data());
  state_.budget -= count;
  part_ = count;
  execute(block);
  part_ = 0;
  block->entry = entry;
}

// After a slow access that asks to leave: the rest of this guest instruction still runs, then the hart leaves. Answers
// where to go on.
const Cell* ThreadedInterpreter::finish_instruction(CodeBlock* block, const Cell* ip, unsigned index) {
  finishing_ = true;
  const uint64_t in_run = part_ != 0 ? part_ : block->count_at_entry;
  if (index + 1 < in_run) {
    const bool in_part = part_ != 0 && ip >= part_cells_.data() && ip < part_cells_.data() + part_cells_.size();
    const size_t at = static_cast<size_t>(ip - (in_part ? part_cells_.data() : block->cells.data()));
    const uint32_t end = block->instructions[index + 1].first_cell;
    std::vector<Cell> rest(block->cells.begin() + static_cast<ptrdiff_t>(at) + 1, block->cells.begin() + end);
    Cell exit;
    exit.handler = handlers_[static_cast<size_t>(Bytecode::k_exit)];
    exit.imm = block->instructions[index + 1].pc;
    rest.push_back(exit);
    part_cells_ = std::move(rest);
    state_.budget += static_cast<int64_t>(in_run) - index - 1;
    part_ = index + 1;
    return part_cells_.data();
  }
  // The last instruction: its end must not chain.
  hide_budget(0);
  return ip + 1;
}

#define R(i) (*reinterpret_cast<uint64_t*>(base + size_t{8} * (i)))
#define NEXT            \
  do {                  \
    ++ip;               \
    goto * ip->handler; \
  } while (0)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ALU2(name, expression)                    \
  h_##name##_rr : {                               \
    const uint64_t a = R(ip->a), b = R(ip->b);    \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;                                           \
  h_##name##_ri : {                               \
    const uint64_t a = R(ip->a), b = ip->imm;     \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;
#define ALU1(name, expression)                    \
  h_##name##_rr : {                               \
    const uint64_t a = R(ip->a), b = R(ip->b);    \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;
#define UNARY(name, expression)                   \
  h_##name : {                                    \
    const uint64_t a = R(ip->a);                  \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;

#define CHAIN(k)                                               \
  do {                                                         \
    Link& link = block->links[k];                              \
    CodeBlock* target = link.target;                           \
    if (LIKELY(state->budget >= target->count)) {              \
      if (LIKELY(!link.check_page) || still_mapped(*target)) { \
        state->budget -= target->count;                        \
        block = target;                                        \
        ip = target->entry;                                    \
        goto * ip->handler;                                    \
      }                                                        \
    } else {                                                   \
      pending_link_ = &link;                                   \
    }                                                          \
    state->pc = link.pc;                                       \
    return;                                                    \
  } while (0)

#define BRANCH(name, expression)               \
  h_##name##_rr : {                            \
    const uint64_t a = R(ip->a), b = R(ip->b); \
    if (expression) CHAIN(0);                  \
    CHAIN(1);                                  \
  }                                            \
  h_##name##_ri : {                            \
    const uint64_t a = R(ip->a), b = ip->imm;  \
    if (expression) CHAIN(0);                  \
    CHAIN(1);                                  \
  }

// The trap has been entered: instructions behind this one have not begun.
#define TRAPPED                                            \
  do {                                                     \
    state->budget += static_cast<int64_t>(state->unbegun); \
    state->unbegun = 0;                                    \
    state->trapped = 0;                                    \
    return;                                                \
  } while (0)

#define AFTER_SLOW                               \
  do {                                           \
    state->unbegun = 0;                          \
    if (UNLIKELY(leave_now()) && !finishing_) {  \
      ip = finish_instruction(block, ip, ip->c); \
      goto * ip->handler;                        \
    }                                            \
    NEXT;                                        \
  } while (0)

#define LOAD(name, ctype, wide)                                                               \
  h_##name : {                                                                                \
    const uint64_t vaddr = R(ip->a) + ip->imm;                                                \
    const TlbEntry& entry = data->fast[0][tlb_index(vaddr)];                                  \
    ctype value;                                                                              \
    if (LIKELY((vaddr & (kPageMask | (sizeof(ctype) - 1))) == entry.tag)) {                   \
      std::memcpy(&value, reinterpret_cast<const void*>(vaddr + entry.addend), sizeof value); \
      R(ip->d) = static_cast<uint64_t>(static_cast<wide>(value));                             \
      NEXT;                                                                                   \
    }                                                                                         \
    begin_slow(block, ip->c);                                                                 \
    if (!memory_.load(vaddr, sizeof value, 0, &value)) TRAPPED;                               \
    R(ip->d) = static_cast<uint64_t>(static_cast<wide>(value));                               \
    AFTER_SLOW;                                                                               \
  }

#define STORE(name, ctype)                                                              \
  h_##name : {                                                                          \
    const uint64_t vaddr = R(ip->a) + ip->imm;                                          \
    const TlbEntry& entry = data->fast[1][tlb_index(vaddr)];                            \
    const ctype value = static_cast<ctype>(R(ip->b));                                   \
    if (LIKELY((vaddr & (kPageMask | (sizeof(ctype) - 1))) == entry.tag)) {             \
      std::memcpy(reinterpret_cast<void*>(vaddr + entry.addend), &value, sizeof value); \
      NEXT;                                                                             \
    }                                                                                   \
    begin_slow(block, ip->c);                                                           \
    if (!memory_.store(vaddr, sizeof value, 0, &value)) TRAPPED;                        \
    AFTER_SLOW;                                                                         \
  }

#define ROUNDING(imm) \
  static_cast<fp::RoundingMode>((imm) == ir::kRoundDynamic ? state->fp_rounding : static_cast<uint32_t>(imm))
#define FP2(name, function, ctype)                                                                                    \
  h_##name : {                                                                                                        \
    R(ip->d) =                                                                                                        \
        fp::function(static_cast<ctype>(R(ip->a)), static_cast<ctype>(R(ip->b)), ROUNDING(ip->imm), state->fp_flags); \
  }                                                                                                                   \
  NEXT;
#define FP3(name, function, ctype)                                                                                    \
  h_##name : {                                                                                                        \
    R(ip->d) = fp::function(static_cast<ctype>(R(ip->a)), static_cast<ctype>(R(ip->b)), static_cast<ctype>(R(ip->c)), \
                            ROUNDING(ip->imm), state->fp_flags);                                                      \
  }                                                                                                                   \
  NEXT;
#define FPCMP(name, function, ctype)                                                                                   \
  h_##name : { R(ip->d) = fp::function(static_cast<ctype>(R(ip->a)), static_cast<ctype>(R(ip->b)), state->fp_flags); } \
  NEXT;

__attribute__((optimize("no-gcse", "no-crossjumping"))) void ThreadedInterpreter::execute(CodeBlock* block) {
  if (block == nullptr) {
    static const void* const kLabels[] = {
#define BC(name) &&h_##name,
#define BC1(name) &&h_##name##_rr,
#define BC2(name) &&h_##name##_rr, &&h_##name##_ri,
#include "core/interpreter/bytecode.def"
#undef BC
#undef BC1
#undef BC2
    };
    std::copy(std::begin(kLabels), std::end(kLabels), handlers_);
    return;
  }
  StateHeader* const state = &state_;
  auto* const base = reinterpret_cast<uint8_t*>(state);
  TlbContext* data = &hart_.tlb().data();
  const Cell* ip = block->entry;
  goto * ip->handler;

  ALU2(add, a + b)
  ALU2(sub, a - b)
  ALU2(mul, a * b)
  ALU2(and, a & b)
  ALU2(or, a | b)
  ALU2(xor, a ^ b)
  ALU2(shl, a << (b & 63))
  ALU2(shr, a >> (b & 63))
  ALU2(sar, static_cast<int64_t>(a) >> (b & 63))
  ALU2(rotl, std::rotl(a, static_cast<int>(b & 63)))
  ALU2(rotr, std::rotr(a, static_cast<int>(b & 63)))
  ALU1(mulhu, static_cast<unsigned __int128>(a) * b >> 64)
  ALU1(mulhs, static_cast<__int128>(static_cast<int64_t>(a)) * static_cast<int64_t>(b) >> 64)
  ALU1(mulhsu, static_cast<__int128>(static_cast<int64_t>(a)) * static_cast<__int128>(b) >> 64)
  ALU1(divu, b == 0 ? ~uint64_t{0} : a / b)
  ALU1(divs, b == 0              ? ~uint64_t{0}
             : b == ~uint64_t{0} ? 0 - a
                                 : static_cast<uint64_t>(static_cast<int64_t>(a) / static_cast<int64_t>(b)))
  ALU1(remu, b == 0 ? a : a % b)
  ALU1(rems, b == 0              ? a
             : b == ~uint64_t{0} ? 0
                                 : static_cast<uint64_t>(static_cast<int64_t>(a) % static_cast<int64_t>(b)))
  ALU1(minu, a < b ? a : b)
  ALU1(mins, static_cast<int64_t>(a) < static_cast<int64_t>(b) ? a : b)
  ALU1(maxu, a > b ? a : b)
  ALU1(maxs, static_cast<int64_t>(a) > static_cast<int64_t>(b) ? a : b)
  UNARY(not, ~a)
  UNARY(clz, std::countl_zero(a))
  UNARY(ctz, std::countr_zero(a))
  UNARY(popcnt, std::popcount(a))
  UNARY(bswap, __builtin_bswap64(a))
  UNARY(orcb, *ir::fold_unary(ir::Op::kOrcB, ir::Type::kI64, a))
  ALU2(addw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a + b))))
  ALU2(subw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a - b))))
  ALU2(mulw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a * b))))
  ALU2(shlw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a) << (b & 31))))
  ALU2(shrw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a) >> (b & 31))))
  ALU2(sarw, static_cast<int64_t>(static_cast<int32_t>(a) >> (b & 31)))
  ALU2(eq, a == b)
  ALU2(ne, a != b)
  ALU2(ltu, a < b)
  ALU2(lts, static_cast<int64_t>(a) < static_cast<int64_t>(b))
  ALU2(geu, a >= b)
  ALU2(ges, static_cast<int64_t>(a) >= static_cast<int64_t>(b))
h_select:
  R(ip->d) = R(ip->a) & 1 ? R(ip->b) : R(ip->c);
  NEXT;
  UNARY(mov, a)
h_movi:
  R(ip->d) = ip->imm;
  NEXT;
  UNARY(zext1, a & 1)
  UNARY(zext8, a & 0xff)
  UNARY(zext16, a & 0xffff)
  UNARY(zext32, static_cast<uint32_t>(a))
  UNARY(sext8, static_cast<int64_t>(static_cast<int8_t>(a)))
  UNARY(sext16, static_cast<int64_t>(static_cast<int16_t>(a)))
  UNARY(sext32, static_cast<int64_t>(static_cast<int32_t>(a)))
h_scalar1:
  R(ip->d) = run_scalar1(ip->imm, R(ip->a));
  NEXT;
h_scalar2:
  R(ip->d) = run_scalar2(ip->imm, R(ip->a), R(ip->b));
  NEXT;
h_scalar3:
  R(ip->d) = run_scalar3(ip->imm, R(ip->a), R(ip->b), R(ip->c));
  NEXT;
h_wide:
  begin_slow(block, ip->c);
  if (!run_wide(block->wide[ip->imm], state_, memory_)) TRAPPED;
  AFTER_SLOW;

#define GET(bits)                                             \
  h_get##bits : {                                             \
    uint##bits##_t value;                                     \
    std::memcpy(&value, base + ip->imm, sizeof value);        \
    R(ip->d) = value;                                         \
  }                                                           \
  NEXT;                                                       \
  h_set##bits : {                                             \
    const auto value = static_cast<uint##bits##_t>(R(ip->a)); \
    std::memcpy(base + ip->imm, &value, sizeof value);        \
  }                                                           \
  NEXT;
  GET(8)
  GET(16)
  GET(32)
  GET(64)

  LOAD(ldu8, uint8_t, uint64_t)
  LOAD(lds8, int8_t, int64_t)
  LOAD(ldu16, uint16_t, uint64_t)
  LOAD(lds16, int16_t, int64_t)
  LOAD(ldu32, uint32_t, uint64_t)
  LOAD(lds32, int32_t, int64_t)
  LOAD(ld64, uint64_t, uint64_t)
  STORE(st8, uint8_t)
  STORE(st16, uint16_t)
  STORE(st32, uint32_t)
  STORE(st64, uint64_t)
h_load_any : {
  uint64_t value = 0;
  begin_slow(block, ip->c);
  if (!memory_.load(R(ip->a), ip->b, ip->imm, &value)) TRAPPED;
  R(ip->d) = value;
  AFTER_SLOW;
}
h_store_any : {
  const uint64_t value = R(ip->b);
  begin_slow(block, ip->c);
  if (!memory_.store(R(ip->a), ip->d, ip->imm, &value)) TRAPPED;
  AFTER_SLOW;
}
h_load_reserved : {
  uint64_t value = 0;
  begin_slow(block, ip->c);
  if (!memory_.load_reserved(R(ip->a), ip->b, ip->imm, &value)) TRAPPED;
  R(ip->d) = value;
  AFTER_SLOW;
}
h_store_conditional : {
  uint64_t failed = 0;
  begin_slow(block, ip->c);
  if (!memory_.store_conditional(R(ip->a), static_cast<unsigned>(ip->imm >> 32), ip->imm & 0xffffffff, &R(ip->b),
                                 failed)) {
    TRAPPED;
  }
  R(ip->d) = failed;
  AFTER_SLOW;
}
h_rmw : {
  uint64_t old = 0;
  begin_slow(block, ip->c);
  if (!memory_.rmw(static_cast<ir::RmwOp>(ip->imm >> 32 & 0xff), R(ip->a), static_cast<ir::Type>(ip->imm >> 40),
                   ip->imm & 0xffffffff, R(ip->b), old)) {
    TRAPPED;
  }
  R(ip->d) = old;
  AFTER_SLOW;
}
h_fence:
  NEXT;

  FP2(fadd32, f32_add, uint32_t)
  FP2(fsub32, f32_sub, uint32_t)
  FP2(fmul32, f32_mul, uint32_t)
  FP2(fdiv32, f32_div, uint32_t)
  FP2(fadd64, f64_add, uint64_t)
  FP2(fsub64, f64_sub, uint64_t)
  FP2(fmul64, f64_mul, uint64_t)
  FP2(fdiv64, f64_div, uint64_t)
  FP3(fma32, f32_fma, uint32_t)
  FP3(fma64, f64_fma, uint64_t)
  FPCMP(feq32, f32_eq, uint32_t)
  FPCMP(flt32, f32_lt, uint32_t)
  FPCMP(fle32, f32_le, uint32_t)
  FPCMP(feq64, f64_eq, uint64_t)
  FPCMP(flt64, f64_lt, uint64_t)
  FPCMP(fle64, f64_le, uint64_t)
h_fp_any:
  R(ip->d) =
      ir::run_fp(ir::FpOperation::unpack(ip->imm), R(ip->a), R(ip->b), R(ip->c), state->fp_rounding, state->fp_flags);
  NEXT;

h_call : {
  begin_slow(block, ip->c);
  const Cell& arguments = ip[1];
  const auto function = reinterpret_cast<HelperFunction>(ip->imm);
  const uint64_t result = function(hart_, R(arguments.d), R(arguments.a), R(arguments.b), R(arguments.c));
  if (UNLIKELY(state->trapped)) TRAPPED;
  if (ip->a) R(ip->d) = result;
  state->unbegun = 0;
  data = &hart_.tlb().data();
  ++ip;  // the arguments' cell
  if (UNLIKELY(leave_now()) && !finishing_) {
    ip = finish_instruction(block, ip, ip[-1].c);
    goto * ip->handler;
  }
  NEXT;
}

  BRANCH(beq, a == b)
  BRANCH(bne, a != b)
  BRANCH(bltu, a < b)
  BRANCH(blts, static_cast<int64_t>(a) < static_cast<int64_t>(b))
  BRANCH(bgeu, a >= b)
  BRANCH(bges, static_cast<int64_t>(a) >= static_cast<int64_t>(b))
h_btrue:
  if (R(ip->a) & 1) CHAIN(0);
  CHAIN(1);
h_exit_if:
  if (R(ip->a) & 1) {
    begin_slow(block, ip->c);
    state->pc = ip->imm;
    state->budget += static_cast<int64_t>(state->unbegun);
    state->unbegun = 0;
    return;
  }
  NEXT;
h_jump:
  CHAIN(0);
h_jump_ind : {
  const uint64_t pc = R(ip->a);
  CodeBlock* target = cache_.jump_cache(pc);
  if (LIKELY(target->pc == pc && target->code_key == code_key_ && state->budget >= target->count &&
             options_.block_links && still_mapped(*target))) {
    state->budget -= target->count;
    block = target;
    ip = target->entry;
    goto * ip->handler;
  }
  state->pc = pc;
  return;
}
h_exit:
  state->pc = ip->imm;
  return;
h_exit_ind:
  state->pc = R(ip->a);
  return;
}

}  // namespace

std::unique_ptr<Interpreter> make_interpreter(Hart& hart, const InterpreterOptions& options) {
  return std::make_unique<ThreadedInterpreter>(hart, options);
}

}  // namespace lockstep::core
