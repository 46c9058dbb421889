// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// Takes away writes to words of the state that are written again before anything can look at them, and pure operations
// (flags among them) whose values nobody uses.
bool drop_dead(Region& region, const Context& context);

// The same when no other pass will change the region: accesses that the Translator checks together with earlier ones
// have no way out, and so nothing looks at the state there.
bool drop_dead_finally(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
