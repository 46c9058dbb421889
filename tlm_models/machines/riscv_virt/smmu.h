// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tlm_models/machines/riscv_virt/config.h"
#include "tlm_models/smmuv3/smmu_module.h"

namespace lockstep::tlm_models::riscv_virt {

// The machine's SMMU with what the options leave of it.
smmuv3::SmmuModuleConfig smmu_config(const SmmuOptions& options);

}  // namespace lockstep::tlm_models::riscv_virt
