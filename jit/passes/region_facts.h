// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "jit/passes/guest_state.h"
#include "jit/passes/known_bits.h"

namespace lockstep::jit::passes {

// The words of the state of which something may be known: those that the region reads. They are numbered, because the
// state has many more.
class FollowedWords {
 public:
  FollowedWords(const Region& region, const Context& context);

  size_t size() const { return size_; }
  // The number of a word, or kNone.
  unsigned number(size_t word) const { return numbers_[word]; }
  static constexpr unsigned kNone = ~0u;

 private:
  std::vector<unsigned> numbers_;
  unsigned size_ = 0;
};

// What is known of each followed word at one place, by number.
using WordFacts = std::vector<KnownBits>;

// Follows the instructions of a block and what they make of what is known. One serves for many blocks, one after
// another.
class BlockFacts {
 public:
  BlockFacts(const Context& context, const FollowedWords& followed) : context_(context), followed_(followed) {}

  // At the beginning of a block of about `insts` instructions.
  void begin(const WordFacts& words, size_t insts);
  // The next instruction, whose operands are values noted before.
  void note(const core::ir::Inst& i);
  // What is known of a pure operation's result without noting it.
  KnownBits result_of(const core::ir::Inst& i) const;
  const KnownBits& value(core::ir::Value v) const { return values_[v]; }
  const WordFacts& words() const { return words_; }
  // The same where a comparison that was noted came out as `outcome`.
  void words_when(const core::ir::Inst& comparison, bool outcome, WordFacts& words) const;

 private:
  const Context& context_;
  const FollowedWords& followed_;
  WordFacts words_;
  std::vector<core::ir::Value> held_;  // by number of a word: the value that it has
  std::vector<KnownBits> values_;
  std::vector<core::ir::Type> types_;
};

// By block: what is known where it begins, whichever way it is reached.
std::vector<WordFacts> find_region_facts(const Region& region, const Context& context, const FollowedWords& followed);

}  // namespace lockstep::jit::passes
