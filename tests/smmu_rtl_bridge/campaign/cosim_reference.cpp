// SPDX-License-Identifier: Apache-2.0
// A campaign in which the reference walker is asked beside the judge: `cosim_reference --seeds 1..20000`.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>
#include <thread>

#include "smmu_rtl_bridge/campaign/campaign.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tests/smmu_rtl_bridge/campaign/reference_opinion.h"
#include "tlm_models/smmuv3/event.h"

namespace {

namespace bridge = lockstep::smmu_rtl_bridge;

constexpr int kDiffers = 1;
constexpr int kBadUsage = 2;

int bad_usage(const std::string& message) {
  fmt::print(stderr, "cosim_reference: {}\n", message);
  return kBadUsage;
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool read_seeds(const std::string& text, bridge::CampaignOptions& options) {
  const size_t dots = text.find("..");
  const auto first = number(std::string_view(text).substr(0, dots));
  const auto last = dots == std::string::npos ? first : number(std::string_view(text).substr(dots + 2));
  if (!first || !last || *last < *first) return false;
  options.first_seed = *first;
  options.last_seed = *last;
  return true;
}

void show_progress(const bridge::CampaignProgress& progress) {
  static const bool is_terminal = isatty(STDERR_FILENO) != 0;
  if (!is_terminal || progress.seconds < 1 || progress.seeds_done == 0) return;
  const double left = progress.seconds / static_cast<double>(progress.seeds_done) *
                      static_cast<double>(progress.seeds - progress.seeds_done);
  fmt::print(stderr, "\r{} of {} seeds, {} translations, {:.0f} s left  ", progress.seeds_done, progress.seeds,
             progress.counts.accesses, left);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Plays the scripts of seeds on the SMMU model with its caches, and asks the reference walker beside the judge.\n"
      "Where the judge has one outcome for an access, device, judge and reference must be the same in outcome, "
      "address,\n"
      "attributes, privilege, event record and updates of descriptors; where it has several, the reference's must be "
      "one\n"
      "of them. Exit codes: 0 all agree, 1 they differ, 2 the command is wrong.");
  std::string seeds = "1..100", mix_name = "default", dut = "core", save = ".";
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  app.add_option("--seeds", seeds, "FIRST..LAST (1..100)");
  app.add_option("--mix", mix_name, "What stimulus is made of: a name or a file (default)");
  app.add_option("--dut", dut, "core, or tlm for the sockets");
  app.add_option("--jobs", jobs, "Processes (as many as there are cores)");
  app.add_option("--save", save, "Where the script of a difference goes (.)");
  CLI11_PARSE(app, argc, argv);

  bridge::CampaignOptions options;
  if (!read_seeds(seeds, options)) return bad_usage("--seeds " + seeds + ": use FIRST..LAST, as in 1..20000");
  if (dut != "core" && dut != "tlm") return bad_usage("--dut " + dut + ": use core or tlm");
  const auto mix = bridge::load_mix(mix_name);
  if (!mix) return bad_usage(mix.message());
  options.seed.mix = *mix;
  options.jobs = jobs;
  // SystemC can be started once a process.
  if (dut == "tlm") options.seeds_per_process = 1;
  const bridge::DeviceFactory factory = dut == "tlm" ? bridge::make_tlm_device : bridge::make_core_device;

  // One of each process, told at its end.
  bridge::ReferenceCounts of_process, counts;
  options.run.second_opinion = [&](bridge::Device& device, bridge::Judge& judge) {
    return std::make_unique<bridge::ReferenceOpinion>(device, judge, of_process);
  };
  options.run.collect = [&] { return of_process.to_text(); };
  options.collected = [&](const std::string& text) { counts.add_text(text); };
  const auto campaign = bridge::run_campaign(factory, options, show_progress);
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\n");
  if (!campaign) return bad_usage(campaign.message());

  for (const bridge::Finding& finding : campaign->findings) {
    const std::string file = fmt::format("{}/reference-{}.smmu", save, finding.seed);
    std::ofstream(file) << print(finding.shrunk);
    fmt::print(stderr, "seed {}: {}: {}\n{} lines are left in {}:\n{}", finding.seed, finding.result.rule,
               finding.result.text, finding.shrunk.lines.size(), file, print(finding.shrunk));
  }
  const bridge::CampaignProgress& progress = campaign->progress;
  const uint64_t compared = counts.one + counts.several;
  fmt::print(
      "{} seeds of mix {} in {:.1f} s: {} translations, {} of them with one outcome ({:.2f} % of those compared)\n",
      progress.seeds_done, mix->name, progress.seconds, progress.counts.accesses, counts.one,
      compared == 0 ? 0 : 100.0 * static_cast<double>(counts.one) / static_cast<double>(compared));
  fmt::print("  {} passed, {} updated descriptors, {} with several outcomes, {} undecided\n", counts.passed,
             counts.updated, counts.several, counts.undecided);
  fmt::print("  {} were compared again when software had ended their stall\n", counts.again);
  fmt::print("  not compared: {} marked by ATS, {} that software ended, {} held to the end of their script\n",
             counts.translated, counts.ended, counts.held);
  for (const auto& [type, count] : counts.faults)
    fmt::print("  {:<20} {}\n", name(static_cast<lockstep::tlm_models::smmuv3::EventType>(type)), count);
  fmt::print("{}\n", campaign->findings.empty() ? "model, judge and reference agree" : "they differ");
  return campaign->findings.empty() ? 0 : kDiffers;
}
