// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace lockstep::core::ir {

// Types of IR values. Bits above a type's width are unspecified wherever a value is kept in something wider; every
// operation looks only at its operands' own bits. Floating point travels as kI32 and kI64 bit patterns.
enum class Type : uint8_t { kVoid, kI1, kI8, kI16, kI32, kI64, kI128, kV128, kV256 };

constexpr unsigned type_bits(Type type) {
  constexpr unsigned kBits[] = {0, 1, 8, 16, 32, 64, 128, 128, 256};
  return kBits[static_cast<unsigned>(type)];
}
// Bytes in memory and in the state; kI1 takes one byte.
constexpr unsigned type_bytes(Type type) { return type == Type::kI1 ? 1 : type_bits(type) / 8; }
constexpr bool is_scalar(Type type) { return type >= Type::kI1 && type <= Type::kI64; }
constexpr bool is_wide(Type type) { return type >= Type::kI128; }

// "i64", "v128", ...; "void" for kVoid.
std::string_view type_name(Type type);

}  // namespace lockstep::core::ir
