// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/hart/hart.h"
#include "core/ir/ir.h"
#include "core/result.h"

// The IR as text, one instruction a line, so that tests and reproducers are readable:
//
//   block 0x80000000
//     insn 0x80000000 4
//     %1 = get.i64 x5
//     %2 = const.i64 0x10
//     %3 = add.i64 %1, %2
//     set.i64 x6, %3
//     %5 = eq.i64 %3, %2
//     branch %5, 0x80000010, 0x80000004
//
// `#` begins a comment. Values are numbered by their instruction's place in the block; the parser accepts any names.

namespace lockstep::core::ir {

// Names that the text form uses for state offsets and helpers.
struct Names {
  const StateLayout* layout = nullptr;
  std::span<const HelperDescriptor> helpers = {};
};

std::string print(const Block& block, const Names& names);

// Parses one block; the error names the line. The result is verified.
Result<Block> parse(std::string_view text, const Names& names);

// Checks operands, types, order, ends and offsets; the error names the instruction.
Status verify(const Block& block, const Names& names);

}  // namespace lockstep::core::ir
