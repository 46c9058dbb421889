// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>

#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"

namespace lockstep::tlm_models {

// Console with one port (Virtual I/O Device 1.2, section 5.3): Linux calls it hvc0.
class VirtioConsole : public VirtioMmio {
 public:
  // Input that the driver has not taken yet; more is dropped.
  static constexpr size_t kMaxInputBytes = 4096;

  using ByteSink = std::function<void(uint8_t byte)>;

  VirtioConsole(sc_core::sc_module_name name, ByteSink transmit);

  size_t receive_space() const { return kMaxInputBytes - input_.size(); }
  void receive(uint8_t byte);

 protected:
  void queue_notified(unsigned queue, uint64_t now_ns) override;
  void device_reset() override;
  void save_device(SnapshotSection& section) override;
  void restore_device(StateReader& reader) override;

 private:
  void transmit_all();
  void deliver_input();

  ByteSink transmit_;
  std::deque<uint8_t> input_;
};

}  // namespace lockstep::tlm_models
