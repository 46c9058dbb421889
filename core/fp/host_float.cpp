// SPDX-License-Identifier: Apache-2.0
#include "core/fp/host_float.h"

#include <array>

// Why the host's result and flags are the guest's:
// - SSE rounds add, sub, mul, div, sqrt, FMA and conversions correctly in the four modes that both have, straight to
//   the format's precision (no x87 double rounding), and the encodings are mapped below.
// - With underflow masked, SSE sets UE for a result that is tiny after rounding and inexact: Tininess::kAfterRounding,
//   as RISC-V. Denormals-are-zero and flush-to-zero are off in every MXCSR value loaded here. The denormal-operand
//   flag has no counterpart and is dropped.
// - Every NaN result becomes the canonical one. The invalid flag is the same for a signalling NaN operand and for each
//   invalid operation, except inf * 0 + quiet NaN, for which x86 is silent; software does all fused sums that give NaN.
namespace lockstep::core::fp::host {

#if defined(__x86_64__)

const bool kHasFma = __builtin_cpu_supports("fma") != 0;

namespace {

constexpr uint32_t kMxcsrFlags = 0x3f;
constexpr uint32_t kMxcsrDenormalFlag = 0x02;
constexpr uint32_t kMxcsrDefault = 0x1f80;  // all exceptions masked, nearest even
constexpr int kMxcsrRoundingShift = 13;

// RISC-V's mode to MXCSR.RC: nearest 0, down 1, up 2, toward zero 3.
constexpr std::array<uint8_t, 4> kMxcsrRounding = {0, 3, 1, 2};

// MXCSR's sticky flags (IE, DE, ZE, OE, UE, PE from bit 0) to ours.
constexpr std::array<uint8_t, 64> make_flag_table() {
  std::array<uint8_t, 64> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    table[i] = static_cast<uint8_t>(((i & 0x01) != 0 ? kFlagInvalid : 0) | ((i & 0x04) != 0 ? kFlagDivideByZero : 0) |
                                    ((i & 0x08) != 0 ? kFlagOverflow : 0) | ((i & 0x10) != 0 ? kFlagUnderflow : 0) |
                                    ((i & 0x20) != 0 ? kFlagInexact : 0));
  }
  return table;
}
constexpr std::array<uint8_t, 64> kFlagTable = make_flag_table();

// Tied to the value so that the compiler neither moves the operation above the load nor below the read: the operation
// takes its operand from load_mxcsr and gives its result to read_mxcsr.
template <typename T>
void load_mxcsr(uint32_t value, T& operand) {
  asm volatile("ldmxcsr %1" : "+x"(operand) : "m"(value) : "memory");
}
template <typename T>
uint32_t read_mxcsr(T& operand) {
  uint32_t value;
  asm volatile("stmxcsr %0" : "=m"(value), "+x"(operand) : : "memory");
  return value;
}

// Runs operation(operand) under the guest's rounding mode, which is not kNearestMaxMagnitude. LDMXCSR is what costs,
// so that it is left out when the process's own mode will do and no stale flag is in the way.
template <typename T, typename Operation>
auto run_checked(T operand, RoundingMode mode, uint32_t& flags, Operation operation) {
  const uint32_t wanted = kMxcsrDefault | static_cast<uint32_t>(kMxcsrRounding[static_cast<size_t>(mode)])
                                              << kMxcsrRoundingShift;
  const uint32_t saved = read_mxcsr(operand);
  if ((saved & ~kMxcsrDenormalFlag) != wanted) load_mxcsr(wanted, operand);
  auto result = operation(operand);
  flags |= kFlagTable[read_mxcsr(result) & kMxcsrFlags];
  if ((saved & ~kMxcsrFlags) != wanted) load_mxcsr(saved, result);
  return result;
}

template <typename F>
typename F::Bits canonical(Native<F> value) {
  const auto bits = from_native<F>(value);
  return F::is_nan(bits) ? F::kCanonicalNan : bits;
}

}  // namespace

template <typename F>
typename F::Bits add_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if (mode == RoundingMode::kNearestMaxMagnitude) return SoftFloat<F>::add(a, b, mode, flags);
  return canonical<F>(
      run_checked(to_native<F>(a), mode, flags, [b](Native<F> x) { return native_add(x, to_native<F>(b)); }));
}

template <typename F>
typename F::Bits sub_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if (mode == RoundingMode::kNearestMaxMagnitude) return SoftFloat<F>::sub(a, b, mode, flags);
  return canonical<F>(
      run_checked(to_native<F>(a), mode, flags, [b](Native<F> x) { return native_sub(x, to_native<F>(b)); }));
}

template <typename F>
typename F::Bits mul_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if (mode == RoundingMode::kNearestMaxMagnitude) return SoftFloat<F>::mul(a, b, mode, flags);
  return canonical<F>(
      run_checked(to_native<F>(a), mode, flags, [b](Native<F> x) { return native_mul(x, to_native<F>(b)); }));
}

template <typename F>
typename F::Bits div_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  if (mode == RoundingMode::kNearestMaxMagnitude) return SoftFloat<F>::div(a, b, mode, flags);
  return canonical<F>(
      run_checked(to_native<F>(a), mode, flags, [b](Native<F> x) { return native_div(x, to_native<F>(b)); }));
}

template <typename F>
typename F::Bits sqrt_checked(typename F::Bits a, RoundingMode mode, uint32_t& flags) {
  if (mode == RoundingMode::kNearestMaxMagnitude) return SoftFloat<F>::sqrt(a, mode, flags);
  return canonical<F>(run_checked(to_native<F>(a), mode, flags, [](Native<F> x) { return native_sqrt(x); }));
}

template <typename F>
typename F::Bits fma_checked(typename F::Bits a, typename F::Bits b, typename F::Bits c, RoundingMode mode,
                             uint32_t& flags) {
  if (mode != RoundingMode::kNearestMaxMagnitude && kHasFma) {
    uint32_t raised = 0;
    const auto result = from_native<F>(run_checked(to_native<F>(a), mode, raised, [b, c](Native<F> x) {
      return native_fma(x, to_native<F>(b), to_native<F>(c));
    }));
    if (!F::is_nan(result)) {
      flags |= raised;
      return result;
    }
  }
  return SoftFloat<F>::fma(a, b, c, mode, flags);
}

uint32_t narrow_checked(uint64_t a, RoundingMode mode, uint32_t& flags) {
  if (mode == RoundingMode::kNearestMaxMagnitude) return soft_convert<Binary64, Binary32>(a, mode, flags);
  return canonical<Binary32>(
      run_checked(to_native<Binary64>(a), mode, flags, [](double x) { return native_narrow(x); }));
}

#else

const bool kHasFma = false;

template <typename F>
typename F::Bits add_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  return SoftFloat<F>::add(a, b, mode, flags);
}
template <typename F>
typename F::Bits sub_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  return SoftFloat<F>::sub(a, b, mode, flags);
}
template <typename F>
typename F::Bits mul_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  return SoftFloat<F>::mul(a, b, mode, flags);
}
template <typename F>
typename F::Bits div_checked(typename F::Bits a, typename F::Bits b, RoundingMode mode, uint32_t& flags) {
  return SoftFloat<F>::div(a, b, mode, flags);
}
template <typename F>
typename F::Bits sqrt_checked(typename F::Bits a, RoundingMode mode, uint32_t& flags) {
  return SoftFloat<F>::sqrt(a, mode, flags);
}
template <typename F>
typename F::Bits fma_checked(typename F::Bits a, typename F::Bits b, typename F::Bits c, RoundingMode mode,
                             uint32_t& flags) {
  return SoftFloat<F>::fma(a, b, c, mode, flags);
}
uint32_t narrow_checked(uint64_t a, RoundingMode mode, uint32_t& flags) {
  return soft_convert<Binary64, Binary32>(a, mode, flags);
}

#endif

template uint32_t add_checked<Binary32>(uint32_t, uint32_t, RoundingMode, uint32_t&);
template uint64_t add_checked<Binary64>(uint64_t, uint64_t, RoundingMode, uint32_t&);
template uint32_t sub_checked<Binary32>(uint32_t, uint32_t, RoundingMode, uint32_t&);
template uint64_t sub_checked<Binary64>(uint64_t, uint64_t, RoundingMode, uint32_t&);
template uint32_t mul_checked<Binary32>(uint32_t, uint32_t, RoundingMode, uint32_t&);
template uint64_t mul_checked<Binary64>(uint64_t, uint64_t, RoundingMode, uint32_t&);
template uint32_t div_checked<Binary32>(uint32_t, uint32_t, RoundingMode, uint32_t&);
template uint64_t div_checked<Binary64>(uint64_t, uint64_t, RoundingMode, uint32_t&);
template uint32_t sqrt_checked<Binary32>(uint32_t, RoundingMode, uint32_t&);
template uint64_t sqrt_checked<Binary64>(uint64_t, RoundingMode, uint32_t&);
template uint32_t fma_checked<Binary32>(uint32_t, uint32_t, uint32_t, RoundingMode, uint32_t&);
template uint64_t fma_checked<Binary64>(uint64_t, uint64_t, uint64_t, RoundingMode, uint32_t&);

}  // namespace lockstep::core::fp::host
