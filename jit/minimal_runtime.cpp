// SPDX-License-Identifier: Apache-2.0
#include "jit/minimal_runtime.h"

#include <cstring>

#include "core/ir/fp_semantics.h"

namespace lockstep::jit::runtime {

using core::ir::Type;

namespace {

unsigned size_of(uint64_t size_flags) { return static_cast<unsigned>(size_flags & 0xff); }
uint64_t flags_of(uint64_t size_flags) { return size_flags >> 8; }

}  // namespace

bool load(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, void* value) {
  return memory->load(vaddr, size_of(size_flags), flags_of(size_flags), value);
}

bool store(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* value) {
  return memory->store(vaddr, size_of(size_flags), flags_of(size_flags), value);
}

bool load_reserved(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, void* value) {
  return memory->load_reserved(vaddr, size_of(size_flags), flags_of(size_flags), value);
}

bool store_conditional(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* value,
                       uint64_t* failed) {
  return memory->store_conditional(vaddr, size_of(size_flags), flags_of(size_flags), value, *failed);
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

uint64_t fp(core::StateHeader* state, uint64_t operation, uint64_t a, uint64_t b, uint64_t c) {
  return core::ir::run_fp(core::ir::FpOperation::unpack(operation), a, b, c, state->fp_rounding, state->fp_flags);
}

void fp_lanes(core::StateHeader* state, uint64_t operation, const void* a, const void* b, const void* c, void* out,
              uint64_t bytes) {
  const unsigned lane_bytes = core::ir::type_bytes(core::ir::FpOperation::unpack(operation).type);
  const auto lane = [&](const void* vector, uint64_t at) {
    uint64_t value = 0;
    if (vector != nullptr) std::memcpy(&value, static_cast<const uint8_t*>(vector) + at, lane_bytes);
    return value;
  };
  for (uint64_t at = 0; at < bytes; at += lane_bytes) {
    const uint64_t result = fp(state, operation, lane(a, at), lane(b, at), lane(c, at));
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
