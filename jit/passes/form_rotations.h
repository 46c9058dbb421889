// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// Two shifts of a value by constants, of which one brings back what the other loses, put together again are a rotation.
bool form_rotations(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
