// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace lockstep::farm {

namespace {

// What the child could not do, sent to the parent through a pipe that closes by itself when exec succeeds.
struct ChildFailure {
  int step = 0;
  int error = 0;
};
constexpr const char* kSteps[] = {"run it",         "open its standard input", "open its output files",
                                  "set its limits", "enter its folder",        "tie it to its worker"};

bool limit(int resource, uint64_t soft, uint64_t hard) {
  rlimit value{static_cast<rlim_t>(soft), static_cast<rlim_t>(hard)};
  return setrlimit(static_cast<__rlimit_resource>(resource), &value) == 0;
}

// Runs between fork and exec: only calls that are safe after a fork of a process with threads.
[[noreturn]] void become(const Process::Request& request, char* const* argv, int failure_fd, pid_t parent) {
  auto stop = [failure_fd](int step) {
    const ChildFailure failure{step, errno};
    [[maybe_unused]] ssize_t written = write(failure_fd, &failure, sizeof failure);
    _exit(127);
  };
  setpgid(0, 0);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) stop(5);
  if (getppid() != parent) _exit(127);  // the parent died before the call above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int s : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) signal(s, SIG_DFL);
  const int in = open("/dev/null", O_RDONLY);
  if (in < 0 || dup2(in, 0) < 0) stop(1);
  const int out = open(request.stdout_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int err = open(request.stderr_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) stop(2);
  const JobLimits& limits = request.limits;
  bool limited = limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_FSIZE, kMaxJobFileBytes, kMaxJobFileBytes);
  // The soft CPU limit raises SIGXCPU, which tells a used-up limit from a kill; the hard one follows for who ignores
  // it.
  if (limits.cpu_s != 0) limited = limited && limit(RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 5);
  if (limits.memory_bytes != 0) limited = limited && limit(RLIMIT_AS, limits.memory_bytes, limits.memory_bytes);
  if (!limited) stop(3);
  if (chdir(request.folder.c_str()) != 0) stop(4);
  syscall(SYS_close_range, 3, static_cast<unsigned>(failure_fd) - 1, 0);
  syscall(SYS_close_range, static_cast<unsigned>(failure_fd) + 1, ~0u, 0);
  execvp(argv[0], argv);
  stop(0);
  _exit(127);
}

}  // namespace

core::Result<Process> Process::start(const Request& request, uint64_t now_ms) {
  if (request.argv.empty()) return core::Error{"the job has no program to run"};
  std::vector<char*> argv;
  for (const std::string& arg : request.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  int failure_pipe[2];
  if (pipe2(failure_pipe, O_CLOEXEC) != 0) return core::Error{std::string("cannot make a pipe: ") + strerror(errno)};
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(request, argv.data(), failure_pipe[1], parent);
  close(failure_pipe[1]);
  if (pid < 0) {
    close(failure_pipe[0]);
    return core::Error{std::string("cannot start a process: ") + strerror(errno)};
  }
  setpgid(pid, pid);  // whoever of the two comes first
  ChildFailure failure;
  ssize_t got = 0;
  do {
    got = read(failure_pipe[0], &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  close(failure_pipe[0]);
  if (got == sizeof failure) {
    waitpid(pid, nullptr, 0);
    return core::Error{request.argv[0] + ": cannot " + kSteps[failure.step] + ": " + strerror(failure.error)};
  }
  Process process;
  process.pid_ = pid;
  process.pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process.pidfd_ < 0) {
    return core::Error{std::string("this kernel has no pidfd_open (Linux 5.3 or later is needed): ") + strerror(errno)};
  }
  process.started_ms_ = now_ms;
  if (request.limits.wall_ms != 0) process.deadline_ms_ = now_ms + request.limits.wall_ms;
  return core::Result<Process>(std::move(process));
}

Process::Process(Process&& other) noexcept { *this = std::move(other); }

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(started_ms_, other.started_ms_);
  std::swap(deadline_ms_, other.deadline_ms_);
  std::swap(wall_limit_hit_, other.wall_limit_hit_);
  return *this;
}

Process::~Process() {
  if (pid_ > 0) {
    kill();
    waitpid(pid_, nullptr, 0);
  }
  if (pidfd_ >= 0) close(pidfd_);
}

void Process::kill() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

void Process::on_time(uint64_t now_ms) {
  if (pid_ <= 0 || wall_limit_hit_ || now_ms < deadline_ms_) return;
  wall_limit_hit_ = true;
  kill();
}

ProcessOutcome Process::reap(uint64_t now_ms) {
  ProcessOutcome outcome;
  // The group's number stays taken until its leader is reaped, so this kill cannot reach a stranger.
  kill();
  int status = 0;
  rusage usage{};
  while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.wall_limit_hit = wall_limit_hit_;
  outcome.wall_ms = now_ms - started_ms_;
  outcome.cpu_ms = static_cast<uint64_t>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                   static_cast<uint64_t>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  outcome.peak_rss_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  return outcome;
}

}  // namespace lockstep::farm
