// SPDX-License-Identifier: Apache-2.0
// Hand-derived cases: what random operands seldom hit, and what the ISAs define differently. Through the facade and
// SoftFloat both, where the facade has the operation.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>

#include "core/fp/fp.h"

namespace lockstep::core::fp {
namespace {

constexpr RoundingMode kRne = RoundingMode::kNearestEven;
constexpr RoundingMode kRtz = RoundingMode::kTowardZero;
constexpr RoundingMode kRdn = RoundingMode::kDown;
constexpr RoundingMode kRup = RoundingMode::kUp;
constexpr RoundingMode kRmm = RoundingMode::kNearestMaxMagnitude;

constexpr uint64_t kInf64 = 0x7ff0000000000000;
constexpr uint64_t kNan64 = 0x7ff8000000000000;
constexpr uint64_t kSignalling64 = 0x7ff0000000000001;
constexpr uint64_t kMinusZero64 = 0x8000000000000000;
constexpr uint64_t kMinNormal64 = 0x0010000000000000;
constexpr uint64_t kMax64 = 0x7fefffffffffffff;
constexpr uint32_t kInf32 = 0x7f800000;
constexpr uint32_t kNan32 = 0x7fc00000;
constexpr uint32_t kSignalling32 = 0x7f800001;

constexpr uint64_t f64(double value) { return std::bit_cast<uint64_t>(value); }
constexpr uint32_t f32(float value) { return std::bit_cast<uint32_t>(value); }

// Runs an operation with no flag set and with inexact set, which may take different paths, and gives value and flags.
template <typename Bits>
struct Outcome {
  Bits value;
  uint32_t flags;
  bool operator==(const Outcome&) const = default;
};
template <typename Bits>
std::ostream& operator<<(std::ostream& out, const Outcome<Bits>& outcome) {
  return out << std::hex << "{0x" << outcome.value << ", flags 0x" << outcome.flags << "}";
}

template <typename Operation>
auto run(Operation operation) {
  uint32_t flags = 0, sticky = kFlagInexact;
  const auto value = operation(flags);
  const auto again = operation(sticky);
  EXPECT_EQ(value, again);
  EXPECT_EQ(flags | kFlagInexact, sticky);
  return Outcome<std::remove_const_t<decltype(value)>>{value, flags};
}
using Out64 = Outcome<uint64_t>;
using Out32 = Outcome<uint32_t>;

Out64 add(uint64_t a, uint64_t b, RoundingMode mode) {
  return run([=](uint32_t& flags) { return f64_add(a, b, mode, flags); });
}
Out64 mul(uint64_t a, uint64_t b, RoundingMode mode) {
  return run([=](uint32_t& flags) { return f64_mul(a, b, mode, flags); });
}
Out64 div(uint64_t a, uint64_t b, RoundingMode mode) {
  return run([=](uint32_t& flags) { return f64_div(a, b, mode, flags); });
}
Out64 fma(uint64_t a, uint64_t b, uint64_t c, RoundingMode mode) {
  return run([=](uint32_t& flags) { return f64_fma(a, b, c, mode, flags); });
}

TEST(FpRounding, tie_goes_to_even_or_away) {
  const uint64_t one = f64(1.0), half_ulp = f64(0x1p-53), next = one + 1;
  EXPECT_EQ(add(one, half_ulp, kRne), (Out64{one, kFlagInexact}));
  EXPECT_EQ(add(one, half_ulp, kRmm), (Out64{next, kFlagInexact}));
  EXPECT_EQ(add(one, half_ulp, kRup), (Out64{next, kFlagInexact}));
  EXPECT_EQ(add(one, half_ulp, kRdn), (Out64{one, kFlagInexact}));
  EXPECT_EQ(add(one, half_ulp, kRtz), (Out64{one, kFlagInexact}));
  EXPECT_EQ(add(next, half_ulp, kRne), (Out64{one + 2, kFlagInexact}));
  EXPECT_EQ(add(f64(-1.0), f64(-0x1p-53), kRmm), (Out64{f64(-1.0) + 1, kFlagInexact}));
  EXPECT_EQ(add(f64(-1.0), f64(-0x1p-53), kRup), (Out64{f64(-1.0), kFlagInexact}));
  // Just below the tie: the sticky bit lies 53 bits below the last kept one.
  EXPECT_EQ(add(one, f64(0x1.fffffffffffffp-54), kRmm), (Out64{one, kFlagInexact}));
  EXPECT_EQ(add(one, 1, kRne), (Out64{one, kFlagInexact}));
  EXPECT_EQ(add(one, 1, kRup), (Out64{next, kFlagInexact}));
  EXPECT_EQ(add(one, kMinusZero64 | 1, kRtz), (Out64{one - 1, kFlagInexact}));
}

TEST(FpRounding, rmm_in_every_operation) {
  // 3 * 2^-1074 / 2 is the tie between one and two units of the last subnormal place.
  EXPECT_EQ(mul(3, f64(0.5), kRmm), (Out64{2, kFlagInexact | kFlagUnderflow}));
  EXPECT_EQ(mul(1, f64(0.5), kRmm), (Out64{1, kFlagInexact | kFlagUnderflow}));
  EXPECT_EQ(mul(1, f64(0.5), kRne), (Out64{0, kFlagInexact | kFlagUnderflow}));
  EXPECT_EQ(div(1, f64(2.0), kRmm), (Out64{1, kFlagInexact | kFlagUnderflow}));
  EXPECT_EQ(fma(1, f64(0.5), 0, kRmm), (Out64{1, kFlagInexact | kFlagUnderflow}));
  EXPECT_EQ(fma(f64(1.0), f64(1.0), f64(0x1p-53), kRmm), (Out64{f64(1.0) + 1, kFlagInexact}));
  uint32_t flags = 0;
  EXPECT_EQ(f64_to_f32(f64(1.0 + 0x1p-24), kRmm, flags), f32(1.0f) + 1);
  EXPECT_EQ(f64_to_f32(f64(1.0 + 0x1p-24), kRne, flags), f32(1.0f));
  EXPECT_EQ(f64_to_i32(f64(2.5), kRmm, flags), 3);
  EXPECT_EQ(f64_to_i32(f64(2.5), kRne, flags), 2);
  EXPECT_EQ(f64_to_i32(f64(-2.5), kRmm, flags), -3);
  EXPECT_EQ(f64_to_i32(f64(0.49999999999999994), kRmm, flags), 0);
  EXPECT_EQ(u64_to_f32(0x1000001, kRmm, flags), f32(0x1000002p0f));
  EXPECT_EQ(u64_to_f32(0x1000001, kRne, flags), f32(0x1000000p0f));
  EXPECT_EQ(f64_sqrt(f64(2.0), kRmm, flags), 0x3ff6a09e667f3bcdu);
}

TEST(FpRounding, zero_sums) {
  EXPECT_EQ(add(f64(1.0), f64(-1.0), kRne), (Out64{0, 0}));
  EXPECT_EQ(add(f64(1.0), f64(-1.0), kRdn), (Out64{kMinusZero64, 0}));
  EXPECT_EQ(add(0, kMinusZero64, kRmm), (Out64{0, 0}));
  EXPECT_EQ(add(0, kMinusZero64, kRdn), (Out64{kMinusZero64, 0}));
  EXPECT_EQ(add(kMinusZero64, kMinusZero64, kRup), (Out64{kMinusZero64, 0}));
  EXPECT_EQ(fma(f64(1.0), f64(-1.0), f64(1.0), kRdn), (Out64{kMinusZero64, 0}));
  EXPECT_EQ(fma(0, f64(-1.0), 0, kRne), (Out64{0, 0}));
  EXPECT_EQ(fma(0, f64(-1.0), kMinusZero64, kRne), (Out64{kMinusZero64, 0}));
}

TEST(FpRange, overflow_by_mode) {
  const uint32_t both = kFlagOverflow | kFlagInexact;
  EXPECT_EQ(mul(kMax64, f64(2.0), kRne), (Out64{kInf64, both}));
  EXPECT_EQ(mul(kMax64, f64(2.0), kRmm), (Out64{kInf64, both}));
  EXPECT_EQ(mul(kMax64, f64(2.0), kRtz), (Out64{kMax64, both}));
  EXPECT_EQ(mul(kMax64, f64(2.0), kRdn), (Out64{kMax64, both}));
  EXPECT_EQ(mul(kMax64, f64(2.0), kRup), (Out64{kInf64, both}));
  EXPECT_EQ(mul(kMax64, f64(-2.0), kRup), (Out64{kMax64 | kMinusZero64, both}));
  EXPECT_EQ(mul(kMax64, f64(-2.0), kRdn), (Out64{kInf64 | kMinusZero64, both}));
  // Half a unit above the largest number is the tie; less than that only rounds.
  EXPECT_EQ(add(kMax64, f64(0x1p970), kRne), (Out64{kInf64, both}));
  EXPECT_EQ(add(kMax64, f64(0x1.fffffffffffffp969), kRne), (Out64{kMax64, kFlagInexact}));
  EXPECT_EQ(add(kMax64, f64(0x1p970), kRtz), (Out64{kMax64, kFlagInexact}));
  EXPECT_EQ(add(kInf64, kMax64, kRne), (Out64{kInf64, 0}));
}

TEST(FpRange, tininess_at_the_smallest_normal) {
  // 2^-1022 - 2^-1075 rounds up to the smallest normal, but with 53 bits and no lower bound on the exponent it would be
  // exact, so that it is tiny after rounding too.
  const uint64_t a = f64(0x1.fffffffffffffp-1);
  EXPECT_EQ(mul(kMinNormal64, a, kRne), (Out64{kMinNormal64, kFlagInexact | kFlagUnderflow}));
  // With one more bit it rounds up to the smallest normal with an unbounded exponent too.
  const uint64_t b = f64(0x1.0000000000001p-1022), c = f64(0x1.ffffffffffffep-1);  // the product lies just below
  EXPECT_EQ(mul(b, c, kRne), (Out64{kMinNormal64, kFlagInexact}));
  EXPECT_EQ(mul(b, c, kRtz), (Out64{kMinNormal64 - 1, kFlagInexact | kFlagUnderflow}));
  uint32_t flags = 0;
  EXPECT_EQ(SoftFloat<Binary64>::mul(b, c, kRne, flags, kArmPolicy), kMinNormal64);
  EXPECT_EQ(flags, kFlagInexact | kFlagUnderflow);
  // An exact subnormal is no underflow.
  EXPECT_EQ(mul(kMinNormal64, f64(0.5), kRne), (Out64{kMinNormal64 >> 1, 0}));
}

TEST(FpFma, one_rounding_and_cancellation) {
  // (1 + 2^-52)^2 - (1 + 2^-51) is 2^-104, which two roundings would lose.
  const uint64_t x = f64(0x1.0000000000001p0);
  EXPECT_EQ(fma(x, x, f64(-0x1.0000000000002p0), kRne), (Out64{f64(0x1p-104), 0}));
  // The product overflows alone, the sum does not.
  EXPECT_EQ(fma(kMax64, f64(2.0), kMax64 | kMinusZero64, kRne), (Out64{kMax64, 0}));
  // The addend is far below the product and still decides the direction.
  EXPECT_EQ(fma(f64(1.0), f64(1.0), 1, kRup), (Out64{f64(1.0) + 1, kFlagInexact}));
  EXPECT_EQ(fma(f64(1.0), f64(1.0), kMinusZero64 | 1, kRdn), (Out64{f64(1.0) - 1, kFlagInexact}));
  // The product is far below the addend.
  EXPECT_EQ(fma(1, 1, f64(1.0), kRup), (Out64{f64(1.0) + 1, kFlagInexact}));
  EXPECT_EQ(fma(kMinusZero64 | 1, 1, f64(1.0), kRtz), (Out64{f64(1.0) - 1, kFlagInexact}));
  // The product sits on a tie and the addend breaks it.
  const uint64_t tie = f64(0x1.0000001p0), other = f64(0x1.0000001p0);  // product 1 + 2^-27 + 2^-56
  EXPECT_EQ(fma(tie, other, f64(-0x1p-56), kRne), (Out64{f64(0x1.0000002p0), 0}));
}

TEST(FpFma, invalid_product_with_a_quiet_nan) {
  EXPECT_EQ(fma(kInf64, 0, kNan64, kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(fma(0, kInf64, f64(1.0), kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(fma(kInf64, f64(1.0), kInf64 | kMinusZero64, kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(fma(f64(1.0), kNan64, f64(1.0), kRne), (Out64{kNan64, 0}));
  const uint64_t payload = 0xfff8000000000123;
  uint32_t flags = 0;
  EXPECT_EQ(SoftFloat<Binary64>::fma(kInf64, 0, payload, kRne, flags, kX86Policy), payload);
  EXPECT_EQ(flags, 0u);
  EXPECT_EQ(SoftFloat<Binary64>::fma(kInf64, 0, payload, kRne, flags, kArmPolicy), kNan64);
  EXPECT_EQ(flags, kFlagInvalid);
}

TEST(FpNan, canonical) {
  EXPECT_EQ(add(0xfff8000000000123, f64(1.0), kRne), (Out64{kNan64, 0}));
  EXPECT_EQ(add(kSignalling64, f64(1.0), kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(add(kInf64, kInf64 | kMinusZero64, kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(mul(kInf64, 0, kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(div(0, 0, kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(div(kInf64, kInf64, kRne), (Out64{kNan64, kFlagInvalid}));
  EXPECT_EQ(div(f64(-1.0), 0, kRne), (Out64{kInf64 | kMinusZero64, kFlagDivideByZero}));
  EXPECT_EQ(div(kInf64, 0, kRne), (Out64{kInf64, 0}));
  uint32_t flags = 0;
  EXPECT_EQ(f64_sqrt(f64(-1.0), kRne, flags), kNan64);
  EXPECT_EQ(flags, kFlagInvalid);
  flags = 0;
  EXPECT_EQ(f64_sqrt(kMinusZero64, kRne, flags), kMinusZero64);
  EXPECT_EQ(f64_sqrt(kInf64, kRne, flags), kInf64);
  EXPECT_EQ(flags, 0u);
  EXPECT_EQ(f32_to_f64(0xffc01234, flags), kNan64);
  EXPECT_EQ(flags, 0u);
  EXPECT_EQ(f32_to_f64(kSignalling32, flags), kNan64);
  EXPECT_EQ(flags, kFlagInvalid);
  flags = 0;
  EXPECT_EQ(f64_to_f32(kSignalling64, kRne, flags), kNan32);
  EXPECT_EQ(flags, kFlagInvalid);
}

TEST(FpNan, propagation_of_two_operands) {
  const uint64_t quiet_a = 0x7ff8000000000aaa, quiet_b = 0xfff8000000000bbb;
  const uint64_t signalling_a = 0x7ff0000000000aaa, signalling_b = 0xfff0000000000bbb;
  using Soft = SoftFloat<Binary64>;
  uint32_t flags = 0;
  EXPECT_EQ(Soft::add(quiet_a, quiet_b, kRne, flags, kX86Policy), quiet_a);
  EXPECT_EQ(Soft::add(f64(1.0), quiet_b, kRne, flags, kX86Policy), quiet_b);
  EXPECT_EQ(Soft::add(quiet_a, quiet_b, kRne, flags, kArmPolicy), quiet_a);
  EXPECT_EQ(Soft::sub(f64(1.0), quiet_b, kRne, flags, kArmPolicy), quiet_b);
  EXPECT_EQ(flags, 0u);
  EXPECT_EQ(Soft::mul(quiet_a, signalling_b, kRne, flags, kX86Policy), quiet_a);
  EXPECT_EQ(flags, kFlagInvalid);
  EXPECT_EQ(Soft::mul(quiet_a, signalling_b, kRne, flags, kArmPolicy), signalling_b | 0x0008000000000000);
  EXPECT_EQ(Soft::mul(signalling_a, signalling_b, kRne, flags, kArmPolicy), quiet_a);
  EXPECT_EQ(Soft::mul(signalling_a, quiet_b, kRne, flags, kArmDefaultNanPolicy), kNan64);
  EXPECT_EQ(Soft::div(0, 0, kRne, flags, kX86Policy), kNan64 | kMinusZero64);
  EXPECT_EQ(Soft::div(0, 0, kRne, flags, kArmPolicy), kNan64);
  EXPECT_EQ(Soft::fma(quiet_a, quiet_b, signalling_a, kRne, flags, kArmPolicy), quiet_a);
  EXPECT_EQ(Soft::fma(quiet_a, signalling_b, f64(1.0), kRne, flags, kArmPolicy), signalling_b | 0x0008000000000000);
  EXPECT_EQ(Soft::fma(quiet_b, f64(1.0), quiet_a, kRne, flags, kArmPolicy), quiet_a);
  EXPECT_EQ(Soft::fma(quiet_b, f64(1.0), quiet_a, kRne, flags, kX86Policy), quiet_b);
  EXPECT_EQ((soft_convert<Binary64, Binary32>(0xfff0000020000000, kRne, flags, kArmPolicy)), 0xffc00001u);
  EXPECT_EQ((soft_convert<Binary32, Binary64>(0xff800001, kRne, flags, kArmPolicy)), 0xfff8000020000000u);
  EXPECT_EQ((soft_convert<Binary32, Binary16>(0x7fc02000, kRne, flags, kArmPolicy)), 0x7e01u);
}

TEST(FpMinMax, minimum_number) {
  uint32_t flags = 0;
  EXPECT_EQ(f64_min(0, kMinusZero64, flags), kMinusZero64);
  EXPECT_EQ(f64_min(kMinusZero64, 0, flags), kMinusZero64);
  EXPECT_EQ(f64_max(kMinusZero64, 0, flags), 0u);
  EXPECT_EQ(f64_max(0, kMinusZero64, flags), 0u);
  EXPECT_EQ(f64_min(f64(-2.0), f64(-1.0), flags), f64(-2.0));
  EXPECT_EQ(f64_max(f64(-2.0), f64(-1.0), flags), f64(-1.0));
  EXPECT_EQ(f64_min(f64(1.0), f64(-1.0), flags), f64(-1.0));
  EXPECT_EQ(f32_max(kInf32, f32(1.0f), flags), kInf32);
  EXPECT_EQ(f32_min(kNan32, f32(1.0f), flags), f32(1.0f));
  EXPECT_EQ(f32_max(f32(1.0f), 0xffc00123, flags), f32(1.0f));
  EXPECT_EQ(f32_max(0xffc00123, 0x7fc00001, flags), kNan32);
  EXPECT_EQ(flags, 0u);
  EXPECT_EQ(f32_min(kSignalling32, f32(1.0f), flags), f32(1.0f));
  EXPECT_EQ(flags, kFlagInvalid);
  flags = 0;
  EXPECT_EQ(f64_max(kSignalling64, kNan64, flags), kNan64);
  EXPECT_EQ(flags, kFlagInvalid);
}

TEST(FpCompare, quiet_and_signalling) {
  uint32_t flags = 0;
  EXPECT_TRUE(f64_eq(0, kMinusZero64, flags));
  EXPECT_TRUE(f64_le(0, kMinusZero64, flags));
  EXPECT_FALSE(f64_lt(kMinusZero64, 0, flags));
  EXPECT_TRUE(f32_lt(f32(-1.0f), 0x80000000, flags));
  EXPECT_TRUE(f32_lt(f32(-2.0f), f32(-1.0f), flags));
  EXPECT_FALSE(f64_eq(kNan64, kNan64, flags));
  EXPECT_EQ(flags, 0u);
  EXPECT_FALSE(f64_eq(kSignalling64, 0, flags));
  EXPECT_EQ(flags, kFlagInvalid);
  flags = 0;
  EXPECT_FALSE(f64_lt(kNan64, 0, flags));
  EXPECT_EQ(flags, kFlagInvalid);
  flags = 0;
  EXPECT_FALSE(f32_le(0, kNan32, flags));
  EXPECT_EQ(flags, kFlagInvalid);
}

TEST(FpClassify, one_bit_for_each_class) {
  EXPECT_EQ(f64_classify(kInf64 | kMinusZero64), kClassNegativeInfinity);
  EXPECT_EQ(f64_classify(f64(-1.0)), kClassNegativeNormal);
  EXPECT_EQ(f64_classify(kMinusZero64 | 1), kClassNegativeSubnormal);
  EXPECT_EQ(f64_classify(kMinusZero64), kClassNegativeZero);
  EXPECT_EQ(f64_classify(0), kClassPositiveZero);
  EXPECT_EQ(f64_classify(kMinNormal64 - 1), kClassPositiveSubnormal);
  EXPECT_EQ(f64_classify(kMinNormal64), kClassPositiveNormal);
  EXPECT_EQ(f64_classify(kInf64), kClassPositiveInfinity);
  EXPECT_EQ(f64_classify(kSignalling64), kClassSignallingNan);
  EXPECT_EQ(f64_classify(kNan64 | kMinusZero64), kClassQuietNan);
  EXPECT_EQ(f32_classify(0x007fffff), kClassPositiveSubnormal);
  EXPECT_EQ(f32_classify(kSignalling32), kClassSignallingNan);
}

TEST(FpToInteger, saturates) {
  const auto i32 = [](uint64_t a, RoundingMode mode) {
    return run([=](uint32_t& flags) { return f64_to_i32(a, mode, flags); });
  };
  const auto u32 = [](uint64_t a, RoundingMode mode) {
    return run([=](uint32_t& flags) { return f64_to_u32(a, mode, flags); });
  };
  const auto i64 = [](uint64_t a, RoundingMode mode) {
    return run([=](uint32_t& flags) { return f64_to_i64(a, mode, flags); });
  };
  const auto u64 = [](uint64_t a, RoundingMode mode) {
    return run([=](uint32_t& flags) { return f64_to_u64(a, mode, flags); });
  };
  using I32 = Outcome<int32_t>;
  using U32 = Outcome<uint32_t>;
  using I64 = Outcome<int64_t>;
  using U64 = Outcome<uint64_t>;
  EXPECT_EQ(i32(f64(2147483647.5), kRtz), (I32{INT32_MAX, kFlagInexact}));
  EXPECT_EQ(i32(f64(2147483647.5), kRne), (I32{INT32_MAX, kFlagInvalid}));
  EXPECT_EQ(i32(f64(-2147483648.5), kRne), (I32{INT32_MIN, kFlagInexact}));
  EXPECT_EQ(i32(f64(-2147483648.5), kRmm), (I32{INT32_MIN, kFlagInvalid}));
  EXPECT_EQ(i32(f64(-2147483648.5), kRdn), (I32{INT32_MIN, kFlagInvalid}));
  EXPECT_EQ(i32(kNan64 | kMinusZero64, kRtz), (I32{INT32_MAX, kFlagInvalid}));
  EXPECT_EQ(i32(kInf64 | kMinusZero64, kRtz), (I32{INT32_MIN, kFlagInvalid}));
  EXPECT_EQ(u32(f64(-0.9), kRtz), (U32{0, kFlagInexact}));
  EXPECT_EQ(u32(f64(-0.9), kRdn), (U32{0, kFlagInvalid}));
  EXPECT_EQ(u32(f64(-0.5), kRne), (U32{0, kFlagInexact}));
  EXPECT_EQ(u32(f64(-0.5), kRmm), (U32{0, kFlagInvalid}));
  EXPECT_EQ(u32(f64(-1.0), kRtz), (U32{0, kFlagInvalid}));
  EXPECT_EQ(u32(kMinusZero64, kRtz), (U32{0, 0}));
  EXPECT_EQ(u32(f64(4294967295.5), kRtz), (U32{UINT32_MAX, kFlagInexact}));
  EXPECT_EQ(u32(f64(4294967295.5), kRup), (U32{UINT32_MAX, kFlagInvalid}));
  EXPECT_EQ(u32(kNan64, kRtz), (U32{UINT32_MAX, kFlagInvalid}));
  EXPECT_EQ(i64(f64(-0x1p63), kRtz), (I64{INT64_MIN, 0}));
  EXPECT_EQ(i64(f64(0x1p63), kRtz), (I64{INT64_MAX, kFlagInvalid}));
  EXPECT_EQ(i64(f64(0x1.fffffffffffffp62), kRup), (I64{0x7ffffffffffffc00, 0}));
  EXPECT_EQ(i64(f64(-0x1.0000000000001p63), kRtz), (I64{INT64_MIN, kFlagInvalid}));
  EXPECT_EQ(u64(f64(0x1.fffffffffffffp63), kRtz), (U64{0xfffffffffffff800, 0}));
  EXPECT_EQ(u64(f64(0x1p64), kRtz), (U64{UINT64_MAX, kFlagInvalid}));
  EXPECT_EQ(u64(1, kRup), (U64{1, kFlagInexact}));
  EXPECT_EQ(u64(kSignalling64, kRup), (U64{UINT64_MAX, kFlagInvalid}));
}

TEST(FpToInteger, other_policies) {
  using Soft = SoftFloat<Binary32>;
  uint32_t flags = 0;
  EXPECT_EQ(Soft::to_integer(kNan32, 32, true, kRtz, flags, kX86Policy), 0x80000000u);
  EXPECT_EQ(Soft::to_integer(f32(0x1p40f), 32, true, kRtz, flags, kX86Policy), 0x80000000u);
  EXPECT_EQ(Soft::to_integer(f32(-1.0f), 64, false, kRtz, flags, kX86Policy), UINT64_MAX);
  EXPECT_EQ(Soft::to_integer(kNan32, 32, true, kRtz, flags, kArmPolicy), 0u);
  EXPECT_EQ(Soft::to_integer(f32(0x1p40f), 32, true, kRtz, flags, kArmPolicy), 0x7fffffffu);
  EXPECT_EQ(Soft::to_integer(f32(-0x1p40f), 16, true, kRtz, flags, kArmPolicy), 0x8000u);
}

TEST(FpNarrow, double_rounding_is_avoided) {
  // Just above the tie by less than a binary64 sum of the halves would keep.
  const Out32 up = run([](uint32_t& flags) { return f64_to_f32(f64(0x1.0000010000001p0), kRne, flags); });
  EXPECT_EQ(up, (Out32{f32(0x1.000002p0f), kFlagInexact}));
  const Out32 tie = run([](uint32_t& flags) { return f64_to_f32(f64(0x1.000001p0), kRne, flags); });
  EXPECT_EQ(tie, (Out32{f32(1.0f), kFlagInexact}));
  // Just below the smallest normal: exact in 24 bits is tiny, rounded up in 24 bits is not.
  const Out32 tiny = run([](uint32_t& flags) { return f64_to_f32(f64(0x1.ffffffp-127), kRne, flags); });
  EXPECT_EQ(tiny, (Out32{0x00800000, kFlagInexact}));
  const Out32 tinier = run([](uint32_t& flags) { return f64_to_f32(f64(0x1.fffffep-127), kRne, flags); });
  EXPECT_EQ(tinier, (Out32{0x00800000, kFlagInexact | kFlagUnderflow}));
  const Out32 over = run([](uint32_t& flags) { return f64_to_f32(f64(0x1.ffffffp127), kRne, flags); });
  EXPECT_EQ(over, (Out32{kInf32, kFlagInexact | kFlagOverflow}));
}

TEST(FpSqrt, perfect_squares_and_neighbours) {
  for (uint32_t root = 1; root < 4000; ++root) {
    uint32_t flags = 0;
    const uint64_t square = f64(static_cast<double>(root) * root);
    ASSERT_EQ(f64_sqrt(square, kRmm, flags), f64(root));
    ASSERT_EQ(flags, 0u);
    ASSERT_EQ(SoftFloat<Binary64>::sqrt(square - 1, kRup, flags), f64(root));
    ASSERT_EQ(flags, kFlagInexact);
  }
  uint32_t flags = 0;
  EXPECT_EQ(f64_sqrt(1, kRne, flags), f64(0x1p-537));
  EXPECT_EQ(flags, 0u);
}

}  // namespace
}  // namespace lockstep::core::fp
