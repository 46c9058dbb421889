// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/drop_dead.h"

#include <algorithm>
#include <vector>

#include "jit/access_groups.h"
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

// The bytes of the state that are written again before anything looks at them, for a walk against the code's direction.
class Rewritten {
 public:
  explicit Rewritten(const Context& context) : seen_(context.layout.size_bytes) {}

  bool has(const Inst& i) const {
    return std::all_of(&seen_[i.imm], &seen_[reached_end(i) - 1] + 1, [this](uint32_t seen) { return seen == now_; });
  }
  void add(const Inst& set) { fill(set, now_); }
  void remove(const Inst& get) { fill(get, now_ - 1); }
  void clear() { ++now_; }

 private:
  void fill(const Inst& i, uint32_t seen) { std::fill(&seen_[i.imm], &seen_[reached_end(i) - 1] + 1, seen); }

  std::vector<uint32_t> seen_;  // by byte: now_ where it is one of these
  uint32_t now_ = 1;
};

bool drop(core::ir::Block& block, const Context& context, bool joint_checks) {
  const std::vector<Inst>& insts = block.insts;
  const std::vector<bool> looks = find_looks(block);
  AccessGroups accesses;
  if (joint_checks) accesses = find_access_groups(block);
  // What was checked before has no way out.
  const auto observes = [&](size_t at) {
    return observes_state(insts[at]) && !(joint_checks && accesses.is_covered(static_cast<Value>(at)));
  };
  std::vector<bool> used(insts.size()), kept(insts.size(), true);
  Rewritten rewritten(context);
  for (size_t at = insts.size(); at-- > 0;) {
    const Inst& i = insts[at];
    const bool dead_set = i.op == Op::kSet && reaches_guest(i) && rewritten.has(i);
    if (dead_set || (op_info(i.op).effect == Effect::kPure && !used[at])) {
      kept[at] = false;
      continue;
    }
    for (unsigned k = 0; k < i.operands; ++k) used[i.args[k]] = true;
    if (i.op == Op::kSet) {
      rewritten.add(i);
    } else if (i.op == Op::kGet) {
      rewritten.remove(i);
    } else if (looks[at] || observes(at)) {
      rewritten.clear();
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
  for (RegionBlock& block : region.blocks) changed |= drop(block.ir, context, false);
  return changed;
}

bool drop_dead_finally(Region& region, const Context& context) {
  bool changed = false;
  for (RegionBlock& block : region.blocks) changed |= drop(block.ir, context, context.joint_checks);
  return changed;
}

}  // namespace lockstep::jit::passes
