// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/timer_queue.h"

#include <gtest/gtest.h>

namespace lockstep::tlm_models {
namespace {

TEST(TimerQueue, RunsDueTimersByDeadlineThenRegistration) {
  TimerQueue timers("timers");
  std::vector<unsigned> order;
  for (unsigned i = 0; i < 3; ++i) timers.add([&order, i](uint64_t) { order.push_back(i); });
  timers.arm(2, 10);
  timers.arm(1, 20);
  timers.arm(0, 20);
  timers.run_due(15);
  EXPECT_EQ(order, (std::vector<unsigned>{2}));
  timers.run_due(20);
  EXPECT_EQ(order, (std::vector<unsigned>{2, 0, 1}));
  EXPECT_EQ(timers.next_deadline_ns(), kNever);
}

TEST(TimerQueue, SimulatedTimeFiresTimersAtTheirDeadline) {
  TimerQueue timers("timers");
  uint64_t fired_at = 0;
  const TimerId id = timers.add([&](uint64_t) { fired_at = current_ns(); });
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  timers.arm(id, 500);
  timers.arm(id, 300);
  sc_core::sc_start(from_ns(1000));
  EXPECT_EQ(fired_at, 300u);
  EXPECT_EQ(current_ns(), 1000u);
}

TEST(TimerQueue, CancelledAndEndlessDeadlinesNeverFire) {
  TimerQueue timers("timers");
  unsigned fired = 0;
  const TimerId first = timers.add([&](uint64_t) { ++fired; });
  const TimerId second = timers.add([&](uint64_t) { ++fired; });
  timers.arm(first, 100);
  timers.cancel(first);
  timers.arm(second, ~uint64_t{0} - 5);
  EXPECT_EQ(timers.next_deadline_ns(), kNever);
  sc_core::sc_start(from_ns(1000));
  EXPECT_EQ(fired, 0u);
}

TEST(TimerQueue, CallbackMayArmItselfAgain) {
  TimerQueue timers("timers");
  unsigned fired = 0;
  TimerId id = 0;
  id = timers.add([&](uint64_t deadline_ns) {
    if (++fired < 5) timers.arm(id, deadline_ns + 10);
  });
  timers.arm(id, 10);
  sc_core::sc_start(from_ns(1000));
  EXPECT_EQ(fired, 5u);
}

}  // namespace
}  // namespace lockstep::tlm_models
