// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jit/passes/passes.h"

namespace lockstep::jit::passes {

// What is known about the bits of words of the state goes from block to block of a region: constants, zeros and ones,
// copies of the sign. Extensions and masks that change nothing, comparisons with one outcome and looks at the boxes of
// singles that are boxed go away. A region is entered at its first block only, about which nothing is known.
bool fold_known_bits(Region& region, const Context& context);

}  // namespace lockstep::jit::passes
