// SPDX-License-Identifier: Apache-2.0
#include "jit/coverage_cells.h"

#include <algorithm>
#include <utility>

namespace lockstep::jit {

bool CoverageCells::give(std::span<CellSite> sites) {
  if (sites.size() > free_.size() + (cells_.size() - used_)) return false;
  for (CellSite& site : sites) {
    if (free_.empty()) {
      site.cell = static_cast<uint32_t>(used_++);
    } else {
      site.cell = free_.back();
      free_.pop_back();
    }
  }
  return true;
}

void CoverageCells::collect(std::span<const CellSite> sites, std::span<const std::vector<CodePart>> parts,
                            core::Coverage coverage) {
  for (const CellSite& site : sites) {
    const uint64_t times = std::exchange(cells_[site.cell], 0);
    if (times == 0) continue;
    if (site.entry && coverage == core::Coverage::kCounted) {
      for (const CodePart& part : parts[site.block]) {
        if (part.record != nullptr) part.record->entered += times;
      }
    } else {
      record_leaving(parts[site.block], site.begun, times, coverage);
    }
  }
}

void CoverageCells::take_back(std::span<const CellSite> sites) {
  for (const CellSite& site : sites) free_.push_back(site.cell);
}

void record_leaving(std::span<const CodePart> parts, uint32_t begun, uint64_t times, core::Coverage coverage) {
  for (const CodePart& part : parts) {
    if (part.record == nullptr) continue;
    const uint32_t in_part = std::clamp(begun, part.first, part.first + part.size) - part.first;
    if (coverage == core::Coverage::kCovered) {
      part.record->reach(in_part);
    } else if (in_part < part.size) {
      part.record->left[in_part] += times;
    }
  }
}

}  // namespace lockstep::jit
