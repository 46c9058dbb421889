// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "smmu_rtl_bridge/rtl_device/coverage_file.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/rtl_device/pin_bench.h"
#include "smmu_rtl_bridge/rtl_device/pin_trace.h"
#include "smmu_rtl_bridge/rtl_device/timing.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

class RtlDevice : public Device {
 public:
  RtlDevice(std::unique_ptr<Design> design, const PinTiming& timing, Surroundings& surroundings, std::string coverage)
      : coverage_(std::move(coverage)), bench_(std::move(design), timing, surroundings) {}
  ~RtlDevice() override {
    if (!coverage_.empty()) add_coverage(bench_.design(), coverage_);
  }

  PinBench& bench() { return bench_; }

  void reset() override { bench_.reset(); }

  bool read_register(uint32_t offset, unsigned size_bytes, uint64_t& value) override {
    return bench_.access_register(offset, false, size_bytes, value);
  }
  bool write_register(uint32_t offset, unsigned size_bytes, uint64_t value) override {
    return bench_.access_register(offset, true, size_bytes, value);
  }

  bool offer(const ClientAccess& access) override { return bench_.offer(access); }
  // Devices here have no port for ATS and page requests, and their ID registers must say so.
  bool ask_ats(const AtsQuestion&) override { return false; }
  bool ask_page(const PageQuestion&) override { return false; }
  void atc_invalidation_done(bool) override {}

  void tick(unsigned cycles) override {
    for (unsigned i = 0; i < cycles && !bench_.broken(); ++i) bench_.cycle();
  }
  bool idle() const override { return bench_.idle(); }
  uint64_t cycles() const override { return bench_.cycles(); }
  uint64_t design_ticks() const override { return bench_.design_ticks(); }

 private:
  std::string coverage_;
  PinBench bench_;
};

core::Result<std::unique_ptr<Device>> make_device(const RtlOptions& options, const DesignMaker& make,
                                                  std::vector<Setting> settings, Surroundings& surroundings) {
  const auto timing = take_pin_timing(settings);
  if (!timing) return timing.error();
  std::unique_ptr<Design> design = make();
  if (!options.record.empty())
    design = record_pins(std::move(design), std::filesystem::path(options.file).stem().string(), options.record);
  for (const Setting& setting : settings) {
    const auto value = setting_number(setting, ~uint64_t{0});
    if (!value) return value.error();
    if (!design->set(setting.name, *value))
      return core::Error{"device setting '" + setting.name +
                         "' is neither one of the pins (docs/bring-your-rtl.md) nor one of the design."};
  }
  if (!options.waveform.empty())
    if (const auto opened = open_waveform(*design, options.waveform); !opened) return opened.error();
  auto device = std::make_unique<RtlDevice>(std::move(design), *timing, surroundings, options.coverage);
  device->bench().set_log(options.pins);
  if (!options.waveform.empty()) device->bench().set_waveform_window(options.waveform_from, options.waveform_to);
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace

core::Result<DesignMaker> design_maker(const RtlOptions& options) {
  if (options.make) return options.make;
  const auto file = load_design_file(options.file);
  if (!file) return file.error();
  return DesignMaker([loaded = *file] { return std::unique_ptr<Design>(loaded->make()); });
}

core::Result<RtlFactory> make_rtl_factory(const RtlOptions& options) {
  const auto make = design_maker(options);
  if (!make) return make.error();
  // Devices write it when they go, where nobody hears of an error.
  if (!options.record.empty() && !std::ofstream(options.record, std::ios::app))
    return core::Error{options.record + ": the file for what is driven at the pins cannot be written"};
  return RtlFactory([options, make = *make](const std::vector<Setting>& settings, Surroundings& surroundings) {
    return make_device(options, make, settings, surroundings);
  });
}

std::vector<Setting> draw_rtl_device(uint64_t seed) { return draw_pin_timing(seed); }

Script without_ports(Script script) {
  std::erase_if(script.lines, [](const Line& line) { return line.verb == Verb::kAts || line.verb == Verb::kPage; });
  return script;
}

Script for_pins(Script script) {
  script.settings.clear();
  return without_ports(std::move(script));
}

}  // namespace lockstep::smmu_rtl_bridge
