// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asmjit/x86.h>

#include <memory>
#include <span>
#include <vector>

#include "jit/code_cache.h"
#include "jit/code_listener.h"
#include "jit/coverage_cells.h"
#include "jit/jit_engine.h"
#include "jit/passes/passes.h"
#include "jit/pins.h"
#include "jit/region.h"
#include "jit/thunks.h"
#include "jit/translator.h"
#include "jit/unit.h"

namespace lockstep::jit {

// Of Unit::code_key, above the hart's own key: the rounding mode, 5 for one that is not valid.
inline constexpr unsigned kRoundingShift = 60;

// Writes a hart's host code and puts it where it runs.
class UnitMaker {
 public:
  UnitMaker(core::Hart& hart, CodeCache& cache, const Thunks& thunks, const JitOptions& options);

  Translator::Input input(const Unit& unit, const Region& region, std::span<const Pin> pins, bool joint_checks) const;
  // What passes are to know before they work on a region.
  passes::Context pass_context(bool joint_checks) const {
    return {.layout = hart_.layout(), .helpers = hart_.helpers(), .joint_checks = joint_checks && accesses_ == nullptr};
  }
  // Writes the unit's code, of a region or of the one block that there is, for no place yet. False when something of it
  // has no host code. Safe beside the guest. `room`: where the code may be written, as far as it fits; it must last as
  // long as `code` is read.
  bool translate(Unit& unit, const Region& region, std::span<const Pin> pins, bool joint_checks,
                 asmjit::CodeHolder& code, std::span<uint8_t> room = {}) const;
  // Puts it into the cache. `pages`: those that a region's own code compares. False when there is no room.
  bool place(Unit& unit, std::span<const uint8_t> code, std::span<const PlannedPage> pages = {});

  // Brings what the unit's code has told of itself into the records of its blocks.
  void collect(const Unit& unit) { cells_.collect(unit.cells, unit.parts, coverage_); }
  // The unit's code runs no more, and its place may be given to other code.
  void drop(const Unit& unit);

 private:
  uint64_t address(const Unit& unit, const Relocation& relocation) const;

  core::Hart& hart_;
  CodeCache& cache_;
  const Thunks& thunks_;
  const JitOptions& options_;
  HostFeatures host_;
  // What is asked of code that runs; see HartInstrumentation.
  core::Coverage coverage_ = core::Coverage::kNone;
  core::MemoryBuffer* accesses_ = nullptr;
  CoverageCells cells_;
  std::vector<std::unique_ptr<CodeListener>> listeners_;  // to whom placed code is described
};

// The bytes that translate() wrote.
std::span<const uint8_t> code_bytes(const asmjit::CodeHolder& code);

}  // namespace lockstep::jit
