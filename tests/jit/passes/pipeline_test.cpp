// SPDX-License-Identifier: Apache-2.0
// All passes together: whatever they make of a block leaves the state, the memory and the faults that the block leaves.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/ir/text.h"
#include "jit/passes/passes.h"
#include "jit/passes/trace.h"
#include "tests/core/ir_proof/engines.h"
#include "tests/core/ir_proof/random_block.h"
#include "tests/core/seed.h"
#include "tests/jit/passes/pass_text.h"
#include "tests/jit/run_emitted.h"

namespace lockstep::jit::passes {
namespace {

using core::ir::Block;
using test::TestHart;

constexpr int kBlocks = 500;  // of each ISA's layout

Context context_of(const core::StateLayout& layout) { return {.layout = layout, .helpers = test::test_helpers()}; }

// Verified behind each pass.
Block optimised(const Block& block, const Context& context) {
  Region region;
  region.blocks.emplace_back().ir = block;
  optimise(region, context, [&](const Pass& pass, const Region& now) {
    const core::ir::Names names{.layout = &context.layout, .helpers = context.helpers};
    const core::Status status = core::ir::verify(now.blocks.front().ir, names);
    EXPECT_TRUE(status.ok()) << pass.name << ": " << status.message() << "\n"
                             << core::ir::print(now.blocks.front().ir, names);
  });
  return region.blocks.front().ir;
}

std::string difference(TestHart& one, TestHart& two) {
  for (const core::StateField& field : one.layout().fields) {
    if (std::memcmp(one.field(field), two.field(field), field.size_bytes) != 0) return std::string(field.name);
  }
  if (one.memory() != two.memory()) return "memory";
  return one.last_fault() == two.last_fault() ? "" : "fault";
}

class Pipeline : public testing::TestWithParam<const char*> {};

TEST_P(Pipeline, RandomBlocksDoTheSame) {
  const core::StateLayout& layout = test::test_layout(GetParam());
  const Context context = context_of(layout);
  size_t before = 0, after = 0;
  for (int round = 0; round < kBlocks; ++round) {
    const uint64_t block_seed = test::seed() + static_cast<uint64_t>(round);
    std::mt19937_64 random(block_seed);
    const Block block = test::random_block(random, layout);
    const Block made = optimised(block, context);
    before += block.insts.size();
    after += made.insts.size();
    SCOPED_TRACE("seed " + std::to_string(block_seed) + "\n" + core::ir::print(block, {&layout, {}}) + "became\n" +
                 core::ir::print(made, {&layout, {}}));
    const uint64_t state_seed = random();
    const auto prepare = [&](TestHart& hart) {
      std::mt19937_64 state_random(state_seed);
      test::randomise(state_random, hart);
      hart.state().pc = block.pc;
    };
    TestHart plain(layout), interpreted(layout), emitted(layout);
    for (TestHart* hart : {&plain, &interpreted, &emitted}) prepare(*hart);
    ASSERT_TRUE(test::run_interpreted(plain, block).ok());
    ASSERT_TRUE(test::run_interpreted(interpreted, made).ok());
    ASSERT_TRUE(test::run_emitted(emitted, made).ok());
    ASSERT_EQ(difference(plain, interpreted), "");
    ASSERT_EQ(difference(plain, emitted), "");
  }
  EXPECT_LT(after, before * 9 / 10) << "the passes find little to do";
}

TEST_P(Pipeline, ProofsHold) {
  const auto proofs = test::read_proofs(GetParam());
  ASSERT_TRUE(proofs.ok()) << proofs.message();
  for (const test::Proof& proof : *proofs) {
    const Context context = context_of(*proof.layout);
    for (const test::ProofCase& proof_case : proof.cases) {
      const auto run = [&](TestHart& hart, const Block& block) {
        return test::run_interpreted(hart, optimised(block, context));
      };
      EXPECT_EQ(test::check_case(proof, proof_case, run), "") << proof.name << ": " << proof_case.text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, Pipeline, testing::Values("riscv64", "arm64", "x86_64"),
                         [](const auto& instance) { return std::string(instance.param); });

constexpr std::string_view kSum = R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %t = trunc.i32.i64 %a
  %b = add.i32 %t, %t
  %c = sext.i64.i32 %b
  set.i64 x5, %c
  insn 0x1004 4
  %d = get.i64 x5
  %e = trunc.i32.i64 %d
  %f = sext.i64.i32 %e
  set.i64 x5, %f
  jump 0x1000
)";

TEST(Pipeline, MakesTheSameOfTheSame) {
  const Context context = test_context();
  Region one = read_region(kSum, context), two = read_region(kSum, context);
  optimise(one, context);
  optimise(two, context);
  EXPECT_EQ(print_region(one, context), print_region(two, context));
}

TEST(Pipeline, TellsWhatItDid) {
  const Context context = test_context();
  Region region = read_region(kSum, context), told = region;
  std::string names;
  optimise(region, context, [&](const Pass& pass, const Region&) { names += std::string(pass.name) + " "; });
  EXPECT_EQ(names, "forward_state drop_dead fold_known_bits drop_dead_finally ");
  const std::string text = trace(told, context);
  EXPECT_EQ(text.find("; behind the pass forward_state\nblock 0x1000\n"), 0u) << text;
  EXPECT_NE(text.find("; behind the pass drop_dead_finally\n" + print_region(region, context)), text.npos) << text;
}

}  // namespace
}  // namespace lockstep::jit::passes
