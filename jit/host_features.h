// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

namespace lockstep::jit {

// Instruction sets that emitted code uses without asking again. SSE2 comes with x86-64.
struct HostFeatures {
  bool popcnt = false;
  bool sse4_1 = false;  // PCMPEQQ
  bool sse4_2 = false;  // PCMPGTQ
  // Of the JIT engine alone.
  bool avx = false;
  // The rest of what x86-64-v3 has; where one is missing the JIT writes other code.
  bool fma = false;
  bool bmi1 = false;  // BEXTR, TZCNT
  bool bmi2 = false;  // SHLX, RORX
  bool lzcnt = false;

  static HostFeatures of_this_host();
  // What the JIT cannot do without, of these.
  HostFeatures baseline() const;
  static constexpr HostFeatures all() { return {true, true, true, true, true, true, true, true}; }

  // An error that names all that is missing, and the way out: for the code of MinimalEmitter, and of the JIT engine.
  core::Status check() const;
  core::Status check_engine() const;
};

}  // namespace lockstep::jit
