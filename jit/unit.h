// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/ir/ir.h"

namespace lockstep::jit {

struct Unit;

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
};

// A place at which code hands a guest instruction over to the interpreter: by the address behind its call.
struct HandOver {
  uint32_t return_at = 0;  // offset in the code
  uint32_t first_home = 0;
  uint16_t homes = 0;
  uint16_t unbegun = 0;  // guest instructions of the block that have not begun, the one at pc among them
  uint64_t pc = 0;
};

// Generated code with what the engine needs to know about it.
struct Unit {
  uint64_t pc = 0;
  uint64_t paddr = 0;
  uint64_t code_key = 0;
  uint64_t second_ppage = 0;
  bool spans_pages = false;
  bool valid = true;
  bool interpreted = false;  // no code: an operation that only the interpreter has
  unsigned region = 0;       // of the code cache
  unsigned guest_instructions = 0;
  const uint8_t* code = nullptr;
  uint32_t code_bytes = 0;
  uint32_t entry_at = 0;    // offset of the entry; the code begins with one that compares the page's mapping first
  uint32_t mapping_at = 0;  // offset of the mapping number there
  uint32_t mapping = 0;     // what is written there
  uint32_t size_bytes = 0;  // of guest code
  std::vector<Link> links;
  std::vector<Link*> incoming;
  std::vector<HandOver> hand_overs;
  std::vector<StateHome> homes;
};

}  // namespace lockstep::jit
