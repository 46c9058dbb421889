// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/hart/hart.h"
#include "core/interpreter/memory_access.h"
#include "core/ir/ir.h"

// What the code of MinimalEmitter calls. Plain functions, so that their addresses can be written into code.
namespace lockstep::jit::runtime {

// Guest memory: false when a trap was entered. `size_flags` is the size in bytes in the low byte and MemFlags above it.
bool load(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, void* value);
bool store(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* value);
bool load_reserved(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, void* value);
bool store_conditional(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* value,
                       uint64_t* failed);
bool compare_and_swap(core::MemoryAccess* memory, uint64_t vaddr, uint64_t size_flags, const void* expected,
                      const void* desired, void* old);
// `op_type` is the RmwOp in the low byte and the Type above it.
bool rmw(core::MemoryAccess* memory, uint64_t vaddr, uint64_t op_type, uint64_t flags, uint64_t operand, uint64_t* old);

// A scalar floating-point operation, ir::FpOperation::pack(); operands are zero-extended patterns.
uint64_t fp(core::StateHeader* state, uint64_t operation, uint64_t a, uint64_t b, uint64_t c);

// The same on every lane of `bytes` bytes.
void fp_lanes(core::StateHeader* state, uint64_t operation, const void* a, const void* b, const void* c, void* out,
              uint64_t bytes);

// Operations on integers that take the host more than a few instructions.
uint64_t reverse_bits(uint64_t value);  // of all 64 bits
uint64_t or_combine_bytes(uint64_t value);

}  // namespace lockstep::jit::runtime
