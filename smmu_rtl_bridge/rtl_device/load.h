// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "smmu_rtl_bridge/rtl_device/design.h"

namespace lockstep::smmu_rtl_bridge {

// A file with a design, kept open as long as the process lives. The message names the file and how it comes to be.
core::Result<const DesignFile*> load_design_file(const std::string& path);

// Where the design of a name is: NAME itself where it has a slash or ends in .so, else NAME.so, or NAME.VARIANT.so, in
// the folder `rtl` beside the program. `variant` is "plain", "trace" or "coverage".
std::string design_path(const std::string& name, const std::string& variant);

// The message says what there must be.
core::Status open_waveform(Design& design, const std::string& path);

}  // namespace lockstep::smmu_rtl_bridge
