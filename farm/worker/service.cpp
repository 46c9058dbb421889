// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/service.h"

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>

#include "farm/coordinator/service.h"
#include "farm/digest.h"
#include "farm/protocol/codec.h"
#include "farm/transport/socket.h"
#include "farm/worker/outcome.h"
#include "farm/worker/process.h"
#include "farm/worker/spool.h"

namespace lockstep::farm {

namespace fs = std::filesystem;
using core::Error;
using core::Result;
using core::Status;

namespace {

constexpr size_t kMaxConsoleBytes = size_t{64} << 20;  // of a console, the end that is compared and searched
constexpr size_t kMaxArtifactNameBytes = 255;          // of a file's name here
constexpr size_t kMaxStdoutBytes = size_t{1} << 20;    // the JSON object is at its end
constexpr int kMaxWaitMs = 100;

struct Running {
  Process process;
  JobSpec job;
  std::string folder;
};

class WorkerService {
 public:
  WorkerService(WorkerServiceOptions options, WorkerFolder folder, std::unique_ptr<WorkerSocket> socket, int signal_fd)
      : options_(std::move(options)), folder_(std::move(folder)), socket_(std::move(socket)), signal_fd_(signal_fd) {}

  Result<std::string> run() {
    std::vector<std::string> problems;
    std::vector<ResultReport> spooled = folder_.read_spool(&problems);
    for (const std::string& p : problems) log(p);
    options_.worker.incarnation = folder_.incarnation();
    worker_ = std::make_unique<Worker>(options_.worker, std::move(spooled), steady_now_ms());
    while (true) {
      Status status = perform();
      if (!status.ok()) return status.error();
      if (leave_) break;
      wait();
      const uint64_t now_ms = steady_now_ms();
      read_signals(now_ms);
      while (auto bytes = socket_->receive()) {
        auto message = decode_coordinator_message(*bytes);
        if (message.ok()) {
          worker_->on_message(*message, now_ms);
        } else {
          log("dropped a message: " + message.message());
        }
      }
      watch_jobs(now_ms);
      worker_->on_tick(now_ms);
    }
    running_.clear();
    if (leave_->failed) return Error{leave_->reason};
    return leave_->reason;
  }

 private:
  void log(const std::string& line) {
    if (options_.log) options_.log(line);
  }

  void wait() {
    std::vector<int> fds{signal_fd_};
    const uint64_t now_ms = steady_now_ms();
    uint64_t timeout_ms = kMaxWaitMs;
    for (const auto& [id, job] : running_) {
      fds.push_back(job.process.fd());
      timeout_ms = std::min(timeout_ms, job.process.deadline_ms() > now_ms ? job.process.deadline_ms() - now_ms : 0);
    }
    socket_->wait(static_cast<int>(timeout_ms), fds);
  }

  void read_signals(uint64_t now_ms) {
    signalfd_siginfo info;
    while (read(signal_fd_, &info, sizeof info) == sizeof info) worker_->stop(now_ms);
  }

  static bool ended(const Process& process) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
  }

  void watch_jobs(uint64_t now_ms) {
    for (auto it = running_.begin(); it != running_.end();) {
      Running& job = it->second;
      job.process.on_time(now_ms);
      if (!ended(job.process)) {
        std::error_code error;
        uint64_t bytes = 0;
        for (const char* name : {"/stderr", "/scratch/console.log"}) {
          const uint64_t size = fs::file_size(job.folder + name, error);
          if (!error) bytes += size;
        }
        worker_->on_output(it->first, bytes);
        ++it;
        continue;
      }
      const ProcessOutcome outcome = job.process.reap(now_ms);
      const AttemptId id = it->first;
      JobResult result = collect(job.job, job.folder, outcome);
      running_.erase(it++);
      worker_->on_job_exited(id, std::move(result), now_ms);
    }
  }

  JobResult collect(const JobSpec& job, const std::string& folder, const ProcessOutcome& outcome) {
    const std::string standard_output = read_file_end(folder + "/stdout", kMaxStdoutBytes);
    const std::string standard_error = read_file_end(folder + "/stderr", kMaxConsoleBytes);
    std::error_code error;
    const bool has_console = fs::exists(folder + "/scratch/console.log", error);
    // Without a console log the guest's console is on the standard error stream.
    const std::string console =
        has_console ? read_file_end(folder + "/scratch/console.log", kMaxConsoleBytes) : standard_error;
    JobResult result = judge(job, outcome, standard_output, standard_error, console);
    for (const auto& [name, path] :
         {std::pair<const char*, std::string>{"console.log", folder + "/scratch/console.log"},
          {"stderr", folder + "/stderr"},
          {"stdout", folder + "/stdout"}}) {
      keep(name, path, result);
    }
    keep_left(folder + "/scratch/artifacts", result);
    if (!options_.keep_job_folders) fs::remove_all(folder, error);
    return result;
  }

  // What the job put into {artifacts}, by name.
  void keep_left(const std::string& left, JobResult& result) {
    std::error_code error;
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(left, error)) {
      if (entry.is_regular_file(error) && !entry.is_symlink(error)) names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (result.artifacts.size() >= kMaxArtifacts) {
        log(left + ": more than " + std::to_string(kMaxArtifacts) + " files are left; the others are not kept");
        return;
      }
      keep(clean_utf8(name, kMaxArtifactNameBytes), left + "/" + name, result);
    }
  }

  // Puts a log under its hash, where any reader of the result finds it.
  void keep(const std::string& name, const std::string& path, JobResult& result) {
    uint64_t size_bytes = 0;
    auto hash = sha256_of_file(path, &size_bytes);
    if (!hash || size_bytes == 0) return;
    const std::string target = options_.artifacts + "/" + *hash;
    std::error_code error;
    if (!fs::exists(target, error)) {
      fs::rename(path, target, error);
      if (error) fs::copy_file(path, target, fs::copy_options::overwrite_existing, error);
      if (error) {
        log(target + ": cannot keep a log: " + error.message());
        return;
      }
    }
    result.artifacts.push_back({name, *hash, size_bytes});
  }

  void start(const StartJob& action) {
    const uint64_t now_ms = steady_now_ms();
    auto end = [&](JobResult result) { worker_->on_job_exited(action.attempt, std::move(result), now_ms); };
    auto spawn_failed = [&](const std::string& why) {
      ProcessOutcome outcome;
      outcome.spawn_error = why;
      end(judge(action.job, outcome, {}, {}, {}));
    };
    const std::string missing = missing_file(action.job);
    if (!missing.empty()) return end(missing_result(action.job, missing));
    auto folder = folder_.make_job_folder(action.attempt);
    if (!folder.ok()) return spawn_failed(folder.message());
    Process::Request request;
    const std::string left = *folder + "/scratch/artifacts";
    for (std::string arg : action.job.argv) {
      if (arg.find("{artifacts}") != std::string::npos) {
        std::error_code error;
        fs::create_directories(left, error);
        if (error) return spawn_failed(left + ": cannot make it: " + error.message());
      }
      for (const auto& [name, value] : {std::pair<std::string, std::string>{"{scratch}", *folder + "/scratch"},
                                        {"{artifacts}", left},
                                        {"{lockstep}", options_.program}}) {
        for (size_t at = arg.find(name); at != std::string::npos; at = arg.find(name, at + value.size())) {
          arg.replace(at, name.size(), value);
        }
      }
      request.argv.push_back(std::move(arg));
    }
    request.folder = *folder + "/scratch";
    request.stdout_path = *folder + "/stdout";
    request.stderr_path = *folder + "/stderr";
    request.limits = action.job.limits;
    auto process = Process::start(request, now_ms);
    if (!process.ok()) return spawn_failed(process.message());
    running_.emplace(action.attempt, Running{std::move(*process), action.job, *folder});
  }

  // Carries out what the logic wants; an action may lead to others.
  Status perform() {
    for (auto actions = worker_->take_actions(); !actions.empty(); actions = worker_->take_actions()) {
      for (WorkerAction& action : actions) {
        if (auto* send = std::get_if<SendMessage>(&action)) {
          socket_->send(encode(send->message));
        } else if (auto* start_job = std::get_if<StartJob>(&action)) {
          start(*start_job);
        } else if (auto* kill = std::get_if<KillJob>(&action)) {
          auto it = running_.find(kill->attempt);
          if (it != running_.end()) it->second.process.kill();
        } else if (auto* spool = std::get_if<WriteSpool>(&action)) {
          Status status = folder_.write_spool(spool->report);
          if (!status.ok()) return status;
          worker_->on_spooled(spool->report.attempt, steady_now_ms());
        } else if (auto* remove = std::get_if<RemoveSpool>(&action)) {
          folder_.remove_spool(remove->attempt);
        } else if (auto* leave = std::get_if<Leave>(&action)) {
          leave_ = *leave;
        }
      }
    }
    return {};
  }

  WorkerServiceOptions options_;
  WorkerFolder folder_;
  std::unique_ptr<WorkerSocket> socket_;
  int signal_fd_;
  std::unique_ptr<Worker> worker_;
  std::map<AttemptId, Running> running_;
  std::optional<Leave> leave_;
};

}  // namespace

Result<std::string> run_worker(WorkerServiceOptions options) {
  if (!valid_worker_name(options.worker.name)) {
    return Error{"--name " + options.worker.name + ": a worker's name has 1 to " + std::to_string(kMaxWorkerNameBytes) +
                 " letters, digits, '.', '-' or '_'"};
  }
  auto folder = WorkerFolder::open(options.folder);
  if (!folder.ok()) return folder.error();
  if (options.artifacts.empty()) options.artifacts = options.folder + "/artifacts";
  std::error_code error;
  fs::create_directories(options.artifacts, error);
  if (error) return Error{options.artifacts + ": cannot make it: " + error.message()};
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  auto socket = WorkerSocket::connect(options.endpoint, options.keys);
  if (!socket.ok()) return socket.error();
  WorkerService service(std::move(options), std::move(*folder), std::move(*socket), signal_fd);
  auto reason = service.run();
  close(signal_fd);
  return reason;
}

}  // namespace lockstep::farm
