// SPDX-License-Identifier: Apache-2.0
#include "jit/compile_pool.h"

#include <utility>

namespace lockstep::jit {

CompilePool::CompilePool(unsigned threads) {
  for (unsigned k = 0; k < threads; ++k) threads_.emplace_back([this] { work(); });
}

CompilePool::~CompilePool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::shared_ptr<CompilePool> CompilePool::shared(unsigned threads) {
  static std::mutex mutex;
  static std::weak_ptr<CompilePool> pool;
  const std::lock_guard lock(mutex);
  std::shared_ptr<CompilePool> existing = pool.lock();
  if (existing == nullptr) pool = existing = std::make_shared<CompilePool>(threads);
  return existing;
}

bool CompilePool::has_room() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() < kMaxWaiting;
}

bool CompilePool::submit(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMaxWaiting) return false;
    waiting_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void CompilePool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::function<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace lockstep::jit
