// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "farm/job.h"
#include "farm/worker/outcome.h"

namespace lockstep::farm {

constexpr uint64_t kMaxJobFileBytes = uint64_t{4}
                                      << 30;  // one file a job writes; a runaway log ends its job, not the disk

// A child process in a process group of its own, with limits and with its output in files. It dies with the thread that
// started it. Linux only (pidfd, PR_SET_PDEATHSIG).
class Process {
 public:
  struct Request {
    std::vector<std::string> argv;  // argv[0] is a path, or a name that PATH finds
    std::string folder;             // its working folder
    std::string stdout_path;
    std::string stderr_path;
    JobLimits limits;
  };

  static core::Result<Process> start(const Request& request, uint64_t now_ms);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // kills the group and waits

  int fd() const { return pidfd_; }  // readable when the process has ended
  pid_t pid() const { return pid_; }
  uint64_t deadline_ms() const { return deadline_ms_; }  // UINT64_MAX without a wall limit
  // Kills the whole group.
  void kill();
  // Kills at the wall limit.
  void on_time(uint64_t now_ms);
  // How it ended; call when fd() is readable. What is left of its group is killed.
  ProcessOutcome reap(uint64_t now_ms);

 private:
  Process() = default;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  uint64_t started_ms_ = 0;
  uint64_t deadline_ms_ = UINT64_MAX;
  bool wall_limit_hit_ = false;
};

}  // namespace lockstep::farm
