// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

// How quick everything around a design is, and in which order it answers. All of it follows from these numbers, which
// stand in the script's settings, so that a run repeats itself; a setting that is left out is the plainest.
struct PinTiming {
  uint64_t seed = 0;
  uint64_t memory_latency = 0;      // cycles at most until memory answers an access of the device's own
  uint64_t memory_base = 0;         // and at least
  uint64_t memory_stall = 0;        // percent of cycles in which memory takes nothing
  uint64_t memory_early = 0;        // percent of reads that see memory as it is when their address is taken
  uint64_t memory_disorder = 0;     // 1: answers of different IDs in any order, beats mixed
  uint64_t downstream_latency = 0;  // the same for what clients reach
  uint64_t downstream_stall = 0;
  uint64_t downstream_disorder = 0;
  uint64_t downstream_room = 0;  // reads, and writes, under way there at most; 0: as many as come
  uint64_t client_stall = 0;     // percent of cycles in which clients take no answer
  uint64_t client_gap = 0;       // cycles at most before an access is offered, and between its data beats
  uint64_t client_ids = 16;      // AXI IDs that clients use: 1 orders everything
  uint64_t decode_errors = 0;    // percent of bus errors that are DECERR instead of SLVERR
};

struct PinTimingRow {
  const char* name;
  uint64_t PinTiming::*field;
  uint64_t largest;
};
inline constexpr PinTimingRow kPinTimingRows[] = {
    {"pin_seed", &PinTiming::seed, ~uint64_t{0}},
    {"memory_latency", &PinTiming::memory_latency, 1000},
    {"memory_base", &PinTiming::memory_base, 1000},
    {"memory_stall", &PinTiming::memory_stall, 90},
    {"memory_early", &PinTiming::memory_early, 100},
    {"memory_disorder", &PinTiming::memory_disorder, 1},
    {"downstream_latency", &PinTiming::downstream_latency, 1000},
    {"downstream_stall", &PinTiming::downstream_stall, 90},
    {"downstream_disorder", &PinTiming::downstream_disorder, 1},
    {"downstream_room", &PinTiming::downstream_room, 64},
    {"client_stall", &PinTiming::client_stall, 90},
    {"client_gap", &PinTiming::client_gap, 1000},
    {"client_ids", &PinTiming::client_ids, 256},
    {"decode_errors", &PinTiming::decode_errors, 100},
};

// Takes what it knows out of the settings; the rest is left there.
core::Result<PinTiming> take_pin_timing(std::vector<Setting>& settings);
// Numbers for a seed: one device in four is quick, the others are slow and unruly in different ways.
std::vector<Setting> draw_pin_timing(uint64_t seed);
core::Result<uint64_t> setting_number(const Setting& setting, uint64_t largest);

// One channel's dice: numbers that depend on nothing but the seed, the channel and what is asked for.
class ChannelDice {
 public:
  ChannelDice(uint64_t seed, unsigned channel) : key_(mix(seed + 0x9e3779b97f4a7c15 * (channel + 1))) {}
  // 0 to `most`.
  uint64_t up_to(uint64_t most, uint64_t occasion) const { return most == 0 ? 0 : mix(key_ ^ occasion) % (most + 1); }
  bool chance(uint64_t percent, uint64_t occasion) const {
    return percent != 0 && mix(key_ ^ occasion) % 100 < percent;
  }

 private:
  static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
  }
  uint64_t key_;
};

}  // namespace lockstep::smmu_rtl_bridge
