// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "jit/passes/guest_state.h"
#include "jit/passes/known_bits.h"

namespace lockstep::jit::passes {

// What is known of each word of the state at one place.
using WordFacts = std::vector<KnownBits>;

// Follows the instructions of a block and what they make of that.
class BlockFacts {
 public:
  BlockFacts(const Context& context, WordFacts words);

  // The next instruction, whose operands are values noted before.
  void note(const core::ir::Inst& i);
  // What is known of a pure operation's result without noting it.
  KnownBits result_of(const core::ir::Inst& i) const;
  const KnownBits& value(core::ir::Value v) const { return values_[v]; }
  const WordFacts& words() const { return words_; }
  // The same where a comparison that was noted came out as `outcome`.
  WordFacts words_when(const core::ir::Inst& comparison, bool outcome) const;

 private:
  const Context& context_;
  WordFacts words_;
  std::vector<core::ir::Value> held_;  // by word: the value that it has
  std::vector<KnownBits> values_;
  std::vector<core::ir::Type> types_;
};

// By block: what is known where it begins, whichever way it is reached.
std::vector<WordFacts> find_region_facts(const Region& region, const Context& context);

}  // namespace lockstep::jit::passes
