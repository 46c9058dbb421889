// SPDX-License-Identifier: Apache-2.0
// The one definition of integer operations: exhaustive on 8 bits against arithmetic in wide integers, edges elsewhere.
#include "core/ir/fold.h"

#include <gtest/gtest.h>

namespace lockstep::core::ir {
namespace {

TEST(IrFold, EightBitsAreExhaustivelyRight) {
  for (int a = 0; a < 256; ++a) {
    const int sa = a < 128 ? a : a - 256;
    for (int b = 0; b < 256; ++b) {
      const int sb = b < 128 ? b : b - 256;
      const auto is = [&](Op op, int want) {
        ASSERT_EQ(*fold_binary(op, Type::kI8, 0xabcd00u | a, 0x123400u | b), static_cast<uint64_t>(want & 0xff))
            << op_info(op).text << " " << a << " " << b;
      };
      is(Op::kAdd, a + b);
      is(Op::kSub, a - b);
      is(Op::kMul, a * b);
      is(Op::kMulHighU, a * b >> 8);
      is(Op::kMulHighS, sa * sb >> 8);
      is(Op::kMulHighSU, sa * b >> 8);
      is(Op::kDivU, b == 0 ? -1 : a / b);
      is(Op::kDivS, sb == 0 ? -1 : sa / sb);
      is(Op::kRemU, b == 0 ? a : a % b);
      is(Op::kRemS, sb == 0 ? a : sa % sb);
      is(Op::kAnd, a & b);
      is(Op::kOr, a | b);
      is(Op::kXor, a ^ b);
      is(Op::kShl, a << b % 8);
      is(Op::kShr, a >> b % 8);
      is(Op::kSar, sa >> b % 8);
      is(Op::kRotL, (a << 8 | a) >> (8 - b % 8));
      is(Op::kRotR, (a << 8 | a) >> b % 8);
      is(Op::kMinU, a < b ? a : b);
      is(Op::kMinS, sa < sb ? a : b);
      is(Op::kMaxU, a > b ? a : b);
      is(Op::kMaxS, sa > sb ? a : b);
      is(Op::kEq, a == b);
      is(Op::kNe, a != b);
      is(Op::kLtU, a < b);
      is(Op::kLtS, sa < sb);
      is(Op::kGeU, a >= b);
      is(Op::kGeS, sa >= sb);
    }
  }
}

TEST(IrFold, UnaryOperationsOnEightBits) {
  for (unsigned a = 0; a < 256; ++a) {
    unsigned leading = 0, trailing = 0, ones = 0, reversed = 0;
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned bit = a >> i & 1;
      ones += bit;
      reversed |= bit << (7 - i);
      leading = bit ? 0 : leading + 1;
    }
    while (trailing < 8 && !(a >> trailing & 1)) ++trailing;
    EXPECT_EQ(*fold_unary(Op::kNot, Type::kI8, a), ~a & 0xff);
    EXPECT_EQ(*fold_unary(Op::kClz, Type::kI8, 0xf00 | a), leading);
    EXPECT_EQ(*fold_unary(Op::kCtz, Type::kI8, 0xf00 | a), trailing);
    EXPECT_EQ(*fold_unary(Op::kPopcnt, Type::kI8, 0xf00 | a), ones);
    EXPECT_EQ(*fold_unary(Op::kBitrev, Type::kI8, 0xf00 | a), reversed);
    EXPECT_EQ(*fold_unary(Op::kBswap, Type::kI8, a), a);
    EXPECT_EQ(*fold_unary(Op::kOrcB, Type::kI8, a), a ? 0xffu : 0u);
  }
}

TEST(IrFold, EdgesOfSixtyFourBits) {
  constexpr uint64_t kMin = uint64_t{1} << 63, kOnes = ~uint64_t{0};
  EXPECT_EQ(*fold_binary(Op::kDivS, Type::kI64, kMin, kOnes), kMin);
  EXPECT_EQ(*fold_binary(Op::kRemS, Type::kI64, kMin, kOnes), 0u);
  EXPECT_EQ(*fold_binary(Op::kMulHighS, Type::kI64, kMin, kMin), uint64_t{1} << 62);
  EXPECT_EQ(*fold_binary(Op::kMulHighSU, Type::kI64, kOnes, kOnes), kOnes);
  EXPECT_EQ(*fold_binary(Op::kShl, Type::kI64, 1, 64), 1u);
  EXPECT_EQ(*fold_binary(Op::kRotR, Type::kI64, 1, 1), kMin);
  EXPECT_EQ(*fold_unary(Op::kClz, Type::kI64, 0), 64u);
  EXPECT_EQ(*fold_unary(Op::kBswap, Type::kI32, 0x11223344), 0x44332211u);
  EXPECT_EQ(*fold_unary(Op::kOrcB, Type::kI64, 0x0100'0000'0000'8000), 0xff00'0000'0000'ff00u);
}

TEST(IrFold, LeavesWhatDoesNotFold) {
  EXPECT_FALSE(fold_binary(Op::kFAdd, Type::kI64, 0, 0).has_value());
  EXPECT_FALSE(fold_unary(Op::kFSqrt, Type::kI64, 0).has_value());
}

TEST(IrFold, CutsAndExtends) {
  EXPECT_EQ(mask_to(Type::kI1, 3), 1u);
  EXPECT_EQ(mask_to(Type::kI64, ~uint64_t{0}), ~uint64_t{0});
  EXPECT_EQ(sign_extend(Type::kI1, 1), -1);
  EXPECT_EQ(sign_extend(Type::kI32, 0x8000'0000), INT32_MIN);
  EXPECT_EQ(sign_extend(Type::kI64, ~uint64_t{0}), -1);
}

}  // namespace
}  // namespace lockstep::core::ir
