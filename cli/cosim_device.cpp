// SPDX-License-Identifier: Apache-2.0
#include "cli/cosim_device.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/tlm_device.h"

namespace lockstep::cli {
namespace {

namespace bridge = smmu_rtl_bridge;

}  // namespace

void add_cosim_device_options(CLI::App& command, CosimDevice& device) {
  command.add_option(
      "--dut", device.dut,
      "Device under test: tlm (the model behind its sockets), core (the model's core alone), rtl (a design "
      "at its pins) or both (a design, compared with the model)");
  command.add_option("--rtl", device.rtl,
                     "The design: a name of the build's folder rtl/, or a file (smmu); docs/bring-your-rtl.md");
  command.add_option("--record-pins", device.record_pins,
                     "File to which what is driven at the design's pins is added (`lockstep cosim replay-pins`)");
  command.add_option("--rtl-coverage", device.rtl_coverage,
                     "Folder for lines, branches and toggles of the design that were met (points.dat); "
                     "tools/rtl_coverage adds them up");
}

core::Result<bridge::DeviceFactory> cosim_factory(const CosimDevice& device, std::ostream* pins) {
  if (device.dut == "tlm") return bridge::DeviceFactory(bridge::make_tlm_device);
  if (device.dut == "core") return bridge::DeviceFactory(bridge::make_core_device);
  if (!device.is_rtl()) return core::Error{fmt::format("--dut {}: use tlm, core, rtl or both", device.dut)};
  bridge::RtlOptions options;
  options.file = bridge::design_path(device.rtl, device.rtl_coverage.empty() ? "plain" : "coverage");
  options.pins = pins;
  options.record = device.record_pins;
  if (!device.rtl_coverage.empty()) {
    std::error_code failed;
    std::filesystem::create_directories(device.rtl_coverage, failed);
    if (failed) return core::Error{fmt::format("--rtl-coverage {}: {}", device.rtl_coverage, failed.message())};
    options.coverage = (std::filesystem::path(device.rtl_coverage) / "points.dat").string();
  }
  const auto factory = bridge::make_rtl_factory(options);
  if (!factory) return core::Error{fmt::format("--dut {} --rtl {}: {}", device.dut, device.rtl, factory.message())};
  return bridge::DeviceFactory(*factory);
}

bridge::RunOptions cosim_run_options(const CosimDevice& device) {
  bridge::RunOptions run;
  if (device.with_model()) run.beside = bridge::make_core_device;
  return run;
}

bridge::SeedOptions cosim_seed_options(const CosimDevice& device) {
  bridge::SeedOptions seed;
  if (device.is_rtl()) seed.draw = [](uint64_t number, const bridge::Mix&) { return bridge::draw_rtl_device(number); };
  return seed;
}

bridge::Script cosim_script_for(const CosimDevice& device, bridge::Script script) {
  if (!device.is_rtl()) return script;
  std::erase_if(script.settings, [](const bridge::Setting& one) { return bridge::is_model_setting(one.name); });
  return bridge::without_ports(std::move(script));
}

core::Status write_cosim_waveform(const CosimDevice& device, const bridge::Script& script, uint64_t cycle,
                                  const std::string& file) {
  bridge::RtlOptions options;
  options.file = bridge::design_path(device.rtl, "trace");
  options.waveform = file;
  options.waveform_from = cycle > kWaveformBefore ? cycle - kWaveformBefore : 0;
  options.waveform_to = cycle + kWaveformAfter;
  const auto factory = bridge::make_rtl_factory(options);
  if (!factory) return factory.error();
  bridge::RunOptions run;
  // What comes after it showed is in the window too.
  run.stop_at_failure = false;
  const auto result =
      bridge::run_script_isolated(bridge::DeviceFactory(*factory), script, run, bridge::CampaignOptions().silence_ms);
  return result ? core::Status() : core::Status(result.error());
}

core::Status write_cosim_evidence(const CosimDevice& device, const bridge::Script& script, const std::string& stem) {
  std::ofstream timeline(stem + ".timeline.txt");
  bridge::RunOptions run;
  run.timeline = &timeline;
  // The model's answers stand beside the design's, whether they are compared or not.
  run.beside = bridge::make_core_device;
  const auto factory = cosim_factory(device, &timeline);
  if (!factory) return factory.error();
  timeline << std::unitbuf;
  const auto result = bridge::run_script_isolated(*factory, script, run, bridge::CampaignOptions().silence_ms);
  if (!result) return result.error();
  return write_cosim_waveform(device, script, result->cycle, stem + ".fst");
}

std::string cosim_speed(const bridge::RunCounts& counts, double seconds) {
  if (counts.cycles == 0 || counts.total_ticks == 0 || seconds <= 0) return {};
  const auto percent = [&](uint64_t ticks) {
    return 100.0 * static_cast<double>(ticks) / static_cast<double>(counts.total_ticks);
  };
  const double known = percent(counts.design_ticks) + percent(counts.model_ticks) + percent(counts.stimulus_ticks) +
                       percent(counts.oracle_ticks);
  return fmt::format(
      "{} cycles, {:.0f} kHz; time: RTL {:.0f} %, model {:.0f} %, stimulus {:.0f} %, oracle {:.0f} %, bench {:.0f} %",
      counts.cycles, static_cast<double>(counts.cycles) / seconds / 1000, percent(counts.design_ticks),
      percent(counts.model_ticks), percent(counts.stimulus_ticks), percent(counts.oracle_ticks),
      std::max(0.0, 100 - known));
}

}  // namespace lockstep::cli
