// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/ir/ir.h"
#include "core/result.h"
#include "tests/core/ir_proof/test_machine.h"

// One guest instruction as an IR block in a text file, with cases in its comments:
//
//   # case: x1=5 x2=-1 [0x80001000].8=7 -> x3=4 pc=0x80000010 [0x80001000].8=9
//
// On the left of the arrow is what is not zero before, on the right what has changed afterwards; everything else must
// be as it was. A number is decimal or hexadecimal, of up to 128 bits. Without `pc=` the block must go on behind
// itself; `fault=page`, `fault=misaligned` or `exception` says that it must not get there.
namespace lockstep::test {

struct Assignment {
  std::string field;  // empty: memory
  uint64_t address = 0;
  unsigned size_bytes = 0;
  unsigned __int128 value = 0;
};

struct ProofCase {
  std::string text;
  std::vector<Assignment> before;
  std::vector<Assignment> after;
  core::Fault fault = core::Fault::kNone;
  bool exception = false;
};

struct Proof {
  std::string name;  // "x86_64/adc"
  const StateLayout* layout = nullptr;
  std::string text;
  core::ir::Block block;
  std::vector<ProofCase> cases;
};

// All files of one ISA, in the order of their names.
core::Result<std::vector<Proof>> read_proofs(const std::string& isa);
core::Result<Proof> read_proof(const std::string& isa, const std::string& instruction);

// Runs `block` once on the hart, whose pc is at it; for an engine under test.
using RunBlock = std::function<core::Status(TestHart& hart, const core::ir::Block& block)>;

// What differs from the case's expectation, or an empty string.
std::string check_case(const Proof& proof, const ProofCase& proof_case, const RunBlock& run);

// Prints, parses and prints again; an empty string when both texts agree.
std::string check_text(const Proof& proof);

}  // namespace lockstep::test
