// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interpreter/code_block.h"
#include "core/interpreter/memory_access.h"

namespace lockstep::core {

// Scalar operations that have no cell of their own; operation and type as the lowering describes them.
uint64_t run_scalar1(uint64_t description, uint64_t a);
uint64_t run_scalar2(uint64_t description, uint64_t a, uint64_t b);
uint64_t run_scalar3(uint64_t description, uint64_t a, uint64_t b, uint64_t c);

// Operations on 128 and 256 bits, wide memory accesses and compare-and-swap. `slots` is the hart's state. False: a trap
// was entered.
bool run_wide(const WideOp& op, StateHeader& state, MemoryAccess& memory);

}  // namespace lockstep::core
