// SPDX-License-Identifier: Apache-2.0
// Plants bugs in a second copy of the SMMUv3's core, lets campaigns of co-simulation find each, and shrinks what fails.
// The judge evaluates the sound core, which lives beside the copy. One line a mutant on standard output:
// killed|survived, seconds, translations to the kill, lines of the shrunk script, seed, mix, rule, name; between bars.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "smmu_rtl_bridge/mutation/hunt.h"
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

[[noreturn]] void give_up(const char* name, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", name, message.c_str());
  std::exit(2);
}

// The number is set where the device is made, which is in a process of its own each time.
DeviceFactory planted(int number) {
  return [number](const DeviceSettings& settings, Surroundings& surroundings) {
    lockstep_planted_number = number;
    return make_planted_device(settings, surroundings);
  };
}

void hunt_one(int number, const Arguments& arguments) {
  const char* name = number == 0 ? "none" : kMutants[number - 1].name;
  Quarry quarry;
  quarry.planted = planted(number);
  if (number != 0) quarry.sound = planted(0);
  HuntOptions options;
  options.seed = arguments.seed;
  options.mixes.assign(std::begin(kMixes), std::end(kMixes));
  options.seeds_a_turn = kSeedsATurn;
  options.seconds_max = arguments.seconds;
  options.silence_ms = kSilenceMs;
  options.candidate_silence_ms = kCandidateSilenceMs;
  options.shrink.time_ms = static_cast<uint64_t>(arguments.shrink_seconds * 1000);
  const auto hunted = hunt(quarry, options);
  if (!hunted) give_up(name, hunted.message());
  std::printf("%s|%.1f|%llu|%zu|%llu|%s|%s|%s\n", hunted->killed ? "killed" : "survived", hunted->seconds,
              static_cast<unsigned long long>(hunted->accesses), hunted->lines,
              static_cast<unsigned long long>(hunted->seed), hunted->killed ? hunted->mix.c_str() : "-",
              hunted->killed ? hunted->rule.c_str() : "-", name);
  std::fflush(stdout);
  if (!hunted->killed || arguments.save.empty()) return;
  std::filesystem::create_directories(arguments.save);
  std::ofstream(arguments.save + "/" + std::to_string(number) + ".smmu") << print(hunted->script);
}

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
    if (number == 0 || arguments.equivalent || !kMutants[number - 1].equivalent) hunt_one(number, arguments);
  return 0;
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge

int main(int count, char** values) { return lockstep::smmu_rtl_bridge::run(count, values); }
