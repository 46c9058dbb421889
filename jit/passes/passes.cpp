// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/passes.h"

#include <cstdio>
#include <cstdlib>

#include "core/ir/text.h"
#include "jit/passes/drop_dead.h"
#include "jit/passes/fold_constants.h"
#include "jit/passes/fold_known_bits.h"
#include "jit/passes/form_rotations.h"
#include "jit/passes/forward_state.h"
#include "jit/passes/reuse_values.h"

namespace lockstep::jit::passes {

namespace {

// State is forwarded first, so that what the others look for spans guest instructions. Sets that nobody can see are
// dropped before constants are folded as well: a value that is asked for once may take part in more shapes.
constexpr Pass kPipeline[] = {
    {"forward_state", forward_state},         {"drop_dead", drop_dead},
    {"fold_constants", fold_constants},       {"form_rotations", form_rotations},
    {"fold_known_bits", fold_known_bits},     {"reuse_values", reuse_values},
    {"drop_dead_finally", drop_dead_finally},
};

#ifndef NDEBUG
void check(const Pass& pass, const Region& region, const Context& context) {
  const core::ir::Names names{.layout = &context.layout, .helpers = context.helpers};
  for (const RegionBlock& block : region.blocks) {
    const core::Status status = core::ir::verify(block.ir, names);
    if (status.ok()) continue;
    std::fprintf(stderr, "jit: the pass %s made IR that is none: %s\n%s", std::string(pass.name).c_str(),
                 status.message().c_str(), core::ir::print(block.ir, names).c_str());
    std::abort();
  }
}
#endif

}  // namespace

std::span<const Pass> pipeline() { return kPipeline; }

void optimise(Region& region, const Context& context, const Observer& observer) {
  for (const Pass& pass : kPipeline) {
    if (!pass.run(region, context)) continue;
#ifndef NDEBUG
    check(pass, region, context);
#endif
    if (observer) observer(pass, region);
  }
}

}  // namespace lockstep::jit::passes
