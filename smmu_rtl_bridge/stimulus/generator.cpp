// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/generator.h"

#include "smmu_rtl_bridge/stimulus/plan.h"
#include "smmu_rtl_bridge/stimulus/traffic.h"

namespace lockstep::smmu_rtl_bridge {

Script generate(uint64_t seed, const Mix& mix, const Features& features) {
  Script script;
  script.has_seed = true;
  script.seed = seed;
  script.mix = mix.name;
  script.device = {{"IDR0", features.idr0}, {"IDR1", features.idr1}, {"IDR3", features.idr3}, {"IDR5", features.idr5}};
  Drawing draw(seed);
  Plan plan(draw, mix, features, script.lines);
  plan.make_world();
  Traffic(draw, mix, features, plan).run();
  return script;
}

}  // namespace lockstep::smmu_rtl_bridge
