// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/engine/report.h"

namespace lockstep::cli {

namespace {

constexpr size_t kShown = 25;

// The reports of all harts' engines as one. Hottest code first.
core::EngineReport gather(tlm_models::Machine& machine) {
  core::EngineReport all;
  std::map<std::pair<uint64_t, std::string_view>, core::HotCode> hot;
  for (unsigned hart = 0; hart < machine.hart_count(); ++hart) {
    const core::EngineReport one = machine.engine(hart).report();
    all.samples = std::max(all.samples, one.samples);
    all.profiled |= one.profiled;
    for (size_t k = 0; k < one.counters.size(); ++k) {
      if (hart == 0) all.counters.push_back({one.counters[k].name, 0});
      all.counters[k].value += one.counters[k].value;
    }
    for (const core::HotCode& code : one.hot) {
      core::HotCode& sum = hot[{code.pc, code.tier}];
      const uint64_t samples = sum.samples + code.samples;
      sum = code;
      sum.samples = samples;
    }
  }
  for (const auto& [key, code] : hot) all.hot.push_back(code);
  std::stable_sort(all.hot.begin(), all.hot.end(),
                   [](const core::HotCode& a, const core::HotCode& b) { return a.samples > b.samples; });
  return all;
}

double percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string profile_text(tlm_models::Machine& machine, const core::SymbolTable& symbols) {
  const core::EngineReport report = gather(machine);
  if (!report.profiled) return "profile: this engine takes no samples; --engine jit does\n";
  std::string text = fmt::format("profile: {} samples of host time\n", report.samples);
  text += "    time  tier    guest address       instr.  bytes  symbol\n";
  uint64_t inside = 0;
  for (size_t k = 0; k < report.hot.size(); ++k) {
    const core::HotCode& code = report.hot[k];
    inside += code.samples;
    if (k >= kShown) continue;
    text += fmt::format("  {:5.1f}%  {:<6}  {:#018x}  {:6}  {:5}  {}\n", percent(code.samples, report.samples),
                        code.tier, code.pc, code.guest_instructions, code.host_bytes, symbols.name_of(code.pc));
  }
  if (report.hot.size() > kShown) text += fmt::format("          and {} more\n", report.hot.size() - kShown);
  text += fmt::format("  {:5.1f}%  outside of translated code: devices, translation, interpreter, memory management\n",
                      percent(report.samples - std::min(inside, report.samples), report.samples));
  text += "counters:\n";
  for (const core::EngineCounter& counter : report.counters) {
    text += fmt::format("  {:<24}{:>16}\n", counter.name, counter.value);
  }
  return text;
}

nlohmann::json counters_json(tlm_models::Machine& machine) {
  nlohmann::json json = nlohmann::json::object();
  for (const core::EngineCounter& counter : gather(machine).counters) json[std::string(counter.name)] = counter.value;
  return json;
}

nlohmann::json profile_json(tlm_models::Machine& machine, const core::SymbolTable& symbols) {
  const core::EngineReport report = gather(machine);
  nlohmann::json json = {
      {"samples", report.samples}, {"counters", counters_json(machine)}, {"hot", nlohmann::json::array()}};
  for (const core::HotCode& code : report.hot) {
    json["hot"].push_back({{"pc", code.pc},
                           {"symbol", symbols.name_of(code.pc)},
                           {"tier", code.tier},
                           {"samples", code.samples},
                           {"guest_instructions", code.guest_instructions},
                           {"host_bytes", code.host_bytes}});
  }
  return json;
}

}  // namespace lockstep::cli
