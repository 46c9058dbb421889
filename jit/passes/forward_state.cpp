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
using core::ir::Type;
using core::ir::Value;

namespace {

constexpr uint64_t kWidestBytes = 32;

// The values that fields of the state have.
class Fields {
 public:
  explicit Fields(const Context& context) : fields_(context.layout.size_bytes) {}

  Value at(const Inst& i) const {
    const Field& field = fields_[i.imm];
    return field.type == reached_type(i) ? field.value : kNoValue;
  }
  // What lies across it is known no more, for simplicity where it was only read as well.
  void put(const Inst& i, Value value) {
    const uint64_t first = i.imm < kWidestBytes ? 0 : i.imm - kWidestBytes + 1;
    for (uint64_t k = first; k < reached_end(i); ++k) {
      if (k + core::ir::type_bytes(fields_[k].type) > i.imm) fields_[k] = {};
    }
    fields_[i.imm] = {reached_type(i), value};
  }
  void clear() { std::ranges::fill(fields_, Field{}); }

 private:
  struct Field {
    Type type = Type::kVoid;
    Value value = kNoValue;
  };
  std::vector<Field> fields_;  // by their first byte
};

bool forward(core::ir::Block& block, const Context& context) {
  Rewriter rewriter(block);
  Fields fields(context);
  bool changed = false;
  for (Value at = 0; at < block.insts.size(); ++at) {
    const Inst& i = block.insts[at];
    if (reaches_guest(i)) {
      const Value held = fields.at(i);
      const Value written = i.op == Op::kSet ? rewriter.now(i.args[0]) : held;
      if (held != kNoValue && held == written) {
        rewriter.replace(at, held);
        changed = true;
        continue;
      }
      const Value made = rewriter.keep(at);
      fields.put(i, i.op == Op::kSet ? written : made);
      continue;
    }
    if (changes_state(i, context)) fields.clear();
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
