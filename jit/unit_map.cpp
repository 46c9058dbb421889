// SPDX-License-Identifier: Apache-2.0
#include "jit/unit_map.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace lockstep::jit {

namespace {
uint32_t displacement(const uint8_t* from, const uint8_t* to) { return static_cast<uint32_t>(to - (from + 4)); }
}  // namespace

Unit* UnitMap::insert(std::unique_ptr<Unit> unit) {
  if (unit->code != nullptr) placed_[unit->region].push_back({unit->code, unit.get()});
  return units_.insert(std::move(unit));
}

void UnitMap::link(Link& link, Unit* target, uint32_t mapping) {
  if (link.target != target) {
    if (link.target != nullptr) unlink(link);
    link.target = target;
    target->incoming.push_back(&link);
    const uint8_t* jump = link.source->code + link.jump_at;
    cache_.patch32(jump, displacement(jump, target->link_entry()));
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
  while (!unit->incoming.empty()) unlink(*unit->incoming.back());
  for (Link& link : unit->links) {
    if (link.target != nullptr) unlink(link);
  }
  graveyard_.push_back(units_.remove(unit));
  ++dropped_;
}

Unit* UnitMap::replace(Unit* old, std::unique_ptr<Unit> unit) {
  drop(old);
  return insert(std::move(unit));
}

core::CodeWrite UnitMap::invalidate(uint64_t paddr, uint64_t size_bytes) {
  const std::vector<Unit*> stale = units_.made_from(paddr, size_bytes);
  for (Unit* unit : stale) drop(unit);
  return {!stale.empty(), units_.page_has_code(paddr)};
}

void UnitMap::invalidate_all() {
  for (std::unique_ptr<Unit>& unit : units_.remove_all()) {
    graveyard_.push_back(std::move(unit));
    ++dropped_;
  }
}

void UnitMap::drop_region(unsigned region) {
  assert(graveyard_.empty());
  for (const Placed& placed : std::exchange(placed_[region], {})) {
    if (placed.unit != nullptr) drop(placed.unit);
  }
}

void UnitMap::collect() {
  for (const std::unique_ptr<Unit>& unit : graveyard_) {
    std::vector<Placed>& placed = placed_[unit->region];
    if (unit->code == nullptr || placed.empty()) continue;
    placed[static_cast<size_t>(first_behind(placed, unit->code) - placed.begin()) - 1].unit = nullptr;
  }
  graveyard_.clear();
}

std::vector<UnitMap::Placed>::const_iterator UnitMap::first_behind(const std::vector<Placed>& placed,
                                                                   const uint8_t* address) {
  return std::upper_bound(placed.begin(), placed.end(), address,
                          [](const uint8_t* a, const Placed& p) { return a < p.code; });
}

Unit* UnitMap::holding(const uint8_t* address) const {
  for (const std::vector<Placed>& placed : placed_) {
    const auto behind = first_behind(placed, address);
    if (behind == placed.begin()) continue;
    Unit* unit = std::prev(behind)->unit;
    if (unit != nullptr && address < unit->code + unit->code_bytes) return unit;
  }
  return nullptr;
}

}  // namespace lockstep::jit
