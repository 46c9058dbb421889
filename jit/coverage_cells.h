// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/instrumentation.h"

namespace lockstep::jit {

// A piece of a translated block that has a record of its own: a region joins blocks that follow one another.
struct CodePart {
  core::CodeRecord* record = nullptr;  // nullptr: there were too many
  uint32_t first = 0;                  // index of its first instruction in the block
  uint32_t size = 0;                   // instructions
};

// An instruction of generated code that writes a cell, and what that means.
struct CellSite {
  uint32_t address_at = 0;  // offset in the code of its displacement, which is relative to the end
  uint32_t end_at = 0;      // offset of the next instruction
  uint16_t block = 0;       // of the unit
  uint16_t begun = 0;       // instructions of the block that have begun when the cell is written
  bool entry = false;       // the block was entered and is taken to run to its end
  uint32_t cell = 0;
};

// The cells of one engine: 64-bit counters, or flags, in memory beside the code, so that one instruction reaches them.
// A site has its cell as long as its unit lives.
class CoverageCells {
 public:
  // One for each site that a full code cache can hold, at seven bytes of code each.
  static constexpr size_t bytes_for(size_t code_bytes) { return code_bytes + code_bytes / 4; }

  CoverageCells() = default;
  explicit CoverageCells(std::span<uint64_t> cells) : cells_(cells) {}

  // Gives each site a cell. False when there are too few: the code must not be used.
  bool give(std::span<CellSite> sites);
  // What the site's instruction adds to the address behind it, in code that lies at `code`.
  uint32_t displacement(const CellSite& site, const uint8_t* code) const {
    return static_cast<uint32_t>(reinterpret_cast<const uint8_t*>(&cells_[site.cell]) - (code + site.end_at));
  }
  // Brings what the sites' cells hold into the records. `parts`: of each block of the unit.
  void collect(std::span<const CellSite> sites, std::span<const std::vector<CodePart>> parts, core::Coverage coverage);
  void take_back(std::span<const CellSite> sites);

 private:
  std::span<uint64_t> cells_;
  size_t used_ = 0;
  std::vector<uint32_t> free_;
};

// A block was left `times` times when so many of its instructions had begun.
void record_leaving(std::span<const CodePart> parts, uint32_t begun, uint64_t times, core::Coverage coverage);

inline uint32_t instructions_of(std::span<const CodePart> parts) {
  return parts.empty() ? 0 : parts.back().first + parts.back().size;
}

}  // namespace lockstep::jit
