// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lockstep::smmu_rtl_bridge {

// A number whose low `count` bits are set.
constexpr uint64_t ones(unsigned count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

}  // namespace lockstep::smmu_rtl_bridge
