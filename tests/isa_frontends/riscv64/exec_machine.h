// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <memory>

#include "core/interpreter/interpreter.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"

namespace lockstep::isa::riscv64 {

// A bare machine with an engine: programs are words at kRamBase, run one after another from there.
struct ExecMachine : BareMachine {
  explicit ExecMachine(const HartOptions& options = {}) : BareMachine(1 << 20, options) {
    engine = core::make_interpreter(hart);
    bus.engine = engine.get();
    hart.s().mtvec = kVector;
    hart.s().mstatus = kStatusFs;
    // What a trap leads to: a jump to itself.
    bus.poke<uint32_t>(kVector, 0x0000006f);
  }

  // Puts the words at kRamBase and runs `count` instructions from there (as many as there are words by default).
  void run(std::initializer_list<uint32_t> words, uint64_t count = 0) {
    uint64_t at = kRamBase;
    for (uint32_t word : words) {
      bus.poke<uint32_t>(at, word);
      at += 4;
    }
    engine->invalidate_all_code();
    hart.s().pc = kRamBase;
    if (count == 0) count = words.size();
    hart.begin_turn();
    while (count > 0) count -= std::min<uint64_t>(count, std::max<uint64_t>(engine->run(count).executed, 1));
    hart.end_turn();
  }

  static constexpr uint64_t kVector = kRamBase + 0x8000;
  std::unique_ptr<core::Interpreter> engine;
};

// Encodings.
constexpr uint32_t r_type(uint32_t funct7, unsigned rs2, unsigned rs1, uint32_t funct3, unsigned rd, uint32_t opcode) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t i_type(int32_t imm, unsigned rs1, uint32_t funct3, unsigned rd, uint32_t opcode) {
  return static_cast<uint32_t>(imm) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

}  // namespace lockstep::isa::riscv64
