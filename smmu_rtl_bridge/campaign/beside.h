// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/oracle/config_from_registers.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

IdRegisters id_registers_of(Device& device);

// Settings of the model (tlm_device.h) that make it a device with these ID registers, so that it can stand beside
// another one. Its caches are as by default.
core::Result<std::vector<Setting>> model_settings_for(const IdRegisters& registers);

}  // namespace lockstep::smmu_rtl_bridge
