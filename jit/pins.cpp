// SPDX-License-Identifier: Apache-2.0
#include "jit/pins.h"

#include <algorithm>

#include "jit/singles.h"

namespace lockstep::jit {

using core::ir::Inst;
using core::ir::Op;
using core::ir::Type;

namespace {

// Homes in the order in which they are given out: general registers that calls preserve first. RAX, RCX and RDX, and
// four vector registers, stay free for what a block is about.
constexpr int kGeneralHomes[] = {3, 12, 13, 11, 10, 9, 8, 7, 6};
constexpr int kFirstVectorHome = 20;
constexpr int kVectorHomes = 12;

struct Word {
  uint64_t score = 0;
  uint64_t vector_score = 0;
  bool written = false;
  bool partly = false;  // something reaches only a part of it
};

bool makes_float(Op op) { return (op >= Op::kFAdd && op <= Op::kFMa) || op == Op::kFCvt || op == Op::kSToF; }
bool takes_float(Op op) {
  return makes_float(op) ? op != Op::kSToF : op == Op::kFEq || op == Op::kFLt || op == Op::kFLe || op == Op::kFToS;
}

void count(const RegionBlock& block, std::vector<Word>& words) {
  const std::vector<Inst>& insts = block.ir.insts;
  // Values that floating point asks for, as they are or as a single in its box.
  std::vector<bool> asked(insts.size());
  for (const Inst& i : insts) {
    for (unsigned k = 0; takes_float(i.op) && k < i.operands; ++k) {
      asked[i.args[k]] = asked[float_source(insts, i.args[k])] = true;
    }
  }
  for (core::ir::Value at = 0; at < insts.size(); ++at) {
    const Inst& i = insts[at];
    if (i.op == Op::kGet || i.op == Op::kSet) {
      const Type type = i.op == Op::kGet ? i.type : i.operand_type;
      const uint64_t last = (i.imm + core::ir::type_bytes(type) - 1) / 8;
      if (type != Type::kI64 || i.imm % 8 != 0) {
        for (uint64_t w = i.imm / 8; w <= last; ++w) words[w].partly = true;
        continue;
      }
      Word& word = words[i.imm / 8];
      word.score += block.weight;
      if (i.op == Op::kSet) {
        word.written = true;
        const core::ir::Value single = boxed_single(insts, insts[i.args[0]]);
        const core::ir::Value value = single != core::ir::kNoValue ? single : i.args[0];
        if (asked[value] || makes_float(insts[value].op)) word.vector_score += block.weight;
      } else if (asked[at]) {
        word.vector_score += block.weight;
      }
    }
  }
}

}  // namespace

std::vector<Pin> choose_pins(const Region& region, unsigned state_words) {
  std::vector<Word> words(state_words);
  for (const RegionBlock& block : region.blocks) count(block, words);
  std::vector<unsigned> order;
  for (unsigned w = 0; w < state_words; ++w) {
    // One use each time that the region is entered is no gain over a load.
    if (!words[w].partly && words[w].score > region.entries) order.push_back(w);
  }
  std::stable_sort(order.begin(), order.end(), [&](unsigned a, unsigned b) { return words[a].score > words[b].score; });
  std::vector<Pin> pins;
  size_t general = 0;
  int vectors = 0;
  for (unsigned w : order) {
    if (words[w].vector_score > 0) {
      if (vectors < kVectorHomes) pins.push_back({w, kFirstVectorHome + vectors++, words[w].written});
    } else if (general < std::size(kGeneralHomes)) {
      pins.push_back({w, kGeneralHomes[general++], words[w].written});
    }
  }
  return pins;
}

}  // namespace lockstep::jit
