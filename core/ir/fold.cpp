// SPDX-License-Identifier: Apache-2.0
#include "core/ir/fold.h"

#include <bit>

namespace lockstep::core::ir {

std::optional<uint64_t> fold_unary(Op op, Type type, uint64_t a) {
  const unsigned bits = type_bits(type);
  a = mask_to(type, a);
  switch (op) {
    case Op::kNot:
      return mask_to(type, ~a);
    case Op::kClz:
      return a == 0 ? bits : std::countl_zero(a) - (64 - bits);
    case Op::kCtz:
      return a == 0 ? bits : std::countr_zero(a);
    case Op::kPopcnt:
      return std::popcount(a);
    case Op::kBswap:
      return __builtin_bswap64(a) >> (64 - bits);
    case Op::kBitrev: {
      uint64_t result = 0;
      for (unsigned i = 0; i < bits; ++i) result |= ((a >> i) & 1) << (bits - 1 - i);
      return result;
    }
    case Op::kOrcB: {
      uint64_t result = 0;
      for (unsigned i = 0; i < bits; i += 8) result |= ((a >> i) & 0xff) != 0 ? uint64_t{0xff} << i : 0;
      return result;
    }
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> fold_binary(Op op, Type type, uint64_t a, uint64_t b) {
  const unsigned bits = type_bits(type);
  a = mask_to(type, a);
  b = mask_to(type, b);
  const int64_t sa = sign_extend(type, a);
  const int64_t sb = sign_extend(type, b);
  const unsigned count = static_cast<unsigned>(b % bits);
  const auto wide = [](int64_t v) { return static_cast<__int128>(v); };
  const auto cut = [type](uint64_t v) { return mask_to(type, v); };
  switch (op) {
    case Op::kAdd:
      return cut(a + b);
    case Op::kSub:
      return cut(a - b);
    case Op::kMul:
      return cut(a * b);
    case Op::kMulHighU:
      return cut(static_cast<uint64_t>((static_cast<unsigned __int128>(a) * b) >> bits));
    case Op::kMulHighS:
      return cut(static_cast<uint64_t>((wide(sa) * wide(sb)) >> bits));
    case Op::kMulHighSU:
      return cut(static_cast<uint64_t>((wide(sa) * static_cast<__int128>(b)) >> bits));
    case Op::kDivU:
      return b == 0 ? cut(~uint64_t{0}) : a / b;
    case Op::kDivS:
      return sb == 0 ? cut(~uint64_t{0}) : sb == -1 ? cut(0 - a) : cut(static_cast<uint64_t>(sa / sb));
    case Op::kRemU:
      return b == 0 ? a : a % b;
    case Op::kRemS:
      return sb == 0 ? a : sb == -1 ? 0 : cut(static_cast<uint64_t>(sa % sb));
    case Op::kAnd:
      return a & b;
    case Op::kOr:
      return a | b;
    case Op::kXor:
      return a ^ b;
    case Op::kShl:
      return cut(a << count);
    case Op::kShr:
      return a >> count;
    case Op::kSar:
      return cut(static_cast<uint64_t>(sa >> count));
    case Op::kRotL:
      return count == 0 ? a : cut(a << count | a >> (bits - count));
    case Op::kRotR:
      return count == 0 ? a : cut(a >> count | a << (bits - count));
    case Op::kMinU:
      return a < b ? a : b;
    case Op::kMinS:
      return sa < sb ? a : b;
    case Op::kMaxU:
      return a > b ? a : b;
    case Op::kMaxS:
      return sa > sb ? a : b;
    case Op::kEq:
      return a == b;
    case Op::kNe:
      return a != b;
    case Op::kLtU:
      return a < b;
    case Op::kLtS:
      return sa < sb;
    case Op::kGeU:
      return a >= b;
    case Op::kGeS:
      return sa >= sb;
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> fold(Op op, Type type, Type operand_type, std::span<const uint64_t> operands) {
  if (!is_scalar(type) || !is_scalar(operand_type)) return std::nullopt;
  if (operands.size() == 2) return fold_binary(op, operand_type, operands[0], operands[1]);
  if (operands.size() != 1) return std::nullopt;
  switch (op) {
    case Op::kZext:
      return mask_to(operand_type, operands[0]);
    case Op::kSext:
      return mask_to(type, static_cast<uint64_t>(sign_extend(operand_type, operands[0])));
    case Op::kTrunc:
      return mask_to(type, operands[0]);
    default:
      return fold_unary(op, type, operands[0]);
  }
}

}  // namespace lockstep::core::ir
