// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <systemc>
#include <utility>
#include <vector>

#include "tlm_models/kernel/sim_time.h"

namespace lockstep::tlm_models {

using TimerId = unsigned;

// The deadlines of all devices of a machine. Due callbacks run in the order of (deadline, id), ids given in the order
// of registration. Whoever notices first that time has come runs all of them: the hart scheduler calls run_due() when
// it wakes and the queue's own process does the same, so the order in which SystemC wakes the two never matters.
class TimerQueue : public sc_core::sc_module {
 public:
  using Callback = std::function<void(uint64_t deadline_ns)>;

  explicit TimerQueue(sc_core::sc_module_name name);

  // Timers are registered while the machine is built; one has at most one deadline at a time.
  TimerId add(Callback callback);

  // Absolute virtual time; a deadline in the past is due at the next run_due(). Beyond kMaxTimeNs: never.
  void arm(TimerId id, uint64_t deadline_ns);
  void cancel(TimerId id);
  // kNever when not armed.
  uint64_t deadline_ns(TimerId id) const { return deadlines_[id]; }
  uint64_t next_deadline_ns() const { return due_.empty() ? kNever : due_.begin()->first; }

  void run_due(uint64_t now_ns);

  // Timers that ran out so far.
  uint64_t fired() const { return fired_; }
  // `sooner` is called when a timer is armed for a time before `horizon_ns`, until unwatch().
  void watch(uint64_t horizon_ns, std::function<void()> sooner) {
    horizon_ns_ = horizon_ns;
    sooner_ = std::move(sooner);
  }
  void unwatch() { horizon_ns_ = 0; }

 private:
  void on_event();
  void notify_next();

  std::vector<Callback> callbacks_;
  std::vector<uint64_t> deadlines_;
  std::set<std::pair<uint64_t, TimerId>> due_;
  sc_core::sc_event event_;
  uint64_t notified_ns_ = kNever;
  uint64_t fired_ = 0;
  uint64_t horizon_ns_ = 0;
  std::function<void()> sooner_;
};

}  // namespace lockstep::tlm_models
