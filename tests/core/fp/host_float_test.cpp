// SPDX-License-Identifier: Apache-2.0
// The facade, which takes the host's FPU where it can, against SoftFloat: the same value and the same flags for biased
// random operands in every mode, whatever flags the guest had set before.
#include <gtest/gtest.h>

#include <cstdint>

#include "core/fp/fp.h"
#include "tests/core/fp/fp_random.h"

namespace lockstep::core::fp {
namespace {

constexpr int kIterations = 400000;

// Half of the time the inexact flag is set, which opens the direct path.
uint32_t initial_flags(uint64_t random) {
  return (random & 1) != 0 ? kFlagInexact | static_cast<uint32_t>(random >> 1 & 31) : 0;
}

template <typename Result>
testing::AssertionResult same(const char* what, uint64_t a, uint64_t b, uint64_t c, RoundingMode mode, uint32_t initial,
                              Result expected, uint32_t expected_flags, Result actual, uint32_t actual_flags) {
  if (expected == actual && (expected_flags | initial) == actual_flags) return testing::AssertionSuccess();
  return testing::AssertionFailure() << what << std::hex << " a=" << a << " b=" << b << " c=" << c
                                     << " mode=" << static_cast<int>(mode) << " initial flags=" << initial
                                     << ": software " << static_cast<uint64_t>(expected) << "/" << expected_flags
                                     << ", host " << static_cast<uint64_t>(actual) << "/" << actual_flags;
}

template <typename F>
class HostFloat : public testing::Test {
 protected:
  using Operand = typename F::Bits;

  // Calls test(a, b, c, mode, initial flags) until one fails.
  template <typename Test>
  void for_operands(Test test) {
    OperandGenerator<F> generator(test::seed());
    const int iterations = test_iterations(kIterations);
    for (int i = 0; i < iterations; ++i) {
      const Operand a = generator.any();
      const Operand b = generator.related(a);
      Operand c = generator.any();
      const RoundingMode mode = kAllModes[generator.below(5)];
      if (generator.below(3) == 0) {  // an addend that cancels the product, or nearly
        uint32_t ignored = 0;
        c = static_cast<Operand>((SoftFloat<F>::mul(a, b, mode, ignored) ^ F::kSignMask) + generator.below(3) - 1);
      }
      const testing::AssertionResult result = test(a, b, c, mode, initial_flags(generator.raw()));
      ASSERT_TRUE(result);
    }
  }
};

using Formats = testing::Types<Binary32, Binary64>;
TYPED_TEST_SUITE(HostFloat, Formats);

#define LOCKSTEP_BINARY_TEST(operation)                                                         \
  TYPED_TEST(HostFloat, operation) {                                                            \
    using Bits = typename TypeParam::Bits;                                                      \
    this->for_operands([](Bits a, Bits b, Bits, RoundingMode mode, uint32_t initial) {          \
      uint32_t expected_flags = 0, flags = initial;                                             \
      const Bits expected = SoftFloat<TypeParam>::operation(a, b, mode, expected_flags);        \
      const Bits actual = host::operation<TypeParam>(a, b, mode, flags);                        \
      return same(#operation, a, b, 0, mode, initial, expected, expected_flags, actual, flags); \
    });                                                                                         \
  }
LOCKSTEP_BINARY_TEST(add)
LOCKSTEP_BINARY_TEST(sub)
LOCKSTEP_BINARY_TEST(mul)
LOCKSTEP_BINARY_TEST(div)

TYPED_TEST(HostFloat, sqrt) {
  using Bits = typename TypeParam::Bits;
  this->for_operands([](Bits a, Bits b, Bits, RoundingMode mode, uint32_t initial) {
    uint32_t ignored = 0;
    // Half of the operands are squares of short numbers, give or take a unit in the last place.
    if ((b & 1) != 0) a = static_cast<Bits>(SoftFloat<TypeParam>::mul(b, b, mode, ignored) + (b >> 1 & 3) - 1);
    uint32_t expected_flags = 0, flags = initial;
    const Bits expected = SoftFloat<TypeParam>::sqrt(a, mode, expected_flags);
    const Bits actual = host::sqrt<TypeParam>(a, mode, flags);
    return same("sqrt", a, 0, 0, mode, initial, expected, expected_flags, actual, flags);
  });
}

TYPED_TEST(HostFloat, fma) {
  using Bits = typename TypeParam::Bits;
  if (!host::kHasFma) GTEST_SKIP() << "this processor has no FMA3, so that both sides are software";
  this->for_operands([](Bits a, Bits b, Bits c, RoundingMode mode, uint32_t initial) {
    uint32_t expected_flags = 0, flags = initial;
    const Bits expected = SoftFloat<TypeParam>::fma(a, b, c, mode, expected_flags);
    const Bits actual = host::fma<TypeParam>(a, b, c, mode, flags);
    return same("fma", a, b, c, mode, initial, expected, expected_flags, actual, flags);
  });
}

TYPED_TEST(HostFloat, comparisons) {
  using Bits = typename TypeParam::Bits;
  using Soft = SoftFloat<TypeParam>;
  this->for_operands([](Bits a, Bits b, Bits, RoundingMode mode, uint32_t initial) {
    uint32_t expected_flags = 0, flags = initial;
    Ordering order = Soft::compare_quiet(a, b, expected_flags);
    const bool equal = host::eq<TypeParam>(a, b, flags);
    auto result = same("eq", a, b, 0, mode, initial, order == Ordering::kEqual, expected_flags, equal, flags);
    if (!result) return result;

    expected_flags = 0, flags = initial;
    order = Soft::compare_signalling(a, b, expected_flags);
    const bool less = host::lt<TypeParam>(a, b, flags);
    result = same("lt", a, b, 0, mode, initial, order == Ordering::kLess, expected_flags, less, flags);
    if (!result) return result;

    flags = initial;
    const bool less_or_equal = host::le<TypeParam>(a, b, flags);
    return same("le", a, b, 0, mode, initial, order == Ordering::kLess || order == Ordering::kEqual, expected_flags,
                less_or_equal, flags);
  });
}

TYPED_TEST(HostFloat, to_integers) {
  using Bits = typename TypeParam::Bits;
  using Soft = SoftFloat<TypeParam>;
  this->for_operands([](Bits a, Bits, Bits, RoundingMode mode, uint32_t initial) {
    uint32_t expected_flags = 0, flags = initial;
    const auto i32 = static_cast<int32_t>(Soft::to_integer(a, 32, true, mode, expected_flags));
    const int32_t host_i32 = host::to_i32<TypeParam>(a, mode, flags);
    auto result = same("i32", a, 0, 0, mode, initial, i32, expected_flags, host_i32, flags);
    if (!result) return result;

    expected_flags = 0, flags = initial;
    const auto u32 = static_cast<uint32_t>(Soft::to_integer(a, 32, false, mode, expected_flags));
    const uint32_t host_u32 = host::to_u32<TypeParam>(a, mode, flags);
    result = same("u32", a, 0, 0, mode, initial, u32, expected_flags, host_u32, flags);
    if (!result) return result;

    expected_flags = 0, flags = initial;
    const auto i64 = static_cast<int64_t>(Soft::to_integer(a, 64, true, mode, expected_flags));
    const int64_t host_i64 = host::to_i64<TypeParam>(a, mode, flags);
    result = same("i64", a, 0, 0, mode, initial, i64, expected_flags, host_i64, flags);
    if (!result) return result;

    expected_flags = 0, flags = initial;
    const uint64_t u64 = Soft::to_integer(a, 64, false, mode, expected_flags);
    const uint64_t host_u64 = host::to_u64<TypeParam>(a, mode, flags);
    return same("u64", a, 0, 0, mode, initial, u64, expected_flags, host_u64, flags);
  });
}

TYPED_TEST(HostFloat, from_integers) {
  OperandGenerator<TypeParam> generator(test::seed());
  const int iterations = test_iterations(kIterations);
  for (int i = 0; i < iterations; ++i) {
    // Every length, and runs of ones or zeros at the end, which are where rounding carries.
    uint64_t a = generator.raw() >> generator.below(64);
    if (generator.below(2) != 0) a |= (uint64_t{1} << generator.below(64)) - 1;
    if (generator.below(2) != 0) a &= ~((uint64_t{1} << generator.below(64)) - 1);
    a += generator.below(3) - 1;
    const bool negative = static_cast<int64_t>(a) < 0;
    const RoundingMode mode = kAllModes[generator.below(5)];
    const uint32_t initial = initial_flags(generator.raw());

    uint32_t expected_flags = 0, flags = initial;
    auto expected = SoftFloat<TypeParam>::from_magnitude(negative, negative ? 0 - a : a, mode, expected_flags);
    auto actual = host::from_i64<TypeParam>(static_cast<int64_t>(a), mode, flags);
    ASSERT_TRUE(same("i64", a, 0, 0, mode, initial, expected, expected_flags, actual, flags));

    expected_flags = 0, flags = initial;
    expected = SoftFloat<TypeParam>::from_magnitude(false, a, mode, expected_flags);
    actual = host::from_u64<TypeParam>(a, mode, flags);
    ASSERT_TRUE(same("u64", a, 0, 0, mode, initial, expected, expected_flags, actual, flags));
  }
}

TEST(HostFloatConversion, narrow) {
  OperandGenerator<Binary64> generator(test::seed());
  OperandGenerator<Binary32> singles(generator.raw());
  const int iterations = test_iterations(kIterations);
  for (int i = 0; i < iterations; ++i) {
    uint64_t a = generator.any();
    if (generator.below(4) != 0) {  // a single, a half of one more bit, and a little
      uint32_t ignored = 0;
      a = soft_convert<Binary32, Binary64>(singles.any(), RoundingMode::kNearestEven, ignored);
      a += (generator.below(2) << 28) + generator.below(3) - 1;
    }
    const RoundingMode mode = kAllModes[generator.below(5)];
    const uint32_t initial = initial_flags(generator.raw());
    uint32_t expected_flags = 0, flags = initial;
    const uint32_t expected = soft_convert<Binary64, Binary32>(a, mode, expected_flags);
    const uint32_t actual = f64_to_f32(a, mode, flags);
    ASSERT_TRUE(same("f64_to_f32", a, 0, 0, mode, initial, expected, expected_flags, actual, flags));
  }
}

TEST(HostFloatConversion, widen) {
  OperandGenerator<Binary32> generator(test::seed());
  const int iterations = test_iterations(kIterations);
  for (int i = 0; i < iterations; ++i) {
    const uint32_t a = generator.any();
    uint32_t expected_flags = 0, flags = 0;
    const uint64_t expected = soft_convert<Binary32, Binary64>(a, RoundingMode::kNearestEven, expected_flags);
    const uint64_t actual = f32_to_f64(a, flags);
    ASSERT_TRUE(same("f32_to_f64", a, 0, 0, RoundingMode::kNearestEven, 0, expected, expected_flags, actual, flags));
  }
}

#if defined(__x86_64__)

// The NaN rules of kX86Policy are the host's own, so that the bare instruction must give the same pattern.
TYPED_TEST(HostFloat, x86_policy_gives_the_instruction_s_own_nan) {
  using Bits = typename TypeParam::Bits;
  this->for_operands([](Bits a, Bits b, Bits c, RoundingMode, uint32_t) {
    const RoundingMode mode = RoundingMode::kNearestEven;
    const auto native = [](Bits x) { return host::to_native<TypeParam>(x); };
    const auto bits = [](host::Native<TypeParam> x) { return host::from_native<TypeParam>(x); };
    using Soft = SoftFloat<TypeParam>;
    uint32_t flags = 0;
    auto result = same("add", a, b, 0, mode, 0, Soft::add(a, b, mode, flags, kX86Policy), 0,
                       bits(host::native_add(native(a), native(b))), 0);
    if (!result) return result;
    result = same("sub", a, b, 0, mode, 0, Soft::sub(a, b, mode, flags, kX86Policy), 0,
                  bits(host::native_sub(native(a), native(b))), 0);
    if (!result) return result;
    result = same("mul", a, b, 0, mode, 0, Soft::mul(a, b, mode, flags, kX86Policy), 0,
                  bits(host::native_mul(native(a), native(b))), 0);
    if (!result) return result;
    result = same("div", a, b, 0, mode, 0, Soft::div(a, b, mode, flags, kX86Policy), 0,
                  bits(host::native_div(native(a), native(b))), 0);
    if (!result) return result;
    result = same("sqrt", a, 0, 0, mode, 0, Soft::sqrt(a, mode, flags, kX86Policy), 0,
                  bits(host::native_sqrt(native(a))), 0);
    if (!result) return result;
    result =
        same("to i64", a, 0, 0, mode, 0, static_cast<int64_t>(Soft::to_integer(a, 64, true, mode, flags, kX86Policy)),
             0, host::native_to_i64(native(a), false), 0);
    if (!result || !host::kHasFma) return result;
    const Bits fused = Soft::fma(a, b, c, mode, flags, kX86Policy);
    if (TypeParam::is_nan(c) && (TypeParam::is_nan(a) || TypeParam::is_nan(b))) return result;  // the form's own order
    return same("fma", a, b, c, mode, 0, fused, 0, bits(host::native_fma(native(a), native(b), native(c))), 0);
  });
}

TEST(HostFloatControl, the_rounding_mode_never_leaks) {
  const uint32_t before = _mm_getcsr() & ~0x3fu;
  for (const RoundingMode mode : kAllModes) {
    uint32_t flags = 0;
    EXPECT_NE(f64_div(0x3ff0000000000000, 0x4008000000000000, mode, flags), 0u);
    EXPECT_EQ(flags, kFlagInexact);
    EXPECT_EQ(_mm_getcsr() & ~0x3fu, before);
  }
}

// The library may run under a caller that set another mode; the checked path still gives the guest's.
TEST(HostFloatControl, the_checked_path_overrides_and_restores_a_foreign_mode) {
  const uint32_t before = _mm_getcsr();
  _mm_setcsr((before & ~0x603fu) | 0x4000);  // up
  uint32_t flags = 0;
  const uint64_t third = f64_div(0x3ff0000000000000, 0x4008000000000000, RoundingMode::kNearestEven, flags);
  const uint32_t after = _mm_getcsr();
  _mm_setcsr(before);
  EXPECT_EQ(third, 0x3fd5555555555555u);
  EXPECT_EQ(after & 0x6000, 0x4000u);
}

#endif

}  // namespace
}  // namespace lockstep::core::fp
