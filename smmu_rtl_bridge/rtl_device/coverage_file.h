// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "smmu_rtl_bridge/rtl_device/design.h"

namespace lockstep::smmu_rtl_bridge {

// Adds the raw coverage points that a design has met to a file of Verilator's format. One at a time, so that processes
// that run beside one another share the file. False: the design was built without, or the file cannot be written.
bool add_coverage(Design& design, const std::string& path);

}  // namespace lockstep::smmu_rtl_bridge
