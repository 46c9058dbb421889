// SPDX-License-Identifier: Apache-2.0
#include "jit/unit_maker.h"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::jit {

UnitMaker::UnitMaker(core::Hart& hart, CodeCache& cache, const Thunks& thunks, const JitOptions& options)
    : hart_(hart), cache_(cache), thunks_(thunks), options_(options) {
  if (options.perf_map) perf_map_ = std::make_unique<PerfMap>();
}

Translator::Input UnitMaker::input(const Unit& unit, const Region& region, std::span<const Pin> pins,
                                   bool joint_checks) const {
  return {.blocks = region.blocks,
          .pages = region.pages,
          .pins = pins,
          .profiled = !unit.is_region && options_.tiers > 1,
          .joint_checks = joint_checks,
          .helpers = hart_.helpers(),
          .hart = hart_,
          .thunks = thunks_,
          .rounding = static_cast<uint32_t>(unit.code_key >> kRoundingShift),
          .state_words = (hart_.layout().size_bytes + 7) / 8};
}

bool UnitMaker::translate(Unit& unit, const Region& region, std::span<const Pin> pins, bool joint_checks,
                          asmjit::CodeHolder& code) const {
  code.reset(asmjit::ResetPolicy::kSoft);
  code.init(asmjit::Environment::host(), thunks_.nominal_base);
  const Translator::Input in = input(unit, region, pins, joint_checks);
  return Translator(in, code, unit).run();
}

bool UnitMaker::place(Unit& unit, std::span<const uint8_t> code, std::span<const PlannedPage> pages) {
  if (code.size() > cache_.space_left()) return false;
  unit.region = cache_.current_region();
  unit.code_bytes = static_cast<uint32_t>(code.size());
  unit.code = cache_.add(code);
  for (const Relocation& r : unit.relocations) {
    const uint8_t* at = unit.code + r.at;
    if (r.kind == Relocation::Kind::kThunk) {
      uint32_t displacement = 0;
      std::memcpy(&displacement, at, sizeof displacement);
      const uint64_t moved = reinterpret_cast<uint64_t>(unit.code) - thunks_.nominal_base;
      cache_.patch32(at, displacement - static_cast<uint32_t>(moved));
    } else if (r.kind == Relocation::Kind::kMapping) {
      cache_.patch32(at, pages[r.index].mapping);
    } else {
      cache_.patch64(at, address(unit, r) | r.leave);
    }
  }
  if (perf_map_ != nullptr) {
    const std::string name = options_.symbols != nullptr ? options_.symbols->name_of(unit.pc) : std::string();
    perf_map_->add({unit.code, unit.code_bytes}, fmt::format("{} [guest {:#x}, tier {}]", name.empty() ? "guest" : name,
                                                             unit.pc, unit.is_region ? 2 : 1));
  }
  return true;
}

uint64_t UnitMaker::address(const Unit& unit, const Relocation& relocation) const {
  const auto of = [](const void* object) { return reinterpret_cast<uint64_t>(object); };
  switch (relocation.kind) {
    case Relocation::Kind::kUnit:
      return of(&unit);
    case Relocation::Kind::kLink:
      return of(&unit.links[relocation.index]);
    case Relocation::Kind::kHeat:
      return of(&unit.profile.heat);
    case Relocation::Kind::kTargets:
      return of(unit.profile.targets->data());
    case Relocation::Kind::kHart:
      return of(&hart_);
    case Relocation::Kind::kHelper:
      return reinterpret_cast<uint64_t>(hart_.helpers()[relocation.index].function);
    case Relocation::Kind::kThunk:
    case Relocation::Kind::kMapping:
      break;
  }
  return 0;
}

std::span<const uint8_t> code_bytes(const asmjit::CodeHolder& code) {
  const asmjit::CodeBuffer& buffer = code.textSection()->buffer();
  return {buffer.data(), buffer.size()};
}

}  // namespace lockstep::jit
