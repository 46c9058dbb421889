// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/reuse_values.h"

#include <array>
#include <map>
#include <tuple>
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

// What is as old as that has most likely lost its register.
constexpr Value kReach = 96;

// Costs more than a move or an address. Comparisons and extensions are not among these: they are made where they are
// used as long as they have one user.
bool is_dear(const Inst& i) {
  switch (i.op) {
    case Op::kMul:
    case Op::kMulHighU:
    case Op::kMulHighS:
    case Op::kMulHighSU:
    case Op::kDivU:
    case Op::kDivS:
    case Op::kRemU:
    case Op::kRemS:
    case Op::kRotL:
    case Op::kRotR:
    case Op::kMinU:
    case Op::kMinS:
    case Op::kMaxU:
    case Op::kMaxS:
    case Op::kClz:
    case Op::kCtz:
    case Op::kPopcnt:
    case Op::kBitrev:
    case Op::kOrcB:
    case Op::kSelect:
      return true;
    default:
      return op_info(i.op).effect == Effect::kFp || i.op == Op::kFClass;
  }
}

using Key = std::tuple<Op, core::ir::Type, core::ir::Type, std::array<Value, 4>, uint64_t, uint64_t>;

bool reuse(core::ir::Block& block) {
  Rewriter rewriter(block);
  std::map<Key, Value> known;
  std::vector<Value> first;  // by new value: the first one that is the same
  bool changed = false;
  for (Value at = 0; at < block.insts.size(); ++at) {
    const Inst i = rewriter.taken(at);
    const Effect effect = op_info(i.op).effect;
    // Exceptions that were raised once are raised; a helper may read or change flags and rounding.
    if (effect == Effect::kCall) known.clear();
    const auto place = static_cast<Value>(first.size());
    if ((effect == Effect::kPure && i.op != Op::kGet) || effect == Effect::kFp) {
      Key key{i.op, i.type, i.operand_type, i.args, i.imm, i.imm2};
      for (unsigned k = 0; k < i.operands; ++k) std::get<3>(key)[k] = first[i.args[k]];
      const auto [same, is_new] = known.try_emplace(key, place);
      if (!is_new && is_dear(i) && place - same->second <= kReach) {
        rewriter.replace(at, same->second);
        changed = true;
        continue;
      }
      if (!is_new && is_dear(i)) same->second = place;
      first.push_back(is_new || is_dear(i) ? place : same->second);
    } else {
      first.push_back(place);
    }
    rewriter.keep(at);
  }
  if (changed) rewriter.finish();
  return changed;
}

}  // namespace

bool reuse_values(Region& region, const Context&) {
  bool changed = false;
  for (RegionBlock& block : region.blocks) changed |= reuse(block.ir);
  return changed;
}

}  // namespace lockstep::jit::passes
