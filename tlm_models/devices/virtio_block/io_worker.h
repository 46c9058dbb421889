// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "tlm_models/devices/virtio_block/disk_image.h"

namespace lockstep::tlm_models {

// One disk operation and its outcome.
struct DiskOperation {
  enum class Kind : uint8_t { kRead, kWrite, kFlush };
  Kind kind = Kind::kRead;
  uint64_t sector = 0;
  std::vector<uint8_t> data;
  bool succeeded = false;
};

// Runs disk operations one after another in the order of submission, either on a thread of its own from the moment of
// submission or in the caller when the result is asked for. Both give the same results: only the host time differs.
class IoWorker {
 public:
  enum class Mode { kThread, kInCaller };

  IoWorker(DiskImage& image, Mode mode);
  ~IoWorker();
  IoWorker(const IoWorker&) = delete;
  IoWorker& operator=(const IoWorker&) = delete;

  // The operation stays alive and untouched by the caller until finish() or finish_all() has returned.
  void submit(DiskOperation& operation);
  // Returns when this operation, and all before it, are done.
  void finish(const DiskOperation& operation);
  void finish_all();

 private:
  void run(DiskOperation& operation);
  void work();

  DiskImage& image_;
  Mode mode_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<DiskOperation*> waiting_;  // bounded by the entries of the device's virtqueue
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lockstep::tlm_models
