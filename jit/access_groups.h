// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/ir/ir.h"

namespace lockstep::jit {

// Loads or stores of a block that lie beside one another: at constant distances from a value that they share. One look
// into the TLB at the first of them, for all their bytes, serves all; the others go to memory without a way out.
struct AccessGroup {
  core::ir::Value root = core::ir::kNoValue;
  bool store = false;
  int64_t low = 0, high = 0;  // bytes, relative to the root
  int64_t first = 0;          // where the first access is
  uint32_t members = 0;
};

struct AccessGroups {
  static constexpr int kNone = -1;

  std::vector<AccessGroup> groups;
  std::vector<int> group_of;       // by instruction: one of `groups`, or kNone
  std::vector<int64_t> offset_of;  // by instruction: from the root of its group

  // The access is in a group whose look was done before it.
  bool is_covered(core::ir::Value at) const { return covered[at]; }
  std::vector<bool> covered;
};

// Between the accesses of a group nothing may change the TLB but their like, whose slow paths look whether it lost
// something. Addresses are followed through values alone: forward_state has replaced what went through the state.
AccessGroups find_access_groups(const core::ir::Block& block);

}  // namespace lockstep::jit
