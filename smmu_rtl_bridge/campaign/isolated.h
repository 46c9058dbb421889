// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace lockstep::smmu_rtl_bridge {

enum class ProcessEnd : uint8_t { kDone, kCrash, kHang };

struct IsolatedResult {
  ProcessEnd end = ProcessEnd::kDone;
  int signal = 0;    // of a crash
  std::string text;  // what the body returned, as far as it came
};

// How long nothing was heard of another process. It has to be asked every kStepMs; where it was not for much longer,
// this process was stopped or the machine slept, which counts as a few steps, however long it was.
class Silence {
 public:
  static constexpr int kStepMs = 250;

  void heard() {
    asked_ = Clock::now();
    silent_ms_ = 0;
  }
  uint64_t ms();

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point asked_ = Clock::now();
  uint64_t silent_ms_ = 0;
};

// Runs the body in a process of its own, so that a device under test that crashes or never returns takes nothing with
// it. A process without sign of life for the given time is killed.
IsolatedResult run_isolated(const std::function<std::string()>& body, uint64_t silence_ms);

// A process that tells its lines one by one, and many of them at once.
class Worker {
 public:
  // `body` gets the descriptor to write to.
  explicit Worker(const std::function<void(int)>& body);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int descriptor() const { return descriptor_; }
  // Takes what has come; false when the process has closed its end.
  bool receive();
  // The next whole line, without its end; false: there is none yet.
  bool next_line(std::string& line);
  const std::string& rest() const { return buffer_; }
  void kill();
  // After the end: the signal that ended it, or 0.
  int wait();

 private:
  int descriptor_ = -1;
  int process_ = -1;
  std::string buffer_;
};

}  // namespace lockstep::smmu_rtl_bridge
