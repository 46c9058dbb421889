// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/drop_dead.h"

#include <algorithm>
#include <vector>

#include "jit/passes/guest_state.h"
#include "jit/passes/rewriter.h"

namespace lockstep::jit::passes {

using core::ir::Effect;
using core::ir::Inst;
using core::ir::Op;
using core::ir::op_info;
using core::ir::Value;

namespace {

// The markers at which code may be left because a helper before them asked for it.
std::vector<bool> find_looks(const core::ir::Block& block) {
  std::vector<bool> looks(block.insts.size());
  bool called = false;
  for (size_t at = 0; at < block.insts.size(); ++at) {
    if (block.insts[at].op == Op::kInsn) looks[at] = std::exchange(called, false);
    called |= block.insts[at].op == Op::kCall;
  }
  return looks;
}

bool drop(core::ir::Block& block, const Context& context) {
  const std::vector<Inst>& insts = block.insts;
  const std::vector<bool> looks = find_looks(block);
  std::vector<bool> used(insts.size()), kept(insts.size(), true);
  std::vector<bool> rewritten(context.state_words());  // before anything looks at it
  for (size_t at = insts.size(); at-- > 0;) {
    const Inst& i = insts[at];
    const bool dead_set = i.op == Op::kSet && reaches_word(i) && rewritten[word_of(i)];
    if (dead_set || (op_info(i.op).effect == Effect::kPure && !used[at])) {
      kept[at] = false;
      continue;
    }
    for (unsigned k = 0; k < i.operands; ++k) used[i.args[k]] = true;
    if (i.op == Op::kSet && reaches_word(i)) {
      rewritten[word_of(i)] = true;
    } else if (i.op == Op::kGet) {
      std::fill(rewritten.begin() + word_of(i), rewritten.begin() + last_word_of(i) + 1, false);
    } else if (looks[at] || observes_state(i)) {
      rewritten.assign(rewritten.size(), false);
    }
  }
  if (std::ranges::find(kept, false) == kept.end()) return false;
  Rewriter rewriter(block);
  for (Value at = 0; at < insts.size(); ++at) {
    if (kept[at]) rewriter.keep(at);
  }
  rewriter.finish();
  return true;
}

}  // namespace

bool drop_dead(Region& region, const Context& context) {
  bool changed = false;
  for (RegionBlock& block : region.blocks) changed |= drop(block.ir, context);
  return changed;
}

}  // namespace lockstep::jit::passes
