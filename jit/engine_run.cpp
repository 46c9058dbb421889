// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "jit/engine.h"
#include "jit/sampler.h"

namespace lockstep::jit {

using core::RunResult;
using core::StopReason;

namespace {

// A region that finds its pages mapped in another way so often is made anew.
constexpr unsigned kMaxStaleExits = 16;
// One whose joint checks find two pages so often is made anew without them. So many are remembered.
constexpr unsigned kMaxSplitGroups = 200;
constexpr size_t kMaxAlone = 4096;
// Samples of host time that may wait to be looked at.
constexpr uint64_t kSamplesAtOnce = 1000;
// Keys (privilege, floating-point state) whose jump tables are kept.
constexpr size_t kMaxKeys = 16;

}  // namespace

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
    if (code_changed()) forget_dropped();
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
        if (Unit* region = std::exchange(split_, nullptr); region != nullptr && !code_changed()) {
          if (alone_.size() >= kMaxAlone) alone_.clear();
          alone_.insert({region->paddr, region->pc});
          units_.drop(region);
          forget_dropped();
        }
        if (const StopReason reason = interpret(1); reason != StopReason::kBudget) return stop(reason);
        break;
      case Leave::kHot:
        ++statistics_.exits_hot;
        if (!code_changed()) promote(reinterpret_cast<Unit*>(answer & ~kLeaveMask));
        break;
      case Leave::kStale: {
        ++statistics_.exits_stale;
        Unit* region = reinterpret_cast<Unit*>(answer & ~kLeaveMask);
        if (!code_changed() && ++region->stale_exits > kMaxStaleExits) {
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

}  // namespace lockstep::jit
