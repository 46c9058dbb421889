// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::isa::riscv64 {

struct Translator;

// The fields of one instruction word, by what they mean. Registers that an encoding does not have are x0.
struct Operands {
  uint8_t rd = 0;
  uint8_t rs1 = 0;  // also the 5-bit immediate of csrrwi and its kin
  uint8_t rs2 = 0;
  uint8_t rs3 = 0;
  uint8_t rm = 0;
  bool acquire = false;
  bool release = false;
  int64_t imm = 0;  // sign-extended and scaled; the CSR number for CSR instructions
};

// Emits the IR of one instruction.
using Semantics = void (*)(Translator&, const Operands&);

// Puts one operand of an instruction word into its field.
using OperandDecoder = void (*)(uint32_t bits, Operands&);

// One row of instructions.def. Its index in the table is its coverage point.
struct Row {
  std::string_view name;
  std::string_view pattern;
  std::string_view operands;
  Semantics semantics = nullptr;
  uint32_t mask = 0;   // fixed bits
  uint32_t match = 0;  // their values
  unsigned length = 4;
  static constexpr size_t kOperandsMax = 6;
  std::array<OperandDecoder, kOperandsMax> decoders = {};  // by `operands`, up to the first nullptr
};

// The instruction table with its lookup structure, built once.
class InstructionTable {
 public:
  static const InstructionTable& get();

  std::span<const Row> rows() const { return rows_; }

  // The row that `bits` mean, or nullptr for an encoding that does not exist. The upper half of `bits` is ignored for
  // compressed instructions.
  const Row* find(uint32_t bits) const;

 private:
  InstructionTable();

  // Rows by quadrant, funct3 and, for 32-bit instructions, major opcode; those with more fixed bits first.
  static unsigned bucket(uint32_t bits);

  std::vector<Row> rows_;
  std::array<std::vector<uint16_t>, 24 + 256> buckets_;
};

// True when the 16 bits begin a 16-bit instruction.
constexpr bool is_compressed(uint16_t bits) { return (bits & 3) != 3; }

// True when every token of a row's operand text is one that operands.cpp knows, and a row has room for them.
bool operands_known(std::string_view text);

// Fills the row's decoders by its operand text.
void find_decoders(Row& row);

// The operands of `bits` as a row of the table names them.
Operands decode_operands(const Row& row, uint32_t bits);

// One line in the manner of GNU objdump with `-M no-aliases`, a tab between mnemonic and operands.
std::string format_instruction(const Row& row, uint32_t bits, uint64_t pc);

}  // namespace lockstep::isa::riscv64
