// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace lockstep::core::loader {

inline constexpr uint64_t kMiB = uint64_t{1} << 20;

// Whether [first, first + length) lies inside `size`, without overflow.
inline bool inside(uint64_t first, uint64_t length, uint64_t size) { return first <= size && length <= size - first; }

// A little-endian value of the file; the caller has checked that it is inside.
template <typename T>
T get(std::span<const uint8_t> bytes, uint64_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

}  // namespace lockstep::core::loader
