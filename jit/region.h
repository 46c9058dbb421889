// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/hart/hart.h"
#include "core/ir/ir.h"
#include "jit/unit.h"

namespace lockstep::jit {

// One guest block of what is translated as one piece.
struct RegionBlock {
  core::ir::Block ir;
  uint64_t paddr = 0;
  uint64_t second_ppage = 0;
  bool spans_pages = false;
  std::array<uint32_t, 2> mapping = {};  // of its pages, which a jump to it from another page compares
  uint64_t weight = 1;                   // executions seen
  std::vector<uint64_t> targets;         // addresses to which its indirect jump went
  std::vector<CodePart> parts;           // where somebody asks what runs
  bool covered = false;                  // nothing new can be told of it but counts
};

// The second tier's unit of translation: blocks that run one after another, loops, calls and returns among them. Each
// begins where one of the others (or the region's user) goes to; the first is where the region is entered.
struct Region {
  std::vector<RegionBlock> blocks;       // in the order in which their code is laid out
  std::vector<core::CodeRange> inlined;  // guest code of all but the head
  uint64_t entries = 1;                  // executions of the head seen; a weight that loops have not raised
};

// Longer ones gain little and take long to translate.
inline constexpr size_t kMaxRegionBlocks = 64;
inline constexpr unsigned kMaxRegionInstructions = 1000;

// Gathers the region that begins with `head`, a unit of the first tier. `find` answers the unit at an address that ran
// (its code_key is the head's; paddr may be BlockProfile::kUnknown), or nullptr. Blocks that ran rarely beside the head
// are left out. No guest state changes: the bytes are read from RAM. Without blocks where the head has no second tier.
Region form_region(const Unit& head, core::Hart& hart, int32_t threshold,
                   const std::function<const Unit*(uint64_t pc, uint64_t paddr)>& find);

}  // namespace lockstep::jit
