// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "core/interpreter/block_cache.h"
#include "core/interpreter/code_block.h"
#include "core/interpreter/interpreter.h"
#include "core/interpreter/memory_access.h"

namespace lockstep::core {

// The interpreter's two halves: the loop that finds blocks, takes interrupts and keeps the budget (interpreter.cpp),
// and the threaded dispatch that runs their cells (execute.cpp).
class ThreadedInterpreter final : public Interpreter {
 public:
  ThreadedInterpreter(Hart& hart, const InterpreterOptions& options)
      : hart_(hart), state_(hart.state()), options_(options), memory_(hart, options.instrumentation) {
    execute(nullptr);
  }

  std::string_view name() const override { return "interpreter"; }
  RunResult run(uint64_t budget) override;

  bool invalidate_code(uint64_t paddr, uint64_t size_bytes) override {
    return written_pages_.written(paddr, size_bytes, [this](auto... bytes) { return drop_code(bytes...); });
  }
  CodeWrite drop_code(uint64_t paddr, uint64_t size_bytes) override {
    const CodeWrite write = cache_.invalidate(paddr, size_bytes);
    code_changed_ |= write.hit;
    ++invalidations_;
    return write;
  }
  void invalidate_all_code() override {
    written_pages_.forget_all();
    cache_.invalidate_all();
    code_changed_ = true;
    ++invalidations_;
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

  EngineReport report() override {
    const InterpreterStatistics s = statistics();
    EngineReport report;
    report.counters = {{"blocks_translated", s.blocks_translated},
                       {"block_instructions", s.instructions_translated},
                       {"units_dropped", s.blocks_invalidated},
                       {"lookups", s.lookups}};
    return report;
  }
  InterpreterStatistics statistics() const override {
    InterpreterStatistics s = statistics_;
    s.blocks_invalidated = cache_.invalidated();
    return s;
  }

 private:
  // Runs cells until the hart must leave to run(); nullptr fills the handler table instead (execute.cpp).
  void execute(CodeBlock* block);

  // Runs the first `count` guest instructions of a block, then leaves.
  void execute_part(CodeBlock* block, unsigned count);

  CodeBlock* enter(uint64_t pc);
  // The page of the block's first instruction is mapped as it was when the block was found.
  bool still_mapped(const CodeBlock& block) const {
    constexpr auto kFetch = static_cast<unsigned>(Access::kFetch);
    const TlbContext& context = hart_.tlb().fetch();
    const unsigned index = tlb_index(block.pc);
    return context.tags[kFetch][index] == (block.pc & kPageMask) &&
           context.addends[kFetch][index] == block.fetch_addend;
  }
  bool leave_now() const { return state_.exit_request != 0 || code_changed_ || memory_.watchpoint_hit(); }

  // Answers whether state().pc is a breakpoint that has not been reported since its instruction was last reached.
  bool at_new_breakpoint();

  // Makes pc and the count exact for guest instruction `index` of `block`.
  void begin_slow(const CodeBlock* block, unsigned index) {
    state_.pc = block->instructions[index].pc;
    state_.unbegun = part_ != 0 ? part_ - index - 1 : static_cast<uint64_t>(block->count_at_entry) - index - 1;
  }

  // After a slow access that asks to leave: the rest of this guest instruction still runs, then the hart leaves.
  // Answers where to go on.
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

  std::set<uint64_t> breakpoints_;
  uint64_t reported_breakpoint_ = 0;  // address and instruction count of the last one that ended a run
  uint64_t reported_count_ = ~uint64_t{0};
  InstructionHook hook_ = nullptr;
  void* hook_context_ = nullptr;

  uint64_t code_key_ = 0;
  Link* pending_link_ = nullptr;
  WrittenPages written_pages_;
  bool code_changed_ = false;
  uint64_t invalidations_ = 0;  // asked for since the engine was made
  bool finishing_ = false;      // the current instruction is the last before leaving
  uint64_t part_ = 0;           // guest instructions of a part that is being run; 0: whole blocks
  int64_t held_budget_ = 0;     // taken from the budget so that the next block cannot be entered
  std::unique_ptr<CodeBlock> uncached_;
  std::vector<Cell> part_cells_;
};

}  // namespace lockstep::core
