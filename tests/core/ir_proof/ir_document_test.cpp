// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "core/ir/ir.h"

// The tables of docs/ir.md against core/ir/opcodes.def.
namespace lockstep::test {
namespace {

using core::ir::Op;
using core::ir::OpInfo;

const char* name_of(core::ir::Signature signature) {
  constexpr const char* kNames[] = {"none", "same", "compare", "convert", "free"};
  return kNames[static_cast<size_t>(signature)];
}

const char* name_of(core::ir::Effect effect) {
  constexpr const char* kNames[] = {"pure", "state", "memory", "fp", "call", "end"};
  return kNames[static_cast<size_t>(effect)];
}

// The rows that describe operations, each up to where its meaning begins.
std::set<std::string> read_rows() {
  std::set<std::string> rows;
  std::ifstream file(LOCKSTEP_IR_DOCUMENT);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("| `")) continue;
    size_t end = 0;
    for (int bars = 1; bars < 5 && end != std::string::npos; ++bars) end = line.find('|', end + 1);
    if (end == std::string::npos) continue;
    rows.insert(line.substr(0, end + 1));
  }
  return rows;
}

TEST(IrDocument, DescribesEveryOperationAndNoOther) {
  std::set<std::string> rows = read_rows();
  for (int o = 0; o < static_cast<int>(Op::kCount); ++o) {
    const OpInfo& info = core::ir::op_info(static_cast<Op>(o));
    const std::string row =
        fmt::format("| `{}` | {} | {} | {} |", info.text, info.operands, name_of(info.signature), name_of(info.effect));
    EXPECT_EQ(rows.erase(row), 1u) << "docs/ir.md has no row that begins with " << row;
  }
  for (const std::string& row : rows) ADD_FAILURE() << "docs/ir.md describes what is not in opcodes.def: " << row;
}

}  // namespace
}  // namespace lockstep::test
