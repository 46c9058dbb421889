// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lockstep::core {

// What an engine tells about its own work, for people and for metrics. Nothing of it is guest state, and two runs of
// the same guest may differ in it.
struct EngineCounter {
  std::string_view name;  // as in a metrics page: words with underscores
  uint64_t value = 0;
};

// A piece of translated code that a profile met.
struct HotCode {
  uint64_t pc = 0;        // guest address at which it begins
  std::string_view tier;  // the engine's word for how it was translated
  uint64_t samples = 0;
  uint64_t guest_instructions = 0;
  uint64_t host_bytes = 0;
};

struct EngineReport {
  std::vector<EngineCounter> counters;
  bool profiled = false;     // it was made to take samples of host time
  uint64_t samples = 0;      // taken so far, of this process; those outside of `hot` were spent elsewhere
  std::vector<HotCode> hot;  // in no order; empty unless a profile was asked for
};

}  // namespace lockstep::core
