// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "core/result.h"
#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/rtl_device/design.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

using DesignMaker = std::function<std::unique_ptr<Design>()>;

// An SMMU in RTL as a device under test. Settings are those of rtl_device/timing.h and the design's own.
struct RtlOptions {
  std::string file;  // of lockstep_rtl_design() in CMake
  // In place of a file: for tests.
  DesignMaker make;
  // Waveform of these cycles, of a design that was built for it.
  std::string waveform;
  uint64_t waveform_from = 0, waveform_to = ~uint64_t{0};
  // Raw coverage points are added to this file when the device goes, also by several processes at once.
  std::string coverage;
  // What is driven at the pins is added to this file when the device goes (rtl_device/pin_trace.h).
  std::string record;
  // Handshakes at the pins, one a line.
  std::ostream* pins = nullptr;
};

// An error names the file and what to do.
core::Result<DesignMaker> design_maker(const RtlOptions& options);

using RtlFactory =
    std::function<core::Result<std::unique_ptr<Device>>(const std::vector<Setting>& settings, Surroundings&)>;
// An error names the file and what to do.
core::Result<RtlFactory> make_rtl_factory(const RtlOptions& options);

// A script without the lines for which there are no ports at the pins: ATS and page requests.
Script without_ports(Script script);
// One that was made for a model, such as a directed one: without its settings as well.
Script for_pins(Script script);

// Settings that a seed draws for a device in RTL.
std::vector<Setting> draw_rtl_device(uint64_t seed);

}  // namespace lockstep::smmu_rtl_bridge
