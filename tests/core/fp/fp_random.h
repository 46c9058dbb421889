// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>

#include "core/fp/fp_types.h"
#include "tests/core/seed.h"

namespace lockstep::core::fp {

// How many operand sets a random test tries; LOCKSTEP_FP_ITERATIONS overrides it.
inline int test_iterations(int fallback) {
  return static_cast<int>(test::from_environment("LOCKSTEP_FP_ITERATIONS", static_cast<uint64_t>(fallback)));
}

// Bit patterns that lean towards where floating point goes wrong.
template <typename F>
class OperandGenerator {
 public:
  using Bits = typename F::Bits;

  explicit OperandGenerator(uint64_t seed) : engine_(seed) {}

  uint64_t raw() { return engine_(); }
  uint64_t below(uint64_t bound) { return engine_() % bound; }

  Bits any() {
    const Bits sign = static_cast<Bits>(below(2) != 0 ? F::kSignMask : 0);
    return static_cast<Bits>(sign | magnitude());
  }

  // An operand that has something to do with other: near it, its negation, or an exponent some bits away.
  Bits related(Bits other) {
    switch (below(4)) {
      case 0:
        return static_cast<Bits>(other + below(9) - 4);
      case 1:
        return static_cast<Bits>((other ^ F::kSignMask) + below(9) - 4);
      case 2: {
        const auto distance = static_cast<Bits>(below(2 * F::kFractionBits + 6));
        const Bits exponent = static_cast<Bits>(F::magnitude(other) >> F::kFractionBits);
        const Bits moved = static_cast<Bits>(below(2) != 0 ? exponent + distance : exponent - distance);
        return static_cast<Bits>((any() & (F::kSignMask | F::kFractionMask)) |
                                 ((static_cast<Bits>(moved << F::kFractionBits)) & F::kInfinity));
      }
      default:
        return any();
    }
  }

 private:
  Bits fraction() {
    const auto random = static_cast<Bits>(engine_() & F::kFractionMask);
    switch (below(6)) {
      case 0:
        return static_cast<Bits>(below(4));
      case 1:
        return static_cast<Bits>(F::kFractionMask - below(4));
      case 2:  // few bits set
        return static_cast<Bits>((Bits{1} << below(F::kFractionBits)) | (Bits{1} << below(F::kFractionBits)));
      case 3:  // short, so that products and sums are often exact or ties
        return static_cast<Bits>(random & ~static_cast<Bits>(F::kFractionMask >> below(F::kFractionBits)));
      default:
        return random;
    }
  }

  Bits magnitude() {
    const auto max = static_cast<uint64_t>(F::kExponentMax);
    uint64_t exponent = 0;
    switch (below(12)) {
      case 0:
        return static_cast<Bits>(below(3));  // zero and the smallest subnormals
      case 1:
        exponent = 0;
        break;
      case 2:
        exponent = 1 + below(3);
        break;
      case 3:
        exponent = max - 1 - below(3);
        break;
      case 4:
        if (below(2) != 0) return F::kInfinity;
        return static_cast<Bits>(F::kInfinity | fraction());  // NaNs of both kinds, or infinity
      case 5:
      case 6:
      case 7:
        exponent = static_cast<uint64_t>(F::kBias) - 4 + below(9);
        break;
      case 8:
        exponent = static_cast<uint64_t>(F::kBias) / 2 + below(9) - 4;  // squares reach the subnormals
        break;
      case 9:
        exponent = static_cast<uint64_t>(F::kBias) + below(70);  // around the bounds of the integers
        if (exponent >= max) exponent = max - 1;
        break;
      default:
        exponent = below(max);
        break;
    }
    return static_cast<Bits>((static_cast<Bits>(exponent) << F::kFractionBits) | fraction());
  }

  std::mt19937_64 engine_;
};

inline constexpr RoundingMode kAllModes[] = {RoundingMode::kNearestEven, RoundingMode::kTowardZero, RoundingMode::kDown,
                                             RoundingMode::kUp, RoundingMode::kNearestMaxMagnitude};

}  // namespace lockstep::core::fp
