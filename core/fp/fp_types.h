// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lockstep::core::fp {

// IEEE 754-2019 section 4.3. The values are RISC-V's frm encodings (RISC-V unprivileged ISA, "F", rounding modes);
// frontends of other ISAs map theirs. The two reserved encodings and "dynamic" never reach this part.
enum class RoundingMode : uint8_t {
  kNearestEven = 0,
  kTowardZero = 1,
  kDown = 2,
  kUp = 3,
  kNearestMaxMagnitude = 4,
};

// Exception flags, ORed into the caller's sticky word. The values are RISC-V's fflags bits.
inline constexpr uint32_t kFlagInexact = 1;
inline constexpr uint32_t kFlagUnderflow = 2;
inline constexpr uint32_t kFlagOverflow = 4;
inline constexpr uint32_t kFlagDivideByZero = 8;
inline constexpr uint32_t kFlagInvalid = 16;

// Which NaN an operation gives. IEEE 754 leaves it open, so every ISA has its own rule.
enum class NanPolicy : uint8_t {
  kCanonical,     // RISC-V: always the positive quiet NaN with an empty payload. Also Arm with FPCR.DN = 1.
  kX86Propagate,  // SSE: the first NaN operand, quietened; a generated NaN is the negative one ("real indefinite").
  kArmPropagate,  // Arm: the first signalling NaN, else the first quiet NaN; a generated NaN is positive.
};

// IEEE 754 section 7.5 lets an implementation see a tiny result before or after rounding to the format's precision.
enum class Tininess : uint8_t { kAfterRounding, kBeforeRounding };

// What a conversion to an integer gives for a NaN or a value out of range (all raise kFlagInvalid).
enum class ToIntegerPolicy : uint8_t {
  kSaturateNanMax,   // RISC-V: the nearest bound; NaN gives the upper bound.
  kSaturateNanZero,  // Arm: the nearest bound; NaN gives zero.
  kIndefinite,       // x86: the most negative integer, for an unsigned one all ones.
};

// inf * 0 + quiet NaN in a fused multiply-add: IEEE 754 section 7.2 leaves the invalid flag to the implementation.
enum class FmaInvalidPolicy : uint8_t {
  kSignal,               // RISC-V: invalid, NaN by the NanPolicy.
  kQuiet,                // x86: no flag, the NaN operand propagates.
  kSignalAndDefaultNan,  // Arm: invalid, and the default NaN even where operands would propagate.
};

// Everything in which ISAs differ. Flush-to-zero is not part of it; a frontend that has it flushes operands and
// results.
struct FpPolicy {
  NanPolicy nan = NanPolicy::kCanonical;
  Tininess tininess = Tininess::kAfterRounding;
  ToIntegerPolicy to_integer = ToIntegerPolicy::kSaturateNanMax;
  FmaInvalidPolicy fma_invalid = FmaInvalidPolicy::kSignal;
};

inline constexpr FpPolicy kRiscvPolicy{};
inline constexpr FpPolicy kX86Policy{NanPolicy::kX86Propagate, Tininess::kAfterRounding, ToIntegerPolicy::kIndefinite,
                                     FmaInvalidPolicy::kQuiet};
inline constexpr FpPolicy kArmPolicy{NanPolicy::kArmPropagate, Tininess::kBeforeRounding,
                                     ToIntegerPolicy::kSaturateNanZero, FmaInvalidPolicy::kSignalAndDefaultNan};
inline constexpr FpPolicy kArmDefaultNanPolicy{NanPolicy::kCanonical, Tininess::kBeforeRounding,
                                               ToIntegerPolicy::kSaturateNanZero,
                                               FmaInvalidPolicy::kSignalAndDefaultNan};

// The result of a comparison; kUnordered when an operand is a NaN.
enum class Ordering : uint8_t { kLess, kEqual, kGreater, kUnordered };

// The bits of classify(), as RISC-V's FCLASS puts them into a register.
inline constexpr uint32_t kClassNegativeInfinity = 1u << 0;
inline constexpr uint32_t kClassNegativeNormal = 1u << 1;
inline constexpr uint32_t kClassNegativeSubnormal = 1u << 2;
inline constexpr uint32_t kClassNegativeZero = 1u << 3;
inline constexpr uint32_t kClassPositiveZero = 1u << 4;
inline constexpr uint32_t kClassPositiveSubnormal = 1u << 5;
inline constexpr uint32_t kClassPositiveNormal = 1u << 6;
inline constexpr uint32_t kClassPositiveInfinity = 1u << 7;
inline constexpr uint32_t kClassSignallingNan = 1u << 8;
inline constexpr uint32_t kClassQuietNan = 1u << 9;

// An interchange format of IEEE 754 section 3.4, by its field widths. The sign is the top bit.
template <typename BitsT, int kExponentWidth>
struct BinaryFormat {
  using Bits = BitsT;
  static constexpr int kWidthBits = static_cast<int>(sizeof(Bits)) * 8;
  static constexpr int kExponentBits = kExponentWidth;
  static constexpr int kFractionBits = kWidthBits - 1 - kExponentBits;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr int kExponentMax = (1 << kExponentBits) - 1;  // the field of infinities and NaNs
  static constexpr int kNormalExponentMin = 1 - kBias;
  static constexpr Bits kSignMask = static_cast<Bits>(Bits{1} << (kWidthBits - 1));
  static constexpr Bits kFractionMask = static_cast<Bits>((Bits{1} << kFractionBits) - 1);
  static constexpr Bits kInfinity = static_cast<Bits>(static_cast<Bits>(kExponentMax) << kFractionBits);
  static constexpr Bits kQuietBit = static_cast<Bits>(Bits{1} << (kFractionBits - 1));
  static constexpr Bits kCanonicalNan = static_cast<Bits>(kInfinity | kQuietBit);

  static constexpr Bits magnitude(Bits a) { return static_cast<Bits>(a & static_cast<Bits>(~kSignMask)); }
  static constexpr bool is_negative(Bits a) { return (a & kSignMask) != 0; }
  static constexpr bool is_nan(Bits a) { return magnitude(a) > kInfinity; }
  static constexpr bool is_signalling_nan(Bits a) { return is_nan(a) && (a & kQuietBit) == 0; }
  static constexpr bool is_infinite(Bits a) { return magnitude(a) == kInfinity; }
  static constexpr bool is_zero(Bits a) { return magnitude(a) == 0; }
};

using Binary16 = BinaryFormat<uint16_t, 5>;
using Binary32 = BinaryFormat<uint32_t, 8>;
using Binary64 = BinaryFormat<uint64_t, 11>;

}  // namespace lockstep::core::fp
