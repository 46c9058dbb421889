// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <ostream>
#include <string>

#include "core/result.h"
#include "smmu_rtl_bridge/campaign/campaign.h"

namespace lockstep::cli {

// The device under test of a `lockstep cosim` command, as its options name it.
struct CosimDevice {
  std::string dut = "tlm";
  std::string rtl = "smmu";  // the design
  std::string record_pins;   // file for what is driven at the design's pins; empty: not wanted
  std::string rtl_coverage;  // folder whose points.dat gets the design's own coverage; empty: not wanted

  bool is_rtl() const { return dut == "rtl" || dut == "both"; }
  bool with_model() const { return dut == "both"; }
};

// Cycles of a waveform around the one where something showed.
inline constexpr uint64_t kWaveformBefore = 2000, kWaveformAfter = 200;

void add_cosim_device_options(CLI::App& command, CosimDevice& device);

// `pins`: where handshakes at the pins of a design are written; null: nowhere.
core::Result<smmu_rtl_bridge::DeviceFactory> cosim_factory(const CosimDevice& device, std::ostream* pins = nullptr);
// What a run of a script has beside the device.
smmu_rtl_bridge::RunOptions cosim_run_options(const CosimDevice& device);
// How a seed draws the device.
smmu_rtl_bridge::SeedOptions cosim_seed_options(const CosimDevice& device);
// Where the device is a design: the script without settings that belong to the model, and without translation and page
// requests, for which a design has no port here.
smmu_rtl_bridge::Script cosim_script_for(const CosimDevice& device, smmu_rtl_bridge::Script script);

// Plays a script that fails once more on the design's variant with waveforms, and writes the cycles around `cycle`.
core::Status write_cosim_waveform(const CosimDevice& device, const smmu_rtl_bridge::Script& script, uint64_t cycle,
                                  const std::string& file);

// Writes STEM.timeline.txt, with the pins, the oracle and the model, and STEM.fst of a script that fails on a design.
// An error says why there is no waveform; the timeline is there all the same.
core::Status write_cosim_evidence(const CosimDevice& device, const smmu_rtl_bridge::Script& script,
                                  const std::string& stem);

// "1,234,000 cycles, 512 kHz; time: design 61 %, ..." of a device in RTL; empty for others.
std::string cosim_speed(const smmu_rtl_bridge::RunCounts& counts, double seconds);

}  // namespace lockstep::cli
