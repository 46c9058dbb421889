// SPDX-License-Identifier: Apache-2.0
#include "cli/farm_command.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "farm/cells.h"
#include "farm/coordinator/service.h"
#include "farm/local_workers.h"
#include "farm/report/report.h"
#include "farm/run_folder.h"
#include "farm/worker/service.h"
#include "matrix/contract.h"
#include "matrix/plan.h"

namespace lockstep::cli {

namespace fs = std::filesystem;
using core::Error;
using core::Result;
using core::Status;

namespace {

constexpr int kExitBadInput = 2;
constexpr int kExitInterrupted = 130;
constexpr int kStepMs = 200;
constexpr uint64_t kRedrawMs = 250;
constexpr uint64_t kDrainMs = 5'000;  // for workers to say goodbye at the end of a run

struct FarmArguments {
  std::string matrix_path;
  std::string strategy = "default";
  uint64_t seed = 1;
  std::vector<std::string> workloads;
  std::vector<std::string> with;
  std::vector<std::string> payloads;
  bool no_payloads = false;
  int64_t workers = -1;
  std::string state;
  std::string run;
  std::string listen;
  std::string keys;
  bool json = false;
  bool verbose = false;
  std::string junit;
  std::string html;
  std::string connect;
  std::string name;
  std::string folder;
  std::string artifacts;
  uint32_t slots = 1;
  uint32_t window = 0;
  uint64_t orphan_s = 60;
  bool keep_jobs = false;
  std::string keys_target;
};

int complain(const std::string& message) {
  fmt::print(stderr, "lockstep farm: {}\n", message);
  return kExitBadInput;
}

std::string own_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).string();
}

uint32_t core_count() { return std::max(1u, std::thread::hardware_concurrency()); }

// Progress goes to the standard error stream, so that the table or the JSON object has the standard output to itself.
class Progress {
 public:
  Progress() : live_(isatty(STDERR_FILENO) != 0) {}

  void line(const std::string& text) {
    clear();
    fmt::print(stderr, "{}\n", text);
    drawn_ms_ = 0;
  }

  void making(const std::string& what, uint64_t elapsed_ms) {
    if (live_) {
      redraw(fmt::format("making payloads, {} s: {}", elapsed_ms / 1000, what));
    } else if (elapsed_ms >= next_making_ms_) {
      next_making_ms_ = elapsed_ms + 30'000;
      line(fmt::format("making payloads, {} s: {}", elapsed_ms / 1000, what));
    }
  }

  void update(const farm::Coordinator& coordinator, size_t workers) {
    const farm::FarmState& state = coordinator.state();
    reported_.resize(state.jobs().size());
    if (state.recorded_count() != reported_count_) {
      for (size_t i = 0; i < state.jobs().size(); ++i) {
        const farm::JobEntry& job = state.jobs()[i];
        if (reported_[i] || !job.result) continue;
        reported_[i] = true;
        ++reported_count_;
        ++counts_[static_cast<size_t>(job.result->status)];
        const bool skipped = job.result->status == farm::JobStatus::kSkip;
        const bool quiet = live_ && job.result->status == farm::JobStatus::kPass;
        if (!skipped && !quiet && !first_) line(farm::cell_line(job, live_));
      }
    }
    first_ = false;
    if (!live_) return;
    const uint64_t now_ms = farm::steady_now_ms();
    if (now_ms < drawn_ms_ + kRedrawMs) return;
    std::string text = fmt::format("{}/{} cells", state.recorded_count(), state.jobs().size());
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > 0) text += fmt::format("  {} {}", counts_[i], farm::to_string(static_cast<farm::JobStatus>(i)));
    }
    text += fmt::format("  | {} worker{}", workers, workers == 1 ? "" : "s");
    for (const auto& [name, session] : coordinator.sessions()) {
      for (const auto& [id, held] : session.running) {
        const farm::JobEntry* job = state.find_job(id);
        if (job != nullptr && held.state == farm::HeldState::kRunning) {
          text += fmt::format("  {} {} s", job->spec.title, held.elapsed_ms / 1000);
        }
      }
    }
    redraw(text);
    drawn_ms_ = now_ms;
  }

  void clear() {
    if (live_) fmt::print(stderr, "\r\033[K");
  }

 private:
  static constexpr size_t kUsualWidth = 79;
  static constexpr size_t kMinWidth = 20;

  void redraw(std::string text) {
    // A line that wraps could not be drawn over.
    winsize window{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > kMinWidth;
    const size_t width = known ? window.ws_col - 1u : kUsualWidth;
    if (text.size() > width) text = text.substr(0, width - 3) + "...";
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
  }

  bool live_;
  bool first_ = true;
  uint64_t drawn_ms_ = 0;
  uint64_t next_making_ms_ = 2'000;
  size_t reported_count_ = 0;
  std::vector<bool> reported_;
  std::array<size_t, 6> counts_{};
};

int block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

bool signalled(int signal_fd) {
  signalfd_siginfo info;
  return read(signal_fd, &info, sizeof info) == sizeof info;
}

Result<std::string> state_folder(const FarmArguments& arguments) {
  if (!arguments.state.empty()) return arguments.state;
  std::string matrix_path = arguments.matrix_path;
  if (matrix_path.empty()) {
    auto found = matrix::find_contract(fs::current_path().string());
    if (!found.ok()) return Error{found.message() + "; or name the state with --state DIR"};
    matrix_path = *found;
  }
  return (fs::absolute(matrix_path).parent_path() / ".lockstep").string();
}

// Said before the work begins, since a run of an hour must not end with it.
Status check_outputs(const FarmArguments& arguments) {
  for (const std::string& path : {arguments.junit, arguments.html}) {
    if (path.empty()) continue;
    const fs::path folder = fs::absolute(path).parent_path();
    std::error_code error;
    if (fs::is_directory(path, error)) return Error{path + ": it is a folder; name a file"};
    if (!fs::is_directory(folder, error)) return Error{path + ": the folder " + folder.string() + " is not there"};
    if (access(folder.c_str(), W_OK) != 0) return Error{path + ": cannot write into the folder " + folder.string()};
  }
  return {};
}

int print_report(const std::string& run_folder, const FarmArguments& arguments) {
  auto report = farm::read_report(run_folder);
  if (!report.ok()) return complain(report.message());
  if (arguments.json) {
    fmt::print("{}", farm::report_json(*report));
  } else {
    fmt::print("{}", farm::verdict_table(*report, isatty(STDOUT_FILENO) != 0, arguments.verbose));
  }
  const auto write = [](const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    file.close();
    return file.good();
  };
  std::fflush(stdout);
  if (!arguments.junit.empty() && !write(arguments.junit, farm::report_junit(*report))) {
    return complain(arguments.junit + ": cannot write it");
  }
  if (!arguments.html.empty() && !write(arguments.html, farm::report_html(*report))) {
    return complain(arguments.html + ": cannot write it");
  }
  // The page in the run's own folder finds the whole logs beside it.
  if (!write(run_folder + "/report.html", farm::report_html(*report))) {
    fmt::print(stderr, "lockstep farm: {}/report.html: cannot write it\n", run_folder);
  }
  for (const farm::MergedCoverage& merged : report->coverage) {
    const std::string file = run_folder + "/" + merged.file;
    if (!write(file, farm::coverage_text(merged))) fmt::print(stderr, "lockstep farm: {}: cannot write it\n", file);
  }
  return report->verdict.exit_code();
}

// Serves a run until each cell has its result or a signal comes, then prints the verdict.
int serve(farm::CoordinatorService& service, const std::string& run_folder, const farm::RunSettings& settings,
          const FarmArguments& arguments, Progress& progress, int signal_fd) {
  farm::LocalWorkers workers({own_program(), service.endpoint(), run_folder, settings.keys_folder, settings.workers,
                              [&progress](const std::string& line) { progress.line(line); }});
  Status status = service.flush();
  if (status.ok() && !service.coordinator().finished()) status = workers.start(farm::steady_now_ms());
  if (!status.ok()) return complain(status.error().message);
  if (settings.workers == 0) {
    progress.line(fmt::format("waiting for workers: lockstep farm worker --connect {}{}", service.endpoint(),
                              settings.keys_folder.empty() ? "" : " --keys DIR"));
  }
  bool interrupted = false;
  while (!(service.coordinator().finished() && service.coordinator().all_committed())) {
    std::vector<int> fds = workers.fds();
    fds.push_back(signal_fd);
    status = service.step(kStepMs, fds);
    if (!status.ok()) {
      progress.clear();
      return complain(status.error().message + "; nothing is lost: `lockstep farm resume` goes on when the disk does");
    }
    if (signalled(signal_fd)) {
      interrupted = true;
      break;
    }
    workers.watch(farm::steady_now_ms(), true);
    if (settings.workers > 0 && workers.exhausted()) {
      progress.clear();
      service.coordinator().abandon("no worker could be kept alive; see " + workers.log_path(0));
    }
    progress.update(service.coordinator(), service.coordinator().sessions().size());
  }
  progress.update(service.coordinator(), service.coordinator().sessions().size());
  progress.clear();
  if (interrupted) {
    fmt::print(stderr, "interrupted with {} of {} cells done; `lockstep farm resume` goes on\n",
               service.coordinator().state().recorded_count(), service.coordinator().state().jobs().size());
    return kExitInterrupted;
  }
  service.coordinator().drain();
  const uint64_t deadline_ms = farm::steady_now_ms() + kDrainMs;
  while (farm::steady_now_ms() < deadline_ms) {
    const auto& sessions = service.coordinator().sessions();
    const bool all_left = std::all_of(sessions.begin(), sessions.end(), [](const auto& s) { return s.second.leaving; });
    if (all_left && workers.exhausted()) break;
    status = service.step(20, workers.fds());
    if (!status.ok()) return complain(status.error().message);
    workers.watch(farm::steady_now_ms(), false);
  }
  return print_report(run_folder, arguments);
}

Result<std::map<std::string, std::string>> given_payloads(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> given;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) return Error{"--payload " + argument + ": write NAME=PATH"};
    given[argument.substr(0, equals)] = fs::absolute(argument.substr(equals + 1)).string();
  }
  return Result<std::map<std::string, std::string>>(std::move(given));
}

int run_new(const FarmArguments& arguments, bool embedded_workers) {
  if (Status outputs = check_outputs(arguments); !outputs.ok()) return complain(outputs.error().message);
  auto strategy = matrix::parse_strategy(arguments.strategy);
  if (!strategy) return complain("--strategy " + arguments.strategy + ": use default, all, none, each or pairwise");
  std::string matrix_path = arguments.matrix_path;
  if (matrix_path.empty()) {
    auto found = matrix::find_contract(fs::current_path().string());
    if (!found.ok()) return complain(found.message());
    matrix_path = *found;
  }
  auto contract = matrix::load_contract(matrix_path);
  if (!contract.ok()) return complain(contract.message());
  matrix::ExpandOptions expand;
  expand.strategy = *strategy;
  expand.seed = arguments.seed;
  expand.workloads = arguments.workloads;
  expand.with = arguments.with;
  auto plan = matrix::expand(*contract, expand);
  if (!plan.ok()) return complain(plan.message());
  auto given = given_payloads(arguments.payloads);
  if (!given.ok()) return complain(given.message());
  farm::RunSettings settings;
  settings.matrix_path = fs::absolute(matrix_path).string();
  settings.strategy = arguments.strategy;
  settings.keys_folder = arguments.keys.empty() ? "" : fs::absolute(arguments.keys).string();
  settings.workers =
      embedded_workers ? arguments.workers < 0 ? core_count() : static_cast<uint32_t>(arguments.workers) : 0;
  settings.notes = plan->notes;
  std::optional<farm::CurveKeys> keys;
  if (!settings.keys_folder.empty()) {
    auto read = farm::read_keys(settings.keys_folder);
    if (!read.ok()) return complain(read.message());
    keys = *read;
  }
  if (!arguments.listen.empty()) {
    Status allowed = farm::check_endpoint(arguments.listen, keys.has_value());
    if (!allowed.ok()) return complain(allowed.error().message);
  }

  const int signal_fd = block_signals();
  Progress progress;
  bool interrupted = false;
  const std::string root = fs::absolute(matrix_path).parent_path().parent_path().string();
  farm::Payloads payloads = farm::make_payloads(*contract, *plan, root, *given, !arguments.no_payloads,
                                                [&](const std::string& line, uint64_t elapsed_ms) {
                                                  progress.making(line, elapsed_ms);
                                                  interrupted = interrupted || signalled(signal_fd);
                                                  return !interrupted;
                                                });
  progress.clear();
  if (interrupted) return kExitInterrupted;
  auto jobs = farm::jobs_of(*contract, *plan, payloads);
  if (!jobs.ok()) return complain(jobs.message());

  auto state = state_folder(arguments);
  if (!state.ok()) return complain(state.message());
  auto run_folder = farm::make_run_folder(*state);
  if (!run_folder.ok()) return complain(run_folder.message());
  settings.endpoint = arguments.listen.empty() ? farm::default_endpoint(*run_folder) : arguments.listen;
  farm::CoordinatorService::Options options;
  options.run_folder = *run_folder;
  options.endpoint = settings.endpoint;
  options.keys = keys;
  options.log = [&progress](const std::string& line) { progress.line(line); };
  // A run that could not begin leaves nothing, so that `resume` and `report` keep to the one before it.
  const auto give_up = [&run_folder](const std::string& message) {
    std::error_code ignored;
    fs::remove_all(*run_folder, ignored);
    return complain(message);
  };
  auto service = farm::CoordinatorService::open(std::move(options), true);
  if (!service.ok()) return give_up(service.message());
  Status status = farm::write_settings(*run_folder, settings);
  for (farm::JobSpec& job : *jobs) {
    if (status.ok()) status = (*service)->coordinator().add_job(std::move(job));
  }
  if (status.ok()) {
    (*service)->coordinator().complete_plan();
    status = (*service)->flush();
  }
  if (status.ok()) status = farm::make_newest(*run_folder);
  if (!status.ok()) return give_up(status.error().message);
  progress.line(fmt::format("run {}: {} cells, {} skipped, state in {}", farm::run_name(*run_folder),
                            (*service)->coordinator().state().jobs().size(),
                            (*service)->coordinator().state().recorded_count(), *run_folder));
  return serve(**service, *run_folder, settings, arguments, progress, signal_fd);
}

int run_resume(const FarmArguments& arguments) {
  if (Status outputs = check_outputs(arguments); !outputs.ok()) return complain(outputs.error().message);
  auto state = state_folder(arguments);
  if (!state.ok()) return complain(state.message());
  auto run_folder = farm::find_run_folder(*state, arguments.run);
  if (!run_folder.ok()) return complain(run_folder.message());
  auto settings = farm::read_settings(*run_folder);
  if (!settings.ok()) return complain(settings.message());
  if (arguments.workers >= 0) settings->workers = static_cast<uint32_t>(arguments.workers);
  if (!arguments.listen.empty()) settings->endpoint = arguments.listen;
  if (!arguments.keys.empty()) settings->keys_folder = fs::absolute(arguments.keys).string();
  farm::CoordinatorService::Options options;
  if (!settings->keys_folder.empty()) {
    auto read = farm::read_keys(settings->keys_folder);
    if (!read.ok()) return complain(read.message());
    options.keys = *read;
  }
  const int signal_fd = block_signals();
  Progress progress;
  options.run_folder = *run_folder;
  options.endpoint = settings->endpoint;
  options.log = [&progress](const std::string& line) { progress.line(line); };
  auto service = farm::CoordinatorService::open(std::move(options), false);
  if (!service.ok()) return complain(service.message());
  const farm::FarmState& recovered = (*service)->coordinator().state();
  if (!recovered.plan_complete()) {
    return complain("run " + farm::run_name(*run_folder) +
                    " was cut short before its plan was written; start it again with `lockstep farm run`");
  }
  progress.line(fmt::format("run {} goes on in epoch {}: {} of {} cells have their result", farm::run_name(*run_folder),
                            recovered.epoch(), recovered.recorded_count(), recovered.jobs().size()));
  return serve(**service, *run_folder, *settings, arguments, progress, signal_fd);
}

int run_report(const FarmArguments& arguments) {
  if (Status outputs = check_outputs(arguments); !outputs.ok()) return complain(outputs.error().message);
  auto state = state_folder(arguments);
  if (!state.ok()) return complain(state.message());
  auto run_folder = farm::find_run_folder(*state, arguments.run);
  if (!run_folder.ok()) return complain(run_folder.message());
  return print_report(*run_folder, arguments);
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

int run_worker(const FarmArguments& arguments) {
  farm::WorkerServiceOptions options;
  options.endpoint = arguments.connect;
  options.worker.host = host_name();
  options.worker.name = arguments.name;
  if (options.worker.name.empty()) {
    options.worker.name = options.worker.host.substr(0, 40) + "-" + std::to_string(getpid());
    for (char& c : options.worker.name) c = isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' ? c : '_';
  }
  options.folder = arguments.folder.empty() ? ".lockstep/workers/" + options.worker.name : arguments.folder;
  options.folder = fs::absolute(options.folder).string();
  options.artifacts = arguments.artifacts.empty() ? "" : fs::absolute(arguments.artifacts).string();
  options.program = own_program();
  options.worker.slots = arguments.slots;
  options.worker.window = std::max(arguments.window, arguments.slots);
  options.worker.orphan_ms = arguments.orphan_s * 1000;
  options.keep_job_folders = arguments.keep_jobs;
  const std::string name = options.worker.name;
  options.log = [name](const std::string& line) { fmt::print(stderr, "worker {}: {}\n", name, line); };
  if (!arguments.keys.empty()) {
    auto keys = farm::read_keys(arguments.keys);
    if (!keys.ok()) return complain(keys.message());
    options.keys = *keys;
  }
  auto ended = farm::run_worker(std::move(options));
  if (!ended.ok()) return complain("worker " + name + ": " + ended.message());
  fmt::print(stderr, "worker {} ends: {}\n", name, *ended);
  return 0;
}

void add_plan_options(CLI::App& command, FarmArguments& arguments) {
  command.add_option("matrix", arguments.matrix_path,
                     "Feature contract (default: matrix/features.yaml of this folder or one above)");
  command
      .add_option("--strategy", arguments.strategy,
                  "How to choose feature combinations: default, all, none, each or pairwise")
      ->capture_default_str();
  command.add_option("--seed", arguments.seed, "Seed of the planner")->capture_default_str();
  // One value each, so that they do not swallow the contract's name behind them.
  command
      .add_option("--workload", arguments.workloads, "Only this workload, or family of workloads; may be given again")
      ->allow_extra_args(false);
  command.add_option("--with", arguments.with, "Hold NAME or NAME=VALUE in every cell; may be given again")
      ->allow_extra_args(false);
  command
      .add_option("--payload", arguments.payloads, "NAME=PATH: use this file for {payload:NAME}; may be given again")
      ->allow_extra_args(false);
  command.add_flag("--no-payloads", arguments.no_payloads,
                   "Run no payload recipes; cells without their files are MISS");
}

void add_serve_options(CLI::App& command, FarmArguments& arguments) {
  command.add_option("--listen", arguments.listen,
                     "Endpoint for workers: ipc://PATH or tcp://HOST:PORT (default: a socket in the run's folder)");
  command.add_option("--keys", arguments.keys, "Folder of CURVE keys, needed for any address that is not loopback");
  command.add_option("--state", arguments.state, "Folder of runs (default: .lockstep beside the contract)");
  command.add_flag("--json", arguments.json, "Print the verdict as one JSON object");
  command.add_flag("--verbose", arguments.verbose, "Show every cell and every group in the table");
  command.add_option("--junit", arguments.junit, "Also write JUnit XML to this file");
  command.add_option("--html", arguments.html, "Also write a self-contained HTML page to this file");
}

}  // namespace

void add_farm_command(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<FarmArguments>();
  CLI::App* farm = root.add_subcommand("farm", "Run feature combinations on workers and compare what they do");
  farm->require_subcommand(1);
  const std::string exit_status =
      "Exit status: 0 all cells pass or are skipped, 1 a cell or a group of cells fails, 2 bad usage or input,\n"
      "3 something could not be tried (ERROR, MISS), 130 interrupted.";
  farm->footer(
      "A first run:       lockstep farm run matrix/features.yaml\n"
      "After a crash:     lockstep farm resume\n"
      "The verdict again: lockstep farm report --html report.html\n" +
      exit_status);

  CLI::App* run =
      farm->add_subcommand("run", "Expand a contract into cells, run them on local workers, print the verdict");
  add_plan_options(*run, *arguments);
  add_serve_options(*run, *arguments);
  run->add_option("--workers", arguments->workers, "Local workers (default: one a core; 0: only those that connect)")
      ->check(CLI::Range(int64_t{0}, int64_t{farm::kMaxLocalWorkers}));
  run->footer(
      "Examples:\n"
      "  lockstep farm run                                      the default combination of each workload\n"
      "  lockstep farm run --strategy each                      each feature at each of its values\n"
      "  lockstep farm run --workload bare --with fusion=off    one family of workloads, one feature held\n"
      "  lockstep farm run --strategy pairwise --html r.html --junit r.xml\n" +
      exit_status);
  run->callback([arguments, &exit_code] { exit_code = run_new(*arguments, true); });

  CLI::App* coordinator =
      farm->add_subcommand("coordinator", "Like run, but only for workers that connect from elsewhere");
  add_plan_options(*coordinator, *arguments);
  add_serve_options(*coordinator, *arguments);
  coordinator->footer(
      "Example, in two terminals:\n"
      "  lockstep farm coordinator --listen tcp://127.0.0.1:7000\n"
      "  lockstep farm worker --connect tcp://127.0.0.1:7000 --name a --slots 2\n" +
      exit_status);
  coordinator->callback([arguments, &exit_code] { exit_code = run_new(*arguments, false); });

  CLI::App* worker = farm->add_subcommand("worker", "Serve a coordinator: take jobs, run each as a process, report");
  worker->add_option("--connect", arguments->connect, "The coordinator's endpoint")->required();
  worker->add_option("--name", arguments->name, "Name, the same at every start (default: host and process number)");
  worker->add_option("--folder", arguments->folder, "Folder for spool and jobs (default: .lockstep/workers/NAME)");
  worker->add_option("--artifacts", arguments->artifacts,
                     "Folder for logs, by their SHA-256 (default: in the worker's folder)");
  worker->add_option("--slots", arguments->slots, "Jobs to run at once")
      ->capture_default_str()
      ->check(CLI::Range(1u, farm::kMaxSlots));
  worker->add_option("--window", arguments->window, "Jobs to hold, running ones included (default: --slots)")
      ->check(CLI::Range(0u, farm::kMaxWindow));
  worker->add_option("--orphan-timeout", arguments->orphan_s, "Seconds of silence after which it gives up")
      ->capture_default_str();
  worker->add_option("--keys", arguments->keys, "Folder of CURVE keys");
  worker->add_flag("--keep-jobs", arguments->keep_jobs, "Leave each job's folder when it has ended");
  worker->footer(
      "Example:\n"
      "  lockstep farm worker --connect tcp://127.0.0.1:7000 --name a --slots 2\n"
      "It ends when the coordinator has no more work (exit status 0) or is silent for --orphan-timeout seconds (2).\n");
  worker->callback([arguments, &exit_code] { exit_code = run_worker(*arguments); });

  CLI::App* resume = farm->add_subcommand("resume", "Go on with an interrupted run; no cell is lost or counted twice");
  add_serve_options(*resume, *arguments);
  resume->add_option("--run", arguments->run, "Number of the run (default: the newest)");
  resume->add_option("--workers", arguments->workers, "Local workers (default: as the run was started)")
      ->check(CLI::Range(int64_t{0}, int64_t{farm::kMaxLocalWorkers}));
  resume->footer(
      "Examples:\n"
      "  lockstep farm resume                 the newest run of the nearest matrix/features.yaml\n"
      "  lockstep farm resume --run 3 --workers 1\n" +
      exit_status);
  resume->callback([arguments, &exit_code] { exit_code = run_resume(*arguments); });

  CLI::App* report =
      farm->add_subcommand("report", "Print the verdict table of a run; write JUnit XML or an HTML page");
  report->add_option("--state", arguments->state, "Folder of runs (default: .lockstep beside the contract)");
  report->add_option("--run", arguments->run, "Number of the run (default: the newest)");
  report->add_option("--junit", arguments->junit, "Write JUnit XML to this file");
  report->add_option("--html", arguments->html, "Write a self-contained HTML page to this file");
  report->add_flag("--json", arguments->json, "Print one JSON object instead of the table");
  report->add_flag("--verbose", arguments->verbose, "Show every cell and every group in the table");
  report->footer(
      "Examples:\n"
      "  lockstep farm report --verbose       every cell and every group of the newest run\n"
      "  lockstep farm report --run 3 --html report.html --junit report.xml\n"
      "  lockstep farm report --json | jq '.workloads[] | {name, status, agree_exactly}'\n" +
      exit_status);
  report->callback([arguments, &exit_code] { exit_code = run_report(*arguments); });

  CLI::App* keys = farm->add_subcommand("keys", "Make a folder of CURVE keys for farms across machines");
  keys->add_option("folder", arguments->keys_target, "Folder to make")->required();
  keys->footer(
      "Example:\n"
      "  lockstep farm keys keys/\n"
      "  lockstep farm coordinator --listen tcp://0.0.0.0:7000 --keys keys/\n");
  keys->callback([arguments, &exit_code] {
    Status status = farm::make_keys(arguments->keys_target);
    exit_code = status.ok() ? 0 : complain(status.error().message);
    if (status.ok()) {
      fmt::print("keys are in {}; workers' machines need all of them but coordinator.secret\n", arguments->keys_target);
    }
  });
}

}  // namespace lockstep::cli
