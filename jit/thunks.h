// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/result.h"
#include "jit/code_cache.h"
#include "jit/code_listener.h"
#include "jit/frame.h"

namespace lockstep::jit {

// The fixed pieces of generated code, at the beginning of the cache.
struct Thunks {
  // Runs code until it leaves; the answer is a Leave and its address. `frame` gives the first fields of the frame.
  using Enter = uint64_t (*)(const uint8_t* code, core::StateHeader* state, const Frame* frame);
  Enter enter = nullptr;
  // Where translators take the code that they write to be: so far from the thunks that every jump to one is long.
  uint64_t nominal_base = 0;
  const uint8_t* leave = nullptr;  // jumped to with the answer in rax

  // Called with Frame::address set. They preserve every register and come back when the access can be tried again;
  // otherwise the instruction is handed over. Index: log2 of the size.
  const uint8_t* slow_load[4] = {};
  const uint8_t* slow_store[4] = {};
  // Hands the instruction over without having tried anything.
  const uint8_t* hand_over = nullptr;
  // An atomic operation by Frame::descriptor; comes back when done, or the instruction is handed over.
  const uint8_t* atomic = nullptr;
  // A floating-point operation, FpOperation::pack() in Frame::descriptor; preserves every register.
  const uint8_t* fp = nullptr;
  // An integer operation: ir::Op and ir::Type << 8 in Frame::descriptor; preserves every register.
  const uint8_t* fold = nullptr;
  // Brings StateHeader::fp_flags up to date; preserves every register.
  const uint8_t* merge_flags = nullptr;
  // Calls the helper in rax with its arguments in place; the state in memory has the flags raised so far. The result
  // is in rax; clobbers what calls clobber.
  const uint8_t* call = nullptr;

  CodePiece piece;  // all of them

  static core::Result<Thunks> make(CodeCache& cache);
};

}  // namespace lockstep::jit
