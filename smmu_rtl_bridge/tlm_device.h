// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

// Features and cache sizes of a model by the names of tlm_models/smmuv3/config.h ("oas_bits", "stage2", ...); those
// that are not named have the model's defaults. No type of the model appears here, so that a changed copy of it can be
// a device under test beside it.
using DeviceSettings = std::vector<Setting>;

// The model's core behind plain calls, without SystemC. The message names a setting that is unknown or cannot be.
core::Result<std::unique_ptr<Device>> make_core_device(const DeviceSettings& settings, Surroundings& surroundings);

// The model behind its TLM-2.0 sockets. SystemC has one simulation context a process: one such device a process.
core::Result<std::unique_ptr<Device>> make_tlm_device(const DeviceSettings& settings, Surroundings& surroundings);

// Whether the settings are such that a device can be made.
core::Status check_settings(const DeviceSettings& settings);
// Whether a setting of this name is one of the model.
bool is_model_setting(const std::string& name);

}  // namespace lockstep::smmu_rtl_bridge
