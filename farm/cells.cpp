// SPDX-License-Identifier: Apache-2.0
#include "farm/cells.h"

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "farm/coordinator/service.h"
#include "farm/worker/process.h"
#include "farm/worker/spool.h"

namespace lockstep::farm {

namespace fs = std::filesystem;

namespace {

constexpr int kProgressMs = 500;
constexpr size_t kMaxRecipeOutputBytes = 1 << 20;
constexpr std::string_view kPayloadOpen = "{payload:";

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t at = text.rfind('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

Payloads::Recipe run_recipe(const std::vector<std::string>& command, const std::string& root,
                            const std::function<bool(const std::string&, uint64_t)>& progress) {
  Payloads::Recipe recipe;
  char folder[] = "/tmp/lockstep-payload-XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    recipe.problem = "cannot make a folder in /tmp for the output of " + command[0];
    return recipe;
  }
  Process::Request request;
  request.argv = command;
  if (command[0].find('/') != std::string::npos && command[0][0] != '/') request.argv[0] = root + "/" + command[0];
  request.folder = root;
  request.stdout_path = std::string(folder) + "/stdout";
  request.stderr_path = std::string(folder) + "/stderr";
  request.limits.wall_ms = kPayloadLimitMs;
  const uint64_t started_ms = steady_now_ms();
  auto process = Process::start(request, started_ms);
  if (!process.ok()) {
    recipe.problem = process.message();
  } else {
    pollfd ended{process->fd(), POLLIN, 0};
    while (::poll(&ended, 1, kProgressMs) <= 0) {
      process->on_time(steady_now_ms());
      const std::string line = last_line(read_file_end(request.stderr_path, 400));
      if (progress && !progress(line.empty() ? joined(command) : line, steady_now_ms() - started_ms)) process->kill();
    }
    const ProcessOutcome outcome = process->reap(steady_now_ms());
    if (outcome.exit_code != 0 || outcome.signal != 0) {
      const std::string why = last_line(read_file_end(request.stderr_path, 400));
      recipe.problem = "`" + joined(command) + "` failed" + (why.empty() ? "" : ": " + why);
    }
    const std::string output = read_file_end(request.stdout_path, kMaxRecipeOutputBytes);
    for (size_t at = 0; at < output.size();) {
      const size_t end = std::min(output.find('\n', at), output.size());
      const std::string line = output.substr(at, end - at);
      const size_t tab = line.find('\t');
      if (tab != std::string::npos) recipe.paths[line.substr(0, tab)] = line.substr(tab + 1);
      at = end + 1;
    }
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return recipe;
}

void replace_all(std::string& text, std::string_view name, const std::string& value) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
}

// Replaces {payload:NAME}; the paths go into `job.needed_files`. A name without a path makes the job miss that name.
void place_payloads(std::string& argument, const Payloads& payloads, const Payloads::Recipe* recipe, JobSpec& job) {
  for (size_t at = argument.find(kPayloadOpen); at != std::string::npos; at = argument.find(kPayloadOpen, at)) {
    const size_t close = argument.find('}', at);
    if (close == std::string::npos) return;
    const std::string name = argument.substr(at + kPayloadOpen.size(), close - at - kPayloadOpen.size());
    std::string path;
    if (auto given = payloads.given.find(name); given != payloads.given.end()) {
      path = given->second;
    } else if (recipe != nullptr && recipe->paths.contains(name)) {
      path = recipe->paths.at(name);
    } else {
      // A name that no file can have keeps the job from running and says in the report what was meant.
      path = "the payload \"" + name + "\"";
    }
    argument.replace(at, close + 1 - at, path);
    at += path.size();
    job.needed_files.push_back(path);
  }
}

}  // namespace

Payloads make_payloads(const matrix::Contract& contract, const matrix::Plan& plan, const std::string& root,
                       const std::map<std::string, std::string>& given, bool run_recipes,
                       const std::function<bool(const std::string&, uint64_t)>& progress) {
  Payloads payloads;
  payloads.given = given;
  for (const matrix::Cell& cell : plan.cells) {
    const matrix::Workload* workload = contract.find_workload(cell.workload);
    if (cell.skipped() || workload == nullptr || workload->payload_recipe.empty()) continue;
    const std::vector<std::string>& command = workload->payload_recipe;
    if (payloads.recipes.contains(command)) continue;
    payloads.recipes[command] = run_recipes ? run_recipe(command, root, progress) : Payloads::Recipe{};
  }
  return payloads;
}

core::Result<std::vector<JobSpec>> jobs_of(const matrix::Contract& contract, const matrix::Plan& plan,
                                           const Payloads& payloads) {
  std::vector<JobSpec> jobs;
  for (const matrix::Cell& cell : plan.cells) {
    const matrix::Workload* workload = contract.find_workload(cell.workload);
    if (workload == nullptr) {
      return core::Error{plan.contract_path + ": cell " + cell.id + " names the workload " + cell.workload +
                         ", which is not there"};
    }
    JobSpec job;
    job.id = cell.id;
    job.title = cell.workload + " " + cell.label;
    job.limits.wall_ms = uint64_t{workload->limits.wall_s} * 1000;
    job.limits.cpu_s = workload->limits.cpu_s;
    job.limits.memory_bytes = workload->limits.memory_bytes;
    job.keep_lines = workload->keep_lines;
    job.drop_lines = workload->drop_lines;
    job.pass_codes.assign(workload->pass_codes.begin(), workload->pass_codes.end());
    for (const auto& [name, value] : cell.assignment) job.features.emplace_back(name, value);
    if (cell.skipped()) job.skip_reason = cell.skip_reason;
    if (!cell.exact_group.empty()) job.groups.push_back({cell.workload + ":" + cell.exact_group, Grade::kExact});
    if (!cell.behavioural_group.empty())
      job.groups.push_back({cell.workload + ":" + cell.behavioural_group, Grade::kBehavioural});
    const Payloads::Recipe* recipe = nullptr;
    if (auto it = payloads.recipes.find(workload->payload_recipe); it != payloads.recipes.end()) recipe = &it->second;
    if (!workload->payload_recipe.empty()) {
      job.missing_hint = joined(workload->payload_recipe);
      if (recipe != nullptr && !recipe->problem.empty()) job.missing_hint += " (" + recipe->problem + ")";
    }
    bool prints_json = false;
    for (std::string argument : cell.argv) {
      prints_json = prints_json || argument == "--json";
      if (!cell.skipped()) place_payloads(argument, payloads, recipe, job);
      replace_all(argument, "{cell}", cell.id);
      job.argv.push_back(std::move(argument));
    }
    job.judge = prints_json ? Judge::kVmJson : Judge::kExitStatus;
    jobs.push_back(std::move(job));
  }
  return core::Result<std::vector<JobSpec>>(std::move(jobs));
}

}  // namespace lockstep::farm
