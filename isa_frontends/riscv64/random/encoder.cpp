// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/encoder.h"

#include <bit>
#include <cassert>
#include <string_view>

namespace lockstep::isa::riscv64::random {
namespace {

using Place = RowShape::Place;

// True when `token` is one of the words in an operand text.
bool names(std::string_view text, std::string_view token) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  for (size_t at = text.find(token); at != std::string_view::npos; at = text.find(token, at + 1)) {
    const size_t end = at + token.size();
    if ((at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]))) return true;
  }
  return false;
}

RowShape make_shape(const Row& row) {
  RowShape shape;
  const Operands base = decode_operands(row, row.match);
  unsigned rd_bits = 0, rs1_bits = 0, rs2_bits = 0;
  for (unsigned word_bit = 0; word_bit < 8 * row.length; ++word_bit) {
    if (row.mask >> word_bit & 1) continue;
    const Operands with = decode_operands(row, row.match | uint32_t{1} << word_bit);
    RowShape::Bit bit;
    bit.word_bit = static_cast<uint8_t>(word_bit);
    const auto note = [&](Place place, uint64_t difference) {
      if (difference == 0) return;
      bit.place = place;
      bit.operand_bit = static_cast<uint8_t>(std::countr_zero(difference));
    };
    note(Place::kRs3, base.rs3 ^ with.rs3);
    note(Place::kRs2, base.rs2 ^ with.rs2);
    note(Place::kRs1, base.rs1 ^ with.rs1);
    note(Place::kRm, base.rm ^ with.rm);
    note(Place::kAcquire, base.acquire ^ with.acquire);
    note(Place::kRelease, base.release ^ with.release);
    const auto imm_difference = static_cast<uint64_t>(base.imm ^ with.imm);
    note(Place::kImm, imm_difference);
    if (bit.place == Place::kImm) {
      shape.imm_bits |= uint64_t{1} << bit.operand_bit;
      if (!std::has_single_bit(imm_difference)) shape.imm_signed = true;
    }
    if (base.rd != with.rd) {
      bit.both = bit.place == Place::kRs1;
      note(Place::kRd, base.rd ^ with.rd);
    }
    rd_bits += base.rd != with.rd;
    rs1_bits += base.rs1 != with.rs1;
    rs2_bits += base.rs2 != with.rs2;
    shape.rd_is_rs1 = shape.rd_is_rs1 || bit.both;
    shape.has_rm = shape.has_rm || bit.place == Place::kRm;
    if (bit.place == Place::kRs3) shape.rs3 = Register::kFloat;
    shape.bits.push_back(bit);
  }
  const std::string_view text = row.operands;
  const bool csr_immediate = names(text, "zimm");
  if (rd_bits > 0) shape.rd = names(text, "frd") || names(text, "frdp_low") ? Register::kFloat : Register::kInteger;
  if (rs1_bits > 0 && !csr_immediate) shape.rs1 = names(text, "frs1") ? Register::kFloat : Register::kInteger;
  if (rs2_bits > 0) {
    const bool is_float = names(text, "frs2") || names(text, "cfrs2") || names(text, "frs2p");
    shape.rs2 = is_float ? Register::kFloat : Register::kInteger;
  }
  shape.three_bit_rd = rd_bits == 3;
  shape.three_bit_rs1 = rs1_bits == 3;
  shape.three_bit_rs2 = rs2_bits == 3;
  shape.is_atomic = names(text, "aqrl");
  shape.is_csr = names(text, "csr");
  shape.is_memory =
      text.find("(rs1)") != text.npos || text.find("(rs1p)") != text.npos || text.find("(sp)") != text.npos;
  if (row.name == "jalr") shape.is_memory = false;
  for (std::string_view token : {"b12", "j20", "cj", "cb"}) shape.is_relative = shape.is_relative || names(text, token);
  return shape;
}

std::vector<RowShape> make_shapes() {
  std::vector<RowShape> shapes;
  for (const Row& row : InstructionTable::get().rows()) shapes.push_back(make_shape(row));
  return shapes;
}

uint64_t operand_of(const Operands& operands, Place place) {
  switch (place) {
    case Place::kNowhere:
      return 0;
    case Place::kRd:
      return operands.rd;
    case Place::kRs1:
      return operands.rs1;
    case Place::kRs2:
      return operands.rs2;
    case Place::kRs3:
      return operands.rs3;
    case Place::kRm:
      return operands.rm;
    case Place::kAcquire:
      return operands.acquire;
    case Place::kRelease:
      return operands.release;
    case Place::kImm:
      return static_cast<uint64_t>(operands.imm);
  }
  return 0;
}

}  // namespace

const std::vector<RowShape>& row_shapes() {
  static const std::vector<RowShape> shapes = make_shapes();
  return shapes;
}

unsigned row_index(std::string_view name) {
  const auto rows = InstructionTable::get().rows();
  for (unsigned i = 0; i < rows.size(); ++i) {
    if (rows[i].name == name) return i;
  }
  assert(false && "the name is one of the table's");
  return 0;
}

uint32_t encode(unsigned row, const Operands& operands, uint32_t filling) {
  uint32_t word = InstructionTable::get().rows()[row].match;
  for (const RowShape::Bit& bit : row_shapes()[row].bits) {
    const uint64_t value =
        bit.place == Place::kNowhere ? filling >> bit.word_bit : operand_of(operands, bit.place) >> bit.operand_bit;
    word |= static_cast<uint32_t>(value & 1) << bit.word_bit;
  }
  return word;
}

}  // namespace lockstep::isa::riscv64::random
