// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "smmu_rtl_bridge/observer.h"

namespace lockstep::smmu_rtl_bridge {

// How people are told of what happens at the pins.

inline std::string hex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

constexpr const char* name_of(Wire wire) {
  constexpr const char* kNames[] = {"event queue", "PRI queue", "CMD_SYNC", "global error", "event"};
  return kNames[static_cast<size_t>(wire)];
}

constexpr const char* name_of(AccessEnd end) {
  constexpr const char* kNames[] = {"done", "aborted", "zero", "failed downstream"};
  return kNames[static_cast<size_t>(end)];
}

}  // namespace lockstep::smmu_rtl_bridge
