// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "smmu_rtl_bridge/coverage/database.h"
#include "smmu_rtl_bridge/observer.h"
#include "smmu_rtl_bridge/script/features.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// Makes a collector for each run of a campaign, for the device that its ID registers describe; devices whose ID
// registers cannot be are not watched. The database outlives the runs.
std::function<std::unique_ptr<Observer>(const Features& features)> watch(Database& database);

}  // namespace lockstep::smmu_rtl_bridge::coverage
