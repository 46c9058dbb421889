// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"
#include "tlm_models/devices/virtio_net/user_network.h"
#include "tlm_models/kernel/timer_queue.h"

namespace lockstep::tlm_models {

// Network card (Virtual I/O Device 1.2, section 5.1) on a UserNetwork. Answers reach the guest a fixed virtual time
// after the frame that caused them.
class VirtioNet : public VirtioMmio {
 public:
  static constexpr uint64_t kLatencyNs = 50'000;

  using MacAddress = std::array<uint8_t, 6>;

  VirtioNet(sc_core::sc_module_name name, TimerQueue& timers, const MacAddress& mac);

 protected:
  void queue_notified(unsigned queue, uint64_t now_ns) override;
  void device_reset() override;
  std::span<const uint8_t> config() const override;
  void save_device(SnapshotSection& section) override;
  void restore_device(StateReader& reader) override;

 private:
  void transmit_all(uint64_t now_ns);
  void deliver();

  TimerQueue& timers_;
  TimerId timer_;
  std::array<uint8_t, 8> config_{};
  UserNetwork network_;
};

}  // namespace lockstep::tlm_models
