// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asmjit/x86.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/interpreter/interpreter.h"
#include "jit/code_cache.h"
#include "jit/compile_pool.h"
#include "jit/jit_engine.h"
#include "jit/pins.h"
#include "jit/region.h"
#include "jit/runtime.h"
#include "jit/thunks.h"
#include "jit/unit_maker.h"
#include "jit/unit_map.h"
#include "jit/warm_start.h"

// The engine behind jit_engine.h, for the files that it is written in: engine_run.cpp enters generated code and deals
// with the ways out of it; engine_units.cpp has units made, installed and dropped; jit_engine.cpp has the rest.
namespace lockstep::jit {

// A region on its way to code. What the translation reads and writes is in here, so that it may go on beside the guest.
struct RegionJob {
  RegionPlan plan;
  Region region;
  std::vector<Pin> pins;
  std::unique_ptr<Unit> unit;
  asmjit::CodeHolder code;
  bool joint_checks = false;
  bool translated = false;
  std::atomic<bool> finished = false;
  uint64_t asked_count = 0;          // instructions begun by then
  const Install* repeats = nullptr;  // of a log
  bool cancelled = false;            // its guest code has changed; only the guest's thread asks
};

// Of the engine's work since it was made; the names are those of report().
struct Statistics {
  uint64_t blocks_translated = 0;
  uint64_t blocks_restored = 0;     // from an earlier run
  uint64_t blocks_interpreted = 0;  // that have an operation without host code
  uint64_t block_instructions = 0;
  uint64_t regions_translated = 0;
  uint64_t regions_restored = 0;
  uint64_t installs_missed = 0;  // of those to be repeated
  uint64_t region_instructions = 0;
  uint64_t code_bytes = 0;
  uint64_t cache_regions_evicted = 0;
  uint64_t entries = 0;  // into generated code
  uint64_t lookups = 0;
  // Ways out of generated code.
  uint64_t exits_link = 0;
  uint64_t exits_exit = 0;
  uint64_t exits_hand_over = 0;  // single instructions that the interpreter did
  uint64_t exits_budget = 0;
  uint64_t exits_hot = 0;
  uint64_t exits_moved = 0;
  uint64_t exits_stale = 0;
};

class Engine final : public core::Engine, private Runtime {
 public:
  Engine(core::Hart& hart, const JitOptions& options, std::unique_ptr<CodeCache> cache, const Thunks& thunks,
         std::shared_ptr<CodeArchive> archive)
      : Runtime(hart, options.instrumentation),
        hart_(hart),
        state_(hart.state()),
        options_(options),
        cache_(std::move(cache)),
        thunks_(thunks),
        maker_(hart, *cache_, thunks_, options_),
        units_(*cache_),
        interpreter_(core::make_interpreter(hart, {.instrumentation = options.instrumentation})),
        instrumentation_(options.instrumentation) {
    recent_.fill(nullptr);
    if (instrumentation_ != nullptr) {
      coverage_ = instrumentation_->coverage();
      if (instrumentation_->traces_memory()) accesses_ = &instrumentation_->buffer();
      instrumentation_->set_gatherer([this] { units_.each([this](const Unit& unit) { maker_.collect(unit); }); });
    }
    if (options_.replay != nullptr) {
      static const std::vector<Install> kNone;
      const auto mine = options_.replay->find(hart.id());
      repeated_ = mine == options_.replay->end() ? &kNone : &mine->second;
      for (const Install& install : *repeated_) {
        steps_.push_back({install.asked_count, false, &install});
        steps_.push_back({install.count, true, &install});
      }
      std::ranges::stable_sort(steps_, {}, &Step::count);
    }
    if (archive != nullptr) warm_ = std::make_unique<WarmStart>(hart, memory(), std::move(archive));
    if (options_.tiers > 1 && options_.threads > 0 && options_.replay == nullptr)
      pool_ = CompilePool::shared(options_.threads);
  }
  // Translations that have begun use this object.
  ~Engine() override {
    for (const std::shared_ptr<RegionJob>& job : jobs_) job->finished.wait(false);
    if (instrumentation_ != nullptr) {
      units_.each([this](const Unit& unit) { maker_.collect(unit); });
      instrumentation_->set_gatherer({});
    }
  }

  std::string_view name() const override { return "jit"; }
  core::RunResult run(uint64_t budget) override;

  bool invalidate_code(uint64_t paddr, uint64_t size_bytes) override;
  void invalidate_all_code() override;
  std::string describe_code(uint64_t pc) const override;

  void set_breakpoint(uint64_t vaddr, bool on) override {
    interpreter_->set_breakpoint(vaddr, on);
    if (on) {
      breakpoints_.insert(vaddr);
    } else {
      breakpoints_.erase(vaddr);
    }
  }
  void set_watchpoint(const core::Watchpoint& watchpoint, bool on) override {
    interpreter_->set_watchpoint(watchpoint, on);
    watchpoints_ = on ? watchpoints_ + 1 : watchpoints_ - std::min(watchpoints_, 1u);
  }
  uint64_t watchpoint_address() const override { return interpreter_->watchpoint_address(); }
  void set_instruction_hook(InstructionHook hook, void* context) override {
    interpreter_->set_instruction_hook(hook, context);
    hooked_ = hook != nullptr;
  }

  core::EngineReport report() override;

 private:
  uint64_t hand_over(const uint8_t* return_address, const Frame& frame) override;
  Unit* find(uint64_t pc);
  // One that ran, for regions: at `paddr`, or, when that is not known, the latest at `pc`.
  const Unit* find_known(uint64_t pc, uint64_t paddr, uint64_t key) const;
  std::string describe(const Unit& unit) const;
  Unit* translate(uint64_t pc, const core::MemoryAccess::Fetch& fetch, bool stale);
  // The same from an earlier run; nullptr where it has none.
  Unit* restore(uint64_t pc, const core::MemoryAccess::Fetch& fetch, bool stale);
  bool restore_region(const Unit& unit);
  // Before the code of a block that runs for the first time is placed.
  void prepare(Unit& unit, bool stale);
  // Puts a region in the place of the unit of the first tier. False where there is none any more.
  bool put_region(std::unique_ptr<Unit> region, std::span<const uint8_t> code, std::span<const PlannedPage> pages);
  void make_link(Link& link, Unit* target);
  bool code_changed() const override { return !units_.graveyard().empty(); }
  core::RunResult run_until_install(uint64_t budget);
  // The part of a budget up to the next install that is to be repeated.
  uint64_t until_install(uint64_t budget);
  void repeat_installs();
  // Begins to put a region in the place of a unit of the first tier.
  void promote(Unit* unit);
  // Gives planned blocks the records of what they ran so far.
  bool find_records(RegionPlan& plan, uint64_t code_key);
  // Decodes a region; nullptr where its bytes are not what the plan says.
  std::shared_ptr<RegionJob> form(RegionPlan plan, uint64_t code_key, bool joint_checks);
  // What of the work goes on beside the guest.
  void write_code(RegionJob& job) const;
  // Has it translated and installed. False when too many wait already.
  bool submit(const std::shared_ptr<RegionJob>& job);
  // Installs regions whose translation has ended.
  void install_finished();
  bool install(RegionJob& job);
  void make_room(size_t bytes);
  // Counts new samples of host time for the code that they lie in. Before code is given away.
  void attribute_samples();
  void forget_dropped();
  // The same, or, where dropped code may be running, sees to it that it is left.
  void leave_dropped();
  JumpEntry* jump_table(uint64_t key);
  uint64_t key() const { return hart_.code_key() | uint64_t{std::min(state_.fp_rounding, 5u)} << kRoundingShift; }
  uint32_t mapping(uint64_t pc) const { return hart_.tlb().fetch().mappings[core::tlb_index(pc)]; }
  bool is_mapped(const Unit& unit) const {
    return unit.mapping[0] == mapping(unit.pc) &&
           (!unit.spans_pages || unit.mapping[1] == mapping(unit.pc + core::kPageSize));
  }
  static size_t recent_index(uint64_t pc) { return (pc >> 1) & (kJumpEntries - 1); }

  // Harts beside one another need not stop at an exact count, which would cost part of a block in the interpreter.
  bool budget_is_rough(uint64_t start) const { return hart_.concurrent() && hart_.instruction_count() != start; }

  // Lets the interpreter begin `count` instructions of the budget. Answers what it stopped for.
  core::StopReason interpret(uint64_t count) {
    const int64_t before = state_.budget;
    const core::RunResult result = interpreter_->run(count);
    const uint64_t begun = hart_.instruction_count();
    state_.budget = before - static_cast<int64_t>(result.executed);
    state_.end_count = begun + static_cast<uint64_t>(state_.budget);
    return result.reason;
  }

  core::Hart& hart_;
  core::StateHeader& state_;
  JitOptions options_;
  std::unique_ptr<CodeCache> cache_;
  Thunks thunks_;
  UnitMaker maker_;
  UnitMap units_;
  std::unique_ptr<core::Interpreter> interpreter_;
  std::shared_ptr<CompilePool> pool_;  // nullptr: regions are translated where they are asked for
  std::vector<std::shared_ptr<RegionJob>> jobs_;
  std::atomic<unsigned> finished_jobs_ = 0;
  core::HartInstrumentation* instrumentation_;  // nullptr: nobody asks what runs
  core::Coverage coverage_ = core::Coverage::kNone;
  core::MemoryBuffer* accesses_ = nullptr;
  Statistics statistics_;
  // Of the block that is being translated: all keep their room from block to block.
  std::array<uint8_t, 8192> code_room_;
  asmjit::CodeHolder code_;
  Region alone_region_{.blocks = std::vector<RegionBlock>(1), .pages = {}};
  std::map<uint64_t, std::unique_ptr<JumpEntry[]>> jump_tables_;
  std::array<Unit*, kJumpEntries> recent_;
  std::unique_ptr<WarmStart> warm_;                 // nullptr: code is not kept for other runs
  const std::vector<Install>* repeated_ = nullptr;  // nullptr: regions are made when blocks have run often
  struct Step {
    uint64_t count;
    bool installs;  // or is asked for
    const Install* install;
  };
  std::vector<Step> steps_;  // ascending
  size_t next_step_ = 0;
  std::unique_ptr<Unit> uncached_;  // of the instruction at which it was asked for, alone
  uint64_t samples_read_ = 0;
  std::map<std::pair<uint64_t, bool>, core::HotCode> hot_;  // by address and tier
  bool in_code_ = false;                                    // generated code runs, and nothing of it may go away
  core::WrittenPages written_pages_;
  uint64_t invalidations_ = 0;  // asked for since the engine was made
  Link* pending_link_ = nullptr;
  Unit* split_ = nullptr;                          // a region that is to go because of its joint checks
  std::set<std::pair<uint64_t, uint64_t>> alone_;  // paddr and pc of regions without joint checks
  uint64_t key_ = 0;
  JumpEntry* jumps_ = nullptr;

  std::set<uint64_t> breakpoints_;
  unsigned watchpoints_ = 0;
  bool hooked_ = false;
};

}  // namespace lockstep::jit
