// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/fp/fp_types.h"
#include "core/fp/host_float.h"
#include "core/fp/soft_float.h"

// Guest floating point for the interpreter: binary32 and binary64 on raw bit patterns, bit-exact in value and flags
// under kRiscvPolicy, on the host's FPU where that is provably the same and in integers elsewhere. Flags are ORed into
// the caller's word. The caller resolves dynamic and reserved rounding modes and does NaN boxing. Other policies call
// SoftFloat directly.
//
// The process's MXCSR must hold the control bits of the ABI and holds them again on return (core/fp/host_float.h).
namespace lockstep::core::fp {

inline uint32_t f32_add(uint32_t a, uint32_t b, RoundingMode mode, uint32_t& flags) {
  return host::add<Binary32>(a, b, mode, flags);
}
inline uint32_t f32_sub(uint32_t a, uint32_t b, RoundingMode mode, uint32_t& flags) {
  return host::sub<Binary32>(a, b, mode, flags);
}
inline uint32_t f32_mul(uint32_t a, uint32_t b, RoundingMode mode, uint32_t& flags) {
  return host::mul<Binary32>(a, b, mode, flags);
}
inline uint32_t f32_div(uint32_t a, uint32_t b, RoundingMode mode, uint32_t& flags) {
  return host::div<Binary32>(a, b, mode, flags);
}
inline uint32_t f32_sqrt(uint32_t a, RoundingMode mode, uint32_t& flags) {
  return host::sqrt<Binary32>(a, mode, flags);
}
// a * b + c with one rounding; the caller flips signs for the negated and subtracting forms.
inline uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, RoundingMode mode, uint32_t& flags) {
  return host::fma<Binary32>(a, b, c, mode, flags);
}
inline uint32_t f32_min(uint32_t a, uint32_t b, uint32_t& flags) { return SoftFloat<Binary32>::min(a, b, flags); }
inline uint32_t f32_max(uint32_t a, uint32_t b, uint32_t& flags) { return SoftFloat<Binary32>::max(a, b, flags); }
// eq is quiet; lt and le signal for every NaN (RISC-V FEQ, FLT, FLE; IEEE 754 section 5.11).
inline bool f32_eq(uint32_t a, uint32_t b, uint32_t& flags) { return host::eq<Binary32>(a, b, flags); }
inline bool f32_lt(uint32_t a, uint32_t b, uint32_t& flags) { return host::lt<Binary32>(a, b, flags); }
inline bool f32_le(uint32_t a, uint32_t b, uint32_t& flags) { return host::le<Binary32>(a, b, flags); }
inline uint32_t f32_classify(uint32_t a) { return SoftFloat<Binary32>::classify(a); }

inline uint64_t f64_add(uint64_t a, uint64_t b, RoundingMode mode, uint32_t& flags) {
  return host::add<Binary64>(a, b, mode, flags);
}
inline uint64_t f64_sub(uint64_t a, uint64_t b, RoundingMode mode, uint32_t& flags) {
  return host::sub<Binary64>(a, b, mode, flags);
}
inline uint64_t f64_mul(uint64_t a, uint64_t b, RoundingMode mode, uint32_t& flags) {
  return host::mul<Binary64>(a, b, mode, flags);
}
inline uint64_t f64_div(uint64_t a, uint64_t b, RoundingMode mode, uint32_t& flags) {
  return host::div<Binary64>(a, b, mode, flags);
}
inline uint64_t f64_sqrt(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return host::sqrt<Binary64>(a, mode, flags);
}
inline uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, RoundingMode mode, uint32_t& flags) {
  return host::fma<Binary64>(a, b, c, mode, flags);
}
inline uint64_t f64_min(uint64_t a, uint64_t b, uint32_t& flags) { return SoftFloat<Binary64>::min(a, b, flags); }
inline uint64_t f64_max(uint64_t a, uint64_t b, uint32_t& flags) { return SoftFloat<Binary64>::max(a, b, flags); }
inline bool f64_eq(uint64_t a, uint64_t b, uint32_t& flags) { return host::eq<Binary64>(a, b, flags); }
inline bool f64_lt(uint64_t a, uint64_t b, uint32_t& flags) { return host::lt<Binary64>(a, b, flags); }
inline bool f64_le(uint64_t a, uint64_t b, uint32_t& flags) { return host::le<Binary64>(a, b, flags); }
inline uint32_t f64_classify(uint64_t a) { return SoftFloat<Binary64>::classify(a); }

// To integers: out of range saturates, NaN gives the upper bound, both raise kFlagInvalid (RISC-V FCVT).
inline int32_t f32_to_i32(uint32_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_i32<Binary32>(a, mode, flags);
}
inline uint32_t f32_to_u32(uint32_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_u32<Binary32>(a, mode, flags);
}
inline int64_t f32_to_i64(uint32_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_i64<Binary32>(a, mode, flags);
}
inline uint64_t f32_to_u64(uint32_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_u64<Binary32>(a, mode, flags);
}
inline int32_t f64_to_i32(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_i32<Binary64>(a, mode, flags);
}
inline uint32_t f64_to_u32(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_u32<Binary64>(a, mode, flags);
}
inline int64_t f64_to_i64(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_i64<Binary64>(a, mode, flags);
}
inline uint64_t f64_to_u64(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return host::to_u64<Binary64>(a, mode, flags);
}

inline uint32_t i32_to_f32(int32_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_i64<Binary32>(a, mode, flags);
}
inline uint32_t u32_to_f32(uint32_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_u64<Binary32>(a, mode, flags);
}
inline uint32_t i64_to_f32(int64_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_i64<Binary32>(a, mode, flags);
}
inline uint32_t u64_to_f32(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_u64<Binary32>(a, mode, flags);
}
inline uint64_t i32_to_f64(int32_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_i64<Binary64>(a, mode, flags);
}
inline uint64_t u32_to_f64(uint32_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_u64<Binary64>(a, mode, flags);
}
inline uint64_t i64_to_f64(int64_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_i64<Binary64>(a, mode, flags);
}
inline uint64_t u64_to_f64(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return host::from_u64<Binary64>(a, mode, flags);
}

inline uint64_t f32_to_f64(uint32_t a, uint32_t& flags) { return host::widen(a, flags); }
inline uint32_t f64_to_f32(uint64_t a, RoundingMode mode, uint32_t& flags) { return host::narrow(a, mode, flags); }

}  // namespace lockstep::core::fp
