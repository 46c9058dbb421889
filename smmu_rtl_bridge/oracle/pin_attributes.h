// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "smmu_rtl_bridge/observer.h"
#include "tlm_models/smmuv3/attributes.h"

namespace lockstep::smmu_rtl_bridge {

// The model's attributes as pins carry them, and back. MAIR cannot say that a transient type allocates for nothing, so
// that a type without both hints comes out as not transient.
Attributes to_pins(const tlm_models::smmuv3::MemoryAttributes& attributes);
tlm_models::smmuv3::MemoryAttributes from_pins(const Attributes& attributes);

}  // namespace lockstep::smmu_rtl_bridge
