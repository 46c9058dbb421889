// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace lockstep::jit {

// Threads that translate regions beside the guest: a budget for the whole process, shared by the engines of all harts.
class CompilePool {
 public:
  // Tasks that may wait; more are refused. Enough that no thread runs dry; a region that waits long is one of what was
  // hot then, and the guest forms more that overlap it meanwhile.
  static constexpr size_t kMaxWaiting = 4;

  explicit CompilePool(unsigned threads);
  CompilePool(const CompilePool&) = delete;
  CompilePool& operator=(const CompilePool&) = delete;
  // Tasks that have not begun are dropped.
  ~CompilePool();

  // The pool of the process, made at the first call with so many threads (at least 1).
  static std::shared_ptr<CompilePool> shared(unsigned threads);

  // Whether a task would be taken now.
  bool has_room() const;
  // Runs the task on one of the threads. False: too many wait already.
  bool submit(std::function<void()> task);

 private:
  void work();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::jit
