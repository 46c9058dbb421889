// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/engine/code_index.h"
#include "core/memory/bus.h"
#include "jit/unit.h"

namespace lockstep::jit {

// A block that is to be in a region.
struct PlannedBlock {
  uint64_t pc = 0;
  uint32_t size_bytes = 0;
  uint32_t guest_instructions = 0;
  bool spans_pages = false;
  uint64_t weight = 1;            // executions seen
  std::vector<uint64_t> targets;  // blocks of the plan to which its indirect jump went
  CodePart part = {};             // its record, where somebody asks what runs
};

// A page of their code, and how it was mapped.
struct PlannedPage {
  uint64_t vpage = 0;  // address
  uint64_t ppage = 0;
  uint32_t mapping = 0;  // its number in the TLB
};

// The second tier's unit of translation before anything of it is decoded: blocks that run one after another, loops,
// calls and returns among them. The first is where the region is entered; they are laid out in this order.
struct RegionPlan {
  std::vector<PlannedBlock> blocks;
  std::vector<PlannedPage> pages;  // a virtual page is here once

  const PlannedPage* page(uint64_t vaddr) const;
  // The physical address of a byte of a planned block; 0 in a page that is not one of `pages`.
  uint64_t paddr(uint64_t vaddr) const;
  // Calls `f` with every core::CodeRange of a block.
  template <typename F>
  void each_range(const PlannedBlock& block, F f) const {
    core::each_half(paddr(block.pc), block.size_bytes, block.spans_pages,
                    paddr((block.pc & core::kPageMask) + core::kPageSize), f);
  }
};

// Longer ones gain little and take long to translate.
inline constexpr size_t kMaxRegionBlocks = 64;
inline constexpr unsigned kMaxRegionInstructions = 1000;

// Gathers the region that begins with `head`, a unit of the first tier. `find` answers the unit at an address that ran
// (its code_key is the head's; paddr may be BlockProfile::kUnknown), or nullptr. Blocks that ran rarely beside the head
// are left out, and those at a virtual page that the region has elsewhere in physical memory.
RegionPlan plan_region(const Unit& head, int32_t threshold,
                       const std::function<const Unit*(uint64_t pc, uint64_t paddr)>& find);

// The unit's own block and nothing else.
RegionPlan plan_of(const Unit& unit);

}  // namespace lockstep::jit
