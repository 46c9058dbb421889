// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "smmu_rtl_bridge/coverage/watched.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// What one access met on its way, by what the core read for it. Each function is a chapter or a few of them.

// illegal, structures, regimes
void collect_configuration(Watched& watched, const Look& look, const ClientAccess& access);
// walks, httu
void collect_walks(Watched& watched, const Look& look);
// permissions, attributes
void collect_access(Watched& watched, const Look& look, const ClientAccess& access);

}  // namespace lockstep::smmu_rtl_bridge::coverage
