// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/instruction_table.h"

#include <algorithm>
#include <bit>

#include "isa_frontends/riscv64/semantics_float.h"
#include "isa_frontends/riscv64/semantics_integer.h"
#include "isa_frontends/riscv64/semantics_memory.h"
#include "isa_frontends/riscv64/semantics_system.h"

namespace lockstep::isa::riscv64 {
namespace {

Row make_row(std::string_view name, std::string_view pattern, std::string_view operands, Semantics semantics) {
  Row row{name, pattern, operands, semantics};
  unsigned bits = 0;
  for (char c : pattern) {
    if (c == ' ') continue;
    row.mask = row.mask << 1 | (c != '.');
    row.match = row.match << 1 | (c == '1');
    ++bits;
  }
  row.length = bits / 8;
  return row;
}

using namespace semantics;

const Row kRows[] = {
#define INSN(name, pattern, operands, ...) make_row(name, pattern, operands, __VA_ARGS__),
#include "isa_frontends/riscv64/instructions.def"
#undef INSN
};

}  // namespace

unsigned InstructionTable::bucket(uint32_t bits) {
  const unsigned quadrant = bits & 3;
  if (quadrant != 3) return quadrant * 8 + (bits >> 13 & 7);
  return 24 + (bits >> 2 & 31) * 8 + (bits >> 12 & 7);
}

InstructionTable::InstructionTable() : rows_(std::begin(kRows), std::end(kRows)) {
  for (unsigned index = 0; index < rows_.size(); ++index) {
    find_decoders(rows_[index]);
    const Row& row = rows_[index];
    // A row whose pattern leaves funct3 open belongs to several buckets.
    const bool compressed = row.length == 2;
    for (unsigned funct3 = 0; funct3 < 8; ++funct3) {
      const uint32_t bits = row.match | (funct3 << (compressed ? 13 : 12));
      if ((bits & row.mask) == row.match) buckets_[bucket(bits)].push_back(static_cast<uint16_t>(index));
    }
  }
  for (std::vector<uint16_t>& rows : buckets_) {
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    std::stable_sort(rows.begin(), rows.end(), [this](uint16_t a, uint16_t b) {
      return std::popcount(rows_[a].mask) > std::popcount(rows_[b].mask);
    });
  }
}

const InstructionTable& InstructionTable::get() {
  static const InstructionTable table;
  return table;
}

const Row* InstructionTable::find(uint32_t bits) const {
  if (is_compressed(static_cast<uint16_t>(bits))) bits &= 0xffff;
  for (uint16_t index : buckets_[bucket(bits)]) {
    if ((bits & rows_[index].mask) == rows_[index].match) return &rows_[index];
  }
  return nullptr;
}

}  // namespace lockstep::isa::riscv64
