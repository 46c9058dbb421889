// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "isa_frontends/riscv64/random/assembler.h"
#include "isa_frontends/riscv64/random/layout.h"
#include "isa_frontends/riscv64/random/program.h"
#include "isa_frontends/riscv64/random/random_source.h"

namespace lockstep::isa::riscv64::random {

// Writes one program: stretches of statements, each of which is an instruction of the table with biased operands or a
// construct that single instructions do not make: loops in loops, calls, jumps through tables, code that changes
// itself, page tables that change, changes of mode (statements.cpp).
class Generator {
 public:
  Generator(uint64_t seed, const RandomOptions& options);
  RandomProgram program();

 private:
  // The instructions that a construct may still take.
  size_t room() const { return wanted_ > a_.size() ? wanted_ - a_.size() : 0; }
  // One in `n`, and far less often where the program spends its time: for what traps.
  bool rarely(uint64_t n) { return random_.one_in(turns_ > 16 ? 16 * n : n); }
  bool in_function() const { return link_ != 0; }

  unsigned integer(bool is_short);
  unsigned floating() { return static_cast<unsigned>(8 + random_.below(8)); }
  unsigned any(Register kind, bool is_short) { return kind == Register::kFloat ? floating() : integer(is_short); }

  void statements(size_t count);
  void statement();
  void instruction();
  bool wanted_row(unsigned row);
  // A value register, or a loop's counter where it differs from turn to turn.
  unsigned varying();

  // What statements use up.
  static constexpr unsigned kA = kScratch[0], kB = kScratch[1], kC = kScratch[2];

  // statements.cpp
  void loop();
  void skip_ahead();
  void call();
  void functions();
  void jump_table();
  void reserved_pair();
  void accesses();

  // value_statements.cpp
  void constant_operand();
  void joined_parts();
  void repeated_values();
  void copied_values();
  void outlived_values();
  uint64_t edge_value();
  void narrow_compare();
  void read_csr();
  void rounding();
  void special_numbers();

  // system_statements.cpp
  void code_beside_tables();
  void patch();
  void patched_branch();
  void written_routine();
  void routine_in_data();
  void data_among_code();
  void swap_data_pages();
  void other_text();
  void other_root();
  void status_bits();
  void environment_call();
  void trap_return();
  void interrupts();
  void device();
  // Lets what follows happen in few turns of a loop: answers the label that is to be bound behind it.
  Assembler::Label seldom();
  void fence_tables(unsigned rs1);

  RandomSource random_;
  RandomOptions options_;
  RandomProgram program_;
  Assembler a_;
  size_t wanted_ = 0;
  double turns_ = 1;  // how often the current place is executed, about
  double spent_ = 0, may_spend_ = 0;
  unsigned depth_ = 0;
  unsigned link_ = 0;  // the register that holds the address to return to, in functions
  Assembler::Label buffer_ = 0;
  struct Function {
    Assembler::Label label;
    unsigned link;
  };
  std::vector<Function> functions_;
  std::vector<size_t> straddlers_;  // words that may well lie across a page's end: they change, or close loops
};

}  // namespace lockstep::isa::riscv64::random
