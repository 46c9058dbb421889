// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/assembler.h"

#include <utility>

namespace lockstep::isa::riscv64::random {

Assembler::Label Assembler::label() {
  labels_.push_back(0);
  return static_cast<Label>(labels_.size() - 1);
}

void Assembler::bind(Label label) { labels_[label] = words_.size(); }

void Assembler::op(std::string_view name, const Operands& operands) { word(encode(row_index(name), operands)); }

void Assembler::reg(std::string_view name, unsigned rd, unsigned rs1, unsigned rs2) {
  Operands o;
  o.rd = static_cast<uint8_t>(rd);
  o.rs1 = static_cast<uint8_t>(rs1);
  o.rs2 = static_cast<uint8_t>(rs2);
  op(name, o);
}

void Assembler::imm(std::string_view name, unsigned rd, unsigned rs1, int64_t value) {
  Operands o;
  o.rd = static_cast<uint8_t>(rd);
  o.rs1 = static_cast<uint8_t>(rs1);
  o.imm = value;
  op(name, o);
}

void Assembler::store(std::string_view name, unsigned rs2, int64_t offset, unsigned rs1) {
  Operands o;
  o.rs1 = static_cast<uint8_t>(rs1);
  o.rs2 = static_cast<uint8_t>(rs2);
  o.imm = offset;
  op(name, o);
}

void Assembler::csr(std::string_view name, unsigned rd, unsigned number, unsigned rs1) { imm(name, rd, rs1, number); }

void Assembler::relative(unsigned row, const Operands& operands, Label target) {
  fixups_.push_back({words_.size(), Kind::kRelative, row, operands, target, 0});
  word(encode(row, operands));
}

void Assembler::branch(std::string_view name, unsigned rs1, unsigned rs2, Label target) {
  Operands o;
  o.rs1 = static_cast<uint8_t>(rs1);
  o.rs2 = static_cast<uint8_t>(rs2);
  relative(row_index(name), o, target);
}

void Assembler::jump(unsigned rd, Label target) {
  Operands o;
  o.rd = static_cast<uint8_t>(rd);
  relative(row_index("jal"), o, target);
}

void Assembler::address(unsigned rd, Label target) {
  Operands o;
  o.rd = o.rs1 = static_cast<uint8_t>(rd);
  fixups_.push_back({words_.size(), Kind::kAddress, row_index("addi"), o, target, 0});
  imm("auipc", rd, 0, 0);
  imm("addi", rd, rd, 0);
}

void Assembler::constant(unsigned rd, uint64_t value) {
  const auto low = static_cast<int64_t>(value << 52) >> 52;
  const uint64_t high = value - static_cast<uint64_t>(low);
  if (high == 0) return imm("addi", rd, 0, low);
  if (static_cast<int64_t>(high) == static_cast<int32_t>(high)) {
    imm("lui", rd, 0, static_cast<int64_t>(high));
  } else {
    constant(rd, static_cast<uint64_t>(static_cast<int64_t>(high) >> 12));
    imm("slli", rd, rd, 12);
  }
  if (low != 0) imm("addi", rd, rd, low);
}

void Assembler::half(Label target, Label base) {
  fixups_.push_back({words_.size(), Kind::kHalf, 0, {}, target, base});
  word(0);
}

std::vector<uint32_t> Assembler::finish() {
  std::vector<int64_t> at(words_.size() + 1, 0);
  for (size_t i = 0; i < words_.size(); ++i) at[i + 1] = at[i] + word_bytes(words_[i]);
  for (Fixup& fixup : fixups_) {
    const int64_t target = at[labels_[fixup.target]];
    const int64_t from = fixup.kind == Kind::kHalf ? at[labels_[fixup.base]] : at[fixup.word];
    const int64_t distance = target - from;
    if (fixup.kind == Kind::kHalf) {
      words_[fixup.word] = static_cast<uint16_t>(distance);
      continue;
    }
    if (fixup.kind == Kind::kRelative) {
      fixup.operands.imm = distance;
      words_[fixup.word] = encode(fixup.row, fixup.operands);
      continue;
    }
    const int64_t low = static_cast<int64_t>(static_cast<uint64_t>(distance) << 52) >> 52;
    Operands upper = fixup.operands;
    upper.imm = distance - low;
    words_[fixup.word] = encode(row_index("auipc"), upper);
    fixup.operands.imm = low;
    words_[fixup.word + 1] = encode(fixup.row, fixup.operands);
  }
  fixups_.clear();
  return std::move(words_);
}

}  // namespace lockstep::isa::riscv64::random
