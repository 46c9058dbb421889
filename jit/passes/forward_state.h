// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// A field of the state that is read is the value that was written there or read there before in the block, where
// nothing has changed it since. A write of what the field has already goes away.
bool forward_state(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
