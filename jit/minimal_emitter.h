// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "core/hart/hart.h"
#include "core/interpreter/memory_access.h"
#include "core/ir/ir.h"
#include "core/result.h"
#include "jit/host_features.h"

// IR to x86-64 host code, one operation after the other: every value lives in a slot of memory, guest memory, floating
// point and helpers are calls. It is there to prove that the IR can be compiled as it stands and to check the fast
// engines against; it is not fast.
namespace lockstep::jit {

enum class BlockEnd : uint8_t {
  kJump,  // ended by a jump or a branch: state().pc is the next block
  kExit,  // ended by an exit, or an exit_if was taken: the engine's loop looks for interrupts
  kTrap,  // an instruction faulted or a helper entered a trap: state().pc is the handler
};

// Code of one block. It may outlive the emitter that made it.
class MinimalBlock {
 public:
  struct Code;
  explicit MinimalBlock(std::shared_ptr<const Code> code) : code_(std::move(code)) {}

  // Begins the block's instructions: takes them from state().budget, which must have room for all of them, and gives
  // back those that did not begin. `memory` must be made for `hart`.
  BlockEnd run(core::Hart& hart, core::MemoryAccess& memory) const;

  size_t code_bytes() const;

 private:
  std::shared_ptr<const Code> code_;
};

class MinimalEmitter {
 public:
  // `features`: of the host that runs the code.
  explicit MinimalEmitter(const HostFeatures& features = HostFeatures::of_this_host());
  MinimalEmitter(const MinimalEmitter&) = delete;
  MinimalEmitter& operator=(const MinimalEmitter&) = delete;
  ~MinimalEmitter();

  // `block` is verified. Fails when the host lacks a feature or an operation has no host code, and names it.
  core::Result<MinimalBlock> compile(const core::ir::Block& block,
                                     std::span<const core::HelperDescriptor> helpers) const;

 private:
  class Runtime;
  HostFeatures features_;
  std::shared_ptr<Runtime> runtime_;
};

}  // namespace lockstep::jit
