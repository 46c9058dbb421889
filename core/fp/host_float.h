// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/fp/fp_types.h"
#include "core/fp/soft_float.h"

namespace lockstep::core::fp::host {

template <typename F>
typename F::Bits add(typename F::Bits a, typename F::Bits b, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::add(a, b, m, f);
}
template <typename F>
typename F::Bits sub(typename F::Bits a, typename F::Bits b, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::sub(a, b, m, f);
}
template <typename F>
typename F::Bits mul(typename F::Bits a, typename F::Bits b, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::mul(a, b, m, f);
}
template <typename F>
typename F::Bits div(typename F::Bits a, typename F::Bits b, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::div(a, b, m, f);
}
template <typename F>
typename F::Bits sqrt(typename F::Bits a, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::sqrt(a, m, f);
}
template <typename F>
typename F::Bits fma(typename F::Bits a, typename F::Bits b, typename F::Bits c, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::fma(a, b, c, m, f);
}
template <typename F>
bool eq(typename F::Bits a, typename F::Bits b, uint32_t& f) {
  return SoftFloat<F>::compare_quiet(a, b, f) == Ordering::kEqual;
}
template <typename F>
bool lt(typename F::Bits a, typename F::Bits b, uint32_t& f) {
  return SoftFloat<F>::compare_signalling(a, b, f) == Ordering::kLess;
}
template <typename F>
bool le(typename F::Bits a, typename F::Bits b, uint32_t& f) {
  const Ordering order = SoftFloat<F>::compare_signalling(a, b, f);
  return order == Ordering::kLess || order == Ordering::kEqual;
}
template <typename F>
int32_t to_i32(typename F::Bits a, RoundingMode m, uint32_t& f) {
  return static_cast<int32_t>(SoftFloat<F>::to_integer(a, 32, true, m, f));
}
template <typename F>
uint32_t to_u32(typename F::Bits a, RoundingMode m, uint32_t& f) {
  return static_cast<uint32_t>(SoftFloat<F>::to_integer(a, 32, false, m, f));
}
template <typename F>
int64_t to_i64(typename F::Bits a, RoundingMode m, uint32_t& f) {
  return static_cast<int64_t>(SoftFloat<F>::to_integer(a, 64, true, m, f));
}
template <typename F>
uint64_t to_u64(typename F::Bits a, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::to_integer(a, 64, false, m, f);
}
template <typename F>
typename F::Bits from_u64(uint64_t a, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::from_magnitude(false, a, m, f);
}
template <typename F>
typename F::Bits from_i64(int64_t a, RoundingMode m, uint32_t& f) {
  return SoftFloat<F>::from_magnitude(a < 0, a < 0 ? 0 - static_cast<uint64_t>(a) : static_cast<uint64_t>(a), m, f);
}
inline uint64_t widen(uint32_t a, uint32_t& f) {
  return soft_convert<Binary32, Binary64>(a, RoundingMode::kNearestEven, f);
}
inline uint32_t narrow(uint64_t a, RoundingMode m, uint32_t& f) { return soft_convert<Binary64, Binary32>(a, m, f); }

}  // namespace lockstep::core::fp::host
