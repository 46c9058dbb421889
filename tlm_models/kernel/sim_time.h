// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

namespace lockstep::tlm_models {

// A deadline that never comes. Also the answer for deadlines beyond what simulated time can hold.
inline constexpr uint64_t kNever = ~uint64_t{0};

// SystemC counts picoseconds in 64 bits here; half of that range (106 days of virtual time) leaves room for additions.
inline constexpr uint64_t kMaxTimeNs = (uint64_t{1} << 63) / 1000;

inline uint64_t to_ns(const sc_core::sc_time& time) { return time.value() / 1000; }
inline sc_core::sc_time from_ns(uint64_t ns) { return sc_core::sc_time::from_value(ns * 1000); }
inline uint64_t current_ns() { return to_ns(sc_core::sc_time_stamp()); }

}  // namespace lockstep::tlm_models
