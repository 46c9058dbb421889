// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

struct ShrinkLimits {
  uint64_t time_ms = 110'000;
  uint64_t runs = 20'000;
};

struct ShrinkReport {
  uint64_t runs = 0;
  bool ran_out = false;  // of time or of runs: the script may not be the smallest
};

// The smallest script that it finds for which `fails` still holds; it must hold for the given one. Lines go first, then
// fields, settings and delays, then values become simpler. `fails` is asked for one script after another.
Script shrink(const Script& script, const std::function<bool(const Script&)>& fails, const ShrinkLimits& limits,
              ShrinkReport& report);

}  // namespace lockstep::smmu_rtl_bridge
