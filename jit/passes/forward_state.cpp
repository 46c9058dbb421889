// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/forward_state.h"

#include <algorithm>
#include <vector>

#include "jit/passes/guest_state.h"
#include "jit/passes/rewriter.h"

namespace lockstep::jit::passes {

using core::ir::Inst;
using core::ir::kNoValue;
using core::ir::Op;
using core::ir::Value;

namespace {

bool forward(core::ir::Block& block, const Context& context) {
  Rewriter rewriter(block);
  std::vector<Value> held(context.state_words(), kNoValue);  // by word
  bool changed = false;
  for (Value at = 0; at < block.insts.size(); ++at) {
    const Inst& i = block.insts[at];
    if (reaches_word(i)) {
      Value& word = held[word_of(i)];
      const Value written = i.op == Op::kSet ? rewriter.now(i.args[0]) : word;
      if (word != kNoValue && word == written) {
        rewriter.replace(at, word);
        changed = true;
      } else {
        const Value made = rewriter.keep(at);
        word = i.op == Op::kSet ? written : made;
      }
      continue;
    }
    if (i.op == Op::kSet) std::fill(held.begin() + word_of(i), held.begin() + last_word_of(i) + 1, kNoValue);
    if (changes_state(i, context)) std::ranges::fill(held, kNoValue);
    rewriter.keep(at);
  }
  if (changed) rewriter.finish();
  return changed;
}

}  // namespace

bool forward_state(Region& region, const Context& context) {
  bool changed = false;
  for (RegionBlock& block : region.blocks) changed |= forward(block.ir, context);
  return changed;
}

}  // namespace lockstep::jit::passes
