// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "core/time/virtual_clock.h"
#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/irq_line.h"
#include "tlm_models/kernel/timer_queue.h"

namespace lockstep::tlm_models {

// SiFive's CLINT: software interrupts, and one timer a hart against the common `mtime`, which is virtual time in ticks
// of 100 ns. `mtime` is read-only here: the time CSR of the harts counts the same clock and must agree with it.
class Clint : public Device {
 public:
  static constexpr uint64_t kSizeBytes = 0x10000;
  static constexpr uint64_t kTickNs = 100;

  Clint(sc_core::sc_module_name name, TimerQueue& timers, core::VirtualClock& clock, unsigned harts);

  IrqLine& software_irq(unsigned hart) { return software_irqs_[hart]; }
  IrqLine& timer_irq(unsigned hart) { return timer_irqs_[hart]; }

  void reset() override;
  void save(SnapshotSection& section) override;

 protected:
  void restore_extra(StateReader& reader) override;

 private:
  void compare_changed(unsigned hart, uint64_t now_ns);

  TimerQueue& timers_;
  core::VirtualClock& clock_;
  std::vector<IrqLine> software_irqs_;
  std::vector<IrqLine> timer_irqs_;
  std::vector<TimerId> timer_ids_;
  RegisterId msip_, mtimecmp_;
};

}  // namespace lockstep::tlm_models
