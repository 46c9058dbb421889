// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/engine/engine.h"
#include "isa_frontends/riscv64/hart64.h"
#include "isa_frontends/riscv64/random/program.h"

namespace lockstep::isa::riscv64::random {

// Makes the hart of a machine: Hart64, or one derived from it that is wrong on purpose.
using HartFactory = std::function<std::unique_ptr<Hart64>(core::PhysicalBus&, core::VirtualClock&)>;
using EngineFactory = std::function<std::unique_ptr<core::Engine>(core::Hart&)>;

// Runs programs on two machines (RAM and nothing else), each with an engine of its own, and compares them: state,
// count and reason of every stop after each slice, RAM and the TLB contexts in use at the program's end. Slices of 1,
// 2, 7, 100 or all instructions and interrupts follow from the program's seed. The machines are used again from program
// to program.
class Comparison {
 public:
  Comparison(const EngineFactory& left, const EngineFactory& right);
  Comparison(const EngineFactory& left, const EngineFactory& right, const HartFactory& right_hart);
  ~Comparison();

  // The first difference in words, or nothing.
  std::optional<std::string> run(const RandomProgram& program);
  // Instructions that both have executed, in all programs.
  uint64_t executed() const { return executed_; }

 private:
  struct Machine;
  std::unique_ptr<Machine> left_, right_;
  uint64_t executed_ = 0;
};

// A program with as few instructions as possible that still fails: pieces are replaced by nothing, half of what is left
// at first and single instructions in the end.
RandomProgram reduce(RandomProgram program, const std::function<bool(const RandomProgram&)>& fails);

}  // namespace lockstep::isa::riscv64::random
