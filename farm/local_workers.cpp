// SPDX-License-Identifier: Apache-2.0
#include "farm/local_workers.h"

#include <sys/wait.h>

#include <cstring>
#include <filesystem>

#include "farm/worker/spool.h"

namespace lockstep::farm {

LocalWorkers::LocalWorkers(Options options)
    : options_(std::move(options)), processes_(options_.count), restarts_(options_.count, 0) {}

std::string LocalWorkers::log_path(uint32_t index) const {
  return options_.run_folder + "/workers/local-" + std::to_string(index) + "/worker.log";
}

core::Status LocalWorkers::start(uint64_t now_ms) {
  for (uint32_t i = 0; i < options_.count; ++i) {
    core::Status status = start_one(i, now_ms);
    if (!status.ok()) return status;
  }
  return {};
}

core::Status LocalWorkers::start_one(uint32_t index, uint64_t now_ms) {
  const std::string name = "local-" + std::to_string(index);
  const std::string folder = options_.run_folder + "/workers/" + name;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return core::Error{folder + ": cannot make it: " + error.message()};
  Process::Request request;
  request.argv = {options_.program,
                  "farm",
                  "worker",
                  "--connect",
                  options_.endpoint,
                  "--name",
                  name,
                  "--folder",
                  folder,
                  "--artifacts",
                  options_.run_folder + "/artifacts"};
  if (!options_.keys_folder.empty()) {
    request.argv.push_back("--keys");
    request.argv.push_back(options_.keys_folder);
  }
  request.folder = folder;
  request.stdout_path = folder + "/worker.out";
  request.stderr_path = log_path(index);
  request.limits.wall_ms = 0;
  auto process = Process::start(request, now_ms);
  if (!process.ok()) return core::Error{"worker " + name + ": " + process.message()};
  processes_[index] = std::move(*process);
  return {};
}

std::vector<int> LocalWorkers::fds() const {
  std::vector<int> list;
  for (const auto& process : processes_) {
    if (process) list.push_back(process->fd());
  }
  return list;
}

size_t LocalWorkers::alive_count() const {
  size_t count = 0;
  for (const auto& process : processes_) count += process ? 1 : 0;
  return count;
}

void LocalWorkers::watch(uint64_t now_ms, bool restart) {
  for (uint32_t i = 0; i < processes_.size(); ++i) {
    if (!processes_[i]) continue;
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(processes_[i]->pid()), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
      continue;
    }
    const ProcessOutcome outcome = processes_[i]->reap(now_ms);
    processes_[i].reset();
    if (!restart) continue;
    std::string how = outcome.signal != 0 ? std::string("was killed: ") + strsignal(outcome.signal)
                                          : "ended with exit code " + std::to_string(outcome.exit_code);
    const std::string name = "worker local-" + std::to_string(i);
    if (++restarts_[i] > kMaxRestarts) {
      if (options_.log) options_.log(name + " " + how + "; it is not started again, see " + log_path(i));
      continue;
    }
    core::Status status = start_one(i, now_ms);
    if (options_.log)
      options_.log(name + " " + how + (status.ok() ? "; it is started again" : "; " + status.error().message));
  }
}

}  // namespace lockstep::farm
