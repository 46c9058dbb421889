// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/mutation/hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

#include "smmu_rtl_bridge/campaign/beside.h"
#include "smmu_rtl_bridge/campaign/isolated.h"
#include "smmu_rtl_bridge/mutation/work.h"
#include "smmu_rtl_bridge/player/player.h"
#include "smmu_rtl_bridge/script/script.h"
#include "smmu_rtl_bridge/stimulus/directed/crosses.h"
#include "smmu_rtl_bridge/stimulus/directed/directed.h"
#include "smmu_rtl_bridge/stimulus/mix.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPerformance = "performance";
// Random scripts whose work is compared with the sound device's, each mix with so many seeds and nothing drawn at the
// pins, so that the order of things is that of the design alone.
constexpr const char* kWorkMixes[] = {"hits", "default", "nested", "invalidation"};
constexpr uint64_t kWorkSeeds = 2;
// Settings of the pins for directed scripts.
const Setting kSlow[] = {{"memory_base", "100"}, {"downstream_latency", "100"}, {"client_ids", "64"}};

class Hunt {
 public:
  Hunt(const Quarry& quarry, const HuntOptions& options) : quarry_(quarry), options_(options) {
    run_.limits = options.play;
  }

  core::Result<Hunted> go() {
    bool first = true;
    for (uint64_t seed = options_.seed; !over(); seed += options_.seeds_a_turn) {
      for (const std::string& mix : options_.mixes) {
        if (over()) break;
        if (const auto done = turn(mix, seed); !done || *done) return ended(done);
        if (first)
          if (const auto done = directed_turn(false); !done || *done) return ended(done);
        first = false;
      }
      if (seed != options_.seed || !quarry_.has_clock) continue;
      for (const auto step : {&Hunt::slow_turn, &Hunt::bounds_turn, &Hunt::work_turn}) {
        if (over()) break;
        if (const auto done = (this->*step)(); !done || *done) return ended(done);
      }
    }
    hunted_.seconds = seconds();
    return hunted_;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  bool over() const {
    return (options_.seconds_max > 0 && seconds() >= options_.seconds_max) ||
           (options_.accesses_max > 0 && hunted_.accesses >= options_.accesses_max);
  }
  core::Result<Hunted> ended(const core::Result<bool>& done) {
    if (!done) return done.error();
    hunted_.seconds = seconds();
    return hunted_;
  }

  // Otherwise what showed is no bug of this mutant's.
  bool sound_agrees(const Script& script, const RunOptions& run) const {
    if (!quarry_.sound) return true;
    const auto sound = run_script_isolated(quarry_.sound, script, run, options_.silence_ms);
    return sound && sound->ok();
  }
  bool sound_agrees(const Script& script) const { return sound_agrees(script, run_); }

  core::Result<bool> turn(const std::string& mix_name, uint64_t first) {
    const uint64_t last = first + options_.seeds_a_turn - 1;
    const auto mix = load_mix(mix_name);
    if (!mix) return mix.error();
    CampaignOptions campaign_options;
    campaign_options.last_seed = last;
    campaign_options.seeds_per_process = static_cast<unsigned>(options_.seeds_a_turn);
    campaign_options.silence_ms = options_.silence_ms;
    campaign_options.shrinks = false;
    campaign_options.seed.mix = *mix;
    campaign_options.seed.draw = quarry_.draw;
    campaign_options.run = run_;
    for (uint64_t seed = first; seed <= last;) {
      campaign_options.first_seed = seed;
      const auto campaign = run_campaign(quarry_.planted, campaign_options, [](const CampaignProgress&) {});
      if (!campaign) return campaign.error();
      hunted_.accesses += campaign->progress.counts.accesses;
      if (campaign->findings.empty()) return false;
      const Finding& found = campaign->findings.front();
      if (!quarry_.sound || (!found.script.lines.empty() && sound_agrees(found.script))) {
        killed(found.script, found.result, mix_name, found.seed);
        return true;
      }
      seed = found.seed + 1;
    }
    return false;
  }

  // The scripts of rules that have a name, and of corners.
  core::Result<bool> directed_turn(bool slow) {
    for (const auto* scripts : {&directed_scripts(), &cross_scripts()}) {
      for (const DirectedScript& directed : *scripts) {
        if (slow && directed.one_by_one) continue;
        Script script = script_of(directed);
        if (quarry_.adapt) script = quarry_.adapt(std::move(script));
        if (slow) script.settings.insert(script.settings.end(), std::begin(kSlow), std::end(kSlow));
        if (const auto done = directed_script(directed.name, script); !done || *done) return done;
      }
    }
    return false;
  }
  // Much is under way at once where memory takes its time.
  core::Result<bool> slow_turn() { return directed_turn(true); }
  core::Result<bool> directed_script(const std::string& name, const Script& script) {
    const auto result = run_script_isolated(quarry_.planted, script, run_, options_.candidate_silence_ms);
    if (!result) return core::Error{name + ": " + result.message()};
    hunted_.accesses += result->counts.accesses;
    if (result->ok() || !sound_agrees(script)) return false;
    killed(script, *result, "directed", 0);
    return true;
  }

  void killed(const Script& script, const RunResult& result, const std::string& mix, uint64_t seed) {
    const auto fails_by = [&](const Script& candidate, const RunOptions& run) {
      const auto again = run_script_isolated(quarry_.planted, candidate, run, options_.candidate_silence_ms);
      return again && again->signature() == result.signature() && sound_agrees(candidate, run);
    };
    const auto fails = [&](const Script& candidate) { return fails_by(candidate, run_); };
    Script start = script;
    // Nothing after the line where it showed matters, most of the time.
    if (result.line + 1 < start.lines.size()) {
      Script cut = start;
      cut.lines.resize(result.line + 1);
      if (fails(cut)) start = std::move(cut);
    }
    RunOptions impatient = run_;
    impatient.limits.ticks_per_wait = std::min(run_.limits.ticks_per_wait, options_.shrink_ticks_per_wait);
    if (result.rule.starts_with("player.") && fails_by(start, impatient)) {
      ShrinkReport report;
      const Script small = shrink(
          start, [&](const Script& candidate) { return fails_by(candidate, impatient); }, options_.shrink, report);
      if (fails(small)) return killed_by(small, mix, seed, result.rule, result.text);
    }
    ShrinkReport report;
    killed_by(shrink(start, fails, options_.shrink, report), mix, seed, result.rule, result.text);
  }

  void killed_by(Script shrunk, const std::string& mix, uint64_t seed, const std::string& rule,
                 const std::string& text) {
    hunted_.script = std::move(shrunk);
    hunted_.killed = true;
    hunted_.lines = hunted_.script.lines.size();
    hunted_.mix = mix;
    hunted_.seed = seed;
    hunted_.rule = rule;
    hunted_.text = text;
  }

  // The numbers that a design must keep by itself.
  core::Result<bool> bounds_turn() {
    if (const auto done = id_registers_turn(); !done || *done) return done;
    for (const WorkBound& bound : work_bounds()) {
      const auto script = parse_script(bound.script, bound.name);
      if (!script) return script.error();
      const auto measured = measure(quarry_.planted, *script, run_, options_.candidate_silence_ms);
      if (!measured) return core::Error{bound.name + ": " + measured.message()};
      hunted_.accesses += measured->result.counts.accesses;
      std::string rule = work_verdict(measured->work, bound.reads_max, bound.cycles_max);
      if (!rule.empty() && quarry_.sound) {
        // With other sizes the sound design may break it too, and is the measure then.
        const auto sound = measure(quarry_.sound, *script, run_, options_.candidate_silence_ms);
        if (!sound) return sound.error();
        const Work allowed = allowance(sound->work);
        rule = work_verdict(measured->work, std::max(bound.reads_max, allowed.reads),
                            std::max(bound.cycles_max, allowed.cycles));
      }
      if (rule.empty()) continue;
      needed_more(*script, rule, kPerformance, 0,
                  bound.name + ": " + std::to_string(measured->work.reads) + " reads and " +
                      std::to_string(measured->work.cycles) + " cycles");
      return true;
    }
    return false;
  }

  // Random scripts on which it may not do more than the sound device.
  core::Result<bool> work_turn() {
    if (!quarry_.sound) return false;
    for (const char* mix_name : kWorkMixes) {
      const auto mix = load_mix(mix_name);
      if (!mix) return mix.error();
      SeedOptions seed_options;
      seed_options.mix = *mix;
      seed_options.draws_settings = false;
      for (uint64_t seed = options_.seed; seed < options_.seed + kWorkSeeds; ++seed) {
        const auto script = script_of_seed_isolated(quarry_.sound, seed, seed_options, options_.silence_ms);
        if (!script) return script.error();
        const auto planted = measure(quarry_.planted, *script, run_, options_.silence_ms);
        const auto sound = measure(quarry_.sound, *script, run_, options_.silence_ms);
        if (!planted) return planted.error();
        if (!sound) return sound.error();
        hunted_.accesses += planted->result.counts.accesses;
        if (!sound->result.ok()) continue;
        if (!planted->result.ok()) {
          killed(*script, planted->result, mix_name, seed);
          return true;
        }
        const Work allowed = allowance(sound->work);
        const std::string rule = work_verdict(planted->work, allowed.reads, allowed.cycles);
        if (rule.empty()) continue;
        needed_more(*script, rule, std::string(kPerformance) + "-" + mix_name, seed,
                    std::to_string(planted->work.reads) + " reads and " + std::to_string(planted->work.cycles) +
                        " cycles, the sound device " + std::to_string(sound->work.reads) + " and " +
                        std::to_string(sound->work.cycles));
        return true;
      }
    }
    return false;
  }

  // A smaller script still costs it more than it costs the sound device.
  void needed_more(const Script& script, const std::string& rule, const std::string& mix, uint64_t seed,
                   const std::string& text) {
    const auto fails = [&](const Script& candidate) {
      if (!quarry_.sound) return false;
      const auto planted = measure(quarry_.planted, candidate, run_, options_.candidate_silence_ms);
      if (!planted || !planted->result.ok()) return false;
      const auto sound = measure(quarry_.sound, candidate, run_, options_.candidate_silence_ms);
      if (!sound || !sound->result.ok()) return false;
      const Work allowed = allowance(sound->work);
      return work_verdict(planted->work, allowed.reads, allowed.cycles) == rule;
    };
    ShrinkReport report;
    killed_by(shrink(script, fails, options_.shrink, report), mix, seed, rule, text);
  }

  // The ID registers are what the judge goes by, so it cannot say that they are wrong.
  core::Result<bool> id_registers_turn() {
    if (!quarry_.sound) return false;
    const auto values = [&](const DeviceFactory& factory) {
      return run_isolated(
          [&] {
            Player nobody({});
            const auto device = factory({}, nobody);
            if (!device) return std::string();
            (*device)->reset();
            using Words = std::array<uint32_t, sizeof(IdRegisters) / sizeof(uint32_t)>;
            return fmt::format("{}", fmt::join(std::bit_cast<Words>(id_registers_of(**device)), " "));
          },
          options_.silence_ms);
    };
    if (values(quarry_.planted).text == values(quarry_.sound).text) return false;
    hunted_.killed = true;
    hunted_.mix = "profile";
    hunted_.rule = "id-registers";
    return true;
  }

  const Quarry& quarry_;
  const HuntOptions& options_;
  RunOptions run_;
  const Clock::time_point begin_ = Clock::now();
  Hunted hunted_;
};

}  // namespace

core::Result<Hunted> hunt(const Quarry& quarry, const HuntOptions& options) { return Hunt(quarry, options).go(); }

}  // namespace lockstep::smmu_rtl_bridge
