// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "smmu_rtl_bridge/script/features.h"
#include "smmu_rtl_bridge/script/script.h"
#include "smmu_rtl_bridge/stimulus/mix.h"

namespace lockstep::smmu_rtl_bridge {

// A random script for a device with these features. Everything random is drawn here: the same arguments give the same
// script, and playing it draws nothing.
Script generate(uint64_t seed, const Mix& mix, const Features& features);

// A device to make, where devices can be made: features and sizes of caches by the names that make_core_device() knows.
std::vector<Setting> draw_device(uint64_t seed, const Mix& mix);

}  // namespace lockstep::smmu_rtl_bridge
