// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/campaign/run.h"

#include <time.h>

#include <optional>

#include "smmu_rtl_bridge/campaign/beside.h"
#include "smmu_rtl_bridge/campaign/stand.h"
#include "smmu_rtl_bridge/oracle/judge.h"
#include "smmu_rtl_bridge/player/timeline.h"
#include "smmu_rtl_bridge/stimulus/generator.h"
#include "smmu_rtl_bridge/ticks.h"

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

uint64_t nanoseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  constexpr uint64_t kSecond = 1'000'000'000;
  return static_cast<uint64_t>(now.tv_sec) * kSecond + static_cast<uint64_t>(now.tv_nsec);
}

// The processor's ticks that this process had since it was made, without those in which others ran.
class OwnTicks {
 public:
  uint64_t since() const {
    const auto ticks = static_cast<double>(processor_ticks() - ticks_);
    const auto wall = static_cast<double>(nanoseconds(CLOCK_MONOTONIC) - wall_ns_);
    const auto own = static_cast<double>(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - own_ns_);
    return static_cast<uint64_t>(wall > own ? ticks * own / wall : ticks);
  }

 private:
  uint64_t ticks_ = processor_ticks();
  uint64_t wall_ns_ = nanoseconds(CLOCK_MONOTONIC);
  uint64_t own_ns_ = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
};

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

// Plays a script on a stage, and keeps what became of its accesses where `answers` is given.
core::Result<RunResult> play_on(Stage& stage, const Script& script, const RunOptions& options, const Answers* model,
                                Answers* answers) {
  RunResult result;
  std::unique_ptr<Judge> judge;
  std::unique_ptr<Stand> stand;
  if (options.judge) {
    auto made = Judge::make(id_registers_of(*stage.device));
    if (!made) {
      result.rule = "id-registers";
      result.text = made.message();
      return result;
    }
    judge = std::move(*made);
    stand = std::make_unique<Stand>(*judge, *stage.device, stage.player, model != nullptr || answers != nullptr);
    stand->compare_with(model);
    stage.player.add_observer(*stand);
  }
  std::unique_ptr<SecondOpinion> second;
  if (judge && options.second_opinion) {
    second = options.second_opinion(*stage.device, *judge);
    stage.player.add_observer(*second);
  }
  std::optional<size_t> differed_at;  // the line after which the second opinion was another one
  std::vector<std::unique_ptr<Observer>> watchers;
  for (const WatcherFactory& make : options.watchers) {
    watchers.push_back(make(Player::read_features(*stage.device)));
    stage.player.add_observer(*watchers.back());
  }
  std::unique_ptr<Timeline> timeline;
  std::unique_ptr<Notes> notes;
  if (options.timeline) {
    timeline = std::make_unique<Timeline>(*options.timeline);
    stage.player.add_observer(*timeline);
    notes = std::make_unique<Notes>(*options.timeline, judge.get(), model);
    stage.player.add_observer(*notes);
  }
  stage.player.set_before_line([&](size_t number, const Line& line) {
    if (second && !differed_at && !second->difference().empty()) differed_at = number - 1;
    const bool wrong = differed_at || (stand && (stand->found() || !stand->difference_rule().empty()));
    if (options.stop_at_failure && wrong) return false;
    if (timeline) timeline->script_line(number + 1, print(line));
    return true;
  });
  const PlayResult played = stage.player.play(*stage.device, script);
  if (options.timeline && !played.ok()) *options.timeline << "  BROKEN: " << played.rule << ": " << played.text << "\n";
  const size_t last_line = script.lines.empty() ? 0 : script.lines.size() - 1;
  if (stand && played.ok() && !stand->found()) stand->compare_events();
  if (second && !differed_at && !second->difference().empty()) differed_at = last_line;
  // What follows a promise that was broken at the pins says nothing of the device.
  const bool player_was_first =
      !played.ok() && stand && stand->found() && played.cycle != 0 && played.cycle < stand->cycle();
  if (stand && stand->found() && !player_was_first) {
    result.rule = judge->failures().front().rule;
    result.text = judge->failures().front().text;
    result.line = std::min(stand->line(), last_line);
    result.cycle = stand->cycle();
  } else if (!played.ok()) {
    result.rule = played.rule;
    result.text = played.text;
    result.line = std::min(played.line, last_line);
    result.cycle = played.cycle;
  } else if (stand && !stand->difference_rule().empty()) {
    result.rule = stand->difference_rule();
    result.text = stand->difference();
    result.line = std::min(stand->line(), last_line);
    result.cycle = stand->cycle();
  } else if (differed_at) {
    result.rule = "second-opinion";
    result.text = second->difference();
    result.line = *differed_at;
  }
  result.counts.accesses = played.accesses;
  result.counts.faults = played.faults;
  result.counts.events = played.events;
  result.counts.commands = played.commands;
  result.counts.cycles = stage.device->cycles();
  if (judge) {
    const JudgeStatistics statistics = judge->statistics();
    result.counts.answers = statistics.answers;
    result.counts.several_outcomes = statistics.several_outcomes;
    result.counts.undecided = statistics.undecided;
    result.counts.oracle_ticks = stand->ticks();
    if (answers) *answers = stand->answers();
  }
  return result;
}

core::Result<RunResult> play(Stage& stage, const Script& script, const RunOptions& options) {
  if (!options.beside) return play_on(stage, script, options, nullptr, nullptr);
  const uint64_t begin = processor_ticks();
  const auto settings = model_settings_for(id_registers_of(*stage.device));
  if (!settings) return settings.error();
  const auto other = make_stage(options.beside, *settings, options.limits);
  if (!other) return other.error();
  RunOptions quiet;
  quiet.limits = options.limits;
  Answers answers;
  auto model = play_on(**other, script, quiet, nullptr, &answers);
  if (!model) return model.error();
  if (!model->ok()) {
    model->rule = "model." + model->rule;
    return model;
  }
  const uint64_t model_ticks = processor_ticks() - begin - model->counts.oracle_ticks;
  auto result = play_on(stage, script, options, &answers, nullptr);
  if (!result) return result.error();
  result->counts.model_ticks = model_ticks;
  result->counts.oracle_ticks += model->counts.oracle_ticks;
  return result;
}

std::vector<Setting> settings_of(uint64_t seed, const SeedOptions& options) {
  std::vector<Setting> settings;
  if (options.draws_settings)
    settings = options.draw ? options.draw(seed, options.mix) : draw_device(seed, options.mix);
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
  cycles += other.cycles;
  total_ticks += other.total_ticks;
  design_ticks += other.design_ticks;
  oracle_ticks += other.oracle_ticks;
  stimulus_ticks += other.stimulus_ticks;
  model_ticks += other.model_ticks;
}

core::Result<RunResult> run_script(const DeviceFactory& factory, const Script& script, const RunOptions& options) {
  const auto stage = make_stage(factory, script.settings, options.limits);
  if (!stage) return stage.error();
  auto result = play(**stage, script, options);
  if (result) result->counts.design_ticks = (*stage)->device->design_ticks();
  return result;
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
  const OwnTicks begin;
  const std::vector<Setting> settings = settings_of(seed, seed_options);
  const auto stage = make_stage(factory, settings, run_options.limits);
  if (!stage) return stage.error();
  SeedRun run;
  const Features features = Player::read_features(*(*stage)->device);
  const uint64_t before_stimulus = processor_ticks();
  run.script = generate(seed, seed_options.mix, features);
  run.script.settings = settings;
  const uint64_t stimulus_ticks = processor_ticks() - before_stimulus;
  auto result = play(**stage, run.script, run_options);
  if (!result) return result.error();
  run.result = std::move(*result);
  run.result.counts.stimulus_ticks = stimulus_ticks;
  run.result.counts.design_ticks = (*stage)->device->design_ticks();
  run.result.counts.total_ticks = begin.since();
  return run;
}

}  // namespace lockstep::smmu_rtl_bridge
