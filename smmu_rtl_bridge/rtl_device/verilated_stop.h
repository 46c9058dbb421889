// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lockstep::smmu_rtl_bridge {

// What stopped a Verilated design: a failed assertion, $fatal, a loop that does not settle. Set by Verilator's hooks,
// which know no object; a process has one design at a time.
struct VerilatedStop {
  static constexpr size_t kTextMax = 2000;
  bool stopped = false;
  std::string text;
};
VerilatedStop& verilated_stop();

// Thrown where the design cannot go on, and caught around eval().
struct VerilatedFatal {};

}  // namespace lockstep::smmu_rtl_bridge
