// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/core/ir_proof/engines.h"

namespace lockstep::test {
namespace {

class IrProof : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    core::Result<std::vector<Proof>> proofs = read_proofs(GetParam());
    ASSERT_TRUE(proofs.ok()) << proofs.message();
    proofs_ = std::move(proofs).value();
    // The design asks for about twenty instructions of each ISA; fewer means that files were lost.
    EXPECT_GE(proofs_.size(), 20u);
  }

  void check_all(const core::InterpreterOptions& options) {
    for (const Proof& proof : proofs_) {
      for (const ProofCase& proof_case : proof.cases) {
        EXPECT_EQ(check_case(proof, proof_case,
                             [&](TestHart& hart, const core::ir::Block& block) {
                               return run_interpreted(hart, block, options);
                             }),
                  "")
            << proof.name << "\n"
            << proof_case.text;
      }
    }
  }

  std::vector<Proof> proofs_;
};

TEST_P(IrProof, TextComesBackAsItWas) {
  for (const Proof& proof : proofs_) EXPECT_EQ(check_text(proof), "") << proof.name;
}

TEST_P(IrProof, InterpreterGivesTheExpectedState) { check_all({}); }

TEST_P(IrProof, InterpreterWithoutItsOptimisationsDoesToo) { check_all({false, false}); }

INSTANTIATE_TEST_SUITE_P(Isas, IrProof, testing::Values("riscv64", "arm64", "x86_64"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace lockstep::test
