// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/hart/hart.h"
#include "core/interpreter/memory_access.h"
#include "jit/frame.h"

namespace lockstep::jit {

// What generated code calls back into.
class Runtime {
 public:
  Runtime(core::Hart& hart, core::HartInstrumentation* instrumentation) : hart_(hart), memory_(hart, instrumentation) {}
  virtual ~Runtime() = default;

  core::Hart& hart() { return hart_; }
  core::MemoryAccess& memory() { return memory_; }
  // Guest code was written while generated code runs, by a walk of the page tables: it goes no further.
  virtual bool code_changed() const = 0;

  // Makes the state in memory what it was when the instruction behind the call that returns to `return_address` began.
  // Answers how many instructions of the block have not begun.
  virtual uint64_t hand_over(const uint8_t* return_address, const Frame& frame) = 0;

 private:
  core::Hart& hart_;
  core::MemoryAccess memory_;
};

// Plain functions, so that their addresses can be written into code.
namespace runtime {
// Bit 0: the access can be tried again; bit 1: the TLB lost an entry for it.
uint64_t probe(Runtime* runtime, uint64_t vaddr, uint64_t size_bytes, uint64_t access);
bool atomic(Runtime* runtime, Frame* frame);
void fp(Runtime* runtime, Frame* frame);
void fold(Runtime* runtime, Frame* frame);
uint64_t hand_over(Runtime* runtime, const uint8_t* return_address, const Frame* frame);
}  // namespace runtime

}  // namespace lockstep::jit
