// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/result.h"
#include "tlm_models/smmuv3/config.h"

namespace lockstep::smmu_rtl_bridge {

// What software can know of an SMMU before it uses it.
struct IdRegisters {
  uint32_t idr0 = 0, idr1 = 0, idr2 = 0, idr3 = 0, idr4 = 0, idr5 = 0;
  uint32_t iidr = 0, aidr = 0;
};

// The features that ID registers claim, with no caches: the inverse of the model's register table. An error names the
// field of what the judge cannot evaluate or what the specification does not have.
core::Result<tlm_models::smmuv3::Config> config_from_id_registers(const IdRegisters& registers);

// What the model's own registers would be: for devices that are described by a Config.
IdRegisters id_registers(const tlm_models::smmuv3::Config& config);

}  // namespace lockstep::smmu_rtl_bridge
