// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "isa_frontends/riscv64/random/encoder.h"

namespace lockstep::isa::riscv64::random {

// Puts instructions one behind another, with labels for what is not known yet. Code is position independent: addresses
// are reached relative to pc.
class Assembler {
 public:
  using Label = unsigned;

  Label label();
  void bind(Label label);

  // The instructions by the shape of their operands; names are those of the instruction table.
  void plain(std::string_view name) { op(name, {}); }
  void op(std::string_view name, const Operands& operands);
  void reg(std::string_view name, unsigned rd, unsigned rs1, unsigned rs2);
  void imm(std::string_view name, unsigned rd, unsigned rs1, int64_t value);  // loads, jalr and shifts as well
  void store(std::string_view name, unsigned rs2, int64_t offset, unsigned rs1);
  void csr(std::string_view name, unsigned rd, unsigned number, unsigned rs1);
  void branch(std::string_view name, unsigned rs1, unsigned rs2, Label target);
  void relative(unsigned row, const Operands& operands, Label target);  // any row with an offset from pc
  void jump(unsigned rd, Label target);                                 // jal
  void address(unsigned rd, Label target);                              // auipc and addi
  void constant(unsigned rd, uint64_t value);                           // as many instructions as the value needs
  void half(Label target, Label base);  // two bytes of data: the distance between two labels
  void word(uint32_t bits) { words_.push_back(bits); }

  // Words so far: 2 bytes where the low two bits are not both ones, else 4.
  size_t size() const { return words_.size(); }
  const std::vector<uint32_t>& words() const { return words_; }
  // Fills in what labels left open; every label that is used must be bound.
  std::vector<uint32_t> finish();

 private:
  enum class Kind : uint8_t { kRelative, kAddress, kHalf };
  struct Fixup {
    size_t word;
    Kind kind;
    unsigned row;
    Operands operands;
    Label target, base;
  };

  std::vector<uint32_t> words_;
  std::vector<Fixup> fixups_;
  std::vector<size_t> labels_;  // the word that a label stands before
};

// Bytes of one word of a program.
constexpr unsigned word_bytes(uint32_t word) { return is_compressed(static_cast<uint16_t>(word)) ? 2 : 4; }

}  // namespace lockstep::isa::riscv64::random
