// SPDX-License-Identifier: Apache-2.0
#include "jit/jit_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/interpreter/interpreter.h"
#include "core/interpreter/mmu_code_reader.h"
#include "core/ir/builder.h"
#include "jit/code_cache.h"
#include "jit/compile_pool.h"
#include "jit/host_features.h"
#include "jit/listing.h"
#include "jit/pins.h"
#include "jit/region.h"
#include "jit/runtime.h"
#include "jit/sampler.h"
#include "jit/thunks.h"
#include "jit/unit_maker.h"
#include "jit/unit_map.h"
#include "jit/warm_start.h"

namespace lockstep::jit {

namespace {

using core::RunResult;
using core::StopReason;

// More than any block needs.
constexpr size_t kMaxUnitBytes = size_t{1} << 16;
// A region that finds its pages mapped in another way so often is made anew.
constexpr unsigned kMaxStaleExits = 16;
// One whose joint checks find two pages so often is made anew without them. So many are remembered.
constexpr unsigned kMaxSplitGroups = 200;
constexpr size_t kMaxAlone = 4096;
// Executions of a block after which a region of an earlier run is looked for: by then the pages around are mapped.
constexpr int32_t kWarmHeat = 30;
// Samples of host time that may wait to be looked at.
constexpr uint64_t kSamplesAtOnce = 1000;
// Keys (privilege, floating-point state) whose jump tables are kept.
constexpr size_t kMaxKeys = 16;
// Many regions may hold the same block; a report shows so many of them.
constexpr size_t kMaxDescribedUnits = 4;

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
  RunResult run(uint64_t budget) override;

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
  bool code_changed() const override { return !delayed_.empty(); }
  // Drops what was asked for while generated code ran.
  void apply_delayed();
  RunResult run_until_install(uint64_t budget);
  // The part of a budget up to the next install that is to be repeated.
  uint64_t until_install(uint64_t budget);
  void repeat_installs();
  // Begins to put a region in the place of a unit of the first tier.
  void promote(Unit* unit);
  // Gives planned blocks the records of what they ran so far.
  bool find_records(RegionPlan& plan, uint64_t code_key);
  // Decodes a region; nullptr where its bytes are not what the plan says.
  std::shared_ptr<RegionJob> form(RegionPlan plan, uint64_t code_key, bool joint_checks);
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
  StopReason interpret(uint64_t count) {
    const int64_t before = state_.budget;
    const RunResult result = interpreter_->run(count);
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
  asmjit::CodeHolder code_;
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
  std::vector<core::CodeRange> delayed_;                    // writes to guest code meanwhile; an empty range: all code
  uint64_t invalidations_ = 0;                              // asked for since the engine was made
  Link* pending_link_ = nullptr;
  Unit* split_ = nullptr;                          // a region that is to go because of its joint checks
  std::set<std::pair<uint64_t, uint64_t>> alone_;  // paddr and pc of regions without joint checks
  uint64_t key_ = 0;
  JumpEntry* jumps_ = nullptr;

  std::set<uint64_t> breakpoints_;
  unsigned watchpoints_ = 0;
  bool hooked_ = false;
};

RunResult Engine::run(uint64_t budget) {
  // A debugger sees every instruction.
  if (!breakpoints_.empty() || watchpoints_ > 0 || hooked_) return interpreter_->run(budget);
  if (repeated_ == nullptr) return run_until_install(budget);
  RunResult all;
  do {
    repeat_installs();
    const RunResult part = run_until_install(until_install(budget - all.executed));
    all.reason = part.reason;
    all.executed += part.executed;
  } while (all.reason == StopReason::kBudget && all.executed < budget);
  return all;
}

uint64_t Engine::until_install(uint64_t budget) {
  if (next_step_ == steps_.size()) return budget;
  return std::min(budget, steps_[next_step_].count - hart_.instruction_count());
}

// Each region was asked for in the mode of its code, and may have been installed in another.
void Engine::repeat_installs() {
  const uint64_t count = hart_.instruction_count();
  for (; next_step_ < steps_.size() && steps_[next_step_].count <= count; ++next_step_) {
    const Step& step = steps_[next_step_];
    const Install& install = *step.install;
    if (!step.installs) {
      if (step.count != count || key() != install.code_key) continue;
      for (const PlannedPage& page : install.plan.pages) hart_.bus().page_has_code(page.ppage);
      const std::shared_ptr<RegionJob> job = form(install.plan, install.code_key, install.joint_checks);
      if (job == nullptr) continue;
      write_code(*job);
      job->finished = true;
      job->repeats = &install;
      jobs_.push_back(job);
      continue;
    }
    const auto job = std::ranges::find(jobs_, &install, [](const auto& one) { return one->repeats; });
    if (job == jobs_.end()) {
      ++statistics_.installs_missed;
      continue;
    }
    if (step.count != count || !this->install(**job)) ++statistics_.installs_missed;
    jobs_.erase(job);
  }
}

RunResult Engine::run_until_install(uint64_t budget) {
  if (options_.profile && sampler::count() - samples_read_ > kSamplesAtOnce) attribute_samples();
  const uint64_t start = hart_.instruction_count();
  state_.budget = static_cast<int64_t>(budget);
  state_.unbegun = 0;
  state_.end_count = start + budget;
  const auto stop = [&](StopReason reason) {
    const uint64_t begun = hart_.instruction_count();
    state_.end_count = begun;
    state_.budget = 0;
    pending_link_ = nullptr;
    if (accesses_ != nullptr) instrumentation_->flush();
    return RunResult{reason, begun - start};
  };
  bool moved = false;  // what the jump table has for state().pc is not what is mapped there
  Frame frame{};
  frame.runtime = this;
  frame.host_mxcsr = 0x1f80;
  while (true) {
    if (!delayed_.empty()) apply_delayed();
    if (finished_jobs_.load(std::memory_order_acquire) != 0) install_finished();
    if (const uint32_t request = std::exchange(state_.exit_request, 0); request != 0) {
      if (request & core::kExitStop) return stop(StopReason::kStop);
      if ((request & core::kExitWaitForInterrupt) && !hart_.wakeup_pending()) {
        return stop(StopReason::kWaitForInterrupt);
      }
      if (request & core::kExitYield) return stop(StopReason::kYield);
    }
    if (hart_.interrupt_ready()) {
      hart_.take_interrupt();
      state_.trapped = 0;
      pending_link_ = nullptr;
    }
    if (state_.budget <= 0) return stop(StopReason::kBudget);

    if (const uint64_t key = this->key(); key != key_ || jumps_ == nullptr) {
      key_ = key;
      jumps_ = jump_table(key);
    }
    const JumpEntry& known = jumps_[recent_index(state_.pc)];
    const uint8_t* code = known.code;
    if (std::exchange(moved, false) || known.pc != state_.pc || pending_link_ != nullptr) {
      Unit* unit = find(state_.pc);
      if (unit == nullptr) {
        pending_link_ = nullptr;
        continue;  // the fetch trapped; its instruction has been counted
      }
      if (Link* link = std::exchange(pending_link_, nullptr); link != nullptr) make_link(*link, unit);
      const bool too_long = static_cast<int64_t>(unit->guest_instructions) > state_.budget;
      if (too_long && budget_is_rough(start)) return stop(StopReason::kBudget);
      if (unit->interpreted || too_long) {
        const auto count = std::min<uint64_t>(unit->guest_instructions, static_cast<uint64_t>(state_.budget));
        if (const StopReason reason = interpret(count); reason != StopReason::kBudget) return stop(reason);
        continue;
      }
      code = unit->code + unit->entry_at;
    }
    static constexpr uint32_t kHostRounding[] = {0, 3, 1, 2};  // MXCSR.RC for the guest's modes
    frame.fetch = &hart_.tlb().fetch();
    frame.data = reinterpret_cast<uint64_t>(&hart_.tlb().data()) + core::kTlbContextBias;
    frame.jumps = jumps_;
    frame.guest_mxcsr = frame.host_mxcsr | (state_.fp_rounding <= 3 ? kHostRounding[state_.fp_rounding] << 13 : 0);
    ++statistics_.entries;
    if (accesses_ != nullptr) {
      if (accesses_->next >= accesses_->limit) instrumentation_->flush();
      instrumentation_->set_privilege(hart_.privilege());
    }
    in_code_ = true;
    const uint64_t answer = thunks_.enter(code, &state_, &frame);
    in_code_ = false;
    switch (static_cast<Leave>(answer & kLeaveMask)) {
      case Leave::kLink:
        ++statistics_.exits_link;
        pending_link_ = reinterpret_cast<Link*>(answer);
        state_.pc = pending_link_->pc;
        break;
      case Leave::kExit:
        ++statistics_.exits_exit;
        break;
      case Leave::kMoved:
        ++statistics_.exits_moved;
        moved = true;
        break;
      case Leave::kHandOver:
        ++statistics_.exits_hand_over;
        if (Unit* region = std::exchange(split_, nullptr); region != nullptr) {
          if (alone_.size() >= kMaxAlone) alone_.clear();
          alone_.insert({region->paddr, region->pc});
          units_.drop(region);
          forget_dropped();
        }
        if (const StopReason reason = interpret(1); reason != StopReason::kBudget) return stop(reason);
        break;
      case Leave::kHot:
        ++statistics_.exits_hot;
        promote(reinterpret_cast<Unit*>(answer & ~kLeaveMask));
        break;
      case Leave::kStale: {
        ++statistics_.exits_stale;
        Unit* region = reinterpret_cast<Unit*>(answer & ~kLeaveMask);
        if (++region->stale_exits > kMaxStaleExits) {
          units_.drop(region);
          forget_dropped();
        }
        break;
      }
      case Leave::kBudget:
        ++statistics_.exits_budget;
        if (budget_is_rough(start)) return stop(StopReason::kBudget);
        if (state_.budget > 0) {
          const StopReason reason = interpret(static_cast<uint64_t>(state_.budget));
          if (reason != StopReason::kBudget) return stop(reason);
        }
        break;
    }
  }
}

// Makes a jump between units go straight from now on, and remembers where it went.
void Engine::make_link(Link& link, Unit* target) {
  if (!options_.block_links || target == uncached_.get() || target->interpreted ||
      link.source->code_key != target->code_key || link.pc != target->pc) {
    return;
  }
  units_.link(link, target, mapping(target->pc));
  Unit& source = *link.source;
  if (!source.is_region) {
    source.profile.edges[static_cast<size_t>(&link - source.links.data())] = {target->pc, target->paddr};
  }
}

JumpEntry* Engine::jump_table(uint64_t key) {
  std::unique_ptr<JumpEntry[]>& table = jump_tables_[key];
  if (table == nullptr) {
    if (jump_tables_.size() > kMaxKeys) {
      jump_tables_.clear();
      return jump_table(key);
    }
    table = std::make_unique<JumpEntry[]>(kJumpEntries);
  }
  return table.get();
}

bool Engine::invalidate_code(uint64_t paddr, uint64_t size_bytes) {
  ++invalidations_;
  const bool interpreted = interpreter_->invalidate_code(paddr, size_bytes);
  if (in_code_) {
    delayed_.push_back({paddr, size_bytes});
    state_.exit_request |= core::kExitInterruptsChanged;  // a helper's caller looks at it
    return true;
  }
  if (options_.profile) attribute_samples();
  const bool remain = units_.invalidate(paddr, size_bytes);
  for (const std::shared_ptr<RegionJob>& job : jobs_) {
    // Where no unit of the page remains, writes to it are not told any more.
    job->unit->each_range([&](const core::CodeRange& r) {
      job->cancelled |= r.touches(paddr, size_bytes) || (!remain && r.ppage() == (paddr & core::kPageMask));
    });
  }
  forget_dropped();
  return interpreted || remain;
}

void Engine::invalidate_all_code() {
  ++invalidations_;
  interpreter_->invalidate_all_code();
  if (in_code_) {
    delayed_.push_back({});
    state_.exit_request |= core::kExitInterruptsChanged;
    return;
  }
  if (options_.profile) attribute_samples();
  units_.invalidate_all();
  for (const std::shared_ptr<RegionJob>& job : jobs_) job->cancelled = true;
  forget_dropped();
}

void Engine::apply_delayed() {
  for (const core::CodeRange& range : std::exchange(delayed_, {})) {
    if (range.size_bytes == 0) {
      invalidate_all_code();
    } else {
      invalidate_code(range.paddr, range.size_bytes);
    }
  }
}

void Engine::attribute_samples() {
  const auto* begin = cache_->base();
  samples_read_ = sampler::read(samples_read_, [&](uint64_t host_pc) {
    const auto* at = reinterpret_cast<const uint8_t*>(host_pc);
    if (at < begin || at >= begin + cache_->size_bytes()) return;
    const Unit* unit = units_.holding(at);
    if (unit == nullptr) return;
    core::HotCode& hot = hot_[{unit->pc, unit->is_region}];
    hot.pc = unit->pc;
    hot.tier = unit->is_region ? "region" : "block";
    ++hot.samples;
    hot.guest_instructions = unit->all_instructions;
    hot.host_bytes = unit->code_bytes;
  });
}

core::EngineReport Engine::report() {
  core::EngineReport report;
  const Statistics& s = statistics_;
  report.counters = {{"blocks_translated", s.blocks_translated},
                     {"blocks_restored", s.blocks_restored},
                     {"blocks_interpreted", s.blocks_interpreted},
                     {"block_instructions", s.block_instructions},
                     {"regions_translated", s.regions_translated},
                     {"regions_restored", s.regions_restored},
                     {"installs_missed", s.installs_missed},
                     {"region_instructions", s.region_instructions},
                     {"code_bytes", s.code_bytes},
                     {"units_dropped", units_.dropped()},
                     {"cache_regions_evicted", s.cache_regions_evicted},
                     {"entries", s.entries},
                     {"lookups", s.lookups},
                     {"exits_link", s.exits_link},
                     {"exits_exit", s.exits_exit},
                     {"exits_hand_over", s.exits_hand_over},
                     {"exits_budget", s.exits_budget},
                     {"exits_hot", s.exits_hot},
                     {"exits_moved", s.exits_moved},
                     {"exits_stale", s.exits_stale}};
  if (!options_.profile) return report;
  attribute_samples();
  report.profiled = true;
  report.samples = sampler::count();
  for (const auto& [key, hot] : hot_) report.hot.push_back(hot);
  return report;
}

void Engine::forget_dropped() {
  for (const std::unique_ptr<Unit>& unit : units_.graveyard()) {
    Unit*& recent = recent_[recent_index(unit->pc)];
    if (recent == unit.get()) recent = nullptr;
    if (const auto table = jump_tables_.find(unit->code_key); table != jump_tables_.end()) {
      JumpEntry& entry = table->second[recent_index(unit->pc)];
      if (entry.code == unit->code) entry = JumpEntry{};
    }
    if (pending_link_ != nullptr && pending_link_->source == unit.get()) pending_link_ = nullptr;
    maker_.drop(*unit);
  }
  units_.collect();
}

Unit* Engine::find(uint64_t pc) {
  ++statistics_.lookups;
  Unit*& recent = recent_[recent_index(pc)];
  if (recent != nullptr && recent->pc == pc && recent->code_key == key_ && is_mapped(*recent)) {
    jumps_[recent_index(pc)] = JumpEntry{pc, recent->code};
    return recent;
  }
  const auto fault = [&](core::Fault kind, uint64_t vaddr) -> Unit* {
    // The instruction that cannot be fetched has begun.
    state_.budget -= 1;
    state_.pc = pc;
    if (instrumentation_ != nullptr) instrumentation_->count_unfetched();
    hart_.raise_fault(kind, core::Access::kFetch, vaddr);
    state_.trapped = 0;
    return nullptr;
  };
  const core::MemoryAccess::Fetch fetch = memory().fetch(pc);
  if (fetch.fault != core::Fault::kNone) return fault(fetch.fault, pc);
  Unit* unit = fetch.cacheable ? units_.find(fetch.paddr, pc, key_) : nullptr;
  bool stale = false;
  if (unit != nullptr && unit->spans_pages) {
    const core::MemoryAccess::Fetch second = memory().fetch((pc & core::kPageMask) + core::kPageSize);
    // Setting an accessed bit for the second page may have been a write to the unit's own bytes.
    unit = units_.find(fetch.paddr, pc, key_);
    if (unit != nullptr &&
        (second.fault != core::Fault::kNone || (second.paddr & core::kPageMask) != unit->second_ppage)) {
      stale = true;
      unit = nullptr;
    }
  }
  if (unit == nullptr && warm_ != nullptr && fetch.cacheable) unit = restore(pc, fetch, stale);
  if (unit == nullptr) unit = translate(pc, fetch, stale);
  if (unit == nullptr || unit->interpreted || !fetch.cacheable) return unit;
  for (unsigned page = 0; page < (unit->spans_pages ? 2u : 1u); ++page) {
    const uint32_t number = mapping(pc + page * core::kPageSize);
    if (unit->mapping[page] == number) continue;
    unit->mapping[page] = number;
    cache_->patch32(unit->code + unit->mapping_at[page], number);
  }
  recent_[recent_index(pc)] = unit;
  jumps_[recent_index(pc)] = JumpEntry{pc, unit->code};
  return unit;
}

Unit* Engine::translate(uint64_t pc, const core::MemoryAccess::Fetch& fetch, bool stale) {
  Region alone;
  RegionBlock& block = alone.blocks.emplace_back();
  block.ir.pc = pc;
  core::ir::Builder builder(block.ir);
  core::MmuCodeReader reader(hart_, memory(), block.ir);
  core::CodeCopy copy(reader, pc);
  core::CodeReader& source = coverage_ != core::Coverage::kNone ? static_cast<core::CodeReader&>(copy) : reader;
  const uint64_t invalidations = invalidations_;
  if (fetch.cacheable) hart_.translate_block(source, pc, kMaxBlockInstructions, builder);
  auto unit = std::make_unique<Unit>();
  unit->pc = pc;
  unit->paddr = fetch.paddr;
  unit->code_key = key_;
  if (block.ir.guest_instructions == 0 || !reader.cacheable()) {
    // The first instruction cannot be fetched or may not be kept: the interpreter deals with it.
    uncached_ = std::move(unit);
    uncached_->interpreted = true;
    uncached_->guest_instructions = 1;
    return uncached_.get();
  }
  unit->size_bytes = static_cast<uint32_t>(block.ir.code_bytes);
  unit->guest_instructions = unit->all_instructions = block.ir.guest_instructions;
  unit->spans_pages = block.spans_pages = ((pc + block.ir.code_bytes - 1) & core::kPageMask) != (pc & core::kPageMask);
  unit->second_ppage = reader.second_ppage();
  if (coverage_ != core::Coverage::kNone) {
    const CodePart part{instrumentation_->record(block.ir, copy.bytes(), hart_.code_key()), 0,
                        block.ir.guest_instructions};
    block.parts.push_back(part);
    block.covered = part.record == nullptr || part.record->complete();
    unit->parts.push_back(block.parts);
  }
  prepare(*unit, stale);
  // Another hart wrote to some code meanwhile, maybe to this.
  if (hart_.concurrent() && invalidations != invalidations_) return translate(pc, fetch, stale);
  if (maker_.translate(*unit, alone, {}, false, code_) && maker_.place(*unit, code_bytes(code_))) {
    ++statistics_.blocks_translated;
    statistics_.block_instructions += unit->guest_instructions;
    statistics_.code_bytes += unit->code_bytes;
    if (warm_ != nullptr) warm_->keep(*unit, code_bytes(code_), plan_of(*unit), false);
  } else {
    ++statistics_.blocks_interpreted;
    unit->interpreted = true;
    unit->links.clear();
    unit->cells.clear();
  }
  unit->relocations = {};
  return units_.insert(std::move(unit));
}

Unit* Engine::restore(uint64_t pc, const core::MemoryAccess::Fetch& fetch, bool stale) {
  auto found = warm_->block(pc, key_, fetch);
  if (!found) return nullptr;
  prepare(*found->unit, stale);
  if (!maker_.place(*found->unit, found->code)) return nullptr;
  ++statistics_.blocks_restored;
  statistics_.code_bytes += found->unit->code_bytes;
  found->unit->relocations = {};
  return units_.insert(std::move(found->unit));
}

void Engine::prepare(Unit& unit, bool stale) {
  int32_t heat = options_.tiers > 1 ? options_.threshold : BlockProfile::kNeverHot;
  if (options_.tiers > 1 && warm_ != nullptr && warm_->has_region(unit.pc, key_)) heat = std::min(heat, kWarmHeat);
  unit.profile.heat = unit.profile.first_heat = heat;
  if (stale) {
    units_.invalidate(unit.paddr, 1);
    forget_dropped();
  }
  make_room(kMaxUnitBytes);
  hart_.bus().page_has_code(unit.paddr);
  if (unit.spans_pages) hart_.bus().page_has_code(unit.second_ppage);
}

bool Engine::restore_region(const Unit& unit) {
  auto found = warm_->region(unit, !alone_.contains({unit.paddr, unit.pc}));
  if (!found) return false;
  if (put_region(std::move(found->unit), found->code, found->pages)) ++statistics_.regions_restored;
  return true;
}

bool Engine::put_region(std::unique_ptr<Unit> region, std::span<const uint8_t> code,
                        std::span<const PlannedPage> pages) {
  make_room(code.size());
  Unit* first = units_.find(region->paddr, region->pc, region->code_key);
  // What is repeated from a log stands on its own: there the block had run and an older region was gone.
  if (repeated_ == nullptr && (first == nullptr || first->is_region)) return false;
  if (!maker_.place(*region, code, pages)) return false;
  if (options_.profile) attribute_samples();
  statistics_.code_bytes += region->code_bytes;
  region->relocations = {};
  if (first == nullptr) {
    units_.insert(std::move(region));
  } else {
    region->profile = first->profile;
    units_.replace(first, std::move(region));
  }
  forget_dropped();
  return true;
}

void Engine::promote(Unit* unit) {
  unit->profile.heat = BlockProfile::kNeverHot;
  if (warm_ != nullptr && restore_region(*unit)) return;
  if (unit->profile.first_heat < options_.threshold) {
    // Asked early, for a region of an earlier run that is not what runs now.
    unit->profile.heat = unit->profile.first_heat = options_.threshold;
    return;
  }
  if (repeated_ != nullptr) return;
  const auto find_unit = [this](uint64_t pc, uint64_t paddr) { return find_known(pc, paddr, key_); };
  const auto job = form(plan_region(*unit, options_.threshold, find_unit), unit->code_key,
                        !alone_.contains({unit->paddr, unit->pc}));
  if (job != nullptr && !submit(job)) unit->profile.heat = options_.threshold;
}

// What has run to its end by now needs to tell nothing in the region. False where a block has not run, and so has no
// record: a log may ask for it.
bool Engine::find_records(RegionPlan& plan, uint64_t code_key) {
  for (PlannedBlock& block : plan.blocks) {
    const Unit* unit = units_.find(plan.paddr(block.pc), block.pc, code_key);
    if (unit == nullptr || unit->parts.empty()) return false;
    maker_.collect(*unit);
    block.part = unit->parts.front().front();
  }
  return true;
}

std::shared_ptr<RegionJob> Engine::form(RegionPlan plan, uint64_t code_key, bool joint_checks) {
  if (coverage_ != core::Coverage::kNone && !find_records(plan, code_key)) return nullptr;
  auto job = std::make_shared<RegionJob>();
  job->plan = std::move(plan);
  job->region = form_region(job->plan, hart_);
  if (job->region.blocks.empty()) return nullptr;
  job->pins = choose_pins(job->region, (hart_.layout().size_bytes + 7) / 8);
  job->joint_checks = joint_checks;
  job->asked_count = hart_.instruction_count();
  job->unit = std::make_unique<Unit>();
  Unit& made = *job->unit;
  const PlannedBlock& first = job->plan.blocks.front();
  made.pc = first.pc;
  made.paddr = job->plan.paddr(first.pc);
  made.code_key = code_key;
  made.spans_pages = first.spans_pages;
  if (first.spans_pages) made.second_ppage = job->plan.paddr((first.pc & core::kPageMask) + core::kPageSize);
  made.is_region = true;
  made.guest_instructions = first.guest_instructions;
  for (const RegionBlock& block : job->region.blocks) made.all_instructions += block.ir.guest_instructions;
  made.size_bytes = first.size_bytes;
  for (const PlannedBlock& block : std::span(job->plan.blocks).subspan(1)) {
    job->plan.each_range(block, [&](const core::CodeRange& r) { made.inlined.push_back(r); });
  }
  if (coverage_ != core::Coverage::kNone) {
    for (const RegionBlock& block : job->region.blocks) made.parts.push_back(block.parts);
  }
  return job;
}

void Engine::write_code(RegionJob& job) const {
  job.translated = maker_.translate(*job.unit, job.region, job.pins, job.joint_checks, job.code);
}

bool Engine::submit(const std::shared_ptr<RegionJob>& job) {
  if (pool_ == nullptr) {
    write_code(*job);
    install(*job);
    return true;
  }
  jobs_.push_back(job);
  const bool accepted = pool_->submit([this, job] {
    write_code(*job);
    finished_jobs_.fetch_add(1, std::memory_order_release);
    job->finished.store(true, std::memory_order_release);
    job->finished.notify_one();
  });
  if (!accepted) jobs_.pop_back();
  return accepted;
}

void Engine::install_finished() {
  for (size_t k = 0; k < jobs_.size();) {
    if (!jobs_[k]->finished.load(std::memory_order_acquire)) {
      ++k;
      continue;
    }
    finished_jobs_.fetch_sub(1, std::memory_order_relaxed);
    install(*jobs_[k]);
    jobs_.erase(jobs_.begin() + static_cast<ptrdiff_t>(k));
  }
}

bool Engine::install(RegionJob& job) {
  if (!job.translated || job.cancelled) return false;
  if (warm_ != nullptr) warm_->keep(*job.unit, code_bytes(job.code), job.plan, job.joint_checks);
  const uint64_t code_key = job.unit->code_key;
  const unsigned guest_instructions = job.unit->all_instructions;
  if (!put_region(std::move(job.unit), code_bytes(job.code), job.plan.pages)) return false;
  ++statistics_.regions_translated;
  statistics_.region_instructions += guest_instructions;
  if (options_.install_log != nullptr) {
    options_.install_log->add(
        hart_.id(), {hart_.instruction_count(), job.asked_count, code_key, job.joint_checks, std::move(job.plan)});
  }
  return true;
}

// Empties the oldest part of the code cache when the current one cannot take so much.
void Engine::make_room(size_t bytes) {
  if (cache_->space_left() >= bytes) return;
  if (options_.profile) attribute_samples();
  ++statistics_.cache_regions_evicted;
  units_.drop_region(cache_->next_region());
  forget_dropped();
  cache_->begin_next_region();
}

const Unit* Engine::find_known(uint64_t pc, uint64_t paddr, uint64_t key) const {
  if (paddr != BlockProfile::kUnknown) return units_.find(paddr, pc, key);
  const Unit* recent = recent_[recent_index(pc)];
  return recent != nullptr && recent->pc == pc && recent->code_key == key ? recent : nullptr;
}

std::string Engine::describe_code(uint64_t pc) const {
  const core::Translation fetch = hart_.translate(pc, core::Access::kFetch, true);
  std::string text;
  if (fetch.fault != core::Fault::kNone) return text;
  std::vector<Unit*> units = units_.made_from(fetch.paddr);
  // What was made in another mode would be decoded differently now.
  std::erase_if(units, [this](const Unit* unit) { return unit->code_key != key(); });
  std::stable_partition(units.begin(), units.end(), [&](const Unit* unit) { return unit->pc == pc; });
  for (size_t k = 0; k < std::min(units.size(), kMaxDescribedUnits); ++k) text += describe(*units[k]);
  return text;
}

// Translates the unit once more, as text. A region is gathered anew from what is known now.
std::string Engine::describe(const Unit& unit) const {
  const std::string where = fmt::format("{} at {:#x}", unit.is_region ? "region" : "block", unit.pc);
  if (unit.interpreted) return where + ": run by the interpreter\n";
  const RegionPlan plan = plan_region(unit, options_.threshold, [&](uint64_t pc, uint64_t paddr) {
    return unit.is_region ? find_known(pc, paddr, unit.code_key) : nullptr;
  });
  const Region region = form_region(plan, hart_);
  if (region.blocks.empty()) return where + ": its bytes are not what they were\n";
  const uint32_t words = (hart_.layout().size_bytes + 7) / 8;
  const std::vector<Pin> pins = unit.is_region ? choose_pins(region, words) : std::vector<Pin>();
  const bool joint_checks = unit.is_region && !alone_.contains({unit.paddr, unit.pc});
  return fmt::format("{}, {} bytes of host code at {}\n", where, unit.code_bytes, fmt::ptr(unit.code)) +
         describe_blocks(maker_.input(unit, region, pins, joint_checks), unit.code_bytes);
}

uint64_t Engine::hand_over(const uint8_t* return_address, const Frame& frame) {
  Unit* unit = units_.holding(return_address - 1);  // the call may be the last that the unit has
  const auto offset = static_cast<uint32_t>(return_address - unit->code);
  const auto it = std::find_if(unit->hand_overs.begin(), unit->hand_overs.end(),
                               [&](const HandOver& h) { return h.return_at == offset; });
  if (it->joint && ++unit->split_groups == kMaxSplitGroups) split_ = unit;
  if (coverage_ != core::Coverage::kNone) {
    const std::vector<CodePart>& parts = unit->parts[it->block];
    record_leaving(parts, instructions_of(parts) - it->unbegun, 1, coverage_);
  }
  state_.pc = it->pc;
  auto* words = reinterpret_cast<uint64_t*>(&state_);
  for (unsigned k = 0; k < it->homes; ++k) {
    const StateHome& home = unit->homes[it->first_home + k];
    if (home.location == StateHome::kConstant) {
      words[home.slot] = home.constant;
    } else if (home.location >= StateHome::kNarrow) {
      words[home.slot] = static_cast<uint64_t>(
          static_cast<int64_t>(static_cast<int32_t>(frame.gpr[home.location - StateHome::kNarrow])));
    } else {
      words[home.slot] = home.location < 16 ? frame.gpr[home.location] : frame.xmm[home.location - 16];
    }
  }
  return it->unbegun;
}

}  // namespace

core::Result<std::unique_ptr<core::Engine>> make_jit_engine(core::Hart& hart, const JitOptions& options) {
  HostFeatures host = HostFeatures::of_this_host();
  if (auto status = host.check_engine(); !status.ok()) return status.error();
  if (options.baseline_host) host = host.baseline();
  const bool cells = options.instrumentation != nullptr && options.instrumentation->coverage() != core::Coverage::kNone;
  const size_t data_bytes = cells ? CoverageCells::bytes_for(options.code_cache_bytes) : 0;
  auto cache = CodeCache::create(options.code_cache_bytes, data_bytes);
  if (!cache) return cache.error();
  if (options.profile) {
    if (auto status = sampler::start(); !status.ok()) return status.error();
  }
  auto thunks = Thunks::make(**cache);
  if (!thunks) return thunks.error();
  std::shared_ptr<CodeArchive> archive;
  if (options.archives != nullptr && options.instrumentation == nullptr) {
    const auto identity = code_identity(hart, host, options.tiers > 1);
    if (!identity) return identity.error();
    auto opened = options.archives->archive(*identity, {.state_words = (hart.layout().size_bytes + 7) / 8,
                                                        .helpers = static_cast<uint32_t>(hart.helpers().size())});
    if (!opened) return opened.error();
    archive = std::move(*opened);
  }
  return std::unique_ptr<core::Engine>(
      std::make_unique<Engine>(hart, options, std::move(*cache), *thunks, std::move(archive)));
}

}  // namespace lockstep::jit
