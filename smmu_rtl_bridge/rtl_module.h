// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "smmu_rtl_bridge/rtl_device.h"

namespace lockstep::tlm_models::smmuv3 {
class SmmuDevice;
}

namespace lockstep::smmu_rtl_bridge {

// An SMMU in RTL behind the TLM-2.0 sockets of the model, for a machine. The design's clock runs inside calls alone: a
// register access until the design is idle again, a requester's access until it is answered. So simulated time stands
// still, and a run is as repeatable as with the model. Accesses are cut in pieces of 64 bytes; DMI is never granted.
// What the design breaks (a promise of its pins, or that it comes to rest) ends all further accesses with bus errors,
// and `complain` is called with it, once.
using RtlModuleFactory = std::function<std::unique_ptr<tlm_models::smmuv3::SmmuDevice>(const char* name)>;

// An error names the file and what to do.
core::Result<RtlModuleFactory> make_rtl_module_factory(const RtlOptions& options,
                                                       std::function<void(const std::string&)> complain);

}  // namespace lockstep::smmu_rtl_bridge
