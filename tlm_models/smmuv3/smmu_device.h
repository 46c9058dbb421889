// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm>

#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/irq_line.h"
#include "tlm_models/smmuv3/requester.h"

namespace lockstep::tlm_models::smmuv3 {

// What a machine has of its SMMUv3, whatever is inside: our model, or a design in RTL. Registers are behind `socket`.
class SmmuDevice : public Device {
 public:
  tlm::tlm_initiator_socket<> downstream;
  // Pulses: high and low again inside one call.
  IrqLine eventq_irq, priq_irq, cmdq_sync_irq, gerror_irq;

  virtual tlm::tlm_target_socket<>& upstream(unsigned port) = 0;
  // nullptr removes it. Without one, stalls of the port end unheard and ATC invalidations are done at once.
  virtual void set_listener(unsigned port, RequesterListener* listener) = 0;

 protected:
  SmmuDevice(sc_core::sc_module_name name, AccessWidths widths) : Device(name, widths), downstream("memory") {}
};

}  // namespace lockstep::tlm_models::smmuv3
