// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/memory/guest_ram.h"

namespace lockstep::core {

// For each page of RAM whether the host has backed it, in memory or in swap. Any other is zero, and a look at it would
// only make the host map something. Where the host does not tell, every page counts as backed.
std::vector<bool> backed_pages(const GuestRam& ram);

}  // namespace lockstep::core
