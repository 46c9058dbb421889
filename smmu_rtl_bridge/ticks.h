// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace lockstep::smmu_rtl_bridge {

// The processor's own count of time, cheap enough for each cycle of a design. Only its proportions mean something.
inline uint64_t processor_ticks() { return __rdtsc(); }

}  // namespace lockstep::smmu_rtl_bridge
