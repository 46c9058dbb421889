// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/hart/hart.h"
#include "core/ir/ir.h"

namespace lockstep::core {

inline constexpr uint16_t kNoSlot = 0xffff;

// What the lowering decides about a block before it emits cells: which operations are folded into others, which values
// are needed and until where, and which live in a state field instead of the scratch area.
class Selection {
 public:
  // What an instruction reads once foldings are decided, and the constant that was folded into it.
  struct Operands {
    std::array<ir::Value, 4> args = {ir::kNoValue, ir::kNoValue, ir::kNoValue, ir::kNoValue};
    uint8_t count = 0;
    uint64_t displacement = 0;
    ir::Op fused = ir::Op::kCount;  // comparison of a branch, or operation under a sign extension
  };

  Selection(const ir::Block& block, std::span<const HelperDescriptor> helpers, bool fusion);

  const ir::Inst& inst(ir::Value v) const { return block_.insts[v]; }
  bool is_const(ir::Value v) const { return inst(v).op == ir::Op::kConst; }
  const Operands& operands(size_t position) const { return operands_[position]; }
  bool needed(size_t position) const { return needed_[position] != 0; }
  // Position of the last instruction that reads the value; 0 when none does.
  uint32_t last_use(ir::Value v) const { return last_use_[v]; }
  // By value: the state field in which it is read or made, in slots, or kNoSlot.
  const std::vector<uint16_t>& homes() const { return home_; }
  // A widening that costs nothing, because its operand's slot already holds the wide value.
  bool is_alias(ir::Value v) const;
  // The load at `v` is emitted sign-extending because the next instruction wants it so.
  bool is_extended_load(ir::Value v) const;

  // A load or store whose only flags are orders that cells keep anyway.
  static bool is_plain(const ir::Inst& access) { return (access.imm & (ir::kMemBigEndian | ir::kMemAligned)) == 0; }
  static bool is_integer_compare(ir::Op op) { return op >= ir::Op::kEq && op <= ir::Op::kGeS; }

 private:
  // Cutting a value changes nothing in its slot, so a use of the cut value is a use of the whole one.
  ir::Value through(ir::Value v) const {
    while (inst(v).op == ir::Op::kTrunc) v = inst(v).args[0];
    return v;
  }
  // The value's slot holds zeros above its width.
  bool is_clean(ir::Value v) const {
    const ir::Op op = inst(v).op;
    return is_integer_compare(op) || (op >= ir::Op::kFEq && op <= ir::Op::kFLe) || op == ir::Op::kLoad;
  }
  void select();
  void find_uses();
  bool writes_state(const ir::Inst& i) const;
  // A kSet in (from, to) that touches the 8 bytes at `offset`, or a call that may.
  bool state_changes(size_t from, size_t to, uint64_t offset) const;
  void assign_state_homes();
  // Lets the operation that makes the value of the kSet at `set` write the state field itself, where nothing can see
  // the difference.
  void try_make_in_place(size_t set, const ir::Inst& i);

  const ir::Block& block_;
  std::span<const HelperDescriptor> helpers_;
  const bool fusion_;
  std::vector<Operands> operands_;
  std::vector<uint8_t> needed_;
  std::vector<uint32_t> last_use_;
  std::vector<uint16_t> home_;
};

}  // namespace lockstep::core
