// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// Operations on constants become constants, those that change nothing their operand, and some become cheaper ones: a
// product with a power of two is a shift, two shifts that cut a value are an extension. A branch that always goes one
// way and a jump to a constant are plain jumps.
bool fold_constants(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
