// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/goldfish_rtc/goldfish_rtc.h"

namespace lockstep::tlm_models {

GoldfishRtc::GoldfishRtc(sc_core::sc_module_name name, TimerQueue& timers, uint64_t epoch_ns)
    : Device(name, {4, 4}), timers_(timers), timer_(timers.add([this](uint64_t) { alarm_fired(); })) {
  offset_ = registers_.add({.offset = kNoAddress,
                            .size_bytes = 8,
                            .name = "OFFSET",
                            .reset = epoch_ns,
                            .doc = "shown time minus virtual time, in nanoseconds"});
  interrupt_ = registers_.add(
      {.offset = kNoAddress, .size_bytes = 4, .name = "INTERRUPT", .doc = "1: the alarm's interrupt is pending"});
  time_low_ = registers_.add({.offset = 0x00,
                              .name = "TIME_LOW",
                              .doc = "low half of the time; reading latches TIME_HIGH, writing sets the clock",
                              .on_read =
                                  [this](unsigned, uint64_t, uint64_t now_ns) {
                                    const uint64_t time = shown_ns(now_ns);
                                    registers_.set(time_high_, time >> 32);
                                    return time & 0xffffffff;
                                  },
                              .on_write =
                                  [this](unsigned, uint64_t value, uint64_t now_ns) {
                                    const uint64_t time = (registers_.get(time_high_) << 32) | value;
                                    registers_.set(offset_, time - now_ns);
                                  }});
  time_high_ = registers_.add({.offset = 0x04, .name = "TIME_HIGH", .doc = "high half, latched by TIME_LOW"});
  alarm_low_ = registers_.add({.offset = 0x08,
                               .name = "ALARM_LOW",
                               .doc = "low half of the alarm time; writing arms the alarm",
                               .on_write = [this](unsigned, uint64_t value, uint64_t now_ns) {
                                 set_alarm((registers_.get(alarm_high_) << 32) | value, now_ns);
                               }});
  alarm_high_ = registers_.add({.offset = 0x0c, .name = "ALARM_HIGH", .doc = "high half of the alarm time"});
  irq_enabled_ = registers_.add({.offset = 0x10,
                                 .name = "IRQ_ENABLED",
                                 .write_mask = 1,
                                 .doc = "1: a due alarm raises the interrupt",
                                 .on_write = [this](unsigned, uint64_t, uint64_t) { update_irq(); }});
  registers_.add({.offset = 0x14,
                  .name = "CLEAR_ALARM",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "writing disarms the alarm",
                  .on_write = [this](unsigned, uint64_t, uint64_t) {
                    timers_.cancel(timer_);
                    registers_.set(alarm_status_, 0);
                  }});
  alarm_status_ =
      registers_.add({.offset = 0x18, .name = "ALARM_STATUS", .write_mask = 0, .doc = "1: an alarm is armed"});
  registers_.add({.offset = 0x1c,
                  .name = "CLEAR_INTERRUPT",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "writing drops the interrupt",
                  .on_write = [this](unsigned, uint64_t, uint64_t) {
                    registers_.set(interrupt_, 0);
                    update_irq();
                  }});
}

void GoldfishRtc::reset() {
  Device::reset();
  timers_.cancel(timer_);
  update_irq();
}

void GoldfishRtc::set_alarm(uint64_t alarm_ns, uint64_t now_ns) {
  const uint64_t shown = shown_ns(now_ns);
  if (alarm_ns <= shown) {
    timers_.cancel(timer_);
    alarm_fired();
    return;
  }
  registers_.set(alarm_status_, 1);
  timers_.arm(timer_, now_ns + (alarm_ns - shown) < now_ns ? kNever : now_ns + (alarm_ns - shown));
}

void GoldfishRtc::alarm_fired() {
  registers_.set(alarm_status_, 0);
  registers_.set(interrupt_, 1);
  update_irq();
}

void GoldfishRtc::update_irq() { irq.set(registers_.test(interrupt_, 1) && registers_.test(irq_enabled_, 1)); }

void GoldfishRtc::save(SnapshotSection& section) {
  Device::save(section);
  section.put("deadline_ns", timers_.deadline_ns(timer_));
}

void GoldfishRtc::restore_extra(StateReader& reader) {
  timers_.arm(timer_, reader.word("deadline_ns"));
  irq.restore(registers_.test(interrupt_, 1) && registers_.test(irq_enabled_, 1));
}

}  // namespace lockstep::tlm_models
