// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// An operation that the block has done already on the same operands is the value that it gave then, where doing it
// again costs more than keeping it in a register.
bool reuse_values(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
