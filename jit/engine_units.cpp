// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/interpreter/mmu_code_reader.h"
#include "core/ir/builder.h"
#include "jit/engine.h"
#include "jit/passes/passes.h"

namespace lockstep::jit {

namespace {

// More than any block needs.
constexpr size_t kMaxUnitBytes = size_t{1} << 16;
// Executions of a block after which a region of an earlier run is looked for: by then the pages around are mapped.
constexpr int32_t kWarmHeat = 30;

}  // namespace

bool Engine::invalidate_code(uint64_t paddr, uint64_t size_bytes) {
  ++invalidations_;
  if (options_.profile) attribute_samples();
  const auto drop = [this](uint64_t first, uint64_t bytes) {
    const core::CodeWrite blocks = interpreter_->drop_code(first, bytes);
    const core::CodeWrite units = units_.invalidate(first, bytes);
    return core::CodeWrite{blocks.hit || units.hit, blocks.remains || units.remains};
  };
  const bool remain = written_pages_.written(paddr, size_bytes, drop);
  for (const std::shared_ptr<RegionJob>& job : jobs_) {
    // Where no code of the page remains, writes to it are not told any more.
    job->unit->each_range([&](const core::CodeRange& r) {
      job->cancelled |= r.touches(paddr, size_bytes) || (!remain && r.ppage() == (paddr & core::kPageMask));
    });
  }
  leave_dropped();
  return remain;
}

void Engine::invalidate_all_code() {
  ++invalidations_;
  interpreter_->invalidate_all_code();
  if (options_.profile) attribute_samples();
  written_pages_.forget_all();
  units_.invalidate_all();
  for (const std::shared_ptr<RegionJob>& job : jobs_) job->cancelled = true;
  leave_dropped();
}

void Engine::leave_dropped() {
  if (!in_code_) return forget_dropped();
  // A helper's caller looks at it.
  if (!units_.graveyard().empty()) state_.exit_request |= core::kExitInterruptsChanged;
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

Unit* Engine::translate(uint64_t pc, const core::MemoryAccess::Fetch& fetch, bool stale) {
  RegionBlock& block = alone_region_.blocks.front();
  std::vector<core::ir::Inst> insts = std::move(block.ir.insts);
  insts.clear();
  block = RegionBlock{};
  block.ir.insts = std::move(insts);
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
  if (maker_.translate(*unit, alone_region_, {}, false, code_, code_room_) && maker_.place(*unit, code_bytes(code_))) {
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
  // Those who were refused ask again soon.
  const int32_t again = std::max(options_.threshold / 4, 1);
  if (pool_ != nullptr && !pool_->has_room()) {
    unit->profile.heat = again;
    return;
  }
  const auto find_unit = [this](uint64_t pc, uint64_t paddr) { return find_known(pc, paddr, key_); };
  const auto job = form(plan_region(*unit, options_.threshold, find_unit), unit->code_key,
                        !alone_.contains({unit->paddr, unit->pc}));
  if (job != nullptr && !submit(job)) unit->profile.heat = again;
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
  passes::optimise(job.region, maker_.pass_context(job.joint_checks));
  job.pins = choose_pins(job.region, (hart_.layout().size_bytes + 7) / 8);
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

}  // namespace lockstep::jit
