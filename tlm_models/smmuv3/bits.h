// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lockstep::tlm_models::smmuv3 {

// Bits [high:low] of a value, shifted down to bit 0.
constexpr uint64_t bits(uint64_t value, unsigned high, unsigned low) {
  return (value >> low) & (high - low == 63 ? ~uint64_t{0} : (uint64_t{1} << (high - low + 1)) - 1);
}

constexpr bool bit(uint64_t value, unsigned position) { return (value >> position) & 1; }

// The lowest `count` bits set; count is 0 to 64.
constexpr uint64_t ones(unsigned count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

// Bits [high:low] in their place: what an address field of a structure means.
constexpr uint64_t field_in_place(uint64_t value, unsigned high, unsigned low) { return bits(value, high, low) << low; }

}  // namespace lockstep::tlm_models::smmuv3
