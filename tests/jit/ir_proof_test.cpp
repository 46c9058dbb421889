// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>

#include "core/ir/text.h"
#include "tests/jit/run_emitted.h"

namespace lockstep::test {
namespace {

class EmittedIrProof : public testing::TestWithParam<const char*> {};

TEST_P(EmittedIrProof, GivesTheExpectedState) {
  const core::Result<std::vector<Proof>> proofs = read_proofs(GetParam());
  ASSERT_TRUE(proofs.ok()) << proofs.message();
  for (const Proof& proof : *proofs) {
    for (const ProofCase& proof_case : proof.cases) {
      EXPECT_EQ(check_case(proof, proof_case, run_emitted), "") << proof.name << "\n" << proof_case.text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, EmittedIrProof, testing::Values("riscv64", "arm64", "x86_64"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(MinimalEmitter, GivesBackWhatDidNotBegin) {
  const core::Result<core::ir::Block> block = core::ir::parse(
      "block 0x80000000\n insn 0x80000000 4\n %1 = const.i1 1\n exit_if %1, 0x80000100\n insn 0x80000004 4\n"
      " insn 0x80000008 4\n jump 0x8000000c\n",
      {});
  ASSERT_TRUE(block.ok()) << block.message();
  TestHart hart(test_layout("x86_64"));
  hart.state().pc = block->pc;
  ASSERT_TRUE(run_emitted(hart, *block).ok());
  EXPECT_EQ(hart.state().budget, 2);
  EXPECT_EQ(hart.state().unbegun, 0u);
  EXPECT_EQ(hart.state().pc, 0x80000100u);
}

uint64_t add_and_trap(core::Hart& hart, uint64_t a, uint64_t b, uint64_t, uint64_t) {
  if (a == 0) {
    hart.state().pc = kFaultHandler;
    hart.state().trapped = 1;
  }
  return a + b;
}

TEST(MinimalEmitter, CallsHelpersAndLeavesWhenTheyTrap) {
  const core::HelperDescriptor helpers[] = {{"add", &add_and_trap, core::kHelperMayTrap, 2, core::ir::Type::kI64}};
  const StateLayout& layout = test_layout("x86_64");
  const core::Result<core::ir::Block> block = core::ir::parse(
      "block 0x80000000\n insn 0x80000000 4\n %1 = get.i64 rax\n %2 = get.i32 rcx\n %3 = call.i64 add, %1, %2\n"
      " set.i64 rdx, %3\n jump 0x80000004\n",
      {&layout, helpers});
  ASSERT_TRUE(block.ok()) << block.message();
  for (const uint64_t rax : {5, 0}) {
    TestHart hart(layout, helpers);
    hart.state().pc = block->pc;
    std::memcpy(hart.field(*layout.find("rax")), &rax, 8);
    const uint64_t rcx = 0xffffffff00000002;  // arguments are zero-extended: the upper half must not be seen
    std::memcpy(hart.field(*layout.find("rcx")), &rcx, 8);
    ASSERT_TRUE(run_emitted(hart, *block).ok());
    uint64_t rdx = 0;
    std::memcpy(&rdx, hart.field(*layout.find("rdx")), 8);
    EXPECT_EQ(rdx, rax == 0 ? 0u : 7u);
    EXPECT_EQ(hart.state().pc, rax == 0 ? kFaultHandler : 0x80000004);
  }
}

TEST(MinimalEmitter, NamesWhatTheHostLacks) {
  jit::HostFeatures features = jit::HostFeatures::of_this_host();
  EXPECT_TRUE(features.check().ok());
  features.sse4_2 = false;
  features.popcnt = false;
  const core::Result<jit::MinimalBlock> code = jit::MinimalEmitter(features).compile({}, {});
  ASSERT_FALSE(code.ok());
  EXPECT_EQ(code.message(),
            "this host's processor lacks POPCNT, SSE4.2, which the code of the JIT needs: use the interpreter engine");
}

TEST(MinimalEmitter, NamesWhatItCannotCompile) {
  core::ir::Block block;
  block.insts.resize(1);
  block.insts[0].op = core::ir::Op::kCall;
  block.insts[0].imm = 3;
  const core::Result<jit::MinimalBlock> code = jit::MinimalEmitter().compile(block, {});
  ASSERT_FALSE(code.ok());
  EXPECT_EQ(code.message(), "the block at 0x0: operation %0 `call` has no host code");
}

}  // namespace
}  // namespace lockstep::test
