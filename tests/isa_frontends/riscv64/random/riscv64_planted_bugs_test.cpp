// SPDX-License-Identifier: Apache-2.0
// Bugs planted in the frontend: a hart whose blocks have one operation in place of another is told from a sound one.
#include <gtest/gtest.h>

#include <memory>

#include "core/interpreter/interpreter.h"
#include "isa_frontends/riscv64/random/compare.h"
#include "tests/isa_frontends/riscv64/random/planted_bugs.h"

namespace lockstep::isa::riscv64::random {
namespace {

std::unique_ptr<core::Engine> plain(core::Hart& hart) { return core::make_interpreter(hart); }

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
    EXPECT_NE(programs_until_seen(swapped(swap)), 0u)
        << core::ir::op_info(swap.right).text << " as " << core::ir::op_info(swap.wrong).text;
  }
}

TEST(Riscv64PlantedBugs, WrongDetailsAreSeen) {
  for (const Change& change : kChanges) EXPECT_NE(programs_until_seen(change.apply), 0u) << change.name;
}

}  // namespace
}  // namespace lockstep::isa::riscv64::random
