// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/timing.h"

#include <charconv>

#include "smmu_rtl_bridge/stimulus/drawing.h"

namespace lockstep::smmu_rtl_bridge {

core::Result<uint64_t> setting_number(const Setting& setting, uint64_t largest) {
  const std::string& text = setting.value;
  const bool hex = text.starts_with("0x");
  uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data() + (hex ? 2 : 0), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || value > largest)
    return core::Error{"device setting " + setting.name + "=" + text + ": use a number from 0 to " +
                       std::to_string(largest) + "."};
  return value;
}

core::Result<PinTiming> take_pin_timing(std::vector<Setting>& settings) {
  PinTiming timing;
  std::vector<Setting> rest;
  for (const Setting& setting : settings) {
    const PinTimingRow* row = nullptr;
    for (const PinTimingRow& candidate : kPinTimingRows)
      if (setting.name == candidate.name) row = &candidate;
    if (!row) {
      rest.push_back(setting);
      continue;
    }
    const auto value = setting_number(setting, row->largest);
    if (!value) return value.error();
    timing.*row->field = *value;
  }
  if (timing.client_ids == 0) timing.client_ids = 1;
  settings = std::move(rest);
  return timing;
}

std::vector<Setting> draw_pin_timing(uint64_t seed) {
  // Another stream of numbers than the script's.
  Drawing draw(seed ^ 0x70696e7300000000);
  std::vector<Setting> settings;
  const auto set = [&](const char* name, uint64_t value) { settings.push_back({name, std::to_string(value)}); };
  set("pin_seed", seed);
  if (draw.chance(25)) return settings;
  const auto latency = [&] { return draw.pick<uint64_t>({1, 3, 10, 30, 100}); };
  if (draw.chance(70)) set("memory_latency", latency());
  if (draw.chance(20)) set("memory_base", draw.between(1, 20));
  if (draw.chance(40)) set("memory_stall", draw.between(1, 80));
  if (draw.chance(60)) set("memory_early", draw.pick<uint64_t>({50, 100}));
  if (draw.chance(60)) set("memory_disorder", 1);
  if (draw.chance(70)) set("downstream_latency", latency());
  if (draw.chance(40)) set("downstream_stall", draw.between(1, 80));
  if (draw.chance(60)) set("downstream_disorder", 1);
  if (draw.chance(40)) set("client_stall", draw.between(1, 80));
  if (draw.chance(30)) set("client_gap", draw.between(1, 12));
  if (draw.chance(50)) set("client_ids", draw.pick<uint64_t>({1, 2, 4, 64, 256}));
  if (draw.chance(50)) set("decode_errors", draw.pick<uint64_t>({50, 100}));
  return settings;
}

}  // namespace lockstep::smmu_rtl_bridge
