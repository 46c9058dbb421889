// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "isa_frontends/riscv64/random/assembler.h"
#include "isa_frontends/riscv64/random/compare.h"

namespace lockstep::isa::riscv64::random {
namespace {

using Fails = std::function<bool(const RandomProgram&)>;
using Words = std::vector<uint32_t>;

constexpr uint32_t kNop = 0x0000'0013, kShortNop = 0x0001;

uint32_t nop_like(uint32_t word) { return word_bytes(word) == 2 ? kShortNop : kNop; }

// Lets `change` act on pieces of the words, smaller and smaller ones, and keeps what still fails. `change` answers
// false where there is nothing to do.
template <typename Change>
void shrink(RandomProgram& program, const Fails& fails, const Change& change) {
  for (size_t piece = std::max<size_t>(program.words.size() / 2, 1);; piece = std::max<size_t>(piece / 2, 1)) {
    bool smaller = false;
    for (size_t at = 0; at < program.words.size();) {
      RandomProgram candidate = program;
      const size_t length = std::min(piece, candidate.words.size() - at);
      const bool changed = change(candidate.words, at, length);
      if (changed && fails(candidate)) {
        smaller = true;
        if (candidate.words.size() == program.words.size()) at += piece;
        program = std::move(candidate);
      } else {
        at += piece;
      }
    }
    if (piece == 1 && !smaller) return;
  }
}

bool empty_out(Words& words, size_t at, size_t length) {
  bool changed = false;
  for (size_t i = at; i < at + length; ++i) changed |= std::exchange(words[i], nop_like(words[i])) != words[i];
  return changed;
}

// Where words are, in bytes from the first one, and where they come to be when some of them go.
class Move {
 public:
  Move(const Words& words, size_t first, size_t count) {
    for (size_t i = 0; i < words.size(); ++i) {
      old_to_new_[old_end_] = new_end_;
      old_end_ += word_bytes(words[i]);
      if (i < first || i >= first + count) new_end_ += word_bytes(words[i]);
    }
    old_to_new_[old_end_] = new_end_;
  }
  // What becomes of `distance`, counted from a word that stays. Places inside of words and outside of the program stay
  // as far away as they are.
  int64_t distance(int64_t from, int64_t distance) const {
    const auto target = old_to_new_.find(from + distance);
    return target == old_to_new_.end() ? distance : target->second - old_to_new_.at(from);
  }

 private:
  std::map<int64_t, int64_t> old_to_new_;
  int64_t old_end_ = 0, new_end_ = 0;
};

int64_t low_part(int64_t value) { return static_cast<int64_t>(static_cast<uint64_t>(value) << 52) >> 52; }

// Takes words out. Jumps, branches and pairs of auipc and addi go on meaning the same places.
bool remove(Words& words, size_t first, size_t count) {
  static const unsigned kAuipc = row_index("auipc"), kAddi = row_index("addi");
  const Move move(words, first, count);
  const std::span<const Row> rows = InstructionTable::get().rows();
  Words kept;
  int64_t at = 0;
  for (size_t i = 0; i < words.size(); at += word_bytes(words[i]), ++i) {
    if (i >= first && i < first + count) continue;
    uint32_t word = words[i];
    const Row* row = InstructionTable::get().find(word);
    if (row == nullptr) {
      kept.push_back(word);
      continue;
    }
    const auto index = static_cast<unsigned>(row - rows.data());
    Operands operands = decode_operands(*row, word);
    const bool is_pair = index == kAuipc && i + 1 < words.size() && (i + 1 < first || i + 1 >= first + count) &&
                         InstructionTable::get().find(words[i + 1]) == &rows[kAddi];
    if (row_shapes()[index].is_relative) {
      operands.imm = move.distance(at, operands.imm);
      word = encode(index, operands, word);
    } else if (is_pair) {
      Operands second = decode_operands(rows[kAddi], words[i + 1]);
      const int64_t distance = move.distance(at, operands.imm + second.imm);
      second.imm = low_part(distance);
      operands.imm = distance - second.imm;
      kept.push_back(encode(kAuipc, operands, word));
      at += word_bytes(words[i]);
      word = encode(kAddi, second, words[++i]);
    }
    kept.push_back(word);
  }
  words = std::move(kept);
  return true;
}

}  // namespace

RandomProgram reduce(RandomProgram program, const std::function<std::optional<Difference>(const RandomProgram&)>& run) {
  // The fewest instructions executed come first: what goes wrong is seen where it happens, and not in what follows.
  const auto shorten = [&](const Fails& fails) {
    RandomProgram candidate = program;
    for (uint64_t first = 1, last = program.bound; first < last;) {
      candidate.bound = first + (last - first) / 2;
      if (fails(candidate)) {
        last = program.bound = candidate.bound;
      } else {
        first = candidate.bound + 1;
      }
    }
  };
  shorten([&](const RandomProgram& candidate) { return run(candidate).has_value(); });
  const std::optional<Difference> wanted = run(program);
  const auto fails = [&](const RandomProgram& candidate) {
    const auto difference = run(candidate);
    return difference && difference->what == wanted->what;
  };
  if (!wanted) return program;
  // What was needed to come to a late failure may go when an earlier one is left.
  for (uint64_t bound = 0; bound != program.bound;) {
    bound = program.bound;
    shrink(program, fails, empty_out);
    shrink(program, fails, remove);
    shorten(fails);
  }
  return program;
}

}  // namespace lockstep::isa::riscv64::random
