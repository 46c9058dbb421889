// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/engine/engine.h"
#include "core/engine/instrumentation.h"
#include "core/result.h"
#include "core/symbols/symbol_table.h"
#include "jit/code_archive.h"
#include "jit/install_log.h"

namespace lockstep::jit {

struct JitOptions {
  size_t code_cache_bytes = size_t{64} << 20;
  bool baseline_host = false;  // write code for hosts that have AVX and no more of x86-64-v3
  bool block_links = true;     // jump from unit to unit without asking the engine
  unsigned tiers = 2;          // 1: blocks only; 2: regions of blocks that ran often
  unsigned threads = 1;        // that translate regions beside the guest, in the whole process; 0: the guest waits
  int32_t threshold = 16000;   // executions of a block (at least 1) after which a region is made from there
  bool profile = false;        // report() tells where host time went
  bool perf_map = false;       // tell perf of each piece of code
  bool gdb_jit = false;        // and a gdb that debugs this process
  core::HartInstrumentation* instrumentation = nullptr;        // what is asked of this hart; it outlives the engine
  std::shared_ptr<const core::SymbolTable> symbols = nullptr;  // names for the two above; may be nullptr
  // Code of earlier runs, and for later ones; may be nullptr. Code that is watched is not kept.
  std::shared_ptr<CodeArchiveFolder> archives = nullptr;
  std::shared_ptr<InstallLog> install_log = nullptr;  // is told of every region that begins to run
  // Regions begin to run when and as these did, and at no other time. Not together with `archives`.
  std::shared_ptr<const InstallList> replay = nullptr;
};

// Translates blocks to host code on their first execution, and regions of blocks when they have run often. What
// generated code cannot do by itself (device accesses, faults, the rest of a budget that is shorter than a block,
// debugging) an interpreter over the same hart does, so that both engines leave the same state, count and TLB behind.
//
// `hart` must outlive the engine; its bus tells the engine of writes to code. Fails where the host lacks an instruction
// set that generated code uses, or refuses executable memory.
core::Result<std::unique_ptr<core::Engine>> make_jit_engine(core::Hart& hart, const JitOptions& options = {});

}  // namespace lockstep::jit
