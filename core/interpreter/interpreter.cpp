// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/interpreter.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "core/interpreter/mmu_code_reader.h"
#include "core/interpreter/threaded_interpreter.h"
#include "core/ir/builder.h"
#include "core/ir/text.h"

namespace lockstep::core {

namespace {

// Longer blocks gain nothing for an interpreter, and a slot index must reach every temporary.
constexpr unsigned kMaxBlockInstructions = 64;

}  // namespace

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
    if (options_.instrumentation != nullptr) options_.instrumentation->flush();
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
    if (options_.instrumentation != nullptr) options_.instrumentation->count_unfetched();
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
    MmuCodeReader reader(hart_, memory_, ir_block);
    CodeCopy copy(reader, pc);
    CodeReader& source = options_.instrumentation != nullptr ? static_cast<CodeReader&>(copy) : reader;
    const uint64_t invalidations = invalidations_;
    hart_.translate_block(source, pc, max_instructions, builder);
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
    LoweringOptions lowering{.fusion = options_.fusion};
    if (HartInstrumentation* instrumentation = options_.instrumentation; instrumentation != nullptr) {
      lowering.watched_memory = instrumentation->traces_memory();
      lowering.coverage = instrumentation->coverage();
      if (lowering.coverage != Coverage::kNone)
        block->record = instrumentation->record(ir_block, copy.bytes(), code_key_);
    }
    if (!lower(ir_block, hart_.layout(), hart_.helpers(), lowering, handlers_, *block)) {
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
    // Another hart wrote to some code meanwhile, maybe to this.
    if (hart_.concurrent() && invalidations != invalidations_) continue;
    if (!fetch.cacheable || !reader.cacheable()) {
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

std::unique_ptr<Interpreter> make_interpreter(Hart& hart, const InterpreterOptions& options) {
  return std::make_unique<ThreadedInterpreter>(hart, options);
}

}  // namespace lockstep::core
