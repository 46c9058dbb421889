// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/minimal_emitter.h"
#include "tests/core/ir_proof/proof.h"

namespace lockstep::test {

// Compiles a block and runs it once.
inline core::Status run_emitted(TestHart& hart, const core::ir::Block& block) {
  static jit::MinimalEmitter emitter;
  core::Result<jit::MinimalBlock> code = emitter.compile(block, hart.helpers());
  if (!code) return code.error();
  core::MemoryAccess memory(hart);
  hart.state().budget = block.guest_instructions;
  code->run(hart, memory);
  return {};
}

}  // namespace lockstep::test
