// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// Runs the pipeline and tells what it does, for people: behind a line with each pass's name, the blocks that it
// changed.
std::string trace(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
