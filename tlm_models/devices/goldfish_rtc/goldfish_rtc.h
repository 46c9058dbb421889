// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/irq_line.h"
#include "tlm_models/kernel/timer_queue.h"

namespace lockstep::tlm_models {

// The Goldfish real-time clock: nanoseconds since the Unix epoch, with one alarm. Its time is virtual time plus an
// offset that the machine sets, so that a run never depends on the host's clock.
class GoldfishRtc : public Device {
 public:
  IrqLine irq;

  // `epoch_ns`: what the clock shows at virtual time 0, in nanoseconds since 1970-01-01T00:00:00Z.
  GoldfishRtc(sc_core::sc_module_name name, TimerQueue& timers, uint64_t epoch_ns);

  void reset() override;
  void save(SnapshotSection& section) override;

 protected:
  void restore_extra(StateReader& reader) override;

 private:
  uint64_t shown_ns(uint64_t now_ns) const { return registers_.get(offset_) + now_ns; }
  void set_alarm(uint64_t alarm_ns, uint64_t now_ns);
  void alarm_fired();
  void update_irq();

  TimerQueue& timers_;
  TimerId timer_;
  RegisterId time_low_, time_high_, alarm_low_, alarm_high_, irq_enabled_, alarm_status_;
  RegisterId offset_, interrupt_;
};

}  // namespace lockstep::tlm_models
