// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/lockstep_bisect.h"
#include "cli/lockstep_narrow.h"
#include "cli/lockstep_pair.h"
#include "cli/lockstep_report.h"

namespace lockstep::cli {
namespace {

using core::Error;
using core::Result;
using Clock = std::chrono::steady_clock;

constexpr int kDiffer = 1;
// Memory is compared as a whole: more often than this costs more than everything else.
constexpr uint64_t kLeastCheck = 100'000;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Of `A,B`, which the command line has checked.
std::array<std::string, 2> engine_names(const VmOptions& o) {
  const auto comma = o.lockstep.find(',');
  return {o.lockstep.substr(0, comma), o.lockstep.substr(comma + 1)};
}

Result<std::array<SideOptions, 2>> side_options(const VmOptions& o) {
  std::array<SideOptions, 2> sides;
  const auto config = machine_config(o);  // mistakes in it are found before there are two machines
  if (!config) return config.error();
  for (unsigned i = 0; i < 2; ++i) {
    auto engine = parse_engine(engine_names(o)[i], "--lockstep",
                               {{"fusion", o.fusion}, {"block-links", o.block_links}, {"threads", "0"}});
    if (!engine) return engine.error();
    if (const auto threads = engine->settings.find("threads");
        threads != engine->settings.end() && threads->second != "0") {
      return Error{
          fmt::format("--lockstep: {}: a comparison is repeated to find a difference, and what threads do cannot "
                      "be; leave threads= out",
                      engine_names(o)[i])};
    }
    sides[i].engine = std::move(*engine);
    sides[i].grain = o.lockstep_grain == "instruction" ? LockstepGrain::kInstruction
                     : o.lockstep_grain == "block"     ? LockstepGrain::kBlock
                                                       : LockstepGrain::kQuantum;
    sides[i].quantum = config->quantum_ns / config->ns_per_instruction;
    sides[i].check_every = o.lockstep_check;
  }
  sides[0].console = true;
  return sides;
}

// Two machines may not write one disk; what they write stays in their memories.
void keep_drives_unwritten(VmOptions& o) {
  for (std::string& drive : o.drives) {
    if (drive.find("readonly=on") == std::string::npos && drive.find("overlay=on") == std::string::npos) {
      drive += ",overlay=on";
    }
  }
}

// A line that counts, on a terminal that the guest's console does not use, when it takes longer than two seconds.
class ProgressLine {
 public:
  explicit ProgressLine(const VmOptions& o)
      : shown_(isatty(STDERR_FILENO) != 0 && !o.json && isatty(STDOUT_FILENO) == 0) {}
  ~ProgressLine() { clear(); }

  void operator()(uint64_t instructions) {
    if (!shown_ || seconds_since(last_) < 0.5 || seconds_since(start_) < 2) return;
    last_ = Clock::now();
    drawn_ = true;
    fmt::print(stderr, "\r{} instructions are equal, {:.0f} million a second ", fmt::group_digits(instructions),
               static_cast<double>(instructions) / 1e6 / seconds_since(start_));
  }
  void say(const std::string& what) {
    if (!shown_) return;
    clear();
    drawn_ = true;
    fmt::print(stderr, "{}", what);
  }
  void clear() {
    if (drawn_) fmt::print(stderr, "\r\033[K");
    drawn_ = false;
  }

 private:
  bool shown_;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

std::string replay_command(const VmOptions& o, const std::string& file, uint64_t instructions) {
  std::string command = fmt::format("lockstep vm restore {} --lockstep {} --lockstep-grain {} --max-instructions {}",
                                    file, o.lockstep, o.lockstep_grain, instructions);
  const VmOptions usual;
  const auto add = [&command](const char* option, const std::string& value, const std::string& otherwise) {
    if (value != otherwise) command += fmt::format(" {} {}", option, value);
  };
  add("--fusion", o.fusion, usual.fusion);
  add("--block-links", o.block_links, usual.block_links);
  add("--tlb", o.tlb, usual.tlb);
  add("--input", o.input, usual.input);
  add("--replay-input", o.replay_input, usual.replay_input);
  return command;
}

// A snapshot from before the difference.
Reproducer save_snapshot(const VmOptions& o, uint64_t quantum, const Narrowed& narrowed, Narrower& narrower) {
  Reproducer reproducer;
  if (!narrowed.found || o.lockstep_save == "none") return reproducer;
  const std::string file =
      o.lockstep_save.empty() ? fmt::format("lockstep-{}.snapshot", narrowed.instruction) : o.lockstep_save;
  // A lone hart's turn may be long, and ends where a snapshot is wanted.
  const uint64_t near = narrowed.last_equal - std::min(narrowed.last_equal, quantum);
  auto at = narrower.save_snapshot(std::max(narrowed.boundary, near), file);
  if (!at || *at > narrowed.last_equal) at = narrower.save_snapshot(narrowed.boundary, file);
  if (!at) {
    reproducer.problem = at.error().message;
    return reproducer;
  }
  reproducer.file = file;
  reproducer.at = *at;
  return reproducer;
}

// Sees whether the snapshot shows the difference.
void try_snapshot(const VmOptions& o, std::array<SideOptions, 2> sides, const Narrowed& narrowed,
                  Reproducer& reproducer) {
  if (reproducer.file.empty()) return;
  // One more, so that it counts what devices do behind the instruction.
  const uint64_t limit = narrowed.instruction + 1;
  reproducer.command = replay_command(o, reproducer.file, limit);
  VmOptions again = o;
  again.restore_file = reproducer.file;
  again.max_instructions = limit;
  sides[0].console = false;
  sides[0].snapshots.clear();
  LockstepPair pair(again, sides);
  reproducer.shown = pair.compare([](uint64_t) {}).divergence.has_value();
}

}  // namespace

Result<int> run_lockstep(const VmOptions& given) {
  VmOptions o = given;
  if (o.lockstep_check < kLeastCheck) {
    return Error{fmt::format("--lockstep-check: {} is too often to compare all of memory; at least {}",
                             o.lockstep_check, kLeastCheck)};
  }
  keep_drives_unwritten(o);
  auto sides = side_options(o);
  if (!sides) return sides.error();
  const auto folder = TemporaryFolder::make();
  if (!folder) return folder.error();
  (*sides)[0].snapshots = (folder->path() / "0").string();
  std::filesystem::create_directory((*sides)[0].snapshots);

  const std::array<std::string, 2> names = engine_names(o);
  const auto start = Clock::now();
  ProgressLine progress(o);
  auto pair = std::make_unique<LockstepPair>(o, *sides);
  const PairResult result = pair->compare([&progress](uint64_t instructions) { progress(instructions); });
  if (result.error) return Error{*result.error};
  nlohmann::json difference;
  if (result.divergence) {
    pair.reset();  // there is one pair at a time
    Bisection bisection(o, *sides, folder->path());
    Bisected bisected = bisection.find(*result.divergence, [&progress](const BisectStep& step) {
      progress.say(fmt::format("they differ; again from instruction {}, memory every {} ", fmt::group_digits(step.from),
                               fmt::group_digits(step.check_every)));
    });
    progress.say("they differ; looking for the instruction ");
    Narrowed narrowed;
    Reproducer reproducer;
    narrowed.divergence = *result.divergence;
    if (bisected.pair != nullptr) {
      Narrower narrower(*bisected.pair);
      narrowed = narrower.narrow(bisected.divergence);
      reproducer = save_snapshot(o, (*sides)[0].quantum, narrowed, narrower);
      bisected.pair.reset();
    }
    narrowed.divergence.text = result.divergence->text;
    narrowed.divergence.agreed = result.divergence->agreed;
    narrowed.divergence.seen = result.divergence->seen;
    narrowed.steps = std::move(bisected.steps);
    try_snapshot(o, *sides, narrowed, reproducer);
    progress.clear();
    difference = difference_json(narrowed, reproducer);
    fmt::print(stderr, "{}", difference_text(narrowed, reproducer, names));
  }
  progress.clear();
  const double wall = seconds_since(start);
  nlohmann::json end = nlohmann::json::parse(result.end[0], nullptr, false);
  const std::string reason = end.is_object() ? std::string(end["exit"]["reason"]) : "unfinished";
  if (!result.divergence) {
    fmt::print(stderr, "lockstep: {} and {} agree: {} instructions in {} windows, memory compared {} times, {}\n",
               names[0], names[1], fmt::group_digits(result.instructions), fmt::group_digits(result.windows),
               result.checkpoints + 1, reason);
  }
  if (o.json) {
    nlohmann::json json = end.is_object() ? end : nlohmann::json::object();
    json["wall_seconds"] = wall;
    json["lockstep"] = {{"engines", names},
                        {"grain", o.lockstep_grain},
                        {"equal", !result.divergence},
                        {"instructions", result.instructions},
                        {"windows", result.windows},
                        {"checkpoints", result.checkpoints},
                        {"difference", difference}};
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    if (std::fflush(stdout) != 0) return Error{"--json: cannot write to stdout"};
  }
  return result.divergence ? kDiffer : 0;
}

}  // namespace lockstep::cli
