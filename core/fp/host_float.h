// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "core/fp/fp_types.h"
#include "core/fp/soft_float.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Guest arithmetic under kRiscvPolicy on the host's SSE2 and FMA3 units.
//
// Two paths use the host. The direct one, inline, asks nothing of MXCSR: with rounding to nearest even and the guest's
// inexact flag already set, inexact cannot change the flags any more, and each function states which results rule the
// other flags out. The checked one, in host_float.cpp, loads the guest's rounding mode, reads the flags the operation
// raised and puts the control bits back. Software does kNearestMaxMagnitude, which x86 lacks, and every other host.
//
// The process's MXCSR must have the control bits of the ABI (nearest even, all exceptions masked, no flush to zero),
// as all C++ code may expect. Its sticky flags are scratch to this part and to everybody else.
namespace lockstep::core::fp::host {

#if defined(__x86_64__)
inline constexpr bool kIsSupported = true;
#else
inline constexpr bool kIsSupported = false;
#endif

// Whether the processor has FMA3. False until the dynamic initialisation of this part, which is merely slow.
extern const bool kHasFma;

// The checked path.
template <typename F>
typename F::Bits add_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags);
template <typename F>
typename F::Bits sub_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags);
template <typename F>
typename F::Bits mul_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags);
template <typename F>
typename F::Bits div_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags);
template <typename F>
typename F::Bits sqrt_checked(typename F::Bits a, RoundingMode mode, uint32_t& flags);
template <typename F>
typename F::Bits fma_checked(typename F::Bits a, typename F::Bits b, typename F::Bits c, RoundingMode mode,
                             uint32_t& flags);
uint32_t narrow_checked(uint64_t a, RoundingMode mode, uint32_t& flags);

template <typename F>
using Native = std::conditional_t<std::is_same_v<F, Binary32>, float, double>;

template <typename F>
Native<F> to_native(typename F::Bits a) {
  return std::bit_cast<Native<F>>(a);
}
template <typename F>
typename F::Bits from_native(Native<F> a) {
  return std::bit_cast<typename F::Bits>(a);
}

#if defined(__x86_64__)
// One instruction each, opaque to the compiler, which might otherwise fold or contract them under its own rules.
inline float native_add(float a, float b) {
  asm("addss %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline double native_add(double a, double b) {
  asm("addsd %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline float native_sub(float a, float b) {
  asm("subss %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline double native_sub(double a, double b) {
  asm("subsd %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline float native_mul(float a, float b) {
  asm("mulss %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline double native_mul(double a, double b) {
  asm("mulsd %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline float native_div(float a, float b) {
  asm("divss %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline double native_div(double a, double b) {
  asm("divsd %1, %0" : "+x"(a) : "x"(b));
  return a;
}
inline float native_sqrt(float a) {
  asm("sqrtss %0, %0" : "+x"(a));
  return a;
}
inline double native_sqrt(double a) {
  asm("sqrtsd %0, %0" : "+x"(a));
  return a;
}
inline float native_fma(float a, float b, float c) {
  asm("vfmadd231ss %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
  return c;
}
inline double native_fma(double a, double b, double c) {
  asm("vfmadd231sd %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
  return c;
}
inline float native_narrow(double a) {
  float result;
  asm("cvtsd2ss %1, %0" : "=x"(result) : "x"(a));
  return result;
}
inline int64_t native_to_i64(double a, bool truncate) {
  const __m128d value = _mm_set_sd(a);
  return truncate ? _mm_cvttsd_si64(value) : _mm_cvtsd_si64(value);
}
inline int64_t native_to_i64(float a, bool truncate) {
  const __m128 value = _mm_set_ss(a);
  return truncate ? _mm_cvttss_si64(value) : _mm_cvtss_si64(value);
}
#endif

inline bool is_direct(RoundingMode mode, uint32_t flags) {
  return mode == RoundingMode::kNearestEven && (flags & kFlagInexact) != 0;
}

// Strictly between the smallest normal number and infinity: no underflow, whichever side of rounding tininess is seen
// on, no overflow and no NaN. The smallest normal itself may be the rounding of a tiny value.
template <typename F>
bool is_safely_normal(typename F::Bits a) {
  constexpr auto kLowest = static_cast<typename F::Bits>((typename F::Bits{1} << F::kFractionBits) + 1);
  return static_cast<typename F::Bits>(F::magnitude(a) - kLowest) <
         static_cast<typename F::Bits>(F::kInfinity - kLowest);
}

// A finite sum raises inexact at most: a subnormal one is exact (both operands are multiples of the smallest
// subnormal), and an underflow needs inexactness.
template <typename F>
typename F::Bits add(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if constexpr (kIsSupported) {
    if (is_direct(mode, flags)) [[likely]] {
      const auto result = from_native<F>(native_add(to_native<F>(a), to_native<F>(b)));
      if (F::magnitude(result) < F::kInfinity) [[likely]]
        return result;
    }
  }
  return add_checked<F>(a, b, mode, flags);
}

template <typename F>
typename F::Bits sub(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if constexpr (kIsSupported) {
    if (is_direct(mode, flags)) [[likely]] {
      const auto result = from_native<F>(native_sub(to_native<F>(a), to_native<F>(b)));
      if (F::magnitude(result) < F::kInfinity) [[likely]]
        return result;
    }
  }
  return sub_checked<F>(a, b, mode, flags);
}

// A safely normal product, quotient or fused sum raises inexact at most: its operands were finite, and a division by
// zero would have given infinity.
template <typename F>
typename F::Bits mul(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if constexpr (kIsSupported) {
    if (is_direct(mode, flags)) [[likely]] {
      const auto result = from_native<F>(native_mul(to_native<F>(a), to_native<F>(b)));
      if (is_safely_normal<F>(result)) [[likely]]
        return result;
    }
  }
  return mul_checked<F>(a, b, mode, flags);
}

template <typename F>
typename F::Bits div(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if constexpr (kIsSupported) {
    if (is_direct(mode, flags)) [[likely]] {
      const auto result = from_native<F>(native_div(to_native<F>(a), to_native<F>(b)));
      if (is_safely_normal<F>(result)) [[likely]]
        return result;
    }
  }
  return div_checked<F>(a, b, mode, flags);
}

template <typename F>
typename F::Bits fma(typename F::Bits a, typename F::Bits b, typename F::Bits c, RoundingMode mode, uint32_t& flags) {
  if constexpr (kIsSupported) {
    if (is_direct(mode, flags) && kHasFma) [[likely]] {
      const auto result = from_native<F>(native_fma(to_native<F>(a), to_native<F>(b), to_native<F>(c)));
      if (is_safely_normal<F>(result)) [[likely]]
        return result;
    }
  }
  return fma_checked<F>(a, b, c, mode, flags);
}

// A square root halves the exponent, so it neither over- nor underflows; invalid shows as a NaN.
template <typename F>
typename F::Bits sqrt(typename F::Bits a, RoundingMode mode, uint32_t& flags) {
  if constexpr (kIsSupported) {
    if (is_direct(mode, flags)) [[likely]] {
      const auto result = from_native<F>(native_sqrt(to_native<F>(a)));
      if (!F::is_nan(result)) [[likely]]
        return result;
    }
  }
  return sqrt_checked<F>(a, mode, flags);
}

// C++ compares as IEEE 754 does on every host; only a NaN, for which both directions are false, may raise a flag.
template <typename F>
bool eq(typename F::Bits a, typename F::Bits b, uint32_t& flags) {
  if (to_native<F>(a) == to_native<F>(b)) return true;
  if (F::is_nan(a) || F::is_nan(b)) [[unlikely]]
    SoftFloat<F>::compare_quiet(a, b, flags);
  return false;
}
template <typename F>
bool lt(typename F::Bits a, typename F::Bits b, uint32_t& flags) {
  if (to_native<F>(a) < to_native<F>(b)) return true;
  if (!(to_native<F>(a) >= to_native<F>(b))) [[unlikely]]
    flags |= kFlagInvalid;
  return false;
}
template <typename F>
bool le(typename F::Bits a, typename F::Bits b, uint32_t& flags) {
  if (to_native<F>(a) <= to_native<F>(b)) return true;
  if (!(to_native<F>(a) > to_native<F>(b))) [[unlikely]]
    flags |= kFlagInvalid;
  return false;
}

// CVTT truncates and CVT rounds by the process's nearest even; both give the most negative integer for what does not
// fit, which is left to software together with the one number that it stands for. A value that had a fraction is below
// 2^53, so converting the result back is exact and differs from it if and only if the conversion was inexact.
template <typename F>
bool try_to_i64(typename F::Bits a, RoundingMode mode, int64_t& result, bool& is_inexact) {
  if constexpr (kIsSupported) {
    if (mode == RoundingMode::kTowardZero || mode == RoundingMode::kNearestEven) [[likely]] {
      result = native_to_i64(to_native<F>(a), mode == RoundingMode::kTowardZero);
      is_inexact = static_cast<Native<F>>(result) != to_native<F>(a);
      return result != INT64_MIN;
    }
  }
  return false;
}

template <typename F>
int64_t to_i64(typename F::Bits a, RoundingMode mode, uint32_t& flags) {
  int64_t result = 0;
  bool is_inexact = false;
  if (try_to_i64<F>(a, mode, result, is_inexact)) [[likely]] {
    if (is_inexact) flags |= kFlagInexact;
    return result;
  }
  return static_cast<int64_t>(SoftFloat<F>::to_integer(a, 64, true, mode, flags));
}
template <typename F>
uint64_t to_u64(typename F::Bits a, RoundingMode mode, uint32_t& flags) {
  int64_t result = 0;
  bool is_inexact = false;
  if (try_to_i64<F>(a, mode, result, is_inexact) && result >= 0) [[likely]] {
    if (is_inexact) flags |= kFlagInexact;
    return static_cast<uint64_t>(result);
  }
  return SoftFloat<F>::to_integer(a, 64, false, mode, flags);
}
template <typename F>
int32_t to_i32(typename F::Bits a, RoundingMode mode, uint32_t& flags) {
  int64_t result = 0;
  bool is_inexact = false;
  if (try_to_i64<F>(a, mode, result, is_inexact) && result >= INT32_MIN && result <= INT32_MAX) [[likely]] {
    if (is_inexact) flags |= kFlagInexact;
    return static_cast<int32_t>(result);
  }
  return static_cast<int32_t>(SoftFloat<F>::to_integer(a, 32, true, mode, flags));
}
template <typename F>
uint32_t to_u32(typename F::Bits a, RoundingMode mode, uint32_t& flags) {
  int64_t result = 0;
  bool is_inexact = false;
  if (try_to_i64<F>(a, mode, result, is_inexact) && result >= 0 && result <= UINT32_MAX) [[likely]] {
    if (is_inexact) flags |= kFlagInexact;
    return static_cast<uint32_t>(result);
  }
  return static_cast<uint32_t>(SoftFloat<F>::to_integer(a, 32, false, mode, flags));
}

// An integer that fits the precision converts exactly in every mode and raises nothing. No 64-bit integer overflows
// binary32, so of the others inexact is the only flag.
template <typename F>
typename F::Bits from_i64(int64_t a, RoundingMode mode, uint32_t& flags) {
  constexpr int64_t kExact = int64_t{1} << (F::kFractionBits + 1);
  if ((a >= -kExact && a <= kExact) || (kIsSupported && is_direct(mode, flags))) [[likely]] {
    return from_native<F>(static_cast<Native<F>>(a));
  }
  const uint64_t magnitude = a < 0 ? 0 - static_cast<uint64_t>(a) : static_cast<uint64_t>(a);
  return SoftFloat<F>::from_magnitude(a < 0, magnitude, mode, flags);
}
template <typename F>
typename F::Bits from_u64(uint64_t a, RoundingMode mode, uint32_t& flags) {
  if (a <= static_cast<uint64_t>(INT64_MAX)) [[likely]]
    return from_i64<F>(static_cast<int64_t>(a), mode, flags);
  return SoftFloat<F>::from_magnitude(false, a, mode, flags);
}

// binary64 holds every binary32 exactly, subnormal ones as normal numbers.
inline uint64_t widen(uint32_t a, uint32_t& flags) {
  if (!Binary32::is_nan(a)) [[likely]]
    return from_native<Binary64>(to_native<Binary32>(a));
  return soft_convert<Binary32, Binary64>(a, RoundingMode::kNearestEven, flags);
}

inline uint32_t narrow(uint64_t a, RoundingMode mode, uint32_t& flags) {
#if defined(__x86_64__)
  if (is_direct(mode, flags)) [[likely]] {
    const uint32_t result = from_native<Binary32>(native_narrow(to_native<Binary64>(a)));
    if (is_safely_normal<Binary32>(result)) [[likely]]
      return result;
  }
#endif
  return narrow_checked(a, mode, flags);
}

}  // namespace lockstep::core::fp::host
