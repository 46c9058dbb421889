// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/known_bits.h"

#include <algorithm>
#include <bit>

#include "core/ir/fold.h"

namespace lockstep::jit::passes {

using core::ir::Inst;
using core::ir::mask_to;
using core::ir::Op;
using core::ir::Type;
using core::ir::type_bits;

namespace {

uint64_t all_ones(Type type) { return mask_to(type, ~uint64_t{0}); }

unsigned leading_ones(Type type, uint64_t bits) {
  return static_cast<unsigned>(std::countl_one(bits << (64 - type_bits(type))));
}

// Bits that are known from the top downwards tell of the sign, and the sign of what is above it.
KnownBits completed(Type type, KnownBits k) {
  const unsigned bits = type_bits(type);
  k.zeros &= all_ones(type);
  k.ones &= all_ones(type);
  k.signs = std::clamp(std::max({k.signs, leading_ones(type, k.zeros), leading_ones(type, k.ones)}), 1u, bits);
  const uint64_t copies = k.signs == bits ? all_ones(type) : all_ones(type) & ~(all_ones(type) >> k.signs);
  if (k.zeros & copies) k.zeros |= copies;
  if (k.ones & copies) k.ones |= copies;
  return k;
}

KnownBits shifted(const Inst& i, const KnownBits& a, unsigned count) {
  const unsigned bits = type_bits(i.type);
  const uint64_t low = (uint64_t{1} << count) - 1;
  const uint64_t high = all_ones(i.type) & ~(all_ones(i.type) >> count);
  switch (i.op) {
    case Op::kShl:
      return {a.zeros << count | low, a.ones << count, a.signs > count ? a.signs - count : 1};
    case Op::kShr:
      return {a.zeros >> count | high, a.ones >> count, 1};
    default: {
      const bool positive = (a.zeros >> (bits - 1) & 1) != 0, negative = (a.ones >> (bits - 1) & 1) != 0;
      return {a.zeros >> count | (positive ? high : 0), a.ones >> count | (negative ? high : 0), a.signs + count};
    }
  }
}

// What a sum or difference keeps of its operands: zeros at the bottom, and room for one more bit at the top.
KnownBits summed(Type type, const KnownBits& a, const KnownBits& b, bool subtracts) {
  const unsigned bits = type_bits(type);
  const int low = std::min(std::countr_one(a.zeros), std::countr_one(b.zeros));
  KnownBits k;
  k.zeros = low >= 64 ? ~uint64_t{0} : (uint64_t{1} << low) - 1;
  const unsigned above = std::min(leading_ones(type, a.zeros), leading_ones(type, b.zeros));
  if (!subtracts && above > 1) k.zeros |= all_ones(type) & ~(all_ones(type) >> (above - 1));
  k.signs = std::max(std::min({a.signs, b.signs, bits}), 2u) - 1;
  return k;
}

KnownBits extended(const Inst& i, Type from, const KnownBits& a) {
  const uint64_t above = all_ones(i.type) & ~all_ones(from);
  const unsigned more = type_bits(i.type) - type_bits(from);
  if (i.op == Op::kZext) return {a.zeros | above, a.ones, 1};
  const uint64_t sign = uint64_t{1} << (type_bits(from) - 1);
  return {a.zeros | (a.zeros & sign ? above : 0), a.ones | (a.ones & sign ? above : 0), a.signs + more};
}

KnownBits narrowed(const Inst& i, Type from, const KnownBits& a) {
  const unsigned less = type_bits(from) - type_bits(i.type);
  return {a.zeros, a.ones, a.signs > less ? a.signs - less : 1};
}

}  // namespace

KnownBits KnownBits::of_constant(Type type, uint64_t value) {
  value = mask_to(type, value);
  return completed(type, {all_ones(type) & ~value, value, 1});
}

KnownBits KnownBits::meet(const KnownBits& other) const {
  return {zeros & other.zeros, ones & other.ones, std::min(signs, other.signs)};
}

bool KnownBits::is_constant(Type type) const { return (zeros | ones) == all_ones(type); }

KnownBits known_result(const Inst& i, Type operand_type, std::span<const KnownBits> operands) {
  if (!core::ir::is_scalar(i.type)) return {};
  const auto result = [&](const KnownBits& k) { return completed(i.type, k); };
  const unsigned bits = type_bits(i.type);
  switch (i.op) {
    case Op::kConst:
      return KnownBits::of_constant(i.type, i.imm);
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor: {
      const KnownBits &a = operands[0], &b = operands[1];
      const unsigned signs = std::min(a.signs, b.signs);
      if (i.op == Op::kAnd) return result({a.zeros | b.zeros, a.ones & b.ones, signs});
      if (i.op == Op::kOr) return result({a.zeros & b.zeros, a.ones | b.ones, signs});
      return result({(a.zeros & b.zeros) | (a.ones & b.ones), (a.zeros & b.ones) | (a.ones & b.zeros), signs});
    }
    case Op::kNot:
      return result({operands[0].ones, operands[0].zeros, operands[0].signs});
    case Op::kAdd:
    case Op::kSub:
      return result(summed(i.type, operands[0], operands[1], i.op == Op::kSub));
    case Op::kShl:
    case Op::kShr:
    case Op::kSar:
      if (!operands[1].is_constant(i.type)) return {};
      return result(shifted(i, operands[0], static_cast<unsigned>(operands[1].ones % bits)));
    case Op::kZext:
    case Op::kSext:
      if (!core::ir::is_scalar(operand_type)) return {};
      return result(extended(i, operand_type, operands[0]));
    case Op::kTrunc:
      return result(narrowed(i, operand_type, operands[0]));
    case Op::kSelect:
      return result(operands[1].meet(operands[2]));
    case Op::kMinU:
    case Op::kMinS:
    case Op::kMaxU:
    case Op::kMaxS:
      return result(operands[0].meet(operands[1]));
    case Op::kClz:
    case Op::kCtz:
    case Op::kPopcnt:
      return result({~uint64_t{0} << std::bit_width(bits), 0, 1});  // at most `bits`
    default:
      return {};
  }
}

}  // namespace lockstep::jit::passes
