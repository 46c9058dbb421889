// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/gdb/gdb_target.h"

namespace lockstep::core::gdb {

// The XML that tells gdb the registers (GDB manual, appendix "Target Descriptions"), grouped by feature.
std::string target_description(const Architecture& architecture);

}  // namespace lockstep::core::gdb
