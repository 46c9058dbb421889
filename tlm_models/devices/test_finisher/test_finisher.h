// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tlm_models/kernel/device.h"

namespace lockstep::tlm_models {

enum class FinishKind : uint8_t { kPass, kFail, kReset };

// SiFive's test finisher: one register whose low 16 bits say how the guest ends (0x5555 pass, 0x3333 fail with the code
// in the high 16 bits, 0x7777 reset). Other values do nothing.
class TestFinisher : public Device {
 public:
  using FinishHandler = std::function<void(FinishKind kind, uint32_t code)>;

  TestFinisher(sc_core::sc_module_name name, FinishHandler handler);

 private:
  FinishHandler handler_;
};

}  // namespace lockstep::tlm_models
