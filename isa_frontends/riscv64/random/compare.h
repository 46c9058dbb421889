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

// Of the harts that run programs: a program may ask for accessed and dirty bits that the hart sets.
inline constexpr HartOptions kHartOptions{.svadu = true};

// Makes the hart of a machine: Hart64, or one derived from it that is wrong on purpose.
using HartFactory = std::function<std::unique_ptr<Hart64>(core::PhysicalBus&, core::VirtualClock&)>;
using EngineFactory = std::function<std::unique_ptr<core::Engine>(core::Hart&)>;

struct Difference {
  std::string what;  // the kind of state, without its values: reduced programs fail in the same kind
  std::string text;  // in words
};

struct RunCounts {
  uint64_t programs = 0;
  uint64_t instructions = 0;  // executed by both, up to each program's last store
  uint64_t ended = 0;         // programs that came to their last store; the others ended at their bound
  uint64_t traps = 0;         // exceptions and interrupts that a handler took
};

// Runs programs on two machines (RAM and a page of registers), each with an engine of its own, and compares them:
// state, count and reason of every stop after each slice, RAM and the TLB contexts in use at the program's end. The
// lengths of the slices and the interrupts follow from the program's seed. The machines are used again from program to
// program.
class Comparison {
 public:
  Comparison(const EngineFactory& left, const EngineFactory& right);
  Comparison(const EngineFactory& left, const EngineFactory& right, const HartFactory& right_hart);
  ~Comparison();

  // The first difference, or nothing.
  std::optional<Difference> run(const RandomProgram& program);
  // Of all programs that were run.
  const RunCounts& counts() const { return counts_; }

 private:
  std::unique_ptr<class RandomMachine> left_, right_;
  RunCounts counts_;
};

// A program with as little in it as possible that still differs in the same kind of state: it ends as soon as the
// difference is there; pieces become instructions that do nothing and then nothing at all, half of what is left at
// first and single instructions in the end. `run` answers the difference of a program, if it has one.
RandomProgram reduce(RandomProgram program, const std::function<std::optional<Difference>(const RandomProgram&)>& run);

}  // namespace lockstep::isa::riscv64::random
