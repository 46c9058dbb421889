// SPDX-License-Identifier: Apache-2.0
#include "cli/cosim_replay.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/rtl_device/pin_trace.h"

namespace lockstep::cli {
namespace {

namespace bridge = smmu_rtl_bridge;

constexpr int kFailed = 1, kBadUsage = 2;

struct Arguments {
  std::string file;
  std::string rtl;
  unsigned repeat = 1;
  bool json = false;
};

int run(const Arguments& arguments) {
  const auto make = [&](const std::string& name) -> core::Result<std::unique_ptr<bridge::Design>> {
    bridge::RtlOptions options;
    options.file = bridge::design_path(arguments.rtl.empty() ? name : arguments.rtl, "plain");
    const auto maker = bridge::design_maker(options);
    if (!maker) return maker.error();
    return (*maker)();
  };
  const auto replay = bridge::replay_pins(arguments.file, make, arguments.repeat);
  if (!replay) {
    fmt::print(stderr, "lockstep cosim replay-pins: {}\n", replay.message());
    return kBadUsage;
  }
  if (arguments.json) {
    fmt::print("{}\n", nlohmann::json{{"records", replay->records},
                                      {"cycles", replay->cycles},
                                      {"differences", replay->differences},
                                      {"seconds", replay->wall_s},
                                      {"cpu_seconds", replay->cpu_s}}
                           .dump());
  } else {
    const std::string outputs = replay->differences == 0
                                    ? "all outputs as recorded"
                                    : fmt::format("the outputs of {} records are not as recorded", replay->differences);
    fmt::print("{} records, {} cycles: {}; the design alone takes {:.3f} s ({:.3f} s of processor time, {:.0f} kHz)\n",
               replay->records, replay->cycles, outputs, replay->wall_s, replay->cpu_s,
               replay->wall_s > 0 ? static_cast<double>(replay->cycles) / replay->wall_s / 1000 : 0);
  }
  return replay->differences == 0 ? 0 : kFailed;
}

}  // namespace

void add_cosim_replay_command(CLI::App& cosim, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = cosim.add_subcommand("replay-pins", "Run a design on recorded pins with nothing around it");
  command->footer(
      "`lockstep cosim smmu --dut rtl --record-pins FILE` writes such a file. Each clock gets the recorded inputs; "
      "first "
      "the outputs are compared, then the design's time is taken.\n\n"
      "  lockstep cosim smmu --dut both --seeds 1..50 --jobs 1 --record-pins pins\n"
      "  lockstep cosim replay-pins pins --repeat 3\n\n"
      "Exit: 0 the outputs are those of the recording, 1 they are not, 2 the file cannot be used.");
  command->add_option("file", arguments->file, "What --record-pins wrote")->required();
  command->add_option("--rtl", arguments->rtl, "Another design than the one that was recorded, with the same pins");
  command->add_option("--repeat", arguments->repeat, "The design's time is the best of so many runs (1)")
      ->check(CLI::Range(1, 100));
  command->add_flag("--json", arguments->json, "One JSON object on standard output");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace lockstep::cli
