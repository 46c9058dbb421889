// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/engine/code_index.h"
#include "jit/code_cache.h"
#include "jit/unit.h"

namespace lockstep::jit {

// Owns a hart's units: finds them by address, links them, drops them when their bytes change or their region of the
// code cache is wanted. Nothing here may be called while generated code runs.
class UnitMap {
 public:
  explicit UnitMap(CodeCache& cache) : cache_(cache) {}

  Unit* find(uint64_t paddr, uint64_t pc, uint64_t code_key) const { return units_.find(paddr, pc, code_key); }
  std::vector<Unit*> made_from(uint64_t paddr) const { return units_.made_from(paddr, 1); }
  // Takes a unit in whose code, if it has some, lies in the cache's current region.
  Unit* insert(std::unique_ptr<Unit> unit);

  // The same for one that takes the place of another with the same addresses and key.
  Unit* replace(Unit* old, std::unique_ptr<Unit> unit);

  // Makes the link's jump go straight to the target. `mapping`: of the target's page, for links to another page.
  void link(Link& link, Unit* target, uint32_t mapping);

  // Drops the units made from bytes in [paddr, paddr + size), which lie in one page. Their code may be running: it and
  // they stay until collect().
  core::CodeWrite invalidate(uint64_t paddr, uint64_t size_bytes);
  void invalidate_all();
  void drop_region(unsigned region);
  void drop(Unit* unit);

  // Forgets the units that were dropped since the last call. Until then they stay readable, and are found by their
  // code.
  void collect();
  uint64_t dropped() const { return dropped_; }
  const std::vector<std::unique_ptr<Unit>>& graveyard() const { return graveyard_; }

  // Calls f with each unit that has code.
  template <typename F>
  void each(F f) const {
    for (const std::vector<Placed>& placed : placed_) {
      for (const Placed& p : placed) {
        if (p.unit != nullptr) f(*p.unit);
      }
    }
  }
  // The unit whose code holds this address.
  Unit* holding(const uint8_t* address) const;

 private:
  void unlink(Link& link);

  CodeCache& cache_;
  core::CodeIndex<Unit> units_;
  struct Placed {
    const uint8_t* code;
    Unit* unit;  // nullptr: dropped
  };
  static std::vector<Placed>::const_iterator first_behind(const std::vector<Placed>& placed, const uint8_t* address);

  std::vector<Placed> placed_[CodeCache::kRegions];  // ascending by address
  std::vector<std::unique_ptr<Unit>> graveyard_;
  uint64_t dropped_ = 0;
};

}  // namespace lockstep::jit
