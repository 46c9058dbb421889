// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/hart/hart.h"
#include "core/ir/ir.h"
#include "jit/region_plan.h"

namespace lockstep::jit {

// One piece of guest code that is entered at its beginning only.
struct RegionBlock {
  core::ir::Block ir;
  bool spans_pages = false;
  uint64_t weight = 1;            // executions seen; higher in loops
  std::vector<uint64_t> targets;  // addresses to which its indirect jump went
  std::vector<CodePart> parts;    // where somebody asks what runs
  bool covered = false;           // nothing new can be told of it but counts
};

// A plan's blocks, decoded; those that only follow one another are joined.
struct Region {
  std::vector<RegionBlock> blocks;
  std::vector<PlannedPage> pages;
  uint64_t entries = 1;  // executions of the head seen; a weight that loops have not raised
};

// No guest state changes: the bytes are read from RAM. Without blocks where they are not what the plan says.
Region form_region(const RegionPlan& plan, core::Hart& hart);

}  // namespace lockstep::jit
