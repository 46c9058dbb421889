// SPDX-License-Identifier: Apache-2.0
#include "core/fp/soft_float.h"

#include <bit>

namespace lockstep::core::fp {
namespace {

using Uint128 = unsigned __int128;

// The leading bit of a normalised significand. It leaves 10 bits below binary64's precision for rounding, and one bit
// above for a carry.
constexpr int kTopBit = 62;

enum class Kind : uint8_t { kZero, kFinite, kInfinity, kNan };

// A finite value is significand * 2^(exponent - kTopBit), its significand normalised to kTopBit.
struct Unpacked {
  Kind kind;
  bool negative;
  int exponent;
  uint64_t significand;
};

// The shifts keep "something was lost" in bit 0, which is all that rounding has to know of the bits below.
uint64_t shift_right_jam(uint64_t value, int count) {
  if (count == 0) return value;
  if (count > 63) return value != 0 ? 1 : 0;
  return (value >> count) | ((value << (64 - count)) != 0 ? 1 : 0);
}

Uint128 shift_right_jam(Uint128 value, int count) {
  if (count == 0) return value;
  if (count > 127) return value != 0 ? 1 : 0;
  return (value >> count) | ((value << (128 - count)) != 0 ? 1 : 0);
}

int leading_zeros(Uint128 value) {
  const auto high = static_cast<uint64_t>(value >> 64);
  return high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(static_cast<uint64_t>(value));
}

template <typename F>
Unpacked unpack(typename F::Bits a) {
  const bool negative = F::is_negative(a);
  const int field = static_cast<int>(F::magnitude(a) >> F::kFractionBits);
  const uint64_t fraction = a & F::kFractionMask;
  if (field == F::kExponentMax) return {fraction != 0 ? Kind::kNan : Kind::kInfinity, negative, 0, 0};
  if (field != 0) {
    const uint64_t hidden = uint64_t{1} << F::kFractionBits;
    return {Kind::kFinite, negative, field - F::kBias, (hidden | fraction) << (kTopBit - F::kFractionBits)};
  }
  if (fraction == 0) return {Kind::kZero, negative, 0, 0};
  const int shift = std::countl_zero(fraction) - 1;  // brings the leading bit to kTopBit
  return {Kind::kFinite, negative, F::kNormalExponentMin - (shift - (kTopBit - F::kFractionBits)), fraction << shift};
}

// What to add to a value whose lowest round_width bits are to go, before they are cut off. Ties of kNearestEven need
// the lowest kept bit cleared afterwards. round_width is at least 1.
uint64_t rounding_increment(RoundingMode mode, bool negative, int round_width) {
  const uint64_t mask = (uint64_t{1} << round_width) - 1;
  switch (mode) {
    case RoundingMode::kNearestEven:
    case RoundingMode::kNearestMaxMagnitude:
      return uint64_t{1} << (round_width - 1);
    case RoundingMode::kTowardZero:
      return 0;
    case RoundingMode::kDown:
      return negative ? mask : 0;
    case RoundingMode::kUp:
      return negative ? 0 : mask;
  }
  return 0;
}

bool overflows_to_infinity(RoundingMode mode, bool negative) {
  switch (mode) {
    case RoundingMode::kNearestEven:
    case RoundingMode::kNearestMaxMagnitude:
      return true;
    case RoundingMode::kTowardZero:
      return false;
    case RoundingMode::kDown:
      return negative;
    case RoundingMode::kUp:
      return !negative;
  }
  return true;
}

template <typename F>
typename F::Bits pack_zero(bool negative) {
  return negative ? F::kSignMask : typename F::Bits{0};
}

template <typename F>
typename F::Bits pack_infinity(bool negative) {
  return static_cast<typename F::Bits>(pack_zero<F>(negative) | F::kInfinity);
}

// Rounds significand * 2^(exponent - kTopBit), whose significand is not zero but need not be normalised; its bit 0
// may stand for any lost bits as long as it lies below the precision.
template <typename F>
typename F::Bits round_and_pack(bool negative, int exponent, uint64_t significand, RoundingMode mode, uint32_t& flags,
                                Tininess tininess) {
  using Bits = typename F::Bits;
  constexpr int kRoundWidth = kTopBit - F::kFractionBits;
  constexpr uint64_t kRoundMask = (uint64_t{1} << kRoundWidth) - 1;

  const int zeros = std::countl_zero(significand);
  if (zeros == 0) {
    significand = shift_right_jam(significand, 1);
    ++exponent;
  } else {
    significand <<= zeros - 1;
    exponent -= zeros - 1;
  }

  const uint64_t increment = rounding_increment(mode, negative, kRoundWidth);
  bool is_tiny = false;
  int field = exponent + F::kBias;
  if (field <= 0) {
    // After rounding, only a value just below the smallest normal one can cease to be tiny: when rounding to full
    // precision, as if the exponent had no lower bound, carries out of the significand.
    const bool rounds_to_normal = field == 0 && ((significand + increment) >> (kTopBit + 1)) != 0;
    is_tiny = tininess == Tininess::kBeforeRounding || !rounds_to_normal;
    significand = shift_right_jam(significand, 1 - field);
    field = 1;  // the weight of a subnormal's fraction; without the hidden bit the packing below gives field 0
  }

  const uint64_t round_bits = significand & kRoundMask;
  uint64_t rounded = (significand + increment) >> kRoundWidth;
  if (mode == RoundingMode::kNearestEven && round_bits == uint64_t{1} << (kRoundWidth - 1)) rounded &= ~uint64_t{1};

  // The hidden bit, and a carry into the next binade, add to the exponent field by themselves. The sum stays below
  // 2^64 because a field out of the format's range is caught before it is shifted.
  uint64_t magnitude = F::kInfinity;
  if (field < F::kExponentMax) magnitude = (static_cast<uint64_t>(field - 1) << F::kFractionBits) + rounded;
  if (magnitude >= F::kInfinity) {
    flags |= kFlagOverflow | kFlagInexact;
    return static_cast<Bits>(pack_zero<F>(negative) |
                             (overflows_to_infinity(mode, negative) ? F::kInfinity : F::kInfinity - 1));
  }
  if (round_bits != 0) flags |= kFlagInexact | (is_tiny ? kFlagUnderflow : 0);
  return static_cast<Bits>(pack_zero<F>(negative) | magnitude);
}

template <typename F>
typename F::Bits default_nan(FpPolicy policy) {
  return static_cast<typename F::Bits>(F::kCanonicalNan | (policy.nan == NanPolicy::kX86Propagate ? F::kSignMask : 0));
}

template <typename F>
typename F::Bits invalid(uint32_t& flags, FpPolicy policy) {
  flags |= kFlagInvalid;
  return default_nan<F>(policy);
}

// The NaN of an operation one of whose operands, in the order of their precedence, is a NaN.
template <typename F, typename... Rest>
typename F::Bits propagate_nan(uint32_t& flags, FpPolicy policy, Rest... operands) {
  const typename F::Bits list[] = {operands...};
  typename F::Bits first_nan = 0, first_signalling = 0;
  for (const typename F::Bits operand : list) {
    if (first_nan == 0 && F::is_nan(operand)) first_nan = operand;
    if (first_signalling == 0 && F::is_signalling_nan(operand)) first_signalling = operand;
  }
  if (first_signalling != 0) flags |= kFlagInvalid;
  switch (policy.nan) {
    case NanPolicy::kCanonical:
      return F::kCanonicalNan;
    case NanPolicy::kX86Propagate:
      return static_cast<typename F::Bits>(first_nan | F::kQuietBit);
    case NanPolicy::kArmPropagate:
      return static_cast<typename F::Bits>((first_signalling != 0 ? first_signalling : first_nan) | F::kQuietBit);
  }
  return F::kCanonicalNan;
}

// The sign of a sum of zeros, or of an exact cancellation (IEEE 754 section 6.3).
bool zero_sum_is_negative(bool a_negative, bool b_negative, RoundingMode mode) {
  return a_negative == b_negative ? a_negative : mode == RoundingMode::kDown;
}

template <typename F>
typename F::Bits add_or_subtract(typename F::Bits a_bits, typename F::Bits b_bits, bool subtract, RoundingMode mode,
                                 uint32_t& flags, FpPolicy policy) {
  if (F::is_nan(a_bits) || F::is_nan(b_bits)) return propagate_nan<F>(flags, policy, a_bits, b_bits);
  Unpacked a = unpack<F>(a_bits);
  Unpacked b = unpack<F>(b_bits);
  if (subtract) b.negative = !b.negative;

  if (a.kind == Kind::kInfinity || b.kind == Kind::kInfinity) {
    if (a.kind == b.kind && a.negative != b.negative) return invalid<F>(flags, policy);
    return pack_infinity<F>(a.kind == Kind::kInfinity ? a.negative : b.negative);
  }
  if (a.kind == Kind::kZero || b.kind == Kind::kZero) {
    if (a.kind == b.kind) return pack_zero<F>(zero_sum_is_negative(a.negative, b.negative, mode));
    if (a.kind != Kind::kZero) return a_bits;
    return static_cast<typename F::Bits>(pack_zero<F>(b.negative) | F::magnitude(b_bits));
  }

  if (a.exponent < b.exponent || (a.exponent == b.exponent && a.significand < b.significand)) {
    const Unpacked swapped = a;
    a = b;
    b = swapped;
  }
  const uint64_t aligned = shift_right_jam(b.significand, a.exponent - b.exponent);
  const uint64_t sum = a.negative == b.negative ? a.significand + aligned : a.significand - aligned;
  if (sum == 0) return pack_zero<F>(zero_sum_is_negative(a.negative, b.negative, mode));
  return round_and_pack<F>(a.negative, a.exponent, sum, mode, flags, policy.tininess);
}

// The integer part of the square root of value, with its lowest bit set when the root is not exact. The digit-by-digit
// method; value is in [2^124, 2^126), so that the root has exactly 63 bits.
uint64_t square_root_jam(Uint128 value) {
  Uint128 remainder = value;
  Uint128 root = 0;
  for (Uint128 bit = Uint128{1} << 124; bit != 0; bit >>= 2) {
    if (remainder >= root + bit) {
      remainder -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return static_cast<uint64_t>(root) | (remainder != 0 ? 1 : 0);
}

// The integral part of a finite value after rounding. exponent must be below 64.
struct Integral {
  uint64_t magnitude;
  bool inexact;
};

Integral round_to_magnitude(const Unpacked& a, RoundingMode mode) {
  if (a.exponent >= kTopBit) return {a.significand << (a.exponent - kTopBit), false};
  // Two extra bits hold the half and, jammed, everything below it. At most 2^62 * 4 fits, since exponent < kTopBit
  // leaves at least one bit to be cut, and binary64 has zeros in the lowest ten.
  const int cut = kTopBit - a.exponent;
  const uint64_t scaled = cut >= 2 ? shift_right_jam(a.significand, cut - 2) : a.significand << (2 - cut);
  const uint64_t round_bits = scaled & 3;
  uint64_t magnitude = (scaled + rounding_increment(mode, a.negative, 2)) >> 2;
  if (mode == RoundingMode::kNearestEven && round_bits == 2) magnitude &= ~uint64_t{1};
  return {magnitude, round_bits != 0};
}

template <typename F>
Ordering compare_numbers(typename F::Bits a, typename F::Bits b) {
  if (a == b || (F::is_zero(a) && F::is_zero(b))) return Ordering::kEqual;
  if (F::is_negative(a) != F::is_negative(b)) return F::is_negative(a) ? Ordering::kLess : Ordering::kGreater;
  return (a < b) != F::is_negative(a) ? Ordering::kLess : Ordering::kGreater;
}

// minimumNumber, or maximumNumber where pick_greater. The raw patterns order the zeros as wanted too.
template <typename F>
typename F::Bits min_or_max(typename F::Bits a, typename F::Bits b, bool pick_greater, uint32_t& flags) {
  if (F::is_signalling_nan(a) || F::is_signalling_nan(b)) flags |= kFlagInvalid;
  if (F::is_nan(a)) return F::is_nan(b) ? F::kCanonicalNan : b;
  if (F::is_nan(b)) return a;
  const bool a_is_less = F::is_negative(a) != F::is_negative(b) ? F::is_negative(a) : (a < b) != F::is_negative(a);
  return a_is_less != pick_greater ? a : b;
}

}  // namespace

template <typename F>
typename F::Bits SoftFloat<F>::add(Bits a, Bits b, RoundingMode mode, uint32_t& flags, FpPolicy policy) {
  return add_or_subtract<F>(a, b, false, mode, flags, policy);
}

template <typename F>
typename F::Bits SoftFloat<F>::sub(Bits a, Bits b, RoundingMode mode, uint32_t& flags, FpPolicy policy) {
  return add_or_subtract<F>(a, b, true, mode, flags, policy);
}

template <typename F>
typename F::Bits SoftFloat<F>::mul(Bits a_bits, Bits b_bits, RoundingMode mode, uint32_t& flags, FpPolicy policy) {
  if (F::is_nan(a_bits) || F::is_nan(b_bits)) return propagate_nan<F>(flags, policy, a_bits, b_bits);
  const Unpacked a = unpack<F>(a_bits);
  const Unpacked b = unpack<F>(b_bits);
  const bool negative = a.negative != b.negative;
  if (a.kind == Kind::kInfinity || b.kind == Kind::kInfinity) {
    if (a.kind == Kind::kZero || b.kind == Kind::kZero) return invalid<F>(flags, policy);
    return pack_infinity<F>(negative);
  }
  if (a.kind == Kind::kZero || b.kind == Kind::kZero) return pack_zero<F>(negative);
  const Uint128 product = shift_right_jam(static_cast<Uint128>(a.significand) * b.significand, kTopBit);
  return round_and_pack<F>(negative, a.exponent + b.exponent, static_cast<uint64_t>(product), mode, flags,
                           policy.tininess);
}

template <typename F>
typename F::Bits SoftFloat<F>::div(Bits a_bits, Bits b_bits, RoundingMode mode, uint32_t& flags, FpPolicy policy) {
  if (F::is_nan(a_bits) || F::is_nan(b_bits)) return propagate_nan<F>(flags, policy, a_bits, b_bits);
  const Unpacked a = unpack<F>(a_bits);
  const Unpacked b = unpack<F>(b_bits);
  const bool negative = a.negative != b.negative;
  if (a.kind == Kind::kInfinity) {
    if (b.kind == Kind::kInfinity) return invalid<F>(flags, policy);
    return pack_infinity<F>(negative);
  }
  if (b.kind == Kind::kInfinity) return pack_zero<F>(negative);
  if (b.significand == 0) {  // zero: every finite value's is normalised
    if (a.kind == Kind::kZero) return invalid<F>(flags, policy);
    flags |= kFlagDivideByZero;
    return pack_infinity<F>(negative);
  }
  if (a.kind == Kind::kZero) return pack_zero<F>(negative);
  const Uint128 dividend = static_cast<Uint128>(a.significand) << kTopBit;
  auto quotient = static_cast<uint64_t>(dividend / b.significand);
  if (static_cast<Uint128>(quotient) * b.significand != dividend) quotient |= 1;
  return round_and_pack<F>(negative, a.exponent - b.exponent, quotient, mode, flags, policy.tininess);
}

template <typename F>
typename F::Bits SoftFloat<F>::sqrt(Bits a_bits, RoundingMode mode, uint32_t& flags, FpPolicy policy) {
  if (F::is_nan(a_bits)) return propagate_nan<F>(flags, policy, a_bits);
  const Unpacked a = unpack<F>(a_bits);
  if (a.kind == Kind::kZero) return a_bits;
  if (a.negative) return invalid<F>(flags, policy);
  if (a.kind == Kind::kInfinity) return a_bits;
  // With an even exponent the root's exponent is half of it, and the significand is below 2^64.
  const int odd = a.exponent & 1;
  const uint64_t root = square_root_jam(static_cast<Uint128>(a.significand) << (kTopBit + odd));
  return round_and_pack<F>(false, (a.exponent - odd) / 2, root, mode, flags, policy.tininess);
}

template <typename F>
typename F::Bits SoftFloat<F>::fma(Bits a_bits, Bits b_bits, Bits c_bits, RoundingMode mode, uint32_t& flags,
                                   FpPolicy policy) {
  const bool product_is_invalid =
      (F::is_infinite(a_bits) && F::is_zero(b_bits)) || (F::is_zero(a_bits) && F::is_infinite(b_bits));
  if (F::is_nan(a_bits) || F::is_nan(b_bits) || F::is_nan(c_bits)) {
    if (product_is_invalid && policy.fma_invalid != FmaInvalidPolicy::kQuiet) {
      flags |= kFlagInvalid;
      if (policy.fma_invalid == FmaInvalidPolicy::kSignalAndDefaultNan && !F::is_signalling_nan(c_bits)) {
        return default_nan<F>(policy);
      }
    }
    if (policy.nan == NanPolicy::kArmPropagate) return propagate_nan<F>(flags, policy, c_bits, a_bits, b_bits);
    return propagate_nan<F>(flags, policy, a_bits, b_bits, c_bits);
  }
  if (product_is_invalid) return invalid<F>(flags, policy);

  const Unpacked a = unpack<F>(a_bits);
  const Unpacked b = unpack<F>(b_bits);
  const Unpacked c = unpack<F>(c_bits);
  const bool product_negative = a.negative != b.negative;
  if (a.kind == Kind::kInfinity || b.kind == Kind::kInfinity) {
    if (c.kind == Kind::kInfinity && c.negative != product_negative) return invalid<F>(flags, policy);
    return pack_infinity<F>(product_negative);
  }
  if (c.kind == Kind::kInfinity) return c_bits;
  if (a.kind == Kind::kZero || b.kind == Kind::kZero) {
    if (c.kind == Kind::kZero) return pack_zero<F>(zero_sum_is_negative(product_negative, c.negative, mode));
    return c_bits;
  }

  // The product is exact in 126 bits and the addend is brought to the same scale: value * 2^(exponent - 2 * kTopBit).
  // When the smaller of the two loses bits to the alignment, it lies so far below that at most one leading bit
  // cancels, and the jammed bit stays below the precision.
  Uint128 sum = static_cast<Uint128>(a.significand) * b.significand;
  int exponent = a.exponent + b.exponent;
  bool negative = product_negative;
  if (c.kind != Kind::kZero) {
    Uint128 addend = static_cast<Uint128>(c.significand) << kTopBit;
    if (exponent > c.exponent) {
      addend = shift_right_jam(addend, exponent - c.exponent);
    } else {
      sum = shift_right_jam(sum, c.exponent - exponent);
      exponent = c.exponent;
    }
    if (product_negative == c.negative) {
      sum += addend;
    } else if (sum >= addend) {
      sum -= addend;
    } else {
      sum = addend - sum;
      negative = c.negative;
    }
    if (sum == 0) return pack_zero<F>(zero_sum_is_negative(product_negative, c.negative, mode));
  }
  // Normalised to bit 126 and then cut to kTopBit, so that nothing but the jammed bit is lost.
  const int zeros = leading_zeros(sum);
  sum <<= zeros - 1;
  exponent -= zeros - 1;
  exponent += 126 - 2 * kTopBit;
  const auto significand = static_cast<uint64_t>(shift_right_jam(sum, 126 - kTopBit));
  return round_and_pack<F>(negative, exponent, significand, mode, flags, policy.tininess);
}

template <typename F>
typename F::Bits SoftFloat<F>::round_to_integral(Bits a_bits, RoundingMode mode, bool signal_inexact, uint32_t& flags,
                                                 FpPolicy policy) {
  if (F::is_nan(a_bits)) return propagate_nan<F>(flags, policy, a_bits);
  const Unpacked a = unpack<F>(a_bits);
  if (a.kind != Kind::kFinite || a.exponent >= F::kFractionBits) return a_bits;
  const Integral integral = round_to_magnitude(a, mode);
  if (integral.inexact && signal_inexact) flags |= kFlagInexact;
  if (integral.magnitude == 0) return pack_zero<F>(a.negative);
  uint32_t no_flags = 0;  // at most 2^kFractionBits, which the format holds exactly
  return from_magnitude(a.negative, integral.magnitude, mode, no_flags, policy);
}

template <typename F>
Ordering SoftFloat<F>::compare_quiet(Bits a, Bits b, uint32_t& flags) {
  if (F::is_nan(a) || F::is_nan(b)) {
    if (F::is_signalling_nan(a) || F::is_signalling_nan(b)) flags |= kFlagInvalid;
    return Ordering::kUnordered;
  }
  return compare_numbers<F>(a, b);
}

template <typename F>
Ordering SoftFloat<F>::compare_signalling(Bits a, Bits b, uint32_t& flags) {
  if (F::is_nan(a) || F::is_nan(b)) {
    flags |= kFlagInvalid;
    return Ordering::kUnordered;
  }
  return compare_numbers<F>(a, b);
}

template <typename F>
typename F::Bits SoftFloat<F>::min(Bits a, Bits b, uint32_t& flags) {
  return min_or_max<F>(a, b, false, flags);
}

template <typename F>
typename F::Bits SoftFloat<F>::max(Bits a, Bits b, uint32_t& flags) {
  return min_or_max<F>(a, b, true, flags);
}

template <typename F>
uint32_t SoftFloat<F>::classify(Bits a) {
  if (F::is_nan(a)) return F::is_signalling_nan(a) ? kClassSignallingNan : kClassQuietNan;
  const bool negative = F::is_negative(a);
  const Bits magnitude = F::magnitude(a);
  if (magnitude == F::kInfinity) return negative ? kClassNegativeInfinity : kClassPositiveInfinity;
  if (magnitude == 0) return negative ? kClassNegativeZero : kClassPositiveZero;
  if (magnitude <= F::kFractionMask) return negative ? kClassNegativeSubnormal : kClassPositiveSubnormal;
  return negative ? kClassNegativeNormal : kClassPositiveNormal;
}

template <typename F>
uint64_t SoftFloat<F>::to_integer(Bits a_bits, int width_bits, bool is_signed, RoundingMode mode, uint32_t& flags,
                                  FpPolicy policy) {
  const uint64_t all_ones = ~uint64_t{0} >> (64 - width_bits);
  const uint64_t signed_min = uint64_t{1} << (width_bits - 1);
  const uint64_t upper_bound = is_signed ? signed_min - 1 : all_ones;
  const uint64_t lower_bound = is_signed ? signed_min : 0;  // as a pattern, and as a magnitude
  const Unpacked a = unpack<F>(a_bits);

  if (a.kind == Kind::kZero) return 0;
  if (a.kind == Kind::kFinite && a.exponent < 64) {
    const Integral integral = round_to_magnitude(a, mode);
    if (integral.magnitude <= (a.negative ? lower_bound : upper_bound)) {
      if (integral.inexact) flags |= kFlagInexact;
      return (a.negative ? 0 - integral.magnitude : integral.magnitude) & all_ones;
    }
  }
  flags |= kFlagInvalid;
  if (policy.to_integer == ToIntegerPolicy::kIndefinite) return is_signed ? signed_min : all_ones;
  if (a.kind == Kind::kNan) return policy.to_integer == ToIntegerPolicy::kSaturateNanZero ? 0 : upper_bound;
  return a.negative ? lower_bound : upper_bound;
}

template <typename F>
typename F::Bits SoftFloat<F>::from_magnitude(bool negative, uint64_t magnitude, RoundingMode mode, uint32_t& flags,
                                              FpPolicy policy) {
  if (magnitude == 0) return 0;
  return round_and_pack<F>(negative, kTopBit, magnitude, mode, flags, policy.tininess);
}

template <typename From, typename To>
typename To::Bits soft_convert(typename From::Bits a_bits, RoundingMode mode, uint32_t& flags, FpPolicy policy) {
  using ToBits = typename To::Bits;
  const Unpacked a = unpack<From>(a_bits);
  switch (a.kind) {
    case Kind::kNan: {
      if (From::is_signalling_nan(a_bits)) flags |= kFlagInvalid;
      if (policy.nan == NanPolicy::kCanonical) return To::kCanonicalNan;
      const uint64_t payload = static_cast<uint64_t>(a_bits & From::kFractionMask) << (63 - From::kFractionBits);
      return static_cast<ToBits>(pack_infinity<To>(a.negative) | To::kQuietBit | (payload >> (63 - To::kFractionBits)));
    }
    case Kind::kInfinity:
      return pack_infinity<To>(a.negative);
    case Kind::kZero:
      return pack_zero<To>(a.negative);
    case Kind::kFinite:
      break;
  }
  return round_and_pack<To>(a.negative, a.exponent, a.significand, mode, flags, policy.tininess);
}

template struct SoftFloat<Binary16>;
template struct SoftFloat<Binary32>;
template struct SoftFloat<Binary64>;

template uint16_t soft_convert<Binary32, Binary16>(uint32_t, RoundingMode, uint32_t&, FpPolicy);
template uint16_t soft_convert<Binary64, Binary16>(uint64_t, RoundingMode, uint32_t&, FpPolicy);
template uint32_t soft_convert<Binary16, Binary32>(uint16_t, RoundingMode, uint32_t&, FpPolicy);
template uint32_t soft_convert<Binary64, Binary32>(uint64_t, RoundingMode, uint32_t&, FpPolicy);
template uint64_t soft_convert<Binary16, Binary64>(uint16_t, RoundingMode, uint32_t&, FpPolicy);
template uint64_t soft_convert<Binary32, Binary64>(uint32_t, RoundingMode, uint32_t&, FpPolicy);

}  // namespace lockstep::core::fp
