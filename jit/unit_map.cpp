// SPDX-License-Identifier: Apache-2.0
#include "jit/unit_map.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/memory/bus.h"

namespace lockstep::jit {

using core::kPageMask;
using core::kPageSize;

namespace {
// After so many writes beside its code a page is taken for data.
constexpr uint32_t kMaxIdleWrites = 64;

uint32_t displacement(const uint8_t* from, const uint8_t* to) { return static_cast<uint32_t>(to - (from + 4)); }
}  // namespace

Unit* UnitMap::find(uint64_t paddr, uint64_t pc, uint64_t code_key) const {
  const auto it = units_.find(Key{paddr, pc, code_key});
  return it == units_.end() ? nullptr : it->second.get();
}

Unit* UnitMap::insert(std::unique_ptr<Unit> unit) {
  Unit* raw = unit.get();
  pages_[raw->paddr & kPageMask].units.push_back(raw);
  if (raw->spans_pages) pages_[raw->second_ppage].units.push_back(raw);
  if (raw->code != nullptr) placed_[raw->region].push_back({raw->code, raw});
  units_[Key{raw->paddr, raw->pc, raw->code_key}] = std::move(unit);
  return raw;
}

void UnitMap::link(Link& link, Unit* target, uint32_t mapping) {
  if (link.target != target) {
    if (link.target != nullptr) unlink(link);
    link.target = target;
    target->incoming.push_back(&link);
    const uint8_t* jump = link.source->code + link.jump_at;
    cache_.patch32(jump, displacement(jump, target->code + target->entry_at));
  }
  if (link.mapping_at != 0) cache_.patch32(link.source->code + link.mapping_at, mapping);
}

void UnitMap::unlink(Link& link) {
  std::erase(link.target->incoming, &link);
  link.target = nullptr;
  const uint8_t* jump = link.source->code + link.jump_at;
  cache_.patch32(jump, displacement(jump, link.source->code + link.stub_at));
}

void UnitMap::drop(Unit* unit) {
  unit->valid = false;
  while (!unit->incoming.empty()) unlink(*unit->incoming.back());
  for (Link& link : unit->links) {
    if (link.target != nullptr) unlink(link);
  }
  const auto remove_from = [this, unit](uint64_t ppage) {
    const auto page = pages_.find(ppage);
    if (page != pages_.end()) std::erase(page->second.units, unit);
  };
  remove_from(unit->paddr & kPageMask);
  if (unit->spans_pages) remove_from(unit->second_ppage);
  if (std::vector<Placed>& placed = placed_[unit->region]; unit->code != nullptr && !placed.empty()) {
    placed[static_cast<size_t>(first_behind(placed, unit->code) - placed.begin()) - 1].unit = nullptr;
  }
  const auto it = units_.find(Key{unit->paddr, unit->pc, unit->code_key});
  graveyard_.push_back(std::move(it->second));
  units_.erase(it);
  ++dropped_;
}

bool UnitMap::invalidate(uint64_t paddr, uint64_t size_bytes) {
  const auto it = pages_.find(paddr & kPageMask);
  if (it == pages_.end()) return false;
  Page& page = it->second;
  std::vector<Unit*> hit;
  const bool all = page.idle_writes >= kMaxIdleWrites;
  for (Unit* unit : page.units) {
    // A unit that spans two pages is contiguous in virtual addresses only: its second half begins at second_ppage.
    const bool in_second = unit->spans_pages && (paddr & kPageMask) == unit->second_ppage;
    const uint64_t first_bytes = unit->spans_pages ? kPageSize - (unit->paddr & ~kPageMask) : unit->size_bytes;
    const uint64_t begin = in_second ? unit->second_ppage : unit->paddr;
    const uint64_t length = in_second ? unit->size_bytes - first_bytes : first_bytes;
    if (all || (paddr < begin + length && begin < paddr + size_bytes)) hit.push_back(unit);
  }
  if (hit.empty()) ++page.idle_writes;
  for (Unit* unit : hit) drop(unit);
  const bool remain = !page.units.empty();
  if (!remain) pages_.erase(paddr & kPageMask);
  return remain;
}

void UnitMap::invalidate_all() {
  while (!units_.empty()) drop(units_.begin()->second.get());
}

void UnitMap::drop_region(unsigned region) {
  for (const Placed& placed : std::exchange(placed_[region], {})) {
    if (placed.unit != nullptr) drop(placed.unit);
  }
}

std::vector<UnitMap::Placed>::const_iterator UnitMap::first_behind(const std::vector<Placed>& placed,
                                                                   const uint8_t* address) {
  return std::upper_bound(placed.begin(), placed.end(), address,
                          [](const uint8_t* a, const Placed& p) { return a < p.code; });
}

const Unit* UnitMap::holding(const uint8_t* address) const {
  for (const std::vector<Placed>& placed : placed_) {
    const auto behind = first_behind(placed, address);
    if (behind == placed.begin()) continue;
    const Unit* unit = std::prev(behind)->unit;
    if (unit != nullptr && address < unit->code + unit->code_bytes) return unit;
  }
  return nullptr;
}

}  // namespace lockstep::jit
