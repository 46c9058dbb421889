// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/ir/builder.h"
#include "isa_frontends/riscv64/random/compare.h"
#include "isa_frontends/riscv64/random/machine.h"

// Bugs to be planted in the frontend: a hart whose blocks have one operation in place of another.

namespace lockstep::isa::riscv64::random {

using core::ir::Inst;
using core::ir::Op;

// Every operation `right` is emitted as `wrong`.
struct Swap {
  Op right, wrong;
};
inline constexpr Swap kSwaps[] = {
    {Op::kAdd, Op::kSub},
    {Op::kSub, Op::kAdd},
    {Op::kMul, Op::kAdd},
    {Op::kMulHighU, Op::kMulHighS},
    {Op::kMulHighS, Op::kMulHighU},
    {Op::kMulHighSU, Op::kMulHighU},
    {Op::kDivU, Op::kDivS},
    {Op::kDivS, Op::kDivU},
    {Op::kRemU, Op::kRemS},
    {Op::kRemS, Op::kRemU},
    {Op::kAnd, Op::kOr},
    {Op::kOr, Op::kXor},
    {Op::kXor, Op::kOr},
    {Op::kShl, Op::kRotL},
    {Op::kShr, Op::kSar},
    {Op::kSar, Op::kShr},
    {Op::kRotL, Op::kRotR},
    {Op::kRotR, Op::kRotL},
    {Op::kMinU, Op::kMinS},
    {Op::kMinS, Op::kMinU},
    {Op::kMaxU, Op::kMaxS},
    {Op::kMaxS, Op::kMinS},
    {Op::kClz, Op::kCtz},
    {Op::kCtz, Op::kClz},
    {Op::kPopcnt, Op::kClz},
    {Op::kBswap, Op::kOrcB},
    {Op::kOrcB, Op::kNot},
    {Op::kEq, Op::kNe},
    {Op::kNe, Op::kEq},
    {Op::kLtU, Op::kLtS},
    {Op::kLtS, Op::kLtU},
    {Op::kGeU, Op::kLtU},
    {Op::kGeS, Op::kGeU},
    {Op::kZext, Op::kSext},
    {Op::kSext, Op::kZext},
    {Op::kFAdd, Op::kFSub},
    {Op::kFSub, Op::kFAdd},
    {Op::kFMul, Op::kFAdd},
    {Op::kFDiv, Op::kFMul},
    {Op::kFMin, Op::kFMax},
    {Op::kFMax, Op::kFMin},
    {Op::kFEq, Op::kFLe},
    {Op::kFLt, Op::kFLe},
    {Op::kFLe, Op::kFLt},
    {Op::kFToS, Op::kFToU},
    {Op::kFToU, Op::kFToS},
    {Op::kSToF, Op::kUToF},
    {Op::kUToF, Op::kSToF},
};

// Changes one operation in place.
struct Change {
  const char* name;
  void (*apply)(Inst& inst);
};
inline constexpr Change kChanges[] = {
    {"a constant rounding mode becomes the next one",
     [](Inst& i) {
       if (i.op == Op::kFDiv && i.imm < 4) ++i.imm;
     }},
    {"a branch goes the other way",
     [](Inst& i) {
       if (i.op == Op::kBranch) std::swap(i.imm, i.imm2);
     }},
    {"a jump goes two bytes too far",
     [](Inst& i) {
       if (i.op == Op::kJump) i.imm += 2;
     }},
    {"singles lose their box",
     [](Inst& i) {
       if (i.op == Op::kConst && i.imm == 0xffff'ffff'0000'0000) i.imm = 0;
     }},
    {"the canonical NaN has a payload",
     [](Inst& i) {
       if (i.op == Op::kConst && i.imm == 0x7fc0'0000) i.imm |= 1;
     }},
    {"small constants are off by one",
     [](Inst& i) {
       if (i.op == Op::kConst && i.imm > 1 && i.imm < 32) ++i.imm;
     }},
};

class WrongHart : public RandomHart {
 public:
  using Apply = std::function<void(Inst&)>;
  WrongHart(core::PhysicalBus& bus, core::VirtualClock& clock, Apply apply)
      : RandomHart(0, bus, clock, kHartOptions), apply_(std::move(apply)) {}
  void translate_block(core::CodeReader& code, uint64_t pc, unsigned max, core::ir::Builder& builder) override {
    Hart64::translate_block(code, pc, max, builder);
    for (Inst& inst : builder.block().insts) apply_(inst);
  }

 private:
  Apply apply_;
};

inline HartFactory wrong_hart(const WrongHart::Apply& apply) {
  return [apply](core::PhysicalBus& bus, core::VirtualClock& clock) {
    return std::make_unique<WrongHart>(bus, clock, apply);
  };
}

inline WrongHart::Apply swapped(const Swap& swap) {
  return [swap](Inst& inst) {
    if (inst.op == swap.right) inst.op = swap.wrong;
  };
}

}  // namespace lockstep::isa::riscv64::random
