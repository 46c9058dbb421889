// SPDX-License-Identifier: Apache-2.0
#include "core/ir/builder.h"

#include <gtest/gtest.h>

namespace lockstep::core::ir {
namespace {

class IrBuilder : public testing::Test {
 protected:
  IrBuilder() {
    b_.insn(0x1000, 4);
    x_ = b_.get(Type::kI64, 64);
  }

  Block block_;
  Builder b_{block_};
  Value x_ = kNoValue;
};

TEST_F(IrBuilder, CountsInstructionsAndBytes) {
  b_.insn(0x1004, 2);
  b_.jump(0x1006);
  EXPECT_EQ(block_.pc, 0x1000u);
  EXPECT_EQ(block_.code_bytes, 6u);
  EXPECT_EQ(block_.guest_instructions, 2u);
  EXPECT_TRUE(b_.ended());
}

TEST_F(IrBuilder, ExitIfDoesNotEnd) {
  b_.exit_if(b_.i1(true), 0x2000);
  EXPECT_FALSE(b_.ended());
}

TEST_F(IrBuilder, FoldsConstants) {
  EXPECT_EQ(b_.const_value(b_.add(b_.i64(3), b_.i64(4))), 7u);
  EXPECT_EQ(b_.const_value(b_.not_(b_.i32(0))), 0xffff'ffffu);
  EXPECT_EQ(b_.const_value(b_.compare(Op::kLtS, b_.i64(~uint64_t{0}), b_.i64(0))), 1u);
  EXPECT_EQ(b_.const_value(b_.sext(Type::kI64, b_.i32(0x8000'0000))), 0xffff'ffff'8000'0000u);
  EXPECT_EQ(b_.const_value(b_.zext(Type::kI64, b_.i32(0x8000'0000))), 0x8000'0000u);
  EXPECT_EQ(b_.const_value(b_.trunc(Type::kI8, b_.i64(0x1ff))), 0xffu);
  EXPECT_EQ(b_.const_value(b_.constant(Type::kI8, 0x1ff)), 0xffu);
}

TEST_F(IrBuilder, LeavesOutWhatChangesNothing) {
  const Value zero = b_.i64(0);
  for (Op op : {Op::kAdd, Op::kSub, Op::kOr, Op::kXor, Op::kShl, Op::kShr, Op::kSar, Op::kRotL, Op::kRotR}) {
    EXPECT_EQ(b_.binary(op, x_, zero), x_) << op_info(op).text;
  }
  EXPECT_EQ(b_.and_(x_, zero), zero);
  EXPECT_EQ(b_.binary(Op::kMul, x_, zero), zero);
  for (Op op : {Op::kAdd, Op::kOr, Op::kXor}) EXPECT_EQ(b_.binary(op, zero, x_), x_);
  for (Op op : {Op::kSub, Op::kShl, Op::kDivU}) EXPECT_NE(b_.binary(op, zero, x_), x_);
  EXPECT_FALSE(b_.is_const(b_.binary(Op::kDivU, x_, zero)));
  EXPECT_EQ(b_.select(b_.i1(true), x_, zero), x_);
  EXPECT_EQ(b_.select(b_.i1(false), x_, zero), zero);
  EXPECT_EQ(b_.zext(Type::kI64, x_), x_);
  EXPECT_EQ(b_.sext(Type::kI64, x_), x_);
  EXPECT_EQ(b_.trunc(Type::kI64, x_), x_);
}

TEST_F(IrBuilder, WideExtensionsOfConstantsStayOperations) {
  const Value wide = b_.zext(Type::kI128, b_.i64(5));
  EXPECT_FALSE(b_.is_const(wide));
  EXPECT_EQ(b_.type_of(wide), Type::kI128);
}

TEST_F(IrBuilder, CallsWithoutResultGiveNoValue) {
  EXPECT_EQ(b_.call(0, Type::kVoid, {x_}), kNoValue);
  EXPECT_NE(b_.call(0, Type::kI64, {x_}), kNoValue);
}

}  // namespace
}  // namespace lockstep::core::ir
