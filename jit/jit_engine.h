// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/engine/engine.h"
#include "core/result.h"

namespace lockstep::jit {

struct JitOptions {
  size_t code_cache_bytes = size_t{64} << 20;
  bool block_links = true;   // jump from unit to unit without asking the engine
  unsigned tiers = 2;        // 1: blocks only; 2: regions of blocks that ran often
  unsigned threads = 1;      // that translate regions beside the guest, in the whole process; 0: the guest waits
  int32_t threshold = 4000;  // executions of a block (at least 1) after which a region is made from there
};

struct JitStatistics {
  uint64_t units_translated = 0;
  uint64_t units_interpreted = 0;  // that have an operation without host code
  uint64_t instructions_translated = 0;
  uint64_t regions_translated = 0;
  uint64_t region_instructions = 0;
  uint64_t code_bytes = 0;
  uint64_t units_dropped = 0;
  uint64_t regions_evicted = 0;
  uint64_t entries = 0;      // into generated code
  uint64_t handed_over = 0;  // single instructions that the interpreter did
  uint64_t lookups = 0;
};

// Blocks are translated to host code on their first execution. What generated code cannot do by itself (device
// accesses, faults, the rest of a budget that is shorter than a block, debugging) an interpreter over the same hart
// does, so that both engines leave the same state, count and TLB behind.
class JitEngine : public core::Engine {
 public:
  virtual JitStatistics statistics() const = 0;
};

// `hart` must outlive the engine; its bus tells the engine of writes to code. Fails where the host lacks an instruction
// set that generated code uses, or refuses executable memory.
core::Result<std::unique_ptr<JitEngine>> make_jit_engine(core::Hart& hart, const JitOptions& options = {});

}  // namespace lockstep::jit
