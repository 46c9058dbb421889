// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// Takes away writes to words of the state that are written again before anything can look at them, and pure operations
// (flags among them) whose values nobody uses.
bool drop_dead(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
