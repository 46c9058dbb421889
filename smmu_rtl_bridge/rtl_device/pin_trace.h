// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "smmu_rtl_bridge/rtl_device/design.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

// What was driven at a design's pins, clock by clock, so that the design can be run again with nothing around it. A
// file is a run of records, one for each device that was made; each has the design's name, its own settings, the inputs
// as words that changed, and a digest of all outputs. It is for the build that wrote it.

// A record stops growing here, and what it has is good; a file takes no more records once it is as large as this.
inline constexpr uint64_t kPinRecordBytesMax = 256u << 20;
inline constexpr uint64_t kPinFileBytesMax = 2u << 30;

// A design whose inputs are recorded; the record is added to the file when the design goes, also by several processes
// at once.
std::unique_ptr<Design> record_pins(std::unique_ptr<Design> design, std::string name, std::string file);

struct PinReplay {
  uint64_t records = 0;
  uint64_t cycles = 0;
  uint64_t differences = 0;  // records whose outputs were not those of the recording
  // Of the designs' clocks alone, without reading the file: the fastest of all repetitions.
  double wall_s = 0;
  double cpu_s = 0;
};
// Runs each record once with the outputs compared, and then `repeat` times for the time. `make` has a design by the
// name in the record. Errors name the file.
using NamedDesign = std::function<core::Result<std::unique_ptr<Design>>(const std::string& name)>;
core::Result<PinReplay> replay_pins(const std::string& file, const NamedDesign& make, unsigned repeat);

}  // namespace lockstep::smmu_rtl_bridge
