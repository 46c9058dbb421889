// SPDX-License-Identifier: Apache-2.0
// What is said to be known of a result holds for every value of which what was known of the operands holds.
#include "jit/passes/known_bits.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "core/ir/fold.h"
#include "tests/core/seed.h"

namespace lockstep::jit::passes {
namespace {

using core::ir::Inst;
using core::ir::mask_to;
using core::ir::Op;
using core::ir::Type;
using core::ir::type_bits;

bool holds(const KnownBits& k, Type type, uint64_t value) {
  const int64_t extended = core::ir::sign_extend(type, value);
  const unsigned signs =
      static_cast<unsigned>(std::countl_zero(static_cast<uint64_t>(extended < 0 ? ~extended : extended))) -
      (64 - type_bits(type));
  return (value & k.zeros) == 0 && (~value & k.ones) == 0 && signs >= k.signs;
}

// A number with a run of zeros or ones somewhere.
uint64_t number(std::mt19937_64& random) {
  const uint64_t run = ~uint64_t{0} >> random() % 64 << random() % 64;
  return random() % 3 == 0 ? random() | run
         : random() % 2    ? random() & run
                           : static_cast<uint64_t>(static_cast<int64_t>(random()) >> random() % 64);
}

// Something that is true of the number.
KnownBits about(std::mt19937_64& random, Type type, uint64_t value) {
  KnownBits k = KnownBits::of_constant(type, value);
  const unsigned signs = k.signs;
  if (random() % 4 == 0) return k;
  const uint64_t seen = number(random);
  k.zeros &= seen;
  k.ones &= seen;
  k.signs = random() % 2 ? 1 : 1 + static_cast<unsigned>(random() % signs);
  return k;
}

TEST(KnownBits, HoldForEveryOperation) {
  constexpr Op kBinary[] = {Op::kAdd, Op::kSub,  Op::kMul,  Op::kAnd,  Op::kOr,   Op::kXor,  Op::kShl, Op::kShr,
                            Op::kSar, Op::kRotL, Op::kMinU, Op::kMinS, Op::kMaxU, Op::kMaxS, Op::kRemU};
  constexpr Op kUnary[] = {Op::kNot, Op::kClz, Op::kCtz, Op::kPopcnt, Op::kBswap};
  constexpr Type kTypes[] = {Type::kI8, Type::kI16, Type::kI32, Type::kI64};
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 300'000; ++round) {
    const Type type = kTypes[random() % 4];
    Inst i;
    i.type = type;
    Type from = type;
    std::array<uint64_t, 2> values = {mask_to(type, number(random)), mask_to(type, number(random))};
    const unsigned kind = random() % 4;
    if (kind < 2) {
      i.op = kBinary[random() % std::size(kBinary)];
      i.operands = 2;
      if (random() % 2) values[1] = random() % type_bits(type);
    } else if (kind == 2) {
      i.op = kUnary[random() % std::size(kUnary)];
      i.operands = 1;
    } else {
      from = kTypes[random() % 4];
      if (from == type) continue;
      i.op = type_bits(from) > type_bits(type) ? Op::kTrunc : random() % 2 ? Op::kZext : Op::kSext;
      i.operands = 1;
      values[0] = mask_to(from, number(random));
    }
    const std::array<KnownBits, 2> known = {about(random, from, values[0]), about(random, type, values[1])};
    const auto result = core::ir::fold(i.op, type, from, std::span(values).first(i.operands));
    ASSERT_TRUE(result.has_value());
    const KnownBits claimed = known_result(i, from, std::span(known).first(i.operands));
    ASSERT_TRUE(holds(claimed, type, *result))
        << core::ir::op_info(i.op).text << " to " << type_bits(type) << " bits of " << std::hex << values[0] << " and "
        << values[1] << " is " << *result << ", and not: zeros " << claimed.zeros << ", ones " << claimed.ones
        << std::dec << ", " << claimed.signs << " signs";
  }
}

TEST(KnownBits, OfConstantsAreAll) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{0x8000'0000}, ~uint64_t{0}}) {
    EXPECT_TRUE(KnownBits::of_constant(Type::kI64, value).is_constant(Type::kI64));
    EXPECT_EQ(KnownBits::of_constant(Type::kI64, value).ones, value);
  }
  EXPECT_EQ(KnownBits::of_constant(Type::kI64, 0).signs, 64u);
  EXPECT_EQ(KnownBits::of_constant(Type::kI64, 1).signs, 63u);
  EXPECT_EQ(KnownBits::of_constant(Type::kI32, 0x8000'0000).signs, 1u);
}

// What the passes need must not only be right but there.
TEST(KnownBits, KnowWhatAnExtensionKeeps) {
  Inst i;
  i.op = Op::kSext;
  i.type = Type::kI64;
  i.operands = 1;
  const std::array<KnownBits, 1> nothing = {};
  EXPECT_EQ(known_result(i, Type::kI32, nothing).signs, 33u);
  i.op = Op::kZext;
  EXPECT_EQ(known_result(i, Type::kI32, nothing).zeros, 0xffff'ffff'0000'0000u);
  i.op = Op::kTrunc;
  i.type = Type::kI16;
  const std::array<KnownBits, 1> word = {KnownBits{0, 0, 60}};
  EXPECT_EQ(known_result(i, Type::kI64, word).signs, 12u);
}

}  // namespace
}  // namespace lockstep::jit::passes
