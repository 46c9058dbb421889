// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/engine/code_index.h"
#include "core/engine/instrumentation.h"
#include "core/hart/hart.h"
#include "core/ir/ir.h"

namespace lockstep::core {

enum class Bytecode : uint16_t {
#define BC(name) k_##name,
#define BC1(name) k_##name##_rr,
#define BC2(name) k_##name##_rr, k_##name##_ri,
#include "core/interpreter/bytecode.def"
#undef BC
#undef BC1
#undef BC2
  kCount
};

// One step of threaded code.
struct Cell {
  const void* handler = nullptr;
  uint16_t d = 0, a = 0, b = 0, c = 0;
  uint64_t imm = 0;
};

struct CodeBlock;

// A constant successor of a block. `target` is never null: unlinked it is a block that cannot be entered.
struct Link {
  CodeBlock* target = nullptr;
  CodeBlock* source = nullptr;
  uint64_t pc = 0;
  bool check_page = false;  // the target lies on another page, whose mapping is compared at each use
};

// An operation that works on slots by index and is described rather than encoded.
struct WideOp {
  ir::Inst inst;
  uint16_t d = 0;
  uint16_t args[4] = {0, 0, 0, 0};
  ir::Type arg_types[4] = {};
};

struct CodeBlock {
  static constexpr int64_t kCannotEnter = std::numeric_limits<int64_t>::max();

  int64_t count = kCannotEnter;  // guest instructions, taken from the budget on entry
  uint64_t count_at_entry = 0;   // the same number, also after the block was dropped
  const Cell* entry = nullptr;   // cells.data()
  uint64_t pc = 0;
  uint64_t code_key = 0;
  uint64_t fetch_addend = 0;  // host page minus virtual page of the first instruction
  uint64_t paddr = 0;         // physical address of the first byte
  uint64_t second_ppage = 0;  // physical page of the bytes behind the page's end, when spans_pages
  uint32_t size_bytes = 0;
  bool spans_pages = false;
  CodeRecord* record = nullptr;  // where somebody asks what runs
  Link links[2];

  struct GuestInstruction {
    uint64_t pc = 0;
    uint32_t first_cell = 0;
  };
  std::vector<Cell> cells;
  std::vector<GuestInstruction> instructions;
  std::vector<WideOp> wide;
  std::vector<Link*> incoming;

  template <typename F>
  void each_range(F f) const {
    each_half(paddr, size_bytes, spans_pages, second_ppage, f);
  }
};

struct LoweringOptions {
  bool fusion = true;
  bool watched_memory = false;          // every access goes through MemoryAccess
  Coverage coverage = Coverage::kNone;  // told to CodeBlock::record where there is one
};

// Turns verified IR into cells. `handlers` maps Bytecode to the dispatcher's labels. Returns false when the block needs
// more temporaries than the scratch area has; the caller then translates fewer instructions.
bool lower(const ir::Block& block, const StateLayout& layout, std::span<const HelperDescriptor> helpers,
           const LoweringOptions& options, const void* const* handlers, CodeBlock& out);

}  // namespace lockstep::core
