// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "core/result.h"

namespace lockstep::jit::sampler {

// Host program counters of the process, taken a thousand times a second of its processor time. One for all engines:
// each reads from where it read last.
inline constexpr unsigned kRateHz = 1000;

// Starts it, once. Fails with the host's reason.
core::Status start();

// Samples taken since the start.
uint64_t count();
// Calls `f` with those from number `from` on that are still there (the last 65,536 are); answers count().
uint64_t read(uint64_t from, const std::function<void(uint64_t host_pc)>& f);

}  // namespace lockstep::jit::sampler
