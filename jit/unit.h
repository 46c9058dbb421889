// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "core/engine/code_index.h"
#include "jit/coverage_cells.h"
#include "jit/relocation.h"

namespace lockstep::jit {

struct Unit;

// As the interpreter's: longer blocks gain little and fill a turn's budget badly.
inline constexpr unsigned kMaxBlockInstructions = 64;

// A way out of a unit to a constant address: a jump that is patched to go straight to another unit.
struct Link {
  Unit* source = nullptr;
  Unit* target = nullptr;  // nullptr: the jump leads to its own stub, which asks the engine
  uint64_t pc = 0;
  uint32_t jump_at = 0;     // offset in the unit's code of the jump's displacement
  uint32_t stub_at = 0;     // offset of the stub
  uint32_t mapping_at = 0;  // offset of the mapping number that is compared first; 0: the target is on the same page
};

// Where one guest register is when generated code is left in the middle.
struct StateHome {
  uint16_t slot = 0;      // eight-byte word of the state
  uint8_t location = 0;   // 0 to 15 a general register, 16 to 31 a vector register, kConstant
  uint64_t constant = 0;  // with kConstant
  static constexpr uint8_t kConstant = 32;
  static constexpr uint8_t kNarrow = 64;  // added to a general register of which only the low half counts, signed

  bool operator==(const StateHome&) const = default;
};

// A place at which code hands a guest instruction over to the interpreter: by the address behind its call.
struct HandOver {
  uint32_t return_at = 0;  // offset in the code
  uint32_t first_home = 0;
  uint16_t homes = 0;
  uint16_t unbegun = 0;  // guest instructions of the block that have not begun, the one at pc among them
  bool joint = false;    // accesses that were checked together do not lie in one page
  uint64_t pc = 0;
  uint32_t block = 0;  // of the unit
};

// What a block tells about itself while the first tier runs it.
struct BlockProfile {
  static constexpr uint64_t kUnknown = ~uint64_t{0};
  static constexpr unsigned kTargets = 16;
  // A block that is not to be asked about again.
  static constexpr int32_t kNeverHot = std::numeric_limits<int32_t>::max();
  struct Edge {
    uint64_t pc = kUnknown;
    uint64_t paddr = kUnknown;
  };
  using Targets = std::array<uint64_t, kTargets>;

  int32_t heat = 0;                  // executions that are left until the second tier is asked for
  int32_t first_heat = 0;            // what heat was at first
  std::array<Edge, 2> edges;         // constant successors to which it went
  std::shared_ptr<Targets> targets;  // where its indirect jump went, by a hash; kUnknown where nothing was noted
};

// Generated code with what the engine needs to know about it: one block in the first tier, a region in the second.
struct Unit {
  uint64_t pc = 0;
  uint64_t paddr = 0;
  uint64_t code_key = 0;
  uint64_t second_ppage = 0;
  bool spans_pages = false;
  bool interpreted = false;  // no code: an operation that only the interpreter has
  bool is_region = false;
  unsigned stale_exits = 0;         // how often a region found its pages mapped in another way
  unsigned split_groups = 0;        // how often accesses that it checks together were in two pages
  unsigned region = 0;              // of the code cache
  unsigned guest_instructions = 0;  // of the first block
  unsigned all_instructions = 0;
  const uint8_t* code = nullptr;
  uint32_t code_bytes = 0;
  uint32_t entry_at = 0;  // offset of the entry; the code begins with one that compares the page's mapping first
  // Offsets of the mapping numbers there and what is written to them: of the first block's pages.
  std::array<uint32_t, 2> mapping_at = {};
  std::array<uint32_t, 2> mapping = {};
  uint32_t size_bytes = 0;               // of the first block's guest code
  std::vector<core::CodeRange> inlined;  // guest code of a region's other blocks
  BlockProfile profile;                  // of the first block
  std::vector<Link> links;
  std::vector<Link*> incoming;
  std::vector<HandOver> hand_overs;
  std::vector<StateHome> homes;
  // Where somebody asks what runs: the records of each block, and where code tells of it.
  std::vector<std::vector<CodePart>> parts;
  std::vector<CellSite> cells;
  std::vector<Relocation> relocations;  // until it has its place

  template <typename F>
  void each_first_range(F f) const {
    core::each_half(paddr, size_bytes, spans_pages, second_ppage, f);
  }
  template <typename F>
  void each_range(F f) const {
    each_first_range(f);
    for (const core::CodeRange& range : inlined) f(range);
  }
  // Where a link leads: one that has looked at the mapping of the first page only must have the second one looked at.
  const uint8_t* link_entry() const { return spans_pages ? code : code + entry_at; }
};

}  // namespace lockstep::jit
