// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "tlm_models/devices/virtio_mmio/virtqueue.h"
#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/dma_port.h"
#include "tlm_models/kernel/irq_line.h"

namespace lockstep::tlm_models {

// What a virtio device declares to its transport.
struct VirtioIdentity {
  uint32_t device_id = 0;  // Virtual I/O Device 1.2, section 5; 0: nothing is plugged in
  uint64_t features = 0;   // device-specific bits; the transport adds its own
  unsigned queues = 0;
  uint32_t queue_size_max = 256;
};

// Virtio over MMIO, register layout version 2 (Virtual I/O Device 1.2, section 4.2). Devices derive from it; the class
// itself is an empty slot. A driver that breaks a ring gets DEVICE_NEEDS_RESET and no further service until it resets.
class VirtioMmio : public Device {
 public:
  static constexpr uint64_t kSizeBytes = 0x1000;
  static constexpr uint64_t kFeatureIndirect = uint64_t{1} << 28;
  static constexpr uint64_t kFeatureVersion1 = uint64_t{1} << 32;

  DmaPort dma;
  IrqLine irq;

  explicit VirtioMmio(sc_core::sc_module_name name, const VirtioIdentity& identity = {});

  void reset() override;
  void save(SnapshotSection& section) override;

  bool needs_reset() const;

 protected:
  void restore_extra(StateReader& reader) override;
  bool read_other(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t& value) override;
  bool write_other(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t value) override;

  // The driver rang the doorbell of a queue that is ready; `now_ns` is the guest's local time.
  virtual void queue_notified(unsigned queue, uint64_t now_ns);
  // The driver reset the device: forget all requests.
  virtual void device_reset();
  // Device configuration space as the driver reads it; read-only.
  virtual std::span<const uint8_t> config() const;
  virtual void save_device(SnapshotSection& section);
  virtual void restore_device(StateReader& reader);

  // True when the driver finished negotiation and nothing is broken.
  bool running() const;
  bool negotiated(uint64_t features) const { return (driver_features_ & features) == features; }
  // The next request of a queue; false when there is none or the ring is broken.
  bool pop(unsigned queue, VirtioChain& chain);
  // Returns a request to the driver and interrupts it where it wants that.
  void push(unsigned queue, const VirtioChain& chain, uint32_t written_bytes);
  void push(unsigned queue, uint16_t head, uint32_t written_bytes);
  // The driver or its ring cannot be trusted any more.
  void set_broken();

 private:
  Virtqueue* selected();
  void add_registers();
  void add_queue_registers();
  void write_status(uint64_t value);
  void notify(uint64_t queue, uint64_t now_ns);
  void set_interrupt(uint64_t bits);
  uint64_t offered() const;

  VirtioIdentity identity_;
  uint64_t driver_features_ = 0;
  std::vector<Virtqueue> queues_;
  RegisterId status_, queue_select_, device_features_select_, driver_features_select_, unknown_features_;
  RegisterId interrupt_status_;
};

}  // namespace lockstep::tlm_models
