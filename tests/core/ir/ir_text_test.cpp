// SPDX-License-Identifier: Apache-2.0
// Printer and parser: what is printed is read back as the same block, and what cannot be read is named by its line.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/ir/builder.h"
#include "core/ir/text.h"
#include "tests/core/ir_proof/random_block.h"
#include "tests/core/seed.h"

namespace lockstep::core::ir {
namespace {

uint64_t nothing(Hart&, uint64_t, uint64_t, uint64_t, uint64_t) { return 0; }
constexpr HelperDescriptor kHelpers[] = {
    {"first", nothing, 0, 0, Type::kVoid},
    {"second", nothing, 0, 2, Type::kI64},
};
const Names& names() {
  static const Names kNames{&test::test_layout("riscv64"), kHelpers};
  return kNames;
}

void expect_same(const Block& a, const Block& b) {
  EXPECT_EQ(a.pc, b.pc);
  EXPECT_EQ(a.code_bytes, b.code_bytes);
  EXPECT_EQ(a.guest_instructions, b.guest_instructions);
  ASSERT_EQ(a.insts.size(), b.insts.size());
  for (size_t i = 0; i < a.insts.size(); ++i) {
    const Inst& x = a.insts[i];
    const Inst& y = b.insts[i];
    ASSERT_TRUE(x.op == y.op && x.type == y.type && x.operand_type == y.operand_type && x.operands == y.operands &&
                x.args == y.args && x.imm == y.imm && x.imm2 == y.imm2)
        << "instruction " << i << " (" << op_info(x.op).text << ")";
  }
}

TEST(IrText, RandomBlocksSurviveTheRoundTrip) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 1500; ++i) {
    const StateLayout& layout = test::test_layout(i % 3 == 0 ? "riscv64" : i % 3 == 1 ? "arm64" : "x86_64");
    const Names layout_names{&layout, {}};
    const Block block = test::random_block(random, layout);
    const std::string text = print(block, layout_names);
    const Result<Block> again = parse(text, layout_names);
    ASSERT_TRUE(again.ok()) << again.message() << "\n" << text;
    ASSERT_NO_FATAL_FAILURE(expect_same(block, again.value())) << text;
    ASSERT_EQ(print(again.value(), layout_names), text);
  }
}

// What the random blocks do not make.
Block block_with_the_rest() {
  Block block;
  Builder b(block);
  b.insn(0x1000, 4);
  const Value address = b.get(Type::kI64, 64 + 16 * 32);
  b.call(0, Type::kVoid, {});
  b.call(1, Type::kI64, {address, address});
  b.fence();
  b.load(Type::kI32, address, kMemBigEndian | kMemAligned | kMemAcquire | kMemRelease | kMemAtomic);
  const Value v = b.vsplat(Type::kV256, address);
  b.vector(Op::kVFMul, 64, v, v);
  b.exit_if(b.i1(true), 0x2000);
  b.insn(0x1004, 2);
  b.exit(0x1006);
  return block;
}

TEST(IrText, CallsFlagsAndExitsSurviveTheRoundTrip) {
  const Block block = block_with_the_rest();
  const Result<Block> again = parse(print(block, names()), names());
  ASSERT_TRUE(again.ok()) << again.message();
  expect_same(block, again.value());
}

TEST(IrText, WithoutNamesOffsetsAndNumbersStandInForThem) {
  const Block block = block_with_the_rest();
  const std::string text = print(block, {});
  const Result<Block> again = parse(text, {});
  ASSERT_TRUE(again.ok()) << again.message() << text;
  expect_same(block, again.value());
}

TEST(IrText, CommentsSpacesAndAnyNames) {
  const Result<Block> block = parse(
      "# a comment\n\n  block 0x10   # behind a line\r\n\tinsn 0x10 2\n%left=const.i8 -1\n"
      "%the other = zext.i64.i8   %left\n set.i64 x5 , %the other\njump 18\n",
      names());
  ASSERT_TRUE(block.ok()) << block.message();
  EXPECT_EQ(block.value().insts[1].imm, 0xffu) << "constants are cut to their type";
  EXPECT_EQ(block.value().insts.back().imm, 18u);
}

std::string parse_error(const std::string& lines) {
  const Result<Block> block = parse("block 0x0\ninsn 0x0 4\n%a = const.i64 1\n%c = const.i1 1\n" + lines, names());
  return block.ok() ? "" : block.message();
}

TEST(IrText, NamesTheLineAndWhatIsWrong) {
  const auto whole = [](const std::string& text) {
    const Result<Block> block = parse(text, names());
    return block.ok() ? "" : block.message();
  };
  EXPECT_EQ(whole(""), "line 1: expected `block ADDRESS`");
  EXPECT_EQ(whole("jump 4"), "line 1: expected `block ADDRESS` first");
  EXPECT_EQ(whole("block x"), "line 1: `block` needs an address");
  EXPECT_EQ(whole("block 0\nblock 0"), "line 2: a second `block`");
  EXPECT_EQ(whole("block 0\ninsn 4"), "line 2: `insn` needs an address and a length");
  EXPECT_EQ(whole(std::string(100'001, '\n')), "line 100001: more than 100000 lines");

  EXPECT_EQ(parse_error("%b"), "line 5: expected `%NAME = OPERATION`");
  EXPECT_EQ(parse_error("%b = frob.i64 %a"), "line 5: unknown operation `frob`");
  EXPECT_EQ(parse_error("%b = add %a, %a"), "line 5: expected the result's type");
  EXPECT_EQ(parse_error("%b = add.i65 %a, %a"), "line 5: expected the result's type");
  EXPECT_EQ(parse_error("%b = load.i64.middle %a"), "line 5: unknown suffix `.middle`");
  EXPECT_EQ(parse_error("%b = add.i64.be %a, %a"), "line 5: `.be` is for memory operations");
  EXPECT_EQ(parse_error("%b = rmw.nand.i64 %a, %a"),
            "line 5: `rmw` needs one of swap, add, and, or, xor, mins, maxs, minu, maxu");
  EXPECT_EQ(parse_error("%b = rmw"), "line 5: `rmw` needs one of swap, add, and, or, xor, mins, maxs, minu, maxu");
  EXPECT_EQ(parse_error("%b = not.i64 %z"), "line 5: `%z` has not been defined");
  EXPECT_EQ(parse_error("%a = const.i64 2"), "line 5: `%a` is defined twice");
  EXPECT_EQ(parse_error("%b = call.i64 second, %a, %a, %a, %a, %a"), "line 5: too many operands");
  EXPECT_EQ(parse_error("branch %c, 1, 2, 3"), "line 5: too many numbers");
  EXPECT_EQ(parse_error("call third"), "line 5: unknown helper `third`");
  EXPECT_EQ(parse_error("set.i64 x99, %a"), "line 5: unknown state field `x99`");
  EXPECT_EQ(parse_error("jump there"), "line 5: cannot read operand `there`");
  EXPECT_EQ(parse_error("jump 0x10000000000000000"), "line 5: cannot read operand `0x10000000000000000`");
  EXPECT_EQ(parse_error("%b = add.i64 %a, %a\n"), "%3 (add): the last instruction must be a jump, a branch or an exit");
}

}  // namespace
}  // namespace lockstep::core::ir
