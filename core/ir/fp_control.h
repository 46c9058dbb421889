// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// How a floating-point operation behaves where IEEE 754 leaves ISAs a choice. It is part of the instruction: a frontend
// makes the guest's control bits that choose (FPCR.DN and FZ, MXCSR.DAZ and FTZ) part of Hart::code_key(). Only the
// rounding mode may be left to the state.
namespace lockstep::core::ir {

// The rounding mode in StateHeader::fp_rounding.
inline constexpr uint64_t kRoundDynamic = 7;

// Whose rules: which NaN results, when a result is tiny, what an integer conversion gives out of range, what inf * 0 +
// NaN raises, how min and max treat NaNs and zeros.
enum class FpRule : uint8_t { kRiscv, kArm, kArmDefaultNan, kX86 };

// An operand was subnormal: Arm's IDC (when it is flushed), x86's DE (when it is not). Beside the flags of
// core/fp/fp_types.h in StateHeader::fp_flags; RISC-V never sees it.
inline constexpr uint32_t kFpFlagInputDenormal = 32;

// In `imm` of scalar and `imm2` of lane operations: rounding in bits 0 to 3, rule in bits 4 to 6, then the two flushes.
// A plain rounding mode is RISC-V's control with that mode.
struct FpControl {
  uint64_t rounding = 0;  // fp::RoundingMode, or kRoundDynamic
  FpRule rule = FpRule::kRiscv;
  bool flush_inputs = false;   // subnormal operands count as zeros of their sign; not with kRiscv
  bool flush_results = false;  // tiny results become zeros of their sign and raise underflow; not with kRiscv

  constexpr uint64_t pack() const {
    return rounding | static_cast<uint64_t>(rule) << 4 | uint64_t{flush_inputs} << 7 | uint64_t{flush_results} << 8;
  }
  static constexpr FpControl unpack(uint64_t packed) {
    return {packed & 15, static_cast<FpRule>(packed >> 4 & 7), (packed >> 7 & 1) != 0, (packed >> 8 & 1) != 0};
  }
  bool operator==(const FpControl&) const = default;
};
inline constexpr uint64_t kFpControlBits = 9;

// An empty string, or what is wrong with a packed control.
std::string check_fp_control(uint64_t packed);

// "rm0", "rm7.arm", "rm1.x86.daz.ftz"; nothing for what is no control.
std::string print_fp_control(uint64_t packed);
std::optional<uint64_t> parse_fp_control(std::string_view text);

}  // namespace lockstep::core::ir
