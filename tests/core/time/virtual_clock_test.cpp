// SPDX-License-Identifier: Apache-2.0
#include "core/time/virtual_clock.h"

#include <gtest/gtest.h>

namespace lockstep::core {
namespace {

TEST(VirtualClock, AHartIsAheadByItsInstructions) {
  VirtualClock clock(4);
  clock.begin_turn(1000);
  EXPECT_EQ(clock.turn_start_ns(), 1000u);
  EXPECT_EQ(clock.at(0), 1000u);
  EXPECT_EQ(clock.at(25), 1100u);
}

TEST(VirtualClock, CountersNeverGoBack) {
  VirtualClock clock;
  clock.begin_turn(1000);
  EXPECT_EQ(clock.read_counter_ns(500), 1500u);
  // Another hart's turn begins at the same time as the first one's.
  clock.begin_turn(1000);
  EXPECT_EQ(clock.at(10), 1010u);
  EXPECT_EQ(clock.read_counter_ns(10), 1500u);
  EXPECT_EQ(clock.read_counter_ns(600), 1600u);
  clock.restore_latest_read_ns(5000);
  EXPECT_EQ(clock.read_counter_ns(600), 5000u);
  EXPECT_EQ(clock.latest_read_ns(), 5000u);
}

}  // namespace
}  // namespace lockstep::core
