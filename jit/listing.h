// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ir/text.h"
#include "jit/pins.h"
#include "jit/region.h"
#include "jit/thunks.h"
#include "jit/translator.h"

namespace lockstep::jit {

// The host code of a unit as text for people and tests, an instruction, a label or a comment a line. Comments begin
// with a semicolon and say where a guest instruction begins. What differs from run to run has a name instead: thunks,
// helpers, the unit's own addresses; so have words of the state, of the frame and of the TLB.
struct Listing {
  std::vector<std::string> arrival;  // compares the mapping of the pages; links on the same page pass it by
  std::vector<std::string> entry;    // once a visit: the profile's counter, the pinned words
  std::vector<std::string> hot;      // the blocks
  std::vector<std::string> cold;     // slow paths, side exits, stubs of links
  size_t code_bytes = 0;

  std::string text() const;
};

// What Translator makes of this; nothing where it has no host code. The code is not kept.
std::optional<Listing> list_code(const Translator::Input& input);

// The lines that are host instructions.
size_t count_instructions(std::span<const std::string> lines);

// Addresses for listings without a code cache: all differ, none is called.
Thunks listing_thunks();

// A pin a line: its word, its register, and whether it is only read.
std::string print_pins(std::span<const Pin> pins, const core::StateLayout& layout);

// The blocks' IR.
std::string print_blocks(std::span<const RegionBlock> blocks, const core::ir::Names& names);

// What the Translator makes of blocks that are one piece: pins and host code. With `installed_bytes`, the size of code
// that was made before, it says when this is not the same.
std::string describe_translation(const Translator::Input& input, std::optional<size_t> installed_bytes = {});

}  // namespace lockstep::jit
