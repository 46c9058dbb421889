// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "isa_frontends/riscv64/random/program.h"

namespace lockstep::isa::riscv64::random {

// A program that fails and what it fails on, as a text file: a line each of `isa`, `seed`, `start`, `bound`, `paging`,
// `aligned`, `portable`, `engines` (two names), `what` (Difference::what), `difference`, and one of `word` for each
// instruction. What follows a `#` is for people.
struct Reproducer {
  RandomProgram program;
  std::vector<std::string> engines;
  std::string what;
  std::string difference;
};

std::string write_reproducer(const Reproducer& reproducer);

// Errors name `name` and the line.
core::Result<Reproducer> read_reproducer(std::string_view text, const std::string& name);

}  // namespace lockstep::isa::riscv64::random
