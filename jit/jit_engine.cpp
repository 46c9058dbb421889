// SPDX-License-Identifier: Apache-2.0
#include "jit/jit_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jit/engine.h"
#include "jit/host_features.h"
#include "jit/listing.h"
#include "jit/passes/trace.h"
#include "jit/sampler.h"

namespace lockstep::jit {

namespace {

// Many regions may hold the same block; a report shows so many of them.
constexpr size_t kMaxDescribedUnits = 4;

}  // namespace

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
  Region region = form_region(plan, hart_);
  if (region.blocks.empty()) return where + ": its bytes are not what they were\n";
  const core::StateLayout& layout = hart_.layout();
  std::string text = fmt::format("{}, {} bytes of host code at {}\n", where, unit.code_bytes, fmt::ptr(unit.code)) +
                     print_blocks(region.blocks, {.layout = &layout, .helpers = hart_.helpers()});
  std::vector<Pin> pins;
  const bool joint_checks = unit.is_region && !alone_.contains({unit.paddr, unit.pc});
  if (unit.is_region) {
    text += passes::trace(region, maker_.pass_context(joint_checks));
    pins = choose_pins(region, (layout.size_bytes + 7) / 8);
  }
  return text + describe_translation(maker_.input(unit, region, pins, joint_checks), unit.code_bytes);
}

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
