// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/fp/fp_types.h"

namespace lockstep::core::fp {

// IEEE 754-2019 arithmetic in integers, right for every rounding mode and every policy. It is the reference for the
// host path of core/fp/fp.h and does what the host's FPU cannot. Operands and results are bit patterns. Each function
// ORs the exceptions it raises into flags and reads nothing from it.
//
// Instantiated for Binary16, Binary32 and Binary64.
template <typename Format>
struct SoftFloat {
  using Bits = typename Format::Bits;

  static Bits add(Bits a, Bits b, RoundingMode mode, uint32_t& flags, FpPolicy policy = kRiscvPolicy);
  static Bits sub(Bits a, Bits b, RoundingMode mode, uint32_t& flags, FpPolicy policy = kRiscvPolicy);
  static Bits mul(Bits a, Bits b, RoundingMode mode, uint32_t& flags, FpPolicy policy = kRiscvPolicy);
  static Bits div(Bits a, Bits b, RoundingMode mode, uint32_t& flags, FpPolicy policy = kRiscvPolicy);
  static Bits sqrt(Bits a, RoundingMode mode, uint32_t& flags, FpPolicy policy = kRiscvPolicy);

  // a * b + c with one rounding. Of several NaN operands x86 takes the first in the order a, b, c and Arm in the order
  // c, a, b; a frontend whose instruction orders its operands otherwise settles NaNs itself.
  static Bits fma(Bits a, Bits b, Bits c, RoundingMode mode, uint32_t& flags, FpPolicy policy = kRiscvPolicy);

  // The integral value in the same format. With signal_inexact it raises kFlagInexact where the value changes
  // (roundToIntegralExact), without it never does.
  static Bits round_to_integral(Bits a, RoundingMode mode, bool signal_inexact, uint32_t& flags,
                                FpPolicy policy = kRiscvPolicy);

  // The quiet comparison raises kFlagInvalid for a signalling NaN only, the signalling one for every NaN.
  static Ordering compare_quiet(Bits a, Bits b, uint32_t& flags);
  static Ordering compare_signalling(Bits a, Bits b, uint32_t& flags);

  // minimumNumber and maximumNumber of IEEE 754-2019, as RISC-V's F 2.2 defines FMIN and FMAX: -0 is less than +0, a
  // NaN loses to a number, two NaNs give the canonical NaN, and a signalling NaN raises kFlagInvalid.
  static Bits min(Bits a, Bits b, uint32_t& flags);
  static Bits max(Bits a, Bits b, uint32_t& flags);

  static uint32_t classify(Bits a);  // exactly one kClass bit

  // To an integer of width_bits (8 to 64) in two's complement; the bits above width_bits are zero.
  static uint64_t to_integer(Bits a, int width_bits, bool is_signed, RoundingMode mode, uint32_t& flags,
                             FpPolicy policy = kRiscvPolicy);
  // From a sign and a magnitude, which holds every 64-bit integer of either signedness. Zero gives +0.
  static Bits from_magnitude(bool negative, uint64_t magnitude, RoundingMode mode, uint32_t& flags,
                             FpPolicy policy = kRiscvPolicy);
};

// Between two formats. A NaN that propagates keeps the high bits of its payload.
template <typename From, typename To>
typename To::Bits soft_convert(typename From::Bits a, RoundingMode mode, uint32_t& flags,
                               FpPolicy policy = kRiscvPolicy);

extern template struct SoftFloat<Binary16>;
extern template struct SoftFloat<Binary32>;
extern template struct SoftFloat<Binary64>;

}  // namespace lockstep::core::fp
