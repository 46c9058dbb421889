// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "core/hart/hart.h"
#include "jit/region.h"

// What the second tier does to the IR of a region before the Translator writes code of it: one pass a file. A pass
// keeps what the guest can see: the markers of guest instructions with all that may leave between them (accesses,
// calls, exits), in their order, and the state as it is at each of these places. Passes look at nothing but the IR, so
// that the same region always becomes the same code.
namespace lockstep::jit::passes {

struct Context {
  const core::StateLayout& layout;
  std::span<const core::HelperDescriptor> helpers;
  // The Translator will check accesses beside one another together (Translator::Input).
  bool joint_checks = false;

  unsigned state_words() const { return (layout.size_bytes + 7) / 8; }
};

struct Pass {
  std::string_view name;
  // Answers whether it changed something.
  bool (*run)(Region& region, const Context& context);
};

// All of them in the order in which they run.
std::span<const Pass> pipeline();

// Is told of each pass that changed something, behind it.
using Observer = std::function<void(const Pass& pass, const Region& region)>;

// Runs the pipeline. Builds with assertions verify the IR behind each pass.
void optimise(Region& region, const Context& context, const Observer& observer = {});

}  // namespace lockstep::jit::passes
