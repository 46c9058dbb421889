// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/campaign/campaign.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <nlohmann/json.hpp>

#include "smmu_rtl_bridge/campaign/isolated.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

json to_json(const RunResult& result) {
  const RunCounts& c = result.counts;
  return {{"rule", result.rule},
          {"text", result.text},
          {"line", result.line},
          {"cycle", result.cycle},
          {"counts",
           {c.accesses, c.faults, c.events, c.commands, c.answers, c.several_outcomes, c.undecided, c.hits, c.misses,
            c.nested, c.cycles, c.total_ticks, c.design_ticks, c.oracle_ticks, c.stimulus_ticks, c.model_ticks}}};
}

bool from_json(const json& text, RunResult& result) {
  if (!text.is_object() || !text.contains("counts") || text["counts"].size() != 16) return false;
  result.rule = text["rule"];
  result.text = text["text"];
  result.line = text["line"];
  result.cycle = text["cycle"];
  const json& c = text["counts"];
  result.counts = {c[0], c[1], c[2],  c[3],  c[4],  c[5],  c[6],  c[7],
                   c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15]};
  return true;
}

std::string line_of(const json& value) {
  // Bytes of a device's making may be no text.
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

struct Chunk {
  uint64_t first = 0, last = 0;
};

// A process with some seeds.
struct Running {
  Chunk chunk;
  uint64_t next = 0;  // the seed that it is at
  bool over = false;  // it has played its last seed
  Silence silence;
  std::unique_ptr<Worker> worker;
  bool closed = false;
};

class Campaign {
 public:
  Campaign(const DeviceFactory& factory, const CampaignOptions& options,
           const std::function<void(const CampaignProgress&)>& tell)
      : factory_(factory), options_(options), tell_(tell) {}

  core::Result<CampaignResult> run() {
    const Clock::time_point begin = Clock::now();
    CampaignProgress& progress = result_.progress;
    progress.seeds = options_.last_seed - options_.first_seed + 1;
    waiting_.push_back({options_.first_seed, options_.last_seed});
    while (!error_ && !enough() && (!waiting_.empty() || !running_.empty())) {
      while (running_.size() < std::max(1u, options_.jobs) && !waiting_.empty()) start();
      listen();
      progress.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      progress.findings = result_.findings.size();
      tell_(progress);
    }
    running_.clear();
    if (error_) return core::Error{*error_};
    for (Finding& finding : result_.findings) finish(finding);
    return std::move(result_);
  }

 private:
  bool enough() const { return result_.findings.size() >= std::max(1u, options_.findings_max); }

  void start() {
    auto running = std::make_unique<Running>();
    Chunk& waiting = waiting_.front();
    running->chunk = waiting;
    if (waiting.last - waiting.first < options_.seeds_per_process) {
      waiting_.pop_front();
    } else {
      waiting.first += options_.seeds_per_process;
      running->chunk.last = waiting.first - 1;
    }
    running->next = running->chunk.first;
    const Chunk chunk = running->chunk;
    running->worker = std::make_unique<Worker>([this, chunk](int descriptor) {
      for (uint64_t seed = chunk.first;; ++seed) {
        const auto run = run_seed(factory_, seed, options_.seed, options_.run);
        json told;
        if (run) {
          told = to_json(run->result);
        } else {
          told["error"] = run.message();
        }
        told["seed"] = seed;
        send(descriptor, line_of(told));
        if (seed == chunk.last || !run) break;
      }
      if (options_.run.collect) send(descriptor, line_of({{"collected", options_.run.collect()}}));
    });
    running_.push_back(std::move(running));
  }

  static void send(int descriptor, std::string line) {
    line += '\n';
    size_t done = 0;
    while (done < line.size()) {
      const ssize_t written = ::write(descriptor, line.data() + done, line.size() - done);
      if (written <= 0) return;
      done += static_cast<size_t>(written);
    }
  }

  void listen() {
    std::vector<pollfd> descriptors;
    for (const auto& running : running_) descriptors.push_back({running->worker->descriptor(), POLLIN, 0});
    ::poll(descriptors.data(), descriptors.size(), Silence::kStepMs);
    for (size_t i = 0; i < descriptors.size(); ++i) {
      Running& running = *running_[i];
      if (descriptors[i].revents != 0) {
        running.closed = !running.worker->receive();
        running.silence.heard();
      }
      std::string line;
      while (running.worker->next_line(line)) take(running, line);
      if (running.closed) {
        ended(running);
      } else if (running.silence.ms() > options_.silence_ms) {
        running.worker->kill();
        running.worker->wait();
        lost(running, "process.hang",
             "nothing was heard of the device for " + std::to_string(options_.silence_ms / 1000) + " s");
        running.closed = true;
      }
    }
    std::erase_if(running_, [](const auto& running) { return running->closed; });
  }

  void take(Running& running, const std::string& line) {
    const json told = json::parse(line, nullptr, false);
    if (told.is_discarded()) return;
    if (told.contains("collected")) {
      if (options_.collected) options_.collected(told["collected"]);
      return;
    }
    if (told.contains("error")) {
      error_ = told["error"].get<std::string>();
      return;
    }
    RunResult result;
    if (!from_json(told, result)) return;
    const uint64_t seed = told["seed"];
    running.next = seed + 1;
    running.over = seed == running.chunk.last;
    ++result_.progress.seeds_done;
    result_.progress.counts.add(result.counts);
    if (!result.ok()) found(seed, result);
  }

  void ended(Running& running) {
    const int signal = running.worker->wait();
    if (running.over) return;
    lost(running, "process.crash", "the device's process ended with signal " + std::to_string(signal));
  }

  // The seed that it was at is to blame; the others are played by another process.
  void lost(Running& running, const char* rule, const std::string& text) {
    if (running.over || error_) return;
    RunResult result;
    result.rule = rule;
    result.text = text;
    ++result_.progress.seeds_done;
    found(running.next, result);
    if (running.next < running.chunk.last) waiting_.push_front({running.next + 1, running.chunk.last});
  }

  void found(uint64_t seed, const RunResult& result) {
    if (enough()) return;
    Finding finding;
    finding.seed = seed;
    finding.result = result;
    result_.findings.push_back(std::move(finding));
  }

  void finish(Finding& finding) {
    // Made again from its seed.
    auto script = script_of_seed_isolated(factory_, finding.seed, options_.seed, options_.silence_ms);
    if (script) finding.script = std::move(*script);
    finding.shrunk = finding.script;
    if (!options_.shrinks) return;
    finding.shrunk = shrink_failure(factory_, finding.script, finding.result, options_.run, options_.silence_ms,
                                    options_.shrink_limits, finding.shrinking);
  }

  const DeviceFactory& factory_;
  const CampaignOptions& options_;
  const std::function<void(const CampaignProgress&)>& tell_;
  CampaignResult result_;
  // All that nobody plays yet, and what processes that were lost have left: one more than there are processes.
  std::deque<Chunk> waiting_;
  std::vector<std::unique_ptr<Running>> running_;
  std::optional<std::string> error_;
};

}  // namespace

core::Result<CampaignResult> run_campaign(const DeviceFactory& factory, const CampaignOptions& options,
                                          const std::function<void(const CampaignProgress&)>& tell) {
  return Campaign(factory, options, tell).run();
}

core::Result<Script> script_of_seed_isolated(const DeviceFactory& factory, uint64_t seed, const SeedOptions& options,
                                             uint64_t silence_ms) {
  const IsolatedResult made = run_isolated(
      [&] {
        const auto script = script_of_seed(factory, seed, options);
        return script ? print(*script) : "error " + script.message();
      },
      silence_ms);
  if (made.text.starts_with("error ")) return core::Error{made.text.substr(6)};
  return parse_script(made.text, "seed " + std::to_string(seed));
}

core::Result<RunResult> run_script_isolated(const DeviceFactory& factory, const Script& script,
                                            const RunOptions& options, uint64_t silence_ms) {
  const IsolatedResult run = run_isolated(
      [&] {
        const auto result = run_script(factory, script, options);
        json told = result ? to_json(*result) : json{{"error", result.message()}};
        if (options.collect) told["collected"] = options.collect();
        return line_of(told);
      },
      silence_ms);
  RunResult result;
  if (run.end == ProcessEnd::kCrash) {
    result.rule = "process.crash";
    result.text = "the device's process ended with signal " + std::to_string(run.signal);
    return result;
  }
  if (run.end == ProcessEnd::kHang) {
    result.rule = "process.hang";
    result.text = "nothing was heard of the device for " + std::to_string(silence_ms / 1000) + " s";
    return result;
  }
  const json told = json::parse(run.text, nullptr, false);
  if (told.contains("error")) return core::Error{told["error"].get<std::string>()};
  from_json(told, result);
  if (told.contains("collected")) result.collected = told["collected"];
  return result;
}

Script shrink_failure(const DeviceFactory& factory, const Script& script, const RunResult& failure,
                      const RunOptions& options, uint64_t silence_ms, const ShrinkLimits& limits,
                      ShrinkReport& report) {
  RunOptions quiet = options;
  quiet.timeline = nullptr;
  quiet.watchers.clear();
  quiet.collect = nullptr;
  // A smaller script takes less time than the whole.
  constexpr uint64_t kHangMs = 2000;
  const auto fails = [&](const Script& candidate) {
    const auto result = run_script_isolated(factory, candidate, quiet, std::min(silence_ms, kHangMs));
    return result && result->signature() == failure.signature();
  };
  Script start = script;
  // Nothing after the line where it showed matters, but at the end of the script it may show later.
  if (failure.line + 1 < start.lines.size()) {
    Script cut = script;
    cut.lines.resize(failure.line + 1);
    if (fails(cut)) start = std::move(cut);
  }
  if (start.lines.size() == script.lines.size() && !fails(start)) return script;
  return shrink(start, fails, limits, report);
}

}  // namespace lockstep::smmu_rtl_bridge
