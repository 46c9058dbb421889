// SPDX-License-Identifier: Apache-2.0
#include "core/ir/fp_semantics.h"

#include <array>
#include <cassert>
#include <concepts>

#include "core/fp/fp.h"

namespace lockstep::core::ir {

namespace {

using fp::Binary32;
using fp::Binary64;
using fp::FpPolicy;
using fp::Ordering;
using fp::RoundingMode;
using fp::SoftFloat;

constexpr std::array<FpPolicy, 4> kPolicies = {fp::kRiscvPolicy, fp::kArmPolicy, fp::kArmDefaultNanPolicy,
                                               fp::kX86Policy};

template <typename F>
bool is_subnormal(typename F::Bits a) {
  const auto magnitude = F::magnitude(a);
  return magnitude != 0 && magnitude <= F::kFractionMask;
}

// Operands of one format under a control: flushes the subnormal ones and knows what they raise.
template <typename F>
class Operands {
 public:
  using Bits = typename F::Bits;

  Operands(const FpControl& control, std::array<Bits, 3> values, unsigned count) : values_(values) {
    for (unsigned i = 0; i < count; ++i) {
      any_nan_ |= F::is_nan(values_[i]);
      if (!is_subnormal<F>(values_[i])) continue;
      subnormal_ = true;
      if (control.flush_inputs) values_[i] &= F::kSignMask;
    }
    // x86 reports the subnormal operands that it uses, Arm those that it flushes.
    reports_ = subnormal_ && control.rule != FpRule::kRiscv && control.flush_inputs != (control.rule == FpRule::kX86);
    yields_ = control.rule == FpRule::kX86;
  }

  Bits operator[](unsigned i) const { return values_[i]; }
  bool any_nan() const { return any_nan_; }

  // On x86 a NaN operand, an invalid operation and a division by zero come before a subnormal operand.
  uint32_t report(uint32_t raised) const {
    const bool earlier = any_nan_ || (raised & (fp::kFlagInvalid | fp::kFlagDivideByZero)) != 0;
    return reports_ && !(yields_ && earlier) ? kFpFlagInputDenormal : 0;
  }

 private:
  std::array<Bits, 3> values_;
  bool any_nan_ = false;
  bool subnormal_ = false;
  bool reports_ = false;
  bool yields_ = false;
};

// Replaces a tiny result by zero. The operation has been done with the rule's own tininess, so that a tiny result is
// one that raised underflow, or that is subnormal and exact.
template <typename F>
typename F::Bits flush_result(const FpControl& control, typename F::Bits result, uint32_t& raised) {
  if (!control.flush_results) return result;
  if ((raised & fp::kFlagUnderflow) == 0 && !is_subnormal<F>(result)) return result;
  raised &= ~fp::kFlagInexact;
  raised |= fp::kFlagUnderflow;
  if (control.rule == FpRule::kX86) raised |= fp::kFlagInexact;
  return result & F::kSignMask;
}

// kFMin and kFMax of Arm and x86.
template <typename F>
typename F::Bits min_max(Op op, const FpControl& control, typename F::Bits a, typename F::Bits b, uint32_t& flags) {
  using S = SoftFloat<F>;
  const FpPolicy& policy = kPolicies[static_cast<size_t>(control.rule)];
  if (control.rule == FpRule::kX86) {
    const Ordering order = S::compare_signalling(a, b, flags);
    return order == (op == Op::kFMin ? Ordering::kLess : Ordering::kGreater) ? a : b;
  }
  // Any operation with a NaN gives the NaN that the rule chooses.
  if (F::is_nan(a) || F::is_nan(b)) return S::add(a, b, RoundingMode::kNearestEven, flags, policy);
  return op == Op::kFMin ? S::min(a, b, flags) : S::max(a, b, flags);
}

template <typename F>
typename F::Bits arithmetic(const FpOperation& operation, const Operands<F>& in, RoundingMode mode, uint32_t& flags) {
  using S = SoftFloat<F>;
  const FpPolicy& policy = kPolicies[static_cast<size_t>(operation.control.rule)];
  switch (operation.op) {
    case Op::kFAdd:
      return S::add(in[0], in[1], mode, flags, policy);
    case Op::kFSub:
      return S::sub(in[0], in[1], mode, flags, policy);
    case Op::kFMul:
      return S::mul(in[0], in[1], mode, flags, policy);
    case Op::kFDiv:
      return S::div(in[0], in[1], mode, flags, policy);
    case Op::kFSqrt:
      return S::sqrt(in[0], mode, flags, policy);
    default:
      assert(operation.op == Op::kFMa);
      return S::fma(in[0], in[1], in[2], mode, flags, policy);
  }
}

template <typename F>
uint64_t compare(Op op, const Operands<F>& in, uint32_t& flags) {
  using S = SoftFloat<F>;
  if (op == Op::kFEq) return S::compare_quiet(in[0], in[1], flags) == Ordering::kEqual;
  const Ordering order = S::compare_signalling(in[0], in[1], flags);
  return order == Ordering::kLess || (op == Op::kFLe && order == Ordering::kEqual);
}

unsigned operand_count(Op op) { return op_info(op).operands; }

// Operations on one format, under Arm's and x86's rules: all in integers.
template <typename F>
uint64_t run_format(const FpOperation& operation, uint64_t a, uint64_t b, uint64_t c, RoundingMode mode,
                    uint32_t& flags) {
  using Bits = typename F::Bits;
  const FpControl& control = operation.control;
  const Operands<F> in(control, {static_cast<Bits>(a), static_cast<Bits>(b), static_cast<Bits>(c)},
                       operand_count(operation.op));
  const FpPolicy& policy = kPolicies[static_cast<size_t>(control.rule)];
  uint32_t raised = 0;
  uint64_t result = 0;
  switch (operation.op) {
    case Op::kFEq:
    case Op::kFLt:
    case Op::kFLe:
      result = compare<F>(operation.op, in, raised);
      break;
    case Op::kFMin:
    case Op::kFMax:
      result = min_max<F>(operation.op, control, in[0], in[1], raised);
      break;
    case Op::kFToS:
    case Op::kFToU:
      result = SoftFloat<F>::to_integer(in[0], static_cast<int>(type_bits(operation.type)), operation.op == Op::kFToS,
                                        mode, raised, policy);
      break;
    case Op::kFCvt:
      if constexpr (std::same_as<F, Binary32>) {
        result = fp::soft_convert<Binary32, Binary64>(in[0], mode, raised, policy);
      } else {
        const uint32_t narrow = fp::soft_convert<Binary64, Binary32>(in[0], mode, raised, policy);
        result = flush_result<Binary32>(control, narrow, raised);
      }
      break;
    default:
      result = flush_result<F>(control, arithmetic<F>(operation, in, mode, raised), raised);
      break;
  }
  // x86 converts to integers without looking for subnormal operands.
  const bool to_integer = operation.op == Op::kFToS || operation.op == Op::kFToU;
  flags |= raised;
  if (!(to_integer && control.rule == FpRule::kX86)) flags |= in.report(raised);
  return result;
}

uint64_t from_integer(const FpOperation& operation, uint64_t a, RoundingMode mode, uint32_t& flags) {
  const bool narrow = operation.operand_type == Type::kI32;
  const bool to32 = operation.type == Type::kI32;
  if (operation.op == Op::kSToF) {
    const int64_t value = narrow ? static_cast<int32_t>(a) : static_cast<int64_t>(a);
    return to32 ? fp::i64_to_f32(value, mode, flags) : fp::i64_to_f64(value, mode, flags);
  }
  const uint64_t value = narrow ? static_cast<uint32_t>(a) : a;
  return to32 ? fp::u64_to_f32(value, mode, flags) : fp::u64_to_f64(value, mode, flags);
}

// RISC-V's rules, on the host's FPU where it gives the same.
uint64_t run_riscv32(Op op, Type type, uint32_t a, uint32_t b, uint32_t c, RoundingMode mode, uint32_t& flags) {
  const bool wide = type == Type::kI64;
  switch (op) {
    case Op::kFAdd:
      return fp::f32_add(a, b, mode, flags);
    case Op::kFSub:
      return fp::f32_sub(a, b, mode, flags);
    case Op::kFMul:
      return fp::f32_mul(a, b, mode, flags);
    case Op::kFDiv:
      return fp::f32_div(a, b, mode, flags);
    case Op::kFSqrt:
      return fp::f32_sqrt(a, mode, flags);
    case Op::kFMa:
      return fp::f32_fma(a, b, c, mode, flags);
    case Op::kFMin:
      return fp::f32_min(a, b, flags);
    case Op::kFMax:
      return fp::f32_max(a, b, flags);
    case Op::kFEq:
      return fp::f32_eq(a, b, flags);
    case Op::kFLt:
      return fp::f32_lt(a, b, flags);
    case Op::kFLe:
      return fp::f32_le(a, b, flags);
    case Op::kFCvt:
      return fp::f32_to_f64(a, flags);
    case Op::kFToS:
      return wide ? static_cast<uint64_t>(fp::f32_to_i64(a, mode, flags))
                  : static_cast<uint32_t>(fp::f32_to_i32(a, mode, flags));
    default:
      assert(op == Op::kFToU);
      return wide ? fp::f32_to_u64(a, mode, flags) : fp::f32_to_u32(a, mode, flags);
  }
}

uint64_t run_riscv64(Op op, Type type, uint64_t a, uint64_t b, uint64_t c, RoundingMode mode, uint32_t& flags) {
  const bool wide = type == Type::kI64;
  switch (op) {
    case Op::kFAdd:
      return fp::f64_add(a, b, mode, flags);
    case Op::kFSub:
      return fp::f64_sub(a, b, mode, flags);
    case Op::kFMul:
      return fp::f64_mul(a, b, mode, flags);
    case Op::kFDiv:
      return fp::f64_div(a, b, mode, flags);
    case Op::kFSqrt:
      return fp::f64_sqrt(a, mode, flags);
    case Op::kFMa:
      return fp::f64_fma(a, b, c, mode, flags);
    case Op::kFMin:
      return fp::f64_min(a, b, flags);
    case Op::kFMax:
      return fp::f64_max(a, b, flags);
    case Op::kFEq:
      return fp::f64_eq(a, b, flags);
    case Op::kFLt:
      return fp::f64_lt(a, b, flags);
    case Op::kFLe:
      return fp::f64_le(a, b, flags);
    case Op::kFCvt:
      return fp::f64_to_f32(a, mode, flags);
    case Op::kFToS:
      return wide ? static_cast<uint64_t>(fp::f64_to_i64(a, mode, flags))
                  : static_cast<uint32_t>(fp::f64_to_i32(a, mode, flags));
    default:
      assert(op == Op::kFToU);
      return wide ? fp::f64_to_u64(a, mode, flags) : fp::f64_to_u32(a, mode, flags);
  }
}

}  // namespace

FpOperation fp_operation_of(const Inst& inst, Type operand_type) {
  const auto lane = [&](Op op) {
    const Type type = inst.imm == 32 ? Type::kI32 : Type::kI64;
    return FpOperation{op, type, type, FpControl::unpack(inst.imm2)};
  };
  switch (inst.op) {
    case Op::kVFAdd:
      return lane(Op::kFAdd);
    case Op::kVFMul:
      return lane(Op::kFMul);
    case Op::kVFMa:
      return lane(Op::kFMa);
    default:
      return {inst.op, inst.type, operand_type, FpControl::unpack(inst.imm)};
  }
}

uint64_t run_fp(const FpOperation& operation, uint64_t a, uint64_t b, uint64_t c, uint32_t dynamic_rounding,
                uint32_t& flags) {
  const FpControl& control = operation.control;
  const auto mode = static_cast<RoundingMode>(control.rounding == kRoundDynamic ? dynamic_rounding : control.rounding);
  const bool narrow = operation.operand_type == Type::kI32;
  if (operation.op == Op::kFClass) {
    return narrow ? fp::f32_classify(static_cast<uint32_t>(a)) : fp::f64_classify(a);
  }
  // Integers become the same numbers everywhere.
  if (operation.op == Op::kSToF || operation.op == Op::kUToF) return from_integer(operation, a, mode, flags);
  if (control.rule != FpRule::kRiscv) {
    return narrow ? run_format<Binary32>(operation, a, b, c, mode, flags)
                  : run_format<Binary64>(operation, a, b, c, mode, flags);
  }
  if (narrow) {
    return run_riscv32(operation.op, operation.type, static_cast<uint32_t>(a), static_cast<uint32_t>(b),
                       static_cast<uint32_t>(c), mode, flags);
  }
  return run_riscv64(operation.op, operation.type, a, b, c, mode, flags);
}

}  // namespace lockstep::core::ir
