// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interpreter/interpreter.h"
#include "tests/core/ir_proof/proof.h"

namespace lockstep::test {

// Runs a block in the interpreter as one run with exactly the block's instructions as its budget.
inline core::Status run_interpreted(TestHart& hart, const core::ir::Block& block,
                                    const core::InterpreterOptions& options = {}) {
  hart.set_block(block);
  const std::unique_ptr<core::Interpreter> engine = core::make_interpreter(hart, options);
  engine->run(block.guest_instructions);
  return {};
}

}  // namespace lockstep::test
