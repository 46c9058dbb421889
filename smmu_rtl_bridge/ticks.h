// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace lockstep::smmu_rtl_bridge {

// The processor's own count of time, cheap enough for each cycle of a design. Only its proportions mean something.
inline uint64_t processor_ticks() { return __rdtsc(); }

// Time inside calls of one kind. Looking at the clock takes as long as many a call, so one in some is timed and counts
// for all of them. A call in which the processor did something else for a while counts as an average one.
class SampledTicks {
 public:
  // `every` should be no multiple of what happens at regular intervals.
  explicit SampledTicks(unsigned every) : every_(every), until_(every) {}

  template <typename Call>
  void around(const Call& call) {
    if (--until_ != 0) return call();
    until_ = every_;
    const uint64_t before = processor_ticks();
    call();
    uint64_t ticks = processor_ticks() - before;
    constexpr uint64_t kManySamples = 64, kInterrupted = 256;
    if (samples_ > kManySamples && ticks > kInterrupted * (sum_ / samples_)) ticks = sum_ / samples_;
    sum_ += ticks;
    ++samples_;
  }
  uint64_t total() const { return sum_ * every_; }

 private:
  const unsigned every_;
  unsigned until_;
  uint64_t samples_ = 0;
  uint64_t sum_ = 0;
};

}  // namespace lockstep::smmu_rtl_bridge
