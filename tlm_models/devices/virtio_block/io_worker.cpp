// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_block/io_worker.h"

#include <algorithm>

namespace lockstep::tlm_models {

IoWorker::IoWorker(DiskImage& image, Mode mode) : image_(image), mode_(mode) {
  if (mode == Mode::kThread) thread_ = std::thread([this] { work(); });
}

IoWorker::~IoWorker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void IoWorker::run(DiskOperation& operation) {
  switch (operation.kind) {
    case DiskOperation::Kind::kRead:
      operation.succeeded = image_.read(operation.sector, operation.data);
      break;
    case DiskOperation::Kind::kWrite:
      operation.succeeded = image_.write(operation.sector, operation.data);
      break;
    case DiskOperation::Kind::kFlush:
      operation.succeeded = image_.flush();
      break;
  }
}

void IoWorker::submit(DiskOperation& operation) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&operation);
  }
  changed_.notify_all();
}

void IoWorker::finish(const DiskOperation& operation) {
  std::unique_lock lock(mutex_);
  const auto waits = [&] { return std::find(waiting_.begin(), waiting_.end(), &operation) != waiting_.end(); };
  if (mode_ == Mode::kThread) {
    changed_.wait(lock, [&] { return !waits(); });
    return;
  }
  while (waits()) {
    run(*waiting_.front());
    waiting_.pop_front();
  }
}

void IoWorker::finish_all() {
  std::unique_lock lock(mutex_);
  if (mode_ == Mode::kThread) {
    changed_.wait(lock, [&] { return waiting_.empty(); });
    return;
  }
  for (; !waiting_.empty(); waiting_.pop_front()) run(*waiting_.front());
}

void IoWorker::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    // What was submitted is carried out even at the end: the guest may have been told that a write is on its way.
    if (waiting_.empty()) return;
    DiskOperation* operation = waiting_.front();
    lock.unlock();
    run(*operation);
    lock.lock();
    // Removed only now, so that finish() waits for the operation in progress too.
    waiting_.pop_front();
    changed_.notify_all();
  }
}

}  // namespace lockstep::tlm_models
