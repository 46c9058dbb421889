// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/engine/code_index.h"
#include "core/engine/engine.h"

namespace lockstep::core {

class HartInstrumentation;

// What a user can switch, so that the farm can show that it changes nothing but speed.
struct InterpreterOptions {
  bool fusion = true;       // fold addresses, compare-and-branch and sign extensions into one operation
  bool block_links = true;  // jump from block to block without a look-up
  HartInstrumentation* instrumentation = nullptr;  // what is asked of this hart; it outlives the engine
};

struct InterpreterStatistics {
  uint64_t blocks_translated = 0;
  uint64_t instructions_translated = 0;
  uint64_t blocks_invalidated = 0;
  uint64_t lookups = 0;  // entries into a block that came through the engine's loop
};

// The IR interpreter: blocks are lowered once to three-address cells over the hart's state and run by threaded
// dispatch. `hart` must outlive the engine; its bus tells the engine of writes to code (Engine::invalidate_code).
class Interpreter : public Engine {
 public:
  virtual InterpreterStatistics statistics() const = 0;
  // For an engine that keeps code beside the interpreter's: drops blocks made from bytes in [paddr, paddr + size),
  // inside one page, and nothing more. Safe from inside run().
  virtual CodeWrite drop_code(uint64_t paddr, uint64_t size_bytes) = 0;
};

std::unique_ptr<Interpreter> make_interpreter(Hart& hart, const InterpreterOptions& options = {});

}  // namespace lockstep::core
