// SPDX-License-Identifier: Apache-2.0
// Bugs planted in the frontend: a hart whose blocks have one operation in place of another is told from a sound one.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "core/interpreter/interpreter.h"
#include "core/ir/builder.h"
#include "isa_frontends/riscv64/random/compare.h"

namespace lockstep::isa::riscv64::random {
namespace {

using core::ir::Inst;
using core::ir::Op;

// Every operation `right` is emitted as `wrong`.
struct Swap {
  Op right, wrong;
};
constexpr Swap kSwaps[] = {
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
constexpr Change kChanges[] = {
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

class WrongHart : public Hart64 {
 public:
  using Apply = std::function<void(Inst&)>;
  WrongHart(core::PhysicalBus& bus, core::VirtualClock& clock, Apply apply)
      : Hart64(0, bus, clock, {}), apply_(std::move(apply)) {}
  void translate_block(core::CodeReader& code, uint64_t pc, unsigned max, core::ir::Builder& builder) override {
    Hart64::translate_block(code, pc, max, builder);
    for (Inst& inst : builder.block().insts) apply_(inst);
  }

 private:
  Apply apply_;
};

std::unique_ptr<core::Engine> plain(core::Hart& hart) { return core::make_interpreter(hart); }

HartFactory wrong_hart(const WrongHart::Apply& apply) {
  return [apply](core::PhysicalBus& bus, core::VirtualClock& clock) {
    return std::make_unique<WrongHart>(bus, clock, apply);
  };
}

// Programs until the bug is seen, 0 when `limit` of them do not show it.
uint64_t programs_until_seen(const WrongHart::Apply& apply, uint64_t limit = 3000) {
  Comparison comparison(plain, plain, wrong_hart(apply));
  for (uint64_t seed = 1; seed <= limit; ++seed) {
    if (comparison.run(generate(seed))) return seed;
  }
  return 0;
}

TEST(Riscv64PlantedBugs, ASoundHartIsNotAccused) {
  EXPECT_EQ(programs_until_seen([](Inst&) {}, 300), 0u);
}

// What is left of a program shows the same bug in a few instructions.
TEST(Riscv64PlantedBugs, AProgramIsReducedToTheBug) {
  const HartFactory hart = wrong_hart([](Inst& inst) {
    if (inst.op == Op::kMul) inst.op = Op::kAdd;
  });
  const auto difference_of = [&](const RandomProgram& program) { return Comparison(plain, plain, hart).run(program); };
  unsigned reduced = 0;
  for (uint64_t seed = 1; reduced < 3; ++seed) {
    ASSERT_LT(seed, 100u);
    if (!difference_of(generate(seed))) continue;
    ++reduced;
    const RandomProgram small = reduce(generate(seed), difference_of);
    ASSERT_TRUE(difference_of(small));
    EXPECT_LE(small.words.size(), 12u) << difference_of(small)->text << "\n" << listing(small);
    EXPECT_NE(listing(small).find("mul"), std::string::npos) << listing(small);
  }
}

TEST(Riscv64PlantedBugs, WrongOperationsAreSeen) {
  for (const Swap& swap : kSwaps) {
    EXPECT_NE(programs_until_seen([&](Inst& inst) {
                if (inst.op == swap.right) inst.op = swap.wrong;
              }),
              0u)
        << core::ir::op_info(swap.right).text << " as " << core::ir::op_info(swap.wrong).text;
  }
}

TEST(Riscv64PlantedBugs, WrongDetailsAreSeen) {
  for (const Change& change : kChanges) EXPECT_NE(programs_until_seen(change.apply), 0u) << change.name;
}

}  // namespace
}  // namespace lockstep::isa::riscv64::random
