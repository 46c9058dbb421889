// SPDX-License-Identifier: Apache-2.0
// Checks SoftFloat against an oracle that shares no idea with it: every binary16 magnitude stands in a table of exact
// fixed-point numbers, the exact result of an operation is another such number, and rounding is a search for its
// neighbours. All of SoftFloat is one template, so that this covers the logic of the wider formats in all five modes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/fp/soft_float.h"
#include "tests/core/fp/fp_random.h"

namespace lockstep::core::fp {
namespace {

using Fixed = __int128;
using Half = SoftFloat<Binary16>;

constexpr int kPointBits = 60;  // Fixed counts units of 2^-60

// An exact magnitude: units, and whether something less than a unit lies above.
struct Exact {
  bool negative;
  Fixed units;
  bool sticky;
};

Fixed magnitude_of(uint16_t bits) {
  const int field = (bits >> 10) & 31;
  const Fixed fraction = bits & 1023;
  if (field == 0) return fraction << (kPointBits - 24);
  return (fraction + 1024) << (kPointBits - 25 + field);
}

Fixed signed_value(uint16_t bits) { return (bits & 0x8000) != 0 ? -magnitude_of(bits) : magnitude_of(bits); }

// Whether a magnitude between two neighbours goes to the upper one.
bool goes_up(const Exact& x, Fixed low, Fixed high, bool low_is_odd, RoundingMode mode) {
  const Fixed twice = 4 * x.units + (x.sticky ? 1 : 0);
  const Fixed middle = 2 * (low + high);
  switch (mode) {
    case RoundingMode::kNearestEven:
      return twice > middle || (twice == middle && low_is_odd);
    case RoundingMode::kNearestMaxMagnitude:
      return twice >= middle;
    case RoundingMode::kTowardZero:
      return false;
    case RoundingMode::kDown:
      return x.negative;
    case RoundingMode::kUp:
      return !x.negative;
  }
  return false;
}

uint16_t oracle_round(const Exact& x, RoundingMode mode, Tininess tininess, uint32_t& flags) {
  static const std::vector<Fixed> table = [] {
    std::vector<Fixed> all;
    for (uint32_t bits = 0; bits < 0x7c00; ++bits) all.push_back(magnitude_of(static_cast<uint16_t>(bits)));
    all.push_back(Fixed{1} << (kPointBits + 16));  // where the next binade would start, in place of infinity
    return all;
  }();
  const uint16_t sign = x.negative ? 0x8000 : 0;
  const auto above = std::upper_bound(table.begin(), table.end(), x.units);
  const auto low = static_cast<uint16_t>(above - table.begin() - 1);
  if (above != table.end() && *(above - 1) == x.units && !x.sticky) return sign | low;  // exact
  flags |= kFlagInexact;

  uint16_t result = 0x7c00;
  if (above != table.end()) {
    const bool up = goes_up(x, *(above - 1), *above, (low & 1) != 0, mode);
    result = static_cast<uint16_t>(low + (up ? 1 : 0));
  }
  if (result == 0x7c00) {
    flags |= kFlagOverflow;
    const bool to_infinity = mode == RoundingMode::kNearestEven || mode == RoundingMode::kNearestMaxMagnitude ||
                             (mode == RoundingMode::kDown && x.negative) || (mode == RoundingMode::kUp && !x.negative);
    return sign | (to_infinity ? 0x7c00 : 0x7bff);
  }

  const Fixed smallest_normal = table[0x0400];
  if (x.units < smallest_normal) {
    const Fixed below_it = smallest_normal - (Fixed{1} << (kPointBits - 25));  // in a format without exponent limits
    const bool is_above = x.units > below_it || (x.units == below_it && x.sticky);
    const bool reaches_normal = is_above && goes_up(x, below_it, smallest_normal, true, mode);
    if (tininess == Tininess::kBeforeRounding || !reaches_normal) flags |= kFlagUnderflow;
  }
  return sign | result;
}

uint16_t oracle_sum(Fixed sum, bool zero_is_negative, RoundingMode mode, Tininess tininess, uint32_t& flags) {
  if (sum == 0) return zero_is_negative ? 0x8000 : 0;
  return oracle_round({sum < 0, sum < 0 ? -sum : sum, false}, mode, tininess, flags);
}

uint16_t finite(OperandGenerator<Binary16>& generator) {
  while (true) {
    const uint16_t bits = generator.any();
    if (Binary16::magnitude(bits) < Binary16::kInfinity) return bits;
  }
}

bool zero_sum_sign(bool a, bool b, RoundingMode mode) { return a == b ? a : mode == RoundingMode::kDown; }

class HalfOracle : public testing::Test {
 protected:
  void check(const char* what, uint16_t a, uint16_t b, uint16_t c, RoundingMode mode, uint16_t expected,
             uint32_t expected_flags, uint16_t actual, uint32_t actual_flags) {
    ASSERT_TRUE(expected == actual && expected_flags == actual_flags)
        << what << std::hex << " a=" << a << " b=" << b << " c=" << c << " mode=" << static_cast<int>(mode)
        << " expected " << expected << "/" << expected_flags << " got " << actual << "/" << actual_flags;
  }

  OperandGenerator<Binary16> generator_{test::seed()};
};

TEST_F(HalfOracle, arithmetic_in_all_modes_and_both_kinds_of_tininess) {
  const int iterations = test_iterations(200000);
  for (int i = 0; i < iterations && !HasFatalFailure(); ++i) {
    const uint16_t a = finite(generator_);
    uint16_t b = generator_.related(a);
    if (Binary16::magnitude(b) >= Binary16::kInfinity) b = finite(generator_);
    const uint16_t c = finite(generator_);
    const bool a_negative = Binary16::is_negative(a), b_negative = Binary16::is_negative(b);
    for (const RoundingMode mode : kAllModes) {
      FpPolicy policy;
      policy.tininess = generator_.below(2) != 0 ? Tininess::kBeforeRounding : Tininess::kAfterRounding;
      uint32_t expected_flags = 0, flags = 0;
      uint16_t expected = oracle_sum(signed_value(a) + signed_value(b), zero_sum_sign(a_negative, b_negative, mode),
                                     mode, policy.tininess, expected_flags);
      uint16_t actual = Half::add(a, b, mode, flags, policy);
      check("add", a, b, 0, mode, expected, expected_flags, actual, flags);

      expected_flags = flags = 0;
      expected = oracle_sum(signed_value(a) - signed_value(b), zero_sum_sign(a_negative, !b_negative, mode), mode,
                            policy.tininess, expected_flags);
      actual = Half::sub(a, b, mode, flags, policy);
      check("sub", a, b, 0, mode, expected, expected_flags, actual, flags);

      // Both factors are multiples of 2^-24, so that their product is one of 2^-48.
      const Fixed product = ((signed_value(a) >> 36) * (signed_value(b) >> 36)) << 12;
      expected_flags = flags = 0;
      expected = oracle_sum(product, a_negative != b_negative, mode, policy.tininess, expected_flags);
      actual = Half::mul(a, b, mode, flags, policy);
      check("mul", a, b, 0, mode, expected, expected_flags, actual, flags);

      expected_flags = flags = 0;
      expected =
          oracle_sum(product + signed_value(c), zero_sum_sign(a_negative != b_negative, Binary16::is_negative(c), mode),
                     mode, policy.tininess, expected_flags);
      actual = Half::fma(a, b, c, mode, flags, policy);
      check("fma", a, b, c, mode, expected, expected_flags, actual, flags);

      if (!Binary16::is_zero(a) && !Binary16::is_zero(b)) {
        const Fixed dividend = (magnitude_of(a) >> 36) << kPointBits;
        const Fixed divisor = magnitude_of(b) >> 36;
        expected_flags = flags = 0;
        expected = oracle_round({a_negative != b_negative, dividend / divisor, dividend % divisor != 0}, mode,
                                policy.tininess, expected_flags);
        actual = Half::div(a, b, mode, flags, policy);
        check("div", a, b, 0, mode, expected, expected_flags, actual, flags);
      }

      // A cancelling addend: the sum is then the product's rounding error.
      flags = 0;
      const uint16_t near = static_cast<uint16_t>(Half::mul(a, b, mode, flags) ^ 0x8000);
      if (Binary16::magnitude(near) < Binary16::kInfinity) {
        expected_flags = flags = 0;
        expected = oracle_sum(product + signed_value(near),
                              zero_sum_sign(a_negative != b_negative, Binary16::is_negative(near), mode), mode,
                              policy.tininess, expected_flags);
        actual = Half::fma(a, b, near, mode, flags, policy);
        check("fma", a, b, near, mode, expected, expected_flags, actual, flags);
      }
    }
  }
}

TEST_F(HalfOracle, every_square_root) {
  for (uint32_t a = 1; a < 0x7c00; ++a) {
    // value = units * 2^-60, so that the root in the same units is the root of units * 2^60; a whole root of a
    // 24-bit number needs no more than that many bits to be told from its neighbours.
    const Fixed square = magnitude_of(static_cast<uint16_t>(a)) << 40;  // root in units of 2^-50
    Fixed low = 0, high = Fixed{1} << 62;
    while (high - low > 1) {
      const Fixed middle = (low + high) / 2;
      (middle * middle <= square ? low : high) = middle;
    }
    const Exact root{false, low << 10, low * low != square};
    for (const RoundingMode mode : kAllModes) {
      uint32_t expected_flags = 0, flags = 0;
      const uint16_t expected = oracle_round(root, mode, Tininess::kAfterRounding, expected_flags);
      const uint16_t actual = Half::sqrt(static_cast<uint16_t>(a), mode, flags);
      check("sqrt", static_cast<uint16_t>(a), 0, 0, mode, expected, expected_flags, actual, flags);
    }
  }
}

TEST_F(HalfOracle, every_value_to_integers_and_integral) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto a = static_cast<uint16_t>(bits);
    if (Binary16::magnitude(a) >= Binary16::kInfinity) continue;
    const Fixed value = magnitude_of(a);
    const Fixed low = value >> kPointBits;
    const bool inexact = (low << kPointBits) != value;
    for (const RoundingMode mode : kAllModes) {
      const bool up = inexact && goes_up({Binary16::is_negative(a), value, false}, low << kPointBits,
                                         (low + 1) << kPointBits, (low & 1) != 0, mode);
      const auto magnitude = static_cast<int64_t>(low + (up ? 1 : 0));
      const int64_t integer = Binary16::is_negative(a) ? -magnitude : magnitude;
      uint32_t flags = 0;
      ASSERT_EQ(static_cast<int64_t>(Half::to_integer(a, 64, true, mode, flags)), integer) << std::hex << a;
      ASSERT_EQ(flags, inexact ? kFlagInexact : 0);

      flags = 0;
      const int64_t clamped = std::clamp<int64_t>(integer, 0, 255);
      ASSERT_EQ(Half::to_integer(a, 8, false, mode, flags), static_cast<uint64_t>(clamped)) << std::hex << a;
      ASSERT_EQ(flags, clamped != integer ? kFlagInvalid : inexact ? kFlagInexact : 0) << std::hex << a;

      flags = 0;
      const uint16_t integral = Half::round_to_integral(a, mode, true, flags);
      ASSERT_EQ(signed_value(integral), Fixed{integer} << kPointBits) << std::hex << a;
      ASSERT_EQ(Binary16::is_negative(integral), Binary16::is_negative(a));
      ASSERT_EQ(flags, inexact ? kFlagInexact : 0);
      flags = 0;
      ASSERT_EQ(Half::round_to_integral(a, mode, false, flags), integral);
      ASSERT_EQ(flags, 0u);
    }
  }
}

TEST_F(HalfOracle, narrowing_from_single_and_double) {
  OperandGenerator<Binary32> singles(generator_.raw());
  const int iterations = test_iterations(200000);
  for (int i = 0; i < iterations && !HasFatalFailure(); ++i) {
    // Exponents for which the value fits Fixed exactly, with some to spare on either side of binary16's range.
    const auto exponent = static_cast<uint32_t>(127 - 33 + singles.below(60));
    const uint32_t a = (singles.any() & 0x807fffff) | (exponent << 23);
    const Fixed units = static_cast<Fixed>((a & 0x7fffff) | 0x800000)
                        << (kPointBits - 150 + static_cast<int>(exponent));
    for (const RoundingMode mode : kAllModes) {
      uint32_t expected_flags = 0, flags = 0;
      const uint16_t expected =
          oracle_round({Binary32::is_negative(a), units, false}, mode, Tininess::kAfterRounding, expected_flags);
      const uint16_t actual = soft_convert<Binary32, Binary16>(a, mode, flags);
      check("f32 to f16", actual, 0, 0, mode, expected, expected_flags, actual, flags);
      flags = 0;
      const uint64_t wide = soft_convert<Binary32, Binary64>(a, mode, flags);
      const uint16_t from_wide = soft_convert<Binary64, Binary16>(wide, mode, flags);
      check("f64 to f16", actual, 0, 0, mode, expected, expected_flags, from_wide, flags);
      ASSERT_EQ(
          (soft_convert<Binary16, Binary32>(expected, mode, flags)),
          (soft_convert<Binary64, Binary32>(soft_convert<Binary16, Binary64>(expected, mode, flags), mode, flags)));
    }
  }
}

}  // namespace
}  // namespace lockstep::core::fp
