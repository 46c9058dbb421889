// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "jit/region.h"

namespace lockstep::jit {

// A word of guest state that has a host register of its own from block to block of a region.
struct Pin {
  unsigned word = 0;     // eight-byte word of the state
  int home = 0;          // as Translator counts registers: 0 to 15 general ones, 16 to 31 vector ones
  bool written = false;  // somewhere in the region
};

// The words that the region uses most, as many as there are registers to spare.
std::vector<Pin> choose_pins(const Region& region, unsigned state_words);

}  // namespace lockstep::jit
