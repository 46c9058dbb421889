// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

namespace lockstep::jit {

// Instruction sets that emitted code uses without asking again. SSE2 comes with x86-64; FMA3 is not among them, because
// floating point is a call into core/fp, which does without where it must.
struct HostFeatures {
  bool popcnt = false;
  bool sse4_1 = false;  // PCMPEQQ
  bool sse4_2 = false;  // PCMPGTQ

  static HostFeatures of_this_host();

  // An error that names all that is missing, and the way out.
  core::Status check() const;
};

}  // namespace lockstep::jit
