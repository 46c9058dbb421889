// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ir/ir.h"
#include "tests/core/ir_proof/test_machine.h"

namespace lockstep::test {

// What the IR means, one instruction after the other, with every value kept apart: nothing is shared, folded or made in
// place. Runs the first `instructions` guest instructions of the block (all of it when there are no more) on the hart's
// state and memory. Answers how many have begun.
unsigned run_reference(const core::ir::Block& block, TestHart& hart, unsigned instructions);

}  // namespace lockstep::test
