// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/trace.h"

#include <fmt/format.h>

#include <vector>

#include "core/ir/text.h"

namespace lockstep::jit::passes {

std::string trace(Region& region, const Context& context) {
  const core::ir::Names names{.layout = &context.layout, .helpers = context.helpers};
  std::vector<std::string> blocks;
  for (const RegionBlock& block : region.blocks) blocks.push_back(core::ir::print(block.ir, names));
  std::string out;
  optimise(region, context, [&](const Pass& pass, const Region& now) {
    out += fmt::format("; behind the pass {}\n", pass.name);
    for (size_t k = 0; k < blocks.size(); ++k) {
      std::string text = core::ir::print(now.blocks[k].ir, names);
      if (text == blocks[k]) continue;
      out += text;
      blocks[k] = std::move(text);
    }
  });
  return out;
}

}  // namespace lockstep::jit::passes
