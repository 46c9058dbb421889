// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "smmu_rtl_bridge/stimulus/directed/directed.h"

namespace lockstep::smmu_rtl_bridge {

// Scripts for corners of the coverage plan that random stimulus meets too seldom: crosses, each generated from its
// axes. What a device does in them is the judge's to say; `events` stays empty.
const std::vector<DirectedScript>& cross_scripts();

}  // namespace lockstep::smmu_rtl_bridge
