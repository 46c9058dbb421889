// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "farm/worker/process.h"

namespace lockstep::farm {

constexpr uint32_t kMaxLocalWorkers = 1'024;
constexpr uint32_t kMaxRestarts = 20;  // of one local worker; more deaths than that are not bad luck

// Worker processes of this machine, ended with their coordinator. One that dies is started again under its name, so
// that its incarnation tells the coordinator at once which attempts died with it.
class LocalWorkers {
 public:
  struct Options {
    std::string program;  // the lockstep program
    std::string endpoint;
    std::string run_folder;
    std::string keys_folder;
    uint32_t count = 1;
    std::function<void(const std::string&)> log;
  };
  explicit LocalWorkers(Options options);

  core::Status start(uint64_t now_ms);
  // File descriptors that become readable when a worker ends.
  std::vector<int> fds() const;
  // Takes note of workers that ended. `restart` false: they are meant to end.
  void watch(uint64_t now_ms, bool restart);
  size_t alive_count() const;
  // True when no worker is left and none will be started.
  bool exhausted() const { return alive_count() == 0; }
  std::string log_path(uint32_t index) const;

 private:
  core::Status start_one(uint32_t index, uint64_t now_ms);
  Options options_;
  std::vector<std::optional<Process>> processes_;
  std::vector<uint32_t> restarts_;
};

}  // namespace lockstep::farm
