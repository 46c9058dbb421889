// SPDX-License-Identifier: Apache-2.0
// Random programs on two interpreters. LOCKSTEP_SEED chooses the first seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "core/interpreter/interpreter.h"
#include "isa_frontends/riscv64/random/compare.h"
#include "tests/core/seed.h"

namespace lockstep::isa::riscv64::random {
namespace {

std::unique_ptr<core::Engine> plain(core::Hart& hart) { return core::make_interpreter(hart); }
std::unique_ptr<core::Engine> bare(core::Hart& hart) {
  return core::make_interpreter(hart, {.fusion = false, .block_links = false});
}

TEST(Riscv64Random, InterpretersAgree) {
  const uint64_t first = test::from_environment("LOCKSTEP_SEED", 1);
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(first));
  Comparison comparison(plain, bare);
  for (uint64_t seed = first; comparison.counts().instructions < 5'000'000; ++seed) {
    ASSERT_LT(seed, first + 5000) << "programs end too early";
    const RandomProgram program = generate(seed);
    const auto difference = comparison.run(program);
    ASSERT_FALSE(difference) << "LOCKSTEP_SEED=" << seed << ": " << difference->text << "\n" << listing(program);
  }
}

TEST(Riscv64Random, ReducesToWhatMatters) {
  RandomProgram program = generate(7);
  const uint32_t culprit = program.words[program.words.size() / 2];
  const RandomProgram reduced = reduce(program, [&](const RandomProgram& p) -> std::optional<Difference> {
    if (std::find(p.words.begin(), p.words.end(), culprit) == p.words.end() || p.bound < 77) return std::nullopt;
    return Difference{"pc", ""};
  });
  EXPECT_EQ(reduced.bound, 77u);
  EXPECT_EQ(reduced.words, std::vector<uint32_t>{culprit});
}

}  // namespace
}  // namespace lockstep::isa::riscv64::random
