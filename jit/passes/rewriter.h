// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "core/ir/ir.h"

namespace lockstep::jit::passes {

// Writes a block anew, instruction by instruction in the old order: each is kept, replaced by a value that was made
// before, or left out. finish() puts the new ones in the place of the old ones.
class Rewriter {
 public:
  using Inst = core::ir::Inst;
  using Value = core::ir::Value;

  explicit Rewriter(core::ir::Block& block) : block_(block), now_(block.insts.size(), core::ir::kNoValue) {
    made_.reserve(block.insts.size());
  }

  // The new value that stands for an old one.
  Value now(Value old) const { return now_[old]; }
  // The old instruction, of new values.
  Inst taken(Value at) const {
    Inst inst = block_.insts[at];
    for (unsigned k = 0; k < inst.operands; ++k) inst.args[k] = now_[inst.args[k]];
    return inst;
  }
  const Inst& made(Value v) const { return made_[v]; }
  Value add(const Inst& inst) {
    made_.push_back(inst);
    return static_cast<Value>(made_.size() - 1);
  }
  Value keep(Value at) { return now_[at] = add(taken(at)); }
  void replace(Value at, Value by) { now_[at] = by; }
  void finish() { block_.insts = std::move(made_); }

 private:
  core::ir::Block& block_;
  std::vector<Value> now_;
  std::vector<Inst> made_;
};

}  // namespace lockstep::jit::passes
