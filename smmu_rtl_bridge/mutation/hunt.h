// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/campaign/campaign.h"

namespace lockstep::smmu_rtl_bridge {

// A device with one planted bug, and the same without it.
struct Quarry {
  DeviceFactory planted;
  DeviceFactory sound;  // none: what is hunted is the sound device itself, and any failure counts
  // What a seed draws of the device besides the script; none: a model's features.
  std::function<std::vector<Setting>(uint64_t seed, const Mix& mix)> draw;
  // A directed script for this device; none: as it is.
  std::function<Script(Script)> adapt;
  // Assertions of performance, of which the model has none.
  bool has_clock = false;
};

struct HuntOptions {
  uint64_t seed = 1;  // of the first script
  // What random stimulus a mutant meets, in turns of so many seeds each. After the first turn come the directed
  // scripts; of a design with a clock, after the first round the same with slow pins, and assertions of performance.
  std::vector<std::string> mixes;
  uint64_t seeds_a_turn = 24;
  // The hunt ends when either is used up; 0: no such limit. Time is for programs where nobody cares that a busy machine
  // changes the verdict.
  uint64_t accesses_max = 0;
  double seconds_max = 0;
  uint64_t silence_ms = 6000;            // of a process, after which it counts as hanging
  uint64_t candidate_silence_ms = 2500;  // of one that plays a smaller script
  PlayLimits play;
  // While a script is shrunk; what is left must fail by `play` as well. A device that hangs is waited for many times.
  uint64_t shrink_ticks_per_wait = 3000;
  ShrinkLimits shrink;
};

struct Hunted {
  bool killed = false;
  double seconds = 0;
  uint64_t accesses = 0;  // until the kill, or of the whole hunt
  size_t lines = 0;       // of the shrunk script
  uint64_t seed = 0;
  std::string mix;   // "directed" and "performance" have no seed
  std::string rule;  // that it broke
  std::string text;
  Script script;  // shrunk
};

// Random scripts, the directed ones, assertions of performance, and more random scripts, until one shows the bug and
// the sound device passes it. Errors are the user's: a mix that there is not.
core::Result<Hunted> hunt(const Quarry& quarry, const HuntOptions& options);

}  // namespace lockstep::smmu_rtl_bridge
