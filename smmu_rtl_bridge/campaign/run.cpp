// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/campaign/run.h"

#include "smmu_rtl_bridge/oracle/judge.h"
#include "smmu_rtl_bridge/player/timeline.h"
#include "smmu_rtl_bridge/stimulus/generator.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

IdRegisters id_registers_of(Device& device) {
  const auto get = [&](uint32_t offset) {
    uint64_t value = 0;
    device.read_register(offset, 4, value);
    return static_cast<uint32_t>(value);
  };
  return {get(0x00), get(0x04), get(0x08), get(0x0c), get(0x10), get(0x14), get(0x18), get(0x1c)};
}

// A device with its player, ready for one script.
struct Stage {
  explicit Stage(const PlayLimits& limits) : player({}, limits) {}
  Player player;
  std::unique_ptr<Device> device;
};

core::Result<std::unique_ptr<Stage>> make_stage(const DeviceFactory& factory, const std::vector<Setting>& settings,
                                                const PlayLimits& limits) {
  auto stage = std::make_unique<Stage>(limits);
  auto device = factory(settings, stage->player);
  if (!device) return device.error();
  stage->device = std::move(*device);
  return stage;
}

core::Result<RunResult> play(Stage& stage, const Script& script, const RunOptions& options) {
  RunResult result;
  std::unique_ptr<Judge> judge;
  if (options.judge) {
    auto made = Judge::make(id_registers_of(*stage.device));
    if (!made) {
      result.rule = "id-registers";
      result.text = made.message();
      return result;
    }
    judge = std::move(*made);
    stage.player.add_observer(*judge);
  }
  std::unique_ptr<SecondOpinion> second;
  if (judge && options.second_opinion) {
    second = options.second_opinion(*stage.device, *judge);
    stage.player.add_observer(*second);
  }
  const auto is_wrong = [&] {
    return (judge && !judge->failures().empty()) || (second && !second->difference().empty());
  };
  std::vector<std::unique_ptr<Observer>> watchers;
  for (const WatcherFactory& make : options.watchers) {
    watchers.push_back(make(Player::read_features(*stage.device)));
    stage.player.add_observer(*watchers.back());
  }
  std::unique_ptr<Timeline> timeline;
  if (options.timeline) {
    timeline = std::make_unique<Timeline>(*options.timeline);
    stage.player.add_observer(*timeline);
  }
  size_t failed_at = 0;
  bool has_failed = false;
  stage.player.set_before_line([&](size_t number, const Line& line) {
    if (!has_failed && is_wrong()) {
      has_failed = true;
      failed_at = number - 1;
    }
    if (has_failed && options.stop_at_failure) return false;
    if (timeline) timeline->script_line(number + 1, print(line));
    return true;
  });
  const PlayResult played = stage.player.play(*stage.device, script);
  if (!has_failed && is_wrong()) {
    has_failed = true;
    failed_at = script.lines.empty() ? 0 : script.lines.size() - 1;
  }
  if (has_failed) {
    const bool judged = !judge->failures().empty();
    result.rule = judged ? judge->failures().front().rule : "second-opinion";
    result.text = judged ? judge->failures().front().text : second->difference();
    result.line = failed_at;
  } else if (!played.ok()) {
    result.rule = played.rule;
    result.text = played.text;
    result.line = std::min(played.line, script.lines.empty() ? 0 : script.lines.size() - 1);
  }
  result.counts.accesses = played.accesses;
  result.counts.faults = played.faults;
  result.counts.events = played.events;
  result.counts.commands = played.commands;
  if (judge) {
    const JudgeStatistics statistics = judge->statistics();
    result.counts.answers = statistics.answers;
    result.counts.several_outcomes = statistics.several_outcomes;
    result.counts.undecided = statistics.undecided;
  }
  return result;
}

std::vector<Setting> settings_of(uint64_t seed, const SeedOptions& options) {
  std::vector<Setting> settings = options.draws_settings ? draw_device(seed, options.mix) : std::vector<Setting>();
  // What the user says counts.
  for (const Setting& setting : options.settings) {
    std::erase_if(settings, [&](const Setting& drawn) { return drawn.name == setting.name; });
    settings.push_back(setting);
  }
  return settings;
}

}  // namespace

void RunCounts::add(const RunCounts& other) {
  accesses += other.accesses;
  faults += other.faults;
  events += other.events;
  commands += other.commands;
  answers += other.answers;
  several_outcomes += other.several_outcomes;
  undecided += other.undecided;
}

core::Result<RunResult> run_script(const DeviceFactory& factory, const Script& script, const RunOptions& options) {
  const auto stage = make_stage(factory, script.settings, options.limits);
  if (!stage) return stage.error();
  return play(**stage, script, options);
}

core::Result<Script> script_of_seed(const DeviceFactory& factory, uint64_t seed, const SeedOptions& options) {
  const std::vector<Setting> settings = settings_of(seed, options);
  const auto stage = make_stage(factory, settings, {});
  if (!stage) return stage.error();
  Script script = generate(seed, options.mix, Player::read_features(*(*stage)->device));
  script.settings = settings;
  return script;
}

core::Result<SeedRun> run_seed(const DeviceFactory& factory, uint64_t seed, const SeedOptions& seed_options,
                               const RunOptions& run_options) {
  const std::vector<Setting> settings = settings_of(seed, seed_options);
  const auto stage = make_stage(factory, settings, run_options.limits);
  if (!stage) return stage.error();
  SeedRun run;
  run.script = generate(seed, seed_options.mix, Player::read_features(*(*stage)->device));
  run.script.settings = settings;
  auto result = play(**stage, run.script, run_options);
  if (!result) return result.error();
  run.result = std::move(*result);
  return run;
}

}  // namespace lockstep::smmu_rtl_bridge
