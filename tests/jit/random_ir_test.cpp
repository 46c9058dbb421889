// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>

#include "core/ir/text.h"
#include "tests/core/ir_proof/engines.h"
#include "tests/core/ir_proof/random_block.h"
#include "tests/core/seed.h"
#include "tests/jit/run_emitted.h"

namespace lockstep::test {
namespace {

constexpr int kBlocks = 1500;  // of each ISA's layout

class RandomIr : public testing::TestWithParam<const char*> {};

// The first difference between two harts that ran the same block.
std::string difference(TestHart& one, TestHart& two) {
  for (const StateField& field : one.layout().fields) {
    if (std::memcmp(one.field(field), two.field(field), field.size_bytes) != 0) return std::string(field.name);
  }
  if (one.memory() != two.memory()) return "memory";
  return one.last_fault() == two.last_fault() ? "" : "fault";
}

TEST_P(RandomIr, PrintsParsesAndRunsTheSameEverywhere) {
  const StateLayout& layout = test_layout(GetParam());
  const core::ir::Names names{&layout, {}};
  for (int round = 0; round < kBlocks; ++round) {
    // Each block has its own seed, so that one can be had alone.
    const uint64_t block_seed = seed() + static_cast<uint64_t>(round);
    std::mt19937_64 random(block_seed);
    const core::ir::Block block = random_block(random, layout);
    const std::string text = core::ir::print(block, names);
    SCOPED_TRACE("seed " + std::to_string(block_seed) + "\n" + text);
    const core::Status verified = core::ir::verify(block, names);
    ASSERT_TRUE(verified.ok()) << verified.message();
    const core::Result<core::ir::Block> parsed = core::ir::parse(text, names);
    ASSERT_TRUE(parsed.ok()) << parsed.message();
    ASSERT_EQ(core::ir::print(*parsed, names), text);

    const uint64_t state_seed = random();
    const auto prepare = [&](TestHart& hart) {
      std::mt19937_64 state_random(state_seed);
      randomise(state_random, hart);
      hart.state().pc = block.pc;
    };
    TestHart interpreted(layout);
    TestHart emitted(layout);
    prepare(interpreted);
    prepare(emitted);
    ASSERT_TRUE(run_interpreted(interpreted, block).ok());
    const core::Status compiled = run_emitted(emitted, *parsed);
    ASSERT_TRUE(compiled.ok()) << compiled.message();
    ASSERT_EQ(difference(interpreted, emitted), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, RandomIr, testing::Values("riscv64", "arm64", "x86_64"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace lockstep::test
