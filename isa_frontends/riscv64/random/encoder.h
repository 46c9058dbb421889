// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "isa_frontends/riscv64/instruction_table.h"

// The inverse of the decoder, made from it: decoding moves bits of a word into operands, so that decoding a row's
// pattern with one more bit set says which bit of which operand that bit is.

namespace lockstep::isa::riscv64::random {

enum class Register : uint8_t { kNone, kInteger, kFloat };

// What can be chosen in the words of one row.
struct RowShape {
  // Where one free bit of the word goes; a bit that is no operand has kNowhere.
  enum class Place : uint8_t { kNowhere, kRd, kRs1, kRs2, kRs3, kRm, kAcquire, kRelease, kImm };
  struct Bit {
    uint8_t word_bit = 0;
    Place place = Place::kNowhere;
    uint8_t operand_bit = 0;
    bool both = false;  // rd and rs1 are one field
  };

  std::vector<Bit> bits;
  Register rd = Register::kNone, rs1 = Register::kNone, rs2 = Register::kNone, rs3 = Register::kNone;
  bool has_rm = false;
  bool rd_is_rs1 = false;
  bool three_bit_rd = false, three_bit_rs1 = false, three_bit_rs2 = false;  // x8 to x15 only
  uint64_t imm_bits = 0;  // the bits of an immediate that the word holds; the highest one may be its sign
  bool imm_signed = false;
  bool is_memory = false;  // a load, store or atomic: rs1 is an address
  bool is_atomic = false;
  bool is_relative = false;  // the immediate is added to pc
  bool is_csr = false;
};

// Shapes in the order of InstructionTable::rows().
const std::vector<RowShape>& row_shapes();

// The index of the row with this name; the name must exist.
unsigned row_index(std::string_view name);

// The word of a row with the wanted operands. What does not fit a field loses its upper bits; bits of the word that are
// no operand come from `filling`.
uint32_t encode(unsigned row, const Operands& operands, uint32_t filling = 0);

}  // namespace lockstep::isa::riscv64::random
