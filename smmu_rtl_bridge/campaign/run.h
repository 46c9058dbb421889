// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/player/player.h"
#include "smmu_rtl_bridge/script/script.h"
#include "smmu_rtl_bridge/stimulus/mix.h"

namespace lockstep::smmu_rtl_bridge {

class Judge;

// Makes the device under test. Called once a process where the device is such that it must be (SystemC).
using DeviceFactory =
    std::function<core::Result<std::unique_ptr<Device>>(const std::vector<Setting>& settings, Surroundings&)>;

// What was counted while scripts were played.
struct RunCounts {
  uint64_t accesses = 0;
  uint64_t faults = 0;
  uint64_t events = 0;
  uint64_t commands = 0;
  uint64_t answers = 0;           // judged
  uint64_t several_outcomes = 0;  // of those, with more than one that is allowed
  uint64_t undecided = 0;
  uint64_t hits = 0;  // see JudgeStatistics
  uint64_t misses = 0;
  uint64_t nested = 0;
  uint64_t cycles = 0;  // of a design's clock
  // Where the time went, in ticks of the processor's clock.
  uint64_t total_ticks = 0;
  uint64_t design_ticks = 0;
  uint64_t oracle_ticks = 0;
  uint64_t stimulus_ticks = 0;
  uint64_t model_ticks = 0;  // of the model beside a design
  void add(const RunCounts& other);
};

// How playing one script ended. `rule` is empty where nothing is wrong; else it is a rule of the judge, one of the
// player ("player.never_idle", ...), or what became of the process ("process.crash", "process.hang").
struct RunResult {
  std::string rule;
  std::string text;
  size_t line = 0;     // of the script, from 0: where it showed
  uint64_t cycle = 0;  // of the device's clock: when it showed
  RunCounts counts;
  std::string collected;  // by RunOptions::collect, of isolated runs
  bool ok() const { return rule.empty(); }
  // What a smaller script must show to be of the same failure.
  const std::string& signature() const { return rule; }
};

// Somebody else who watches a run, made when the device's ID registers are known.
using WatcherFactory = std::function<std::unique_ptr<Observer>(const Features& features)>;

// Somebody who has an opinion of a device's answers beside the judge's. A run in which they differ has failed, by the
// rule "second-opinion".
class SecondOpinion : public Observer {
 public:
  virtual const std::string& difference() const = 0;  // the first; empty where there is none
};
using SecondOpinionFactory = std::function<std::unique_ptr<SecondOpinion>(Device& device, Judge& judge)>;

struct RunOptions {
  PlayLimits limits;
  std::ostream* timeline = nullptr;
  bool judge = true;
  bool stop_at_failure = true;
  std::vector<WatcherFactory> watchers;
  // A model that is made with the ID registers of the device, plays the same script first and is judged too. Where the
  // judge left neither a choice, both must agree: "both.answer", "both.events". What the model itself does wrong has
  // "model." before its rule.
  DeviceFactory beside;
  SecondOpinionFactory second_opinion;  // with `judge`; is told of everything after the judge
  // Called in the process that ran a script, when it is over; comes back as RunResult::collected.
  std::function<std::string()> collect;
};

// Errors are the user's: settings that no device can have.
core::Result<RunResult> run_script(const DeviceFactory& factory, const Script& script, const RunOptions& options);

// The script of a seed for the device that the factory makes: with `settings`, or with ones that are drawn from the
// seed where `draws_settings` is set.
struct SeedOptions {
  Mix mix;
  std::vector<Setting> settings;
  bool draws_settings = true;
  // What draws them: features and caches of a model where nothing else is said.
  std::function<std::vector<Setting>(uint64_t seed, const Mix& mix)> draw;
};
core::Result<Script> script_of_seed(const DeviceFactory& factory, uint64_t seed, const SeedOptions& options);

// Both at once, on one device.
struct SeedRun {
  Script script;
  RunResult result;
};
core::Result<SeedRun> run_seed(const DeviceFactory& factory, uint64_t seed, const SeedOptions& seed_options,
                               const RunOptions& run_options);

}  // namespace lockstep::smmu_rtl_bridge
