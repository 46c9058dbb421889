// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/clint/clint.h"

namespace lockstep::tlm_models {

Clint::Clint(sc_core::sc_module_name name, TimerQueue& timers, core::VirtualClock& clock, unsigned harts)
    : Device(name, {4, 8}), timers_(timers), clock_(clock), software_irqs_(harts), timer_irqs_(harts) {
  for (unsigned hart = 0; hart < harts; ++hart) {
    timer_ids_.push_back(timers.add([this, hart](uint64_t) { timer_irqs_[hart].set(true); }));
  }
  msip_ = registers_.add(
      {.offset = 0,
       .name = "MSIP",
       .write_mask = 1,
       .count = harts,
       .doc = "bit 0: software interrupt of the hart",
       .on_write = [this](unsigned hart, uint64_t value, uint64_t) { software_irqs_[hart].set((value & 1) != 0); }});
  mtimecmp_ =
      registers_.add({.offset = 0x4000,
                      .size_bytes = 8,
                      .name = "MTIMECMP",
                      .reset = ~uint64_t{0},
                      .count = harts,
                      .doc = "the hart's timer interrupt is pending while MTIME is not less",
                      .on_write = [this](unsigned hart, uint64_t, uint64_t now_ns) { compare_changed(hart, now_ns); }});
  registers_.add({.offset = 0xbff8,
                  .size_bytes = 8,
                  .name = "MTIME",
                  .write_mask = 0,
                  .doc = "ticks of 100 ns of virtual time",
                  .on_read = [this](unsigned, uint64_t, uint64_t now_ns) {
                    const uint64_t start_ns = clock_.turn_start_ns();
                    const uint64_t ahead_ns = now_ns > start_ns ? now_ns - start_ns : 0;
                    return clock_.read_counter_ns(ahead_ns / clock_.ns_per_instruction()) / kTickNs;
                  }});
}

void Clint::reset() {
  Device::reset();
  for (unsigned hart = 0; hart < timer_irqs_.size(); ++hart) {
    timers_.cancel(timer_ids_[hart]);
    software_irqs_[hart].set(false);
    timer_irqs_[hart].set(false);
  }
}

void Clint::compare_changed(unsigned hart, uint64_t now_ns) {
  const uint64_t compare = registers_.get(mtimecmp_, hart);
  if (compare <= now_ns / kTickNs) {
    timers_.cancel(timer_ids_[hart]);
    timer_irqs_[hart].set(true);
    return;
  }
  timer_irqs_[hart].set(false);
  timers_.arm(timer_ids_[hart], compare > kMaxTimeNs / kTickNs ? kNever : compare * kTickNs);
}

void Clint::save(SnapshotSection& section) {
  Device::save(section);
  std::vector<uint64_t> deadlines;
  std::vector<uint64_t> levels;
  for (unsigned hart = 0; hart < timer_irqs_.size(); ++hart) {
    deadlines.push_back(timers_.deadline_ns(timer_ids_[hart]));
    levels.push_back(timer_irqs_[hart].level() ? 1 : 0);
  }
  put_words(section, "deadlines_ns", deadlines);
  put_words(section, "timer_levels", levels);
}

void Clint::restore_extra(StateReader& reader) {
  const auto deadlines = reader.words("deadlines_ns", timer_irqs_.size());
  const auto levels = reader.words("timer_levels", timer_irqs_.size());
  if (!reader.ok()) return;
  for (unsigned hart = 0; hart < timer_irqs_.size(); ++hart) {
    timers_.arm(timer_ids_[hart], deadlines[hart]);
    timer_irqs_[hart].restore(levels[hart] != 0);
    software_irqs_[hart].restore((registers_.get(msip_, hart) & 1) != 0);
  }
}

}  // namespace lockstep::tlm_models
