// SPDX-License-Identifier: Apache-2.0
#include "jit/access_groups.h"

#include <algorithm>

namespace lockstep::jit {

using core::ir::Inst;
using core::ir::Op;
using core::ir::Type;
using core::ir::Value;

namespace {

// A group may be this long: longer ones would cross a page's end too often.
constexpr int64_t kMaxGroupBytes = 512;
constexpr uint64_t kSpecialFlags = core::ir::kMemBigEndian | core::ir::kMemAligned;

}  // namespace

AccessGroups find_access_groups(const core::ir::Block& block) {
  const std::vector<Inst>& insts = block.insts;
  AccessGroups found;
  found.group_of.assign(insts.size(), AccessGroups::kNone);
  found.offset_of.assign(insts.size(), 0);
  found.covered.assign(insts.size(), false);
  struct Root {
    Value value = core::ir::kNoValue;
    int64_t offset = 0;
  };
  std::vector<Root> roots(insts.size());
  std::vector<int> open;
  for (Value at = 0; at < insts.size(); ++at) {
    const Inst& i = insts[at];
    roots[at] = {at, 0};
    switch (i.op) {
      case Op::kAdd:
        for (unsigned k = 0; k < 2 && i.type == Type::kI64; ++k) {
          const Inst& constant = insts[i.args[k]];
          const Root& base = roots[i.args[1 - k]];
          if (constant.op != Op::kConst) continue;
          const int64_t offset = base.offset + static_cast<int64_t>(constant.imm);
          if (offset == static_cast<int32_t>(offset)) roots[at] = {base.value, offset};
        }
        break;
      case Op::kLoad:
      case Op::kStore: {
        const bool store = i.op == Op::kStore;
        const Type type = store ? i.operand_type : i.type;
        if (i.imm & kSpecialFlags || core::ir::type_bits(type) > 64) break;
        const Root& root = roots[i.args[0]];
        const int64_t end = root.offset + core::ir::type_bytes(type);
        const auto joins = [&](int k) {
          const AccessGroup& g = found.groups[static_cast<size_t>(k)];
          return g.root == root.value && g.store == store &&
                 std::max(g.high, end) - std::min(g.low, root.offset) <= kMaxGroupBytes;
        };
        const auto group_it = std::find_if(open.begin(), open.end(), joins);
        found.covered[at] = group_it != open.end();
        found.group_of[at] = group_it != open.end() ? *group_it : static_cast<int>(found.groups.size());
        if (group_it == open.end()) {
          open.push_back(found.group_of[at]);
          found.groups.push_back({root.value, store, root.offset, end, root.offset, 0});
        }
        AccessGroup& group = found.groups[static_cast<size_t>(found.group_of[at])];
        group.low = std::min(group.low, root.offset);
        group.high = std::max(group.high, end);
        ++group.members;
        found.offset_of[at] = root.offset;
        break;
      }
      case Op::kCall:
      case Op::kLoadReserved:
      case Op::kStoreConditional:
      case Op::kAtomicRmw:
      case Op::kCas:
        open.clear();
        break;
      default:
        break;
    }
  }
  return found;
}

}  // namespace lockstep::jit
