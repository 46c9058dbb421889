// SPDX-License-Identifier: Apache-2.0
#include "cli/cosim_mutate.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "cli/cosim_device.h"
#include "smmu_rtl_bridge/campaign/isolated.h"
#include "smmu_rtl_bridge/mutation/hunt.h"
#include "smmu_rtl_bridge/mutation/mutants.h"
#include "smmu_rtl_bridge/mutation/results.h"
#include "smmu_rtl_bridge/rtl_device/load.h"

namespace lockstep::cli {
namespace {

namespace bridge = smmu_rtl_bridge;

constexpr int kAlive = 1, kBadUsage = 2;
constexpr uint64_t kSeed = 20261122;
constexpr uint64_t kSeedsATurn = 1;
// A process that is stopped for a while is none that hangs: designs hang at their pins, which the player sees by
// counting cycles.
constexpr uint64_t kSilenceMs = 600'000;
constexpr uint64_t kTicksPerWait = 20'000;
constexpr int kListenMs = 500;
// What a design without ATS, PRI and stalls can meet.
constexpr const char* kMixes[] = {"default", "faults", "commands", "invalidation", "nested", "hits"};

struct Arguments {
  std::vector<std::string> designs = {"smmu_drawn", "smmu_planted"};
  uint64_t seed = kSeed;
  size_t mutants = 0;
  std::string only;
  std::string name = ".*";
  std::string resume;
  std::string save;
  unsigned jobs = 0;
  uint64_t transactions = 100'000;
  uint64_t shrink_s = 60;
  bool list = false;
  bool json = false;
};

// A mutant of one of the designs.
struct Target {
  std::string design;
  bridge::Mutant mutant;
};

int bad_usage(const std::string& message) {
  fmt::print(stderr, "lockstep cosim mutate: {}\n", message);
  return kBadUsage;
}

std::string list_of(const std::string& design) {
  return std::filesystem::path(bridge::design_path(design, "plain")).replace_extension(".mutants").string();
}

core::Result<std::vector<Target>> targets_of(const Arguments& arguments) {
  std::vector<Target> targets;
  for (const std::string& design : arguments.designs) {
    if (const auto file = bridge::load_design_file(bridge::design_path(design, "plain")); !file) return file.error();
    auto mutants = bridge::load_mutants(list_of(design));
    if (!mutants) return mutants.error();
    for (bridge::Mutant& mutant : *mutants) targets.push_back({design, std::move(mutant)});
  }
  return targets;
}

// Those that --only and --name leave.
core::Result<std::vector<Target>> asked_for(const Arguments& arguments, std::vector<Target> targets) {
  const auto& kinds = bridge::kMutantKinds;
  if (!arguments.only.empty() && std::find(std::begin(kinds), std::end(kinds), arguments.only) == std::end(kinds))
    return core::Error{fmt::format("--only {}: use {}", arguments.only, fmt::join(kinds, ", "))};
  std::regex name;
  try {
    name = std::regex(arguments.name);
  } catch (const std::regex_error&) {
    return core::Error{fmt::format("--name {}: this is no regular expression", arguments.name)};
  }
  std::erase_if(targets, [&](const Target& target) {
    return (!arguments.only.empty() && target.mutant.kind != arguments.only) ||
           !std::regex_search(target.mutant.name, name);
  });
  return targets;
}

bool has_result(const std::vector<bridge::MutantResult>& results, const bridge::Mutant& mutant, bool killed) {
  return std::any_of(results.begin(), results.end(), [&](const bridge::MutantResult& result) {
    return bridge::is_of(result, mutant) && (result.killed || !killed);
  });
}

bridge::DeviceFactory with_mutant(const bridge::DeviceFactory& factory, unsigned number) {
  return [factory, number](const std::vector<bridge::Setting>& settings, bridge::Surroundings& surroundings) {
    std::vector<bridge::Setting> all = settings;
    all.push_back({"mutant", std::to_string(number)});
    return factory(all, surroundings);
  };
}

bridge::HuntOptions hunt_options(const Arguments& arguments) {
  bridge::HuntOptions options;
  options.seed = arguments.seed;
  options.mixes.assign(std::begin(kMixes), std::end(kMixes));
  options.seeds_a_turn = kSeedsATurn;
  options.accesses_max = arguments.transactions;
  options.silence_ms = options.candidate_silence_ms = kSilenceMs;
  options.play.ticks_per_wait = kTicksPerWait;
  options.shrink.time_ms = arguments.shrink_s * 1000;
  return options;
}

nlohmann::json to_json(const bridge::MutantResult& result) {
  return {{"kind", result.kind},         {"name", result.name},         {"killed", result.killed},
          {"equivalent", result.argued}, {"seconds", result.seconds},   {"transactions", result.accesses},
          {"lines", result.lines},       {"stimulus", result.stimulus}, {"rule", result.rule}};
}

// Mutants in processes beside one another.
class Hunters {
 public:
  Hunters(const Arguments& arguments, std::map<std::string, bridge::DeviceFactory> factories,
          std::vector<Target> targets, std::vector<bridge::MutantResult> known)
      : arguments_(arguments),
        factories_(std::move(factories)),
        targets_(std::move(targets)),
        known_(std::move(known)) {}

  core::Status run() {
    const unsigned jobs = arguments_.jobs != 0 ? arguments_.jobs : std::max(1u, std::thread::hardware_concurrency());
    while (!error_ && (next_ < targets_.size() || !running_.empty())) {
      while (running_.size() < jobs && next_ < targets_.size()) start();
      listen();
    }
    running_.clear();
    if (error_) return core::Error{*error_};
    return {};
  }

  // Of this run, and of it and the table together.
  const std::vector<bridge::MutantResult>& found() const { return found_; }
  const std::vector<bridge::MutantResult>& all() const { return known_; }

 private:
  struct Running {
    size_t target = 0;
    std::unique_ptr<bridge::Worker> worker;
    bool closed = false;
  };

  void start() {
    auto running = std::make_unique<Running>();
    running->target = next_++;
    const Target& target = targets_[running->target];
    running->worker = std::make_unique<bridge::Worker>([this, &target](int descriptor) {
      const std::string told = hunt_one(target).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
      for (size_t done = 0; done < told.size();) {
        const ssize_t count = ::write(descriptor, told.data() + done, told.size() - done);
        if (count <= 0) return;
        done += static_cast<size_t>(count);
      }
    });
    running_.push_back(std::move(running));
  }

  nlohmann::json hunt_one(const Target& target) const {
    const bridge::DeviceFactory& factory = factories_.at(target.design);
    CosimDevice device;
    device.dut = "rtl";
    bridge::Quarry quarry;
    quarry.planted = with_mutant(factory, target.mutant.number);
    quarry.sound = with_mutant(factory, 0);
    quarry.draw = cosim_seed_options(device).draw;
    quarry.adapt = [device](bridge::Script script) { return cosim_script_for(device, std::move(script)); };
    quarry.has_clock = true;
    const auto hunted = bridge::hunt(quarry, hunt_options(arguments_));
    if (!hunted) return {{"error", hunted.message()}};
    if (hunted->killed && !arguments_.save.empty()) {
      const std::string stem = fmt::format("{}/{}-{}", arguments_.save, target.design, target.mutant.number);
      std::ofstream(stem + ".smmu") << "# " << target.mutant.name << "\n# " << hunted->rule << ": " << hunted->text
                                    << "\n"
                                    << print(hunted->script);
    }
    return {{"line", bridge::result_of(target.mutant, *hunted).text()}};
  }

  void listen() {
    std::vector<pollfd> descriptors;
    for (const auto& running : running_) descriptors.push_back({running->worker->descriptor(), POLLIN, 0});
    ::poll(descriptors.data(), descriptors.size(), kListenMs);
    for (size_t i = 0; i < descriptors.size(); ++i) {
      if (descriptors[i].revents == 0) continue;
      Running& running = *running_[i];
      running.closed = !running.worker->receive();
      std::string line;
      if (running.worker->next_line(line)) {
        take(line);
        running.closed = true;
      } else if (running.closed) {
        const int signal = running.worker->wait();
        error_ = fmt::format("the process that hunted `{}` ended with signal {}", targets_[running.target].mutant.name,
                             signal);
      }
    }
    std::erase_if(running_, [](const auto& running) { return running->closed; });
    show_progress();
  }

  void take(const std::string& line) {
    const auto told = nlohmann::json::parse(line, nullptr, false);
    if (told.is_discarded() || told.contains("error")) {
      error_ = told.is_discarded() ? "a hunt told nothing" : told["error"].get<std::string>();
      return;
    }
    auto result = bridge::MutantResult::parse(told["line"].get<std::string>());
    if (!result) return;
    found_.push_back(*result);
    const auto old = std::find_if(known_.begin(), known_.end(), [&](const bridge::MutantResult& one) {
      return one.kind == result->kind && one.name == result->name;
    });
    if (old != known_.end()) {
      // What it survived before counts.
      if (!result->killed && !old->killed) {
        result->accesses += old->accesses;
        result->seconds += old->seconds;
      }
      *old = *result;
    } else {
      known_.push_back(*result);
    }
    clear_progress();
    fmt::print(stderr, "[{}/{}] {}\n", found_.size(), targets_.size(), result->text());
    if (arguments_.resume.empty()) return;
    if (const auto saved = bridge::save_results(arguments_.resume, known_, arguments_.seed); !saved)
      error_ = saved.message();
  }

  void show_progress() {
    if (!isatty(STDERR_FILENO)) return;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const auto done = static_cast<double>(found_.size());
    fmt::print(stderr, "\r{} of {} mutants", found_.size(), targets_.size());
    if (!found_.empty())
      fmt::print(stderr, ", {:.0f} min left  ", seconds / done * (static_cast<double>(targets_.size()) - done) / 60);
    shown_ = true;
  }
  void clear_progress() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    shown_ = false;
  }

  const Arguments& arguments_;
  std::map<std::string, bridge::DeviceFactory> factories_;
  std::vector<Target> targets_;
  std::vector<bridge::MutantResult> known_, found_;
  std::vector<std::unique_ptr<Running>> running_;
  size_t next_ = 0;
  bool shown_ = false;
  std::optional<std::string> error_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void tell(const Arguments& arguments, const std::vector<bridge::MutantResult>& results) {
  const bridge::MutationSummary summary = bridge::summarize(results);
  if (arguments.json) {
    nlohmann::json told = {{"mutants", summary.mutants},
                           {"killed", summary.killed},
                           {"equivalent", summary.argued},
                           {"survived", summary.unexplained},
                           {"transactions_median", summary.accesses_median},
                           {"transactions_p90", summary.accesses_p90},
                           {"lines_median", summary.lines_median},
                           {"lines_p90", summary.lines_p90},
                           {"seed", arguments.seed},
                           {"results", nlohmann::json::array()}};
    for (const bridge::MutantResult& result : results) told["results"].push_back(to_json(result));
    fmt::print("{}\n", told.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print("{}\n", summary.text());
  for (const bridge::MutantResult& result : results)
    if (!result.killed) fmt::print("  {}: {} {}\n", result.argued ? "equivalent" : "alive", result.kind, result.name);
}

int run(const Arguments& arguments) {
  if (arguments.transactions == 0) return bad_usage("--transactions 0: use 1 or more; a hunt without end is none");
  const auto all = targets_of(arguments);
  if (!all) return bad_usage(all.message());
  const auto asked = asked_for(arguments, *all);
  if (!asked) return bad_usage(asked.message());
  if (arguments.list) {
    for (const Target& target : *asked)
      fmt::print(
          "{:<13} {:4} {:<11} {}{}\n", target.design, target.mutant.number, target.mutant.kind, target.mutant.name,
          target.mutant.argument.empty() ? "" : fmt::format("\n{:31}equivalent: {}", "", target.mutant.argument));
    return 0;
  }
  std::vector<bridge::MutantResult> known;
  if (!arguments.resume.empty()) {
    auto loaded = bridge::load_results(arguments.resume);
    if (!loaded) return bad_usage(loaded.message());
    known = std::move(*loaded);
  }
  std::vector<Target> wanted = *asked;
  std::mt19937_64 order(arguments.seed);
  std::shuffle(wanted.begin(), wanted.end(), order);
  if (arguments.mutants != 0 && wanted.size() > arguments.mutants) wanted.resize(arguments.mutants);
  std::erase_if(wanted, [&](const Target& target) { return has_result(known, target.mutant, true); });
  // Those that were never hunted come before those that survived.
  std::stable_partition(wanted.begin(), wanted.end(),
                        [&](const Target& target) { return !has_result(known, target.mutant, false); });
  std::map<std::string, bridge::DeviceFactory> factories;
  for (const std::string& design : arguments.designs) {
    CosimDevice device;
    device.dut = "rtl";
    device.rtl = design;
    const auto factory = cosim_factory(device);
    if (!factory) return bad_usage(factory.message());
    factories[design] = *factory;
  }
  if (!arguments.save.empty()) {
    std::error_code failed;
    std::filesystem::create_directories(arguments.save, failed);
    if (failed) return bad_usage(fmt::format("--save {}: {}", arguments.save, failed.message()));
  }
  Hunters hunters(arguments, std::move(factories), std::move(wanted), std::move(known));
  if (const auto status = hunters.run(); !status) return bad_usage(status.message());
  std::vector<bridge::MutantResult> results = hunters.found();
  if (!arguments.resume.empty()) {
    std::vector<bridge::Mutant> mutants;
    for (const Target& target : *all) mutants.push_back(target.mutant);
    results = bridge::in_order(mutants, hunters.all());
    if (const auto saved = bridge::save_results(arguments.resume, results, arguments.seed); !saved)
      return bad_usage(saved.message());
    // The table has what was not asked for as well.
    std::erase_if(results, [&](const bridge::MutantResult& result) {
      return std::none_of(asked->begin(), asked->end(),
                          [&](const Target& target) { return bridge::is_of(result, target.mutant); });
    });
  }
  tell(arguments, results);
  return bridge::summarize(results).unexplained == 0 ? 0 : kAlive;
}

}  // namespace

void add_cosim_mutate_command(CLI::App& cosim, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = cosim.add_subcommand("mutate", "Hunt bugs that were planted in a design in RTL");
  command->footer(
      "Each mutant of a design is one bug. A random script hunts it first, then the directed ones, then more random\n"
      "ones, assertions of performance, and random ones to the end. What shows it is shrunk, and the sound design must "
      "pass it.\n"
      "docs/cosim.md tells how mutants come to be; they are built by name:\n\n"
      "  ninja -C build/release rtl_smmu_drawn rtl_smmu_planted\n"
      "  lockstep cosim mutate --list\n"
      "  lockstep cosim mutate --mutants 20 --jobs 2\n"
      "  lockstep cosim mutate --only hand --save kills\n"
      "  lockstep cosim mutate --resume results.txt           # goes on where it was stopped\n\n"
      "Exit: 0 every mutant is killed or equivalent by argument, 1 some survived, 2 the command is wrong.");
  command->add_option("--rtl", arguments->designs, "Designs with mutants inside (smmu_drawn smmu_planted)");
  command->add_option("--seed", arguments->seed, "Of the order of the hunt and of the first script (20261122)");
  command->add_option("--mutants", arguments->mutants, "Hunt so many of them, as the seed draws (all)");
  command->add_option("--only", arguments->only, "drawn, hand or performance");
  command->add_option("--name", arguments->name, "Only mutants whose name this regular expression matches");
  command->add_option("--resume", arguments->resume,
                      "Table of results to bring up to date: mutants that it has as killed are not hunted again");
  command->add_option("--save", arguments->save, "Folder for the shrunk scripts");
  command->add_option("--jobs", arguments->jobs, "Hunts beside one another (one a processor)");
  command->add_option("--transactions", arguments->transactions, "After so many a mutant has survived (100000)");
  command->add_option("--shrink-time", arguments->shrink_s, "Seconds for shrinking one script (60)");
  command->add_flag("--list", arguments->list, "Only list them");
  command->add_flag("--json", arguments->json, "One JSON object on standard output");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace lockstep::cli
