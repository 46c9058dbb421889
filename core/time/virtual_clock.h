// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace lockstep::core {

// The guest's view of virtual time. The machine's scheduler owns time and sets the start of each hart's turn; inside a
// turn a hart is ahead of it by one tick an instruction. Rules that make every deterministic engine agree:
// - count means instructions begun, trapping ones included;
// - a counter read returns at least what any hart has read before (harts run their turns one after another, so the
//   second would otherwise look into the first one's past).
class VirtualClock {
 public:
  explicit VirtualClock(uint64_t ns_per_instruction = 1) : ns_per_instruction_(ns_per_instruction) {}

  uint64_t ns_per_instruction() const { return ns_per_instruction_; }
  void begin_turn(uint64_t start_ns) { turn_start_ns_ = start_ns; }
  uint64_t turn_start_ns() const { return turn_start_ns_; }
  // Harts read counters at the same time, each on a thread of its own.
  void set_concurrent(bool concurrent) { concurrent_ = concurrent; }

  // The time at which the instruction after `executed` others of this turn begins.
  uint64_t at(uint64_t executed) const { return turn_start_ns_ + executed * ns_per_instruction_; }

  // The same for software that reads a counter: never less than an earlier answer to any hart.
  uint64_t read_counter_ns(uint64_t executed) {
    if (concurrent_) {
      const uint64_t now_ns = at(executed);
      std::atomic_ref<uint64_t> latest(latest_read_ns_);
      uint64_t seen_ns = latest.load();
      while (seen_ns < now_ns && !latest.compare_exchange_weak(seen_ns, now_ns)) {
      }
      return std::max(seen_ns, now_ns);
    }
    latest_read_ns_ = std::max(latest_read_ns_, at(executed));
    return latest_read_ns_;
  }
  uint64_t latest_read_ns() const { return latest_read_ns_; }
  void restore_latest_read_ns(uint64_t ns) { latest_read_ns_ = ns; }

 private:
  uint64_t ns_per_instruction_;
  uint64_t turn_start_ns_ = 0;
  uint64_t latest_read_ns_ = 0;
  bool concurrent_ = false;
};

}  // namespace lockstep::core
