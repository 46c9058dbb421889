// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/region_facts.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/ir/fold.h"

namespace lockstep::jit::passes {

using core::ir::Effect;
using core::ir::Inst;
using core::ir::kNoValue;
using core::ir::Op;
using core::ir::op_info;
using core::ir::Type;
using core::ir::Value;

namespace {

// Rounds over all blocks after which what still changes is taken for unknown: what is known can only become less, but
// that may go on bit by bit.
constexpr unsigned kPatientRounds = 4;

bool is_compare(Op op) { return op >= Op::kEq && op <= Op::kGeS; }

// The bits that a 64-bit value has besides when a comparison with a constant came out true.
KnownBits implied(Op op, uint64_t constant) {
  switch (op) {
    case Op::kEq:
      return KnownBits::of_constant(Type::kI64, constant);
    case Op::kLtU: {
      const int width = constant == 0 ? 64 : std::bit_width(constant - 1);
      return {width >= 64 ? 0 : ~uint64_t{0} << width, 0, 1};
    }
    case Op::kGeS:
      return {static_cast<int64_t>(constant) >= 0 ? uint64_t{1} << 63 : 0, 0, 1};
    case Op::kLtS:
      return {0, static_cast<int64_t>(constant) <= 0 ? uint64_t{1} << 63 : 0, 1};
    default:
      return {};
  }
}

Op opposite(Op op) {
  switch (op) {
    case Op::kEq:
      return Op::kNe;
    case Op::kNe:
      return Op::kEq;
    case Op::kLtU:
      return Op::kGeU;
    case Op::kGeU:
      return Op::kLtU;
    case Op::kLtS:
      return Op::kGeS;
    default:
      return Op::kLtS;
  }
}

}  // namespace

FollowedWords::FollowedWords(const Region& region, const Context& context) : numbers_(context.state_words(), kNone) {
  for (const RegionBlock& block : region.blocks) {
    for (const Inst& i : block.ir.insts) {
      if (i.op == Op::kGet && reaches_word(i) && numbers_[word_of(i)] == kNone) numbers_[word_of(i)] = size_++;
    }
  }
}

void BlockFacts::begin(const WordFacts& words, size_t insts) {
  words_ = words;
  held_.assign(words.size(), kNoValue);
  values_.clear();
  types_.clear();
  values_.reserve(insts);
  types_.reserve(insts);
}

void BlockFacts::note(const Inst& i) {
  const auto at = static_cast<Value>(values_.size());
  KnownBits known;
  if (i.op == Op::kGet && reaches_word(i)) {
    const unsigned number = followed_.number(word_of(i));
    known = words_[number];
    held_[number] = at;
  } else if (i.op == Op::kSet) {
    const bool whole = reaches_word(i);
    for (size_t word = word_of(i); word <= last_word_of(i); ++word) {
      const unsigned number = followed_.number(word);
      if (number == FollowedWords::kNone) continue;
      words_[number] = whole ? values_[i.args[0]] : KnownBits{};
      held_[number] = whole ? i.args[0] : kNoValue;
    }
  } else if (changes_state(i, context_)) {
    std::ranges::fill(words_, KnownBits{});
    std::ranges::fill(held_, kNoValue);
  } else if (i.op == Op::kStoreConditional) {
    known.zeros = ~uint64_t{1};
    known.signs = 63;
  } else if (op_info(i.op).effect == Effect::kPure) {
    known = result_of(i);
  }
  values_.push_back(known);
  types_.push_back(i.type);
}

KnownBits BlockFacts::result_of(const Inst& i) const {
  std::array<KnownBits, 4> operands;
  for (unsigned k = 0; k < i.operands; ++k) operands[k] = values_[i.args[k]];
  return known_result(i, i.operands > 0 ? types_[i.args[0]] : Type::kVoid, std::span(operands).first(i.operands));
}

void BlockFacts::words_when(const Inst& comparison, bool outcome, WordFacts& words) const {
  words = words_;
  if (!is_compare(comparison.op) || types_[comparison.args[0]] != Type::kI64) return;
  const KnownBits& right = values_[comparison.args[1]];
  if (!right.is_constant(Type::kI64)) return;
  const KnownBits more = implied(outcome ? comparison.op : opposite(comparison.op), right.ones);
  for (size_t number = 0; number < words.size(); ++number) {
    if (held_[number] == kNoValue || held_[number] != comparison.args[0]) continue;
    words[number].zeros |= more.zeros;
    words[number].ones |= more.ones;
    words[number].signs = std::max(words[number].signs, more.signs);
  }
}

std::vector<WordFacts> find_region_facts(const Region& region, const Context& context, const FollowedWords& followed) {
  std::unordered_map<uint64_t, size_t> index;
  for (size_t k = 0; k < region.blocks.size(); ++k) index[region.blocks[k].ir.pc] = k;
  const WordFacts nothing(followed.size());
  std::vector<std::optional<WordFacts>> entries(region.blocks.size());  // of those that are reached so far
  std::vector<bool> waiting(region.blocks.size());
  entries[0] = nothing;
  waiting[0] = true;
  bool patient = true;
  const auto reach = [&](uint64_t pc, const WordFacts& facts) {
    const auto to = index.find(pc);
    if (to == index.end()) return;
    std::optional<WordFacts>& entry = entries[to->second];
    if (!entry) {
      entry = facts;
      waiting[to->second] = true;
      return;
    }
    for (size_t number = 0; number < facts.size(); ++number) {
      const KnownBits both = (*entry)[number].meet(facts[number]);
      if (both == (*entry)[number]) continue;
      (*entry)[number] = patient ? both : KnownBits{};
      waiting[to->second] = true;
    }
  };
  BlockFacts facts(context, followed);
  WordFacts branched;
  for (unsigned round = 0; std::ranges::find(waiting, true) != waiting.end(); ++round) {
    patient = round < kPatientRounds;
    for (size_t k = 0; k < region.blocks.size(); ++k) {
      if (!waiting[k]) continue;
      waiting[k] = false;
      const RegionBlock& block = region.blocks[k];
      facts.begin(*entries[k], block.ir.insts.size());
      for (const Inst& i : block.ir.insts) facts.note(i);
      const Inst& end = block.ir.insts.back();
      if (end.op == Op::kJump) reach(end.imm, facts.words());
      if (end.op == Op::kBranch) {
        const Inst& condition = block.ir.insts[end.args[0]];
        facts.words_when(condition, true, branched);
        reach(end.imm, branched);
        facts.words_when(condition, false, branched);
        reach(end.imm2, branched);
      }
      for (uint64_t pc : block.targets) reach(pc, facts.words());
    }
  }
  std::vector<WordFacts> result;
  for (std::optional<WordFacts>& entry : entries) result.push_back(entry ? std::move(*entry) : nothing);
  return result;
}

}  // namespace lockstep::jit::passes
