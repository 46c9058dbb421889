// SPDX-License-Identifier: Apache-2.0
// Plants bugs in a second copy of the SMMUv3's core, lets campaigns of co-simulation find each, and shrinks what fails.
// The judge evaluates the sound core, which lives beside the copy. One line a mutant on standard output:
// killed|survived, seconds, translations to the kill, lines of the shrunk script, seed, mix, rule, name; between bars.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "smmu_rtl_bridge/campaign/campaign.h"
#include "smmu_rtl_bridge/stimulus/directed/crosses.h"
#include "tests/tlm_models/smmuv3/mutants/planted_switch.h"

int lockstep_planted_number = 0;

namespace lockstep::smmu_rtl_bridge {

using DeviceSettings = std::vector<Setting>;
// tlm_device.cpp, compiled with the copy.
core::Result<std::unique_ptr<Device>> make_planted_device(const DeviceSettings& settings, Surroundings& surroundings);

namespace {

struct MutantName {
  const char* name;
  const char* file;
  bool equivalent;
};
constexpr MutantName kMutants[] = {
#include "names.inc"
};
constexpr int kMutantCount = static_cast<int>(std::size(kMutants));

// What stimulus a mutant meets, in turns.
constexpr const char* kMixes[] = {"default", "faults", "commands", "invalidation", "ats", "stall", "nested"};
constexpr uint64_t kSeedsATurn = 24;
constexpr uint64_t kSilenceMs = 6000;
constexpr uint64_t kCandidateSilenceMs = 2500;

struct Arguments {
  int first = 1;
  int last = kMutantCount;
  uint64_t seed = 1;
  double seconds = 120;
  double shrink_seconds = 60;
  std::string save;
  bool equivalent = false;
};

int usage() {
  std::fprintf(stderr,
               "smmu_mutants [--list] [--only FIRST..LAST] [--seed FIRST] [--seconds OF-ONE-MUTANT]\n"
               "             [--shrink-seconds N] [--save FOLDER] [--equivalent]\n"
               "Numbers of mutants are those of --list; 0 is the sound model.\n");
  return 2;
}

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

[[noreturn]] void give_up(const char* name, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", name, message.c_str());
  std::exit(2);
}

// One mutant and what was done to find it.
class Hunt {
 public:
  Hunt(int number, const Arguments& arguments) : number_(number), arguments_(arguments) {
    name_ = number == 0 ? "none" : kMutants[number - 1].name;
  }

  void go() {
    uint64_t seed = arguments_.seed;
    bool directed = false;
    for (; since(begin_) < arguments_.seconds; seed += kSeedsATurn) {
      for (const char* mix : kMixes) {
        if (since(begin_) >= arguments_.seconds) break;
        if (turn(mix, seed)) return;
        if (!directed && directed_turn()) return;
        directed = true;
      }
    }
    std::printf("survived|%.1f|%llu|0|0|-|-|%s\n", since(begin_), static_cast<unsigned long long>(translations_),
                name_);
    std::fflush(stdout);
  }

 private:
  // Whether the sound model is right where the planted one is wrong: otherwise it is no bug of this mutant's.
  bool sound_agrees(const Script& script) const {
    lockstep_planted_number = 0;
    const auto sound = run_script_isolated(factory_, script, {}, kSilenceMs);
    lockstep_planted_number = number_;
    return sound && sound->ok();
  }

  bool turn(const char* mix_name, uint64_t first) {
    const uint64_t last = first + kSeedsATurn - 1;
    const auto mix = load_mix(mix_name);
    if (!mix) give_up(name_, mix.message());
    CampaignOptions options;
    options.last_seed = last;
    options.seeds_per_process = kSeedsATurn;
    options.silence_ms = kSilenceMs;
    options.shrinks = false;
    options.seed.mix = *mix;
    lockstep_planted_number = number_;
    for (uint64_t seed = first; seed <= last;) {
      options.first_seed = seed;
      const auto campaign = run_campaign(factory_, options, [](const CampaignProgress&) {});
      if (!campaign) give_up(name_, campaign.message());
      translations_ += campaign->progress.counts.accesses;
      if (campaign->findings.empty()) return false;
      const Finding& found = campaign->findings.front();
      if (number_ == 0 || (!found.script.lines.empty() && sound_agrees(found.script))) {
        killed(found, mix_name);
        return true;
      }
      seed = found.seed + 1;
    }
    return false;
  }

  // The scripts of rules that have a name, and of corners; they have no seed.
  bool directed_turn() {
    lockstep_planted_number = number_;
    for (const auto* scripts : {&directed_scripts(), &cross_scripts()}) {
      for (const DirectedScript& directed : *scripts) {
        Finding found;
        found.script = script_of(directed);
        const auto result = run_script_isolated(factory_, found.script, {}, kCandidateSilenceMs);
        if (!result) give_up(name_, directed.name + ": " + result.message());
        translations_ += result->counts.accesses;
        if (result->ok() || (number_ != 0 && !sound_agrees(found.script))) continue;
        found.result = *result;
        killed(found, "directed");
        return true;
      }
    }
    return false;
  }

  void killed(const Finding& found, const char* mix_name) {
    Script start = found.script;
    const auto fails = [&](const Script& candidate) {
      const auto result = run_script_isolated(factory_, candidate, {}, kCandidateSilenceMs);
      return result && result->signature() == found.result.signature() && (number_ == 0 || sound_agrees(candidate));
    };
    ShrinkLimits limits;
    limits.time_ms = static_cast<uint64_t>(arguments_.shrink_seconds * 1000);
    // Nothing after the line where it showed matters, most of the time.
    if (found.result.line + 1 < start.lines.size()) {
      Script cut = start;
      cut.lines.resize(found.result.line + 1);
      if (fails(cut)) start = std::move(cut);
    }
    ShrinkReport report;
    const Script small = shrink(start, fails, limits, report);
    std::printf("killed|%.1f|%llu|%zu|%llu|%s|%s|%s\n", since(begin_), static_cast<unsigned long long>(translations_),
                small.lines.size(), static_cast<unsigned long long>(found.seed), mix_name, found.result.rule.c_str(),
                name_);
    std::fflush(stdout);
    if (arguments_.save.empty()) return;
    std::filesystem::create_directories(arguments_.save);
    std::ofstream(arguments_.save + "/" + std::to_string(number_) + ".smmu") << print(small);
  }

  int number_;
  const Arguments& arguments_;
  const char* name_;
  const DeviceFactory factory_ = make_planted_device;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  uint64_t translations_ = 0;
};

int run(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = values[i];
    if (option == "--list") {
      for (int n = 1; n <= kMutantCount; ++n)
        std::printf("%3d %s%s\n", n, kMutants[n - 1].name, kMutants[n - 1].equivalent ? " (equivalent)" : "");
      return 0;
    }
    if (option == "--equivalent") {
      arguments.equivalent = true;
      continue;
    }
    if (i + 1 == count) return usage();
    const std::string value = values[++i];
    if (option == "--only") {
      const size_t dots = value.find("..");
      arguments.first = std::atoi(value.c_str());
      arguments.last = dots == std::string::npos ? arguments.first : std::atoi(value.c_str() + dots + 2);
      if (arguments.first < 0 || arguments.last > kMutantCount || arguments.first > arguments.last) return usage();
    } else if (option == "--seed") {
      arguments.seed = std::strtoull(value.c_str(), nullptr, 0);
    } else if (option == "--seconds") {
      arguments.seconds = std::atof(value.c_str());
    } else if (option == "--shrink-seconds") {
      arguments.shrink_seconds = std::atof(value.c_str());
    } else if (option == "--save") {
      arguments.save = value;
    } else {
      return usage();
    }
  }
  for (int number = arguments.first; number <= arguments.last; ++number)
    if (number == 0 || arguments.equivalent || !kMutants[number - 1].equivalent) Hunt(number, arguments).go();
  return 0;
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge

int main(int count, char** values) { return lockstep::smmu_rtl_bridge::run(count, values); }
