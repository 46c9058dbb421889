// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/timer_queue.h"

namespace lockstep::tlm_models {

TimerQueue::TimerQueue(sc_core::sc_module_name name) : sc_core::sc_module(name) {
  SC_HAS_PROCESS(TimerQueue);
  SC_METHOD(on_event);
  sensitive << event_;
  dont_initialize();
}

TimerId TimerQueue::add(Callback callback) {
  callbacks_.push_back(std::move(callback));
  deadlines_.push_back(kNever);
  return static_cast<TimerId>(callbacks_.size() - 1);
}

void TimerQueue::arm(TimerId id, uint64_t deadline_ns) {
  if (deadline_ns > kMaxTimeNs) deadline_ns = kNever;
  if (deadlines_[id] == deadline_ns) return;
  if (deadlines_[id] != kNever) due_.erase({deadlines_[id], id});
  deadlines_[id] = deadline_ns;
  if (deadline_ns != kNever) due_.insert({deadline_ns, id});
  notify_next();
  if (deadline_ns < horizon_ns_) sooner_();
}

void TimerQueue::cancel(TimerId id) { arm(id, kNever); }

void TimerQueue::run_due(uint64_t now_ns) {
  while (!due_.empty() && due_.begin()->first <= now_ns) {
    const auto [deadline_ns, id] = *due_.begin();
    due_.erase(due_.begin());
    deadlines_[id] = kNever;
    ++fired_;
    callbacks_[id](deadline_ns);
  }
  notify_next();
}

void TimerQueue::on_event() {
  notified_ns_ = kNever;
  run_due(current_ns());
}

void TimerQueue::notify_next() {
  const uint64_t next_ns = next_deadline_ns();
  if (next_ns == notified_ns_) return;
  event_.cancel();
  notified_ns_ = next_ns;
  if (next_ns == kNever) return;
  const uint64_t now_ns = current_ns();
  event_.notify(next_ns > now_ns ? from_ns(next_ns - now_ns) : sc_core::SC_ZERO_TIME);
}

}  // namespace lockstep::tlm_models
