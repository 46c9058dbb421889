// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <memory>

#include "tlm_models/devices/virtio_block/disk_image.h"
#include "tlm_models/devices/virtio_block/io_worker.h"
#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"
#include "tlm_models/kernel/timer_queue.h"

namespace lockstep::tlm_models {

// Block device (Virtual I/O Device 1.2, section 5.2) on a raw image: read, write, flush, get id. When a request is
// taken, its data to write is copied and the virtual time of its completion is fixed; guest memory is touched and the
// interrupt comes only then, so a run does not depend on the speed of the host's disk.
class VirtioBlock : public VirtioMmio {
 public:
  // Virtual time of a request: a fixed part, and one nanosecond a byte.
  static constexpr uint64_t kLatencyNs = 100'000;
  // Requests are taken from the ring while fewer bytes than this are in flight: the rest waits there. The ring alone
  // would let a guest hold gigabytes of host memory.
  static constexpr uint64_t kMaxBytesInFlight = uint64_t{128} << 20;

  VirtioBlock(sc_core::sc_module_name name, TimerQueue& timers, std::unique_ptr<DiskImage> image, IoWorker::Mode mode,
              const std::string& serial);
  ~VirtioBlock() override;

 protected:
  void queue_notified(unsigned queue, uint64_t now_ns) override;
  void device_reset() override;
  std::span<const uint8_t> config() const override;
  void save_device(SnapshotSection& section) override;
  void restore_device(StateReader& reader) override;

 private:
  struct Request {
    VirtioChain chain;
    DiskOperation operation;
    bool on_disk = false;  // `operation` was given to the worker
    bool answers = false;  // `answer` goes to the guest ahead of the status byte
    uint8_t status = 0;
    std::vector<uint8_t> answer;
    uint64_t deadline_ns = 0;
    uint64_t bytes() const { return chain.readable_bytes() + chain.writable_bytes(); }
  };

  bool take(Request& request);
  void take_requests(uint64_t now_ns);
  void complete_due(uint64_t now_ns);
  void complete(Request& request);
  void arm();
  void save_request(SnapshotSection& section, const Request& request, const std::string& prefix) const;
  bool restore_request(StateReader& reader, Request& request, const std::string& prefix);

  TimerQueue& timers_;
  TimerId timer_;
  std::unique_ptr<DiskImage> image_;
  std::array<uint8_t, 24> config_{};
  std::array<uint8_t, 20> serial_{};
  // In the order of submission, which is the order of deadlines. Addresses stay valid: the worker holds some.
  std::deque<std::unique_ptr<Request>> requests_;
  uint64_t bytes_in_flight_ = 0;
  uint64_t last_deadline_ns_ = 0;
  IoWorker worker_;  // destroyed first: its thread uses the requests and the image
};

}  // namespace lockstep::tlm_models
