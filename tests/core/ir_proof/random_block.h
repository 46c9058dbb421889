// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>

#include "core/ir/ir.h"
#include "tests/core/ir_proof/test_machine.h"

namespace lockstep::test {

// A well-typed block of a few guest instructions over the layout's fields and the test machine's memory, made with the
// Builder. `random` alone decides it.
core::ir::Block random_block(std::mt19937_64& random, const StateLayout& layout);

// Fills the state's fields and the memory behind the code's page.
void randomise(std::mt19937_64& random, TestHart& hart);

}  // namespace lockstep::test
