// SPDX-License-Identifier: Apache-2.0
#include "jit/unit_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "jit/gdb_jit.h"
#include "jit/perf_map.h"

namespace lockstep::jit {

UnitMaker::UnitMaker(core::Hart& hart, CodeCache& cache, const Thunks& thunks, const JitOptions& options)
    : hart_(hart), cache_(cache), thunks_(thunks), options_(options) {
  host_ = HostFeatures::of_this_host();
  if (options.baseline_host) host_ = host_.baseline();
  if (options.instrumentation != nullptr) {
    coverage_ = options.instrumentation->coverage();
    if (options.instrumentation->traces_memory()) accesses_ = &options.instrumentation->buffer();
    cells_ = CoverageCells(cache.data());
  }
  if (options.perf_map) listeners_.push_back(std::make_unique<PerfMap>());
  if (options.gdb_jit) listeners_.push_back(std::make_unique<GdbJit>());
  for (const auto& listener : listeners_) listener->installed(thunks.piece);
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
          .state_words = (hart_.layout().size_bytes + 7) / 8,
          .host = host_,
          .coverage = coverage_,
          .accesses = accesses_};
}

bool UnitMaker::translate(Unit& unit, const Region& region, std::span<const Pin> pins, bool joint_checks,
                          asmjit::CodeHolder& code, std::span<uint8_t> room) const {
  code.reset(asmjit::ResetPolicy::kSoft);
  code.init(asmjit::Environment::host(), thunks_.nominal_base);
  asmjit::CodeBuffer& buffer = code.textSection()->buffer();
  if (!room.empty()) {
    buffer = {room.data(), 0, room.size(), asmjit::CodeBufferFlags::kIsExternal | asmjit::CodeBufferFlags::kIsFixed};
  }
  const Translator::Input in = input(unit, region, pins, joint_checks);
  return Translator(in, code, unit).run();
}

bool UnitMaker::place(Unit& unit, std::span<const uint8_t> code, std::span<const PlannedPage> pages) {
  if (code.size() > cache_.space_left() || !cells_.give(unit.cells)) {
    unit.cells.clear();
    return false;
  }
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
  for (const CellSite& site : unit.cells) {
    cache_.patch32(unit.code + site.address_at, cells_.displacement(site, unit.code));
  }
  if (!listeners_.empty()) {
    const std::string symbol = options_.symbols != nullptr ? options_.symbols->name_of(unit.pc) : std::string();
    std::string name =
        fmt::format("{} [guest {:#x}, tier {}]", symbol.empty() ? "guest" : symbol, unit.pc, unit.is_region ? 2 : 1);
    const CodePiece piece{
        {unit.code, unit.code_bytes}, {{std::move(name), 0, unit.code_bytes}}, {{0, unit.code_bytes, 0}}};
    for (const auto& listener : listeners_) listener->installed(piece);
  }
  return true;
}

void UnitMaker::drop(const Unit& unit) {
  if (unit.code == nullptr) return;
  collect(unit);
  cells_.take_back(unit.cells);
  for (const auto& listener : listeners_) listener->dropped(unit.code);
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
