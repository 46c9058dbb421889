// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "core/ir/text.h"
#include "tests/core/ir_proof/test_machine.h"

namespace lockstep::test {
namespace {

// Parses a block around one line; %a to %c are i64, %n is i32, %v is v128.
core::Result<core::ir::Block> parse_line(const std::string& line) {
  const core::ir::Names names{&test_layout("arm64"), test_helpers()};
  return core::ir::parse(
      "block 0x80000000\n insn 0x80000000 4\n %a = get.i64 x0\n %b = get.i64 x1\n %c = get.i64 x2\n %n = get.i32 x3\n"
      " %v = get.v128 v0\n " +
          line + "\n jump 0x80000004\n",
      names);
}

struct BadLine {
  const char* line;
  const char* message;
};

class IrVerifier : public testing::TestWithParam<BadLine> {};

TEST_P(IrVerifier, SaysWhatIsWrong) {
  const core::Result<core::ir::Block> block = parse_line(GetParam().line);
  ASSERT_FALSE(block.ok());
  EXPECT_NE(block.message().find(GetParam().message), std::string::npos) << block.message();
}

constexpr BadLine kBadLines[] = {
    {"%r = fadd.i64 %a, %b, rm5", "no rounding mode rm5"},
    {"%r = fadd.i64 %a, %b, rm0.ftz", "RISC-V has no flush to zero"},
    {"%r = fadd.i64 %a, %b, rm0.mips", "cannot read operand `rm0.mips`"},
    {"%r = fadd.i64 %a, %b, rm0.armx", "cannot read operand `rm0.armx`"},
    {"%r = flt.i1.i64 %a, %b, rm9.x86", "no rounding mode rm9"},
    {"%r = vfadd.v128 %v, %v, 64, rm0.daz", "RISC-V has no flush to zero"},
    {"%r = vfadd.v128 %v, %v, 16, rm0", "floating-point lanes have 32 or 64 bits"},
    {"%r = lr.v128.aligned %a", "goes up to i128"},
    {"%r = sc.i64.v128.aligned %a, %v", "goes up to i128"},
    {"%r = sc.i64.i128.aligned %a, %v", "the value's type is not the one stored"},
    {"%r = divwideu.i64 %a, %b, %n", "divides i64 pairs by i64"},
    {"%r = divwideu.i32 %a, %b, %c", "gives i64"},
    {"call divide_error", "divide_error takes 1 arguments"},
};

INSTANTIATE_TEST_SUITE_P(Lines, IrVerifier, testing::ValuesIn(kBadLines),
                         [](const auto& instance) { return std::to_string(instance.index); });

TEST(IrControls, ControlsComeBackAsTheyWere) {
  for (uint64_t packed = 0; packed < uint64_t{1} << core::ir::kFpControlBits; ++packed) {
    if (!core::ir::check_fp_control(packed).empty()) continue;
    const std::string text = core::ir::print_fp_control(packed);
    EXPECT_EQ(core::ir::parse_fp_control(text), packed) << text;
  }
  EXPECT_EQ(core::ir::print_fp_control(core::ir::kRoundDynamic), "rm7");
}

TEST(IrControls, TakesLanesAndControlsApart) {
  const core::Result<core::ir::Block> block = parse_line("%r = vfma.v128 %v, %v, %v, 32, rm1.armdn.daz.ftz");
  ASSERT_TRUE(block.ok()) << block.message();
  const core::ir::Inst& inst = block->insts[block->insts.size() - 2];
  EXPECT_EQ(inst.imm, 32u);
  const core::ir::FpControl expected{1, core::ir::FpRule::kArmDefaultNan, true, true};
  EXPECT_EQ(core::ir::FpControl::unpack(inst.imm2), expected);
}

}  // namespace
}  // namespace lockstep::test
