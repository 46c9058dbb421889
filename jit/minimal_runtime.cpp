// SPDX-License-Identifier: Apache-2.0
#include "jit/minimal_runtime.h"

#include <cassert>
#include <cstring>

#include "core/fp/fp.h"

namespace lockstep::jit::runtime {

namespace fp_ops = core::fp;
using core::ir::Op;
using core::ir::Type;

namespace {

unsigned size_of(uint64_t size_flags) { return static_cast<unsigned>(size_flags & 0xff); }
uint64_t flags_of(uint64_t size_flags) { return size_flags >> 8; }

fp_ops::RoundingMode rounding_of(const core::StateHeader& state, uint64_t rounding) {
  return static_cast<fp_ops::RoundingMode>(rounding == core::ir::kRoundDynamic ? state.fp_rounding : rounding);
}

uint64_t convert(Op op, Type to, Type from, uint64_t a, fp_ops::RoundingMode mode, uint32_t& flags) {
  const bool to32 = to == Type::kI32;
  const bool from32 = from == Type::kI32;
  const auto a32 = static_cast<uint32_t>(a);
  switch (op) {
    case Op::kFCvt:
      return to32 ? fp_ops::f64_to_f32(a, mode, flags) : fp_ops::f32_to_f64(a32, flags);
    case Op::kFToS:
      if (to32) {
        return static_cast<uint32_t>(from32 ? fp_ops::f32_to_i32(a32, mode, flags)
                                            : fp_ops::f64_to_i32(a, mode, flags));
      }
      return static_cast<uint64_t>(from32 ? fp_ops::f32_to_i64(a32, mode, flags) : fp_ops::f64_to_i64(a, mode, flags));
    case Op::kFToU:
      if (to32) return from32 ? fp_ops::f32_to_u32(a32, mode, flags) : fp_ops::f64_to_u32(a, mode, flags);
      return from32 ? fp_ops::f32_to_u64(a32, mode, flags) : fp_ops::f64_to_u64(a, mode, flags);
    case Op::kSToF: {
      const int64_t value = from32 ? static_cast<int32_t>(a32) : static_cast<int64_t>(a);
      return to32 ? fp_ops::i64_to_f32(value, mode, flags) : fp_ops::i64_to_f64(value, mode, flags);
    }
    case Op::kUToF:
      return to32 ? fp_ops::u64_to_f32(from32 ? a32 : a, mode, flags)
                  : fp_ops::u64_to_f64(from32 ? a32 : a, mode, flags);
    default:
      assert(false);
      return 0;
  }
}

uint64_t calculate32(Op op, uint64_t a64, uint64_t b64, uint64_t c64, fp_ops::RoundingMode mode, uint32_t& flags) {
  const auto a = static_cast<uint32_t>(a64);
  const auto b = static_cast<uint32_t>(b64);
  switch (op) {
    case Op::kFAdd:
      return fp_ops::f32_add(a, b, mode, flags);
    case Op::kFSub:
      return fp_ops::f32_sub(a, b, mode, flags);
    case Op::kFMul:
      return fp_ops::f32_mul(a, b, mode, flags);
    case Op::kFDiv:
      return fp_ops::f32_div(a, b, mode, flags);
    case Op::kFSqrt:
      return fp_ops::f32_sqrt(a, mode, flags);
    case Op::kFMa:
      return fp_ops::f32_fma(a, b, static_cast<uint32_t>(c64), mode, flags);
    case Op::kFMin:
      return fp_ops::f32_min(a, b, flags);
    case Op::kFMax:
      return fp_ops::f32_max(a, b, flags);
    case Op::kFEq:
      return fp_ops::f32_eq(a, b, flags);
    case Op::kFLt:
      return fp_ops::f32_lt(a, b, flags);
    case Op::kFLe:
      return fp_ops::f32_le(a, b, flags);
    case Op::kFClass:
      return fp_ops::f32_classify(a);
    default:
      assert(false);
      return 0;
  }
}

uint64_t calculate64(Op op, uint64_t a, uint64_t b, uint64_t c, fp_ops::RoundingMode mode, uint32_t& flags) {
  switch (op) {
    case Op::kFAdd:
      return fp_ops::f64_add(a, b, mode, flags);
    case Op::kFSub:
      return fp_ops::f64_sub(a, b, mode, flags);
    case Op::kFMul:
      return fp_ops::f64_mul(a, b, mode, flags);
    case Op::kFDiv:
      return fp_ops::f64_div(a, b, mode, flags);
    case Op::kFSqrt:
      return fp_ops::f64_sqrt(a, mode, flags);
    case Op::kFMa:
      return fp_ops::f64_fma(a, b, c, mode, flags);
    case Op::kFMin:
      return fp_ops::f64_min(a, b, flags);
    case Op::kFMax:
      return fp_ops::f64_max(a, b, flags);
    case Op::kFEq:
      return fp_ops::f64_eq(a, b, flags);
    case Op::kFLt:
      return fp_ops::f64_lt(a, b, flags);
    case Op::kFLe:
      return fp_ops::f64_le(a, b, flags);
    case Op::kFClass:
      return fp_ops::f64_classify(a);
    default:
      assert(false);
      return 0;
  }
}

}  // namespace

bool load(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, void* value) {
  return memory->load(vaddr, size_of(size_flags), flags_of(size_flags), value);
}

bool store(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* value) {
  return memory->store(vaddr, size_of(size_flags), flags_of(size_flags), value);
}

bool load_reserved(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, void* value) {
  uint64_t loaded = 0;
  if (!memory->load_reserved(vaddr, size_of(size_flags), flags_of(size_flags), loaded)) return false;
  std::memcpy(value, &loaded, sizeof(loaded));
  return true;
}

bool store_conditional(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* value,
                       uint64_t* failed) {
  uint64_t stored = 0;
  std::memcpy(&stored, value, size_of(size_flags));
  return memory->store_conditional(vaddr, size_of(size_flags), flags_of(size_flags), stored, *failed);
}

bool compare_and_swap(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* expected,
                      const void* desired, void* old) {
  return memory->compare_and_swap(vaddr, size_of(size_flags), flags_of(size_flags), expected, desired, old);
}

bool rmw(core::MemoryAccess* memory, uint64_t vaddr, uint64_t op_type, uint64_t flags, uint64_t operand,
         uint64_t* old) {
  return memory->rmw(static_cast<core::ir::RmwOp>(op_type & 0xff), vaddr, static_cast<Type>(op_type >> 8), flags,
                     operand, *old);
}

uint64_t pack(const FpRequest& request) {
  return static_cast<uint64_t>(request.op) | static_cast<uint64_t>(request.type) << 8 |
         static_cast<uint64_t>(request.operand_type) << 16 | uint64_t{request.rounding} << 24;
}

uint64_t fp(core::StateHeader* state, uint64_t packed, uint64_t a, uint64_t b, uint64_t c) {
  const auto op = static_cast<Op>(packed & 0xff);
  const auto type = static_cast<Type>(packed >> 8 & 0xff);
  const auto operand_type = static_cast<Type>(packed >> 16 & 0xff);
  const fp_ops::RoundingMode mode = rounding_of(*state, packed >> 24);
  if (op >= Op::kFCvt && op <= Op::kUToF) return convert(op, type, operand_type, a, mode, state->fp_flags);
  return operand_type == Type::kI32 ? calculate32(op, a, b, c, mode, state->fp_flags)
                                    : calculate64(op, a, b, c, mode, state->fp_flags);
}

void fp_lanes(core::StateHeader* state, uint64_t packed, const void* a, const void* b, const void* c, void* out,
              uint64_t bytes) {
  const unsigned lane_bytes = static_cast<Type>(packed >> 16 & 0xff) == Type::kI32 ? 4 : 8;
  const auto lane = [&](const void* vector, uint64_t at) {
    uint64_t value = 0;
    if (vector != nullptr) std::memcpy(&value, static_cast<const uint8_t*>(vector) + at, lane_bytes);
    return value;
  };
  for (uint64_t at = 0; at < bytes; at += lane_bytes) {
    const uint64_t result = fp(state, packed, lane(a, at), lane(b, at), lane(c, at));
    std::memcpy(static_cast<uint8_t*>(out) + at, &result, lane_bytes);
  }
}

uint64_t reverse_bits(uint64_t value) {
  uint64_t result = 0;
  for (unsigned bit = 0; bit < 64; ++bit) result |= (value >> bit & 1) << (63 - bit);
  return result;
}

uint64_t or_combine_bytes(uint64_t value) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    if (value >> shift & 0xff) result |= uint64_t{0xff} << shift;
  }
  return result;
}

}  // namespace lockstep::jit::runtime
