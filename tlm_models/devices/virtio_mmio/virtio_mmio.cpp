// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"

#include <bit>
#include <cstring>

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kMagic = 0x74726976;   // "virt"
constexpr uint64_t kVendor = 0x4b434f4c;  // "LOCK"
constexpr uint64_t kConfigOffset = 0x100;

constexpr uint64_t kStatusDriverOk = 4;
constexpr uint64_t kStatusFeaturesOk = 8;
constexpr uint64_t kStatusNeedsReset = 64;

constexpr uint64_t kInterruptUsed = 1;
constexpr uint64_t kInterruptConfig = 2;

uint64_t with_low(uint64_t value, uint64_t low) { return (value & ~uint64_t{0xffffffff}) | (low & 0xffffffff); }
uint64_t with_high(uint64_t value, uint64_t high) { return (value & 0xffffffff) | (high << 32); }

}  // namespace

VirtioMmio::VirtioMmio(sc_core::sc_module_name name, const VirtioIdentity& identity)
    : Device(name, {1, 8}), dma("dma"), identity_(identity), queues_(identity.queues) {
  add_registers();
  add_queue_registers();
}

uint64_t VirtioMmio::offered() const { return identity_.features | kFeatureVersion1 | kFeatureIndirect; }

void VirtioMmio::add_registers() {
  registers_.add({.offset = 0x000, .name = "MagicValue", .reset = kMagic, .write_mask = 0, .doc = "\"virt\""});
  registers_.add({.offset = 0x004, .name = "Version", .reset = 2, .write_mask = 0, .doc = "2: not legacy"});
  registers_.add({.offset = 0x008,
                  .name = "DeviceID",
                  .reset = identity_.device_id,
                  .write_mask = 0,
                  .doc = "0: the slot is empty"});
  registers_.add({.offset = 0x00c, .name = "VendorID", .reset = kVendor, .write_mask = 0, .doc = "\"LOCK\""});
  registers_.add({.offset = 0x010,
                  .name = "DeviceFeatures",
                  .write_mask = 0,
                  .doc = "32 of the offered features",
                  .on_read = [this](unsigned, uint64_t, uint64_t) {
                    const uint64_t select = registers_.get(device_features_select_);
                    if (identity_.device_id == 0 || select > 1) return uint64_t{0};
                    return (offered() >> (select * 32)) & 0xffffffff;
                  }});
  device_features_select_ = registers_.add(
      {.offset = 0x014, .name = "DeviceFeaturesSel", .read_mask = 0, .doc = "which 32 features to show"});
  registers_.add({.offset = 0x020,
                  .name = "DriverFeatures",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "32 of the features that the driver accepts, before FEATURES_OK",
                  .on_write = [this](unsigned, uint64_t value, uint64_t) {
                    const uint64_t select = registers_.get(driver_features_select_);
                    if (registers_.test(status_, kStatusFeaturesOk)) return;
                    // No feature beyond the first 64 is offered, so accepting one is a mistake that stays.
                    if (select > 1 && value != 0) registers_.set(unknown_features_, 1);
                    if (select == 0) driver_features_ = with_low(driver_features_, value);
                    if (select == 1) driver_features_ = with_high(driver_features_, value);
                  }});
  unknown_features_ = registers_.add(
      {.offset = kNoAddress, .name = "UNKNOWN_FEATURES", .doc = "1: the driver accepted a feature beyond bit 63"});
  driver_features_select_ = registers_.add(
      {.offset = 0x024, .name = "DriverFeaturesSel", .read_mask = 0, .doc = "which 32 features to accept"});
  interrupt_status_ = registers_.add({.offset = 0x060,
                                      .name = "InterruptStatus",
                                      .write_mask = 0,
                                      .doc = "bit 0: used buffer, bit 1: configuration change"});
  registers_.add({.offset = 0x064,
                  .name = "InterruptACK",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "clears the bits written as 1 in InterruptStatus",
                  .on_write = [this](unsigned, uint64_t value, uint64_t) {
                    registers_.set(interrupt_status_, registers_.get(interrupt_status_) & ~value);
                    irq.set(registers_.get(interrupt_status_) != 0);
                  }});
  status_ = registers_.add({.offset = 0x070,
                            .name = "Status",
                            .write_mask = 0,
                            .doc = "device status; writing 0 resets",
                            .on_write = [this](unsigned, uint64_t value, uint64_t) { write_status(value); }});
  registers_.add({.offset = 0x0ac, .name = "SHMSel", .read_mask = 0, .doc = "no shared memory exists"});
  for (const uint64_t offset : {0x0b0, 0x0b4, 0x0b8, 0x0bc}) {
    registers_.add({.offset = offset,
                    .name = offset == 0x0b0   ? "SHMLenLow"
                            : offset == 0x0b4 ? "SHMLenHigh"
                            : offset == 0x0b8 ? "SHMBaseLow"
                                              : "SHMBaseHigh",
                    .reset = 0xffffffff,
                    .write_mask = 0,
                    .doc = "all ones: no such region"});
  }
  registers_.add({.offset = 0x0fc,
                  .name = "ConfigGeneration",
                  .write_mask = 0,
                  .doc = "changes with the configuration space, which is constant here"});
}

void VirtioMmio::add_queue_registers() {
  queue_select_ = registers_.add(
      {.offset = 0x030, .name = "QueueSel", .read_mask = 0, .doc = "the queue that the queue registers mean"});
  registers_.add({.offset = 0x034,
                  .name = "QueueNumMax",
                  .write_mask = 0,
                  .doc = "0: the selected queue does not exist",
                  .on_read = [this](unsigned, uint64_t, uint64_t) -> uint64_t {
                    return selected() != nullptr ? identity_.queue_size_max : 0;
                  }});
  registers_.add({.offset = 0x038,
                  .name = "QueueNum",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "entries of the selected queue",
                  .on_write = [this](unsigned, uint64_t value, uint64_t) {
                    Virtqueue* queue = selected();
                    if (queue == nullptr || queue->ready) return;
                    // A size that no split queue has makes the queue unusable instead of quietly another size.
                    const bool fits = value <= identity_.queue_size_max && std::has_single_bit(value);
                    queue->size = fits ? static_cast<uint32_t>(value) : 0;
                  }});
  registers_.add({.offset = 0x044,
                  .name = "QueueReady",
                  .write_mask = 0,
                  .doc = "1: the selected queue may be used",
                  .on_read = [this](unsigned, uint64_t, uint64_t) -> uint64_t {
                    return selected() != nullptr && selected()->ready ? 1 : 0;
                  },
                  .on_write =
                      [this](unsigned, uint64_t value, uint64_t) {
                        Virtqueue* queue = selected();
                        if (queue != nullptr) queue->ready = (value & 1) != 0;
                      }});
  registers_.add({.offset = 0x050,
                  .name = "QueueNotify",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "new buffers are in the queue of this number",
                  .on_write = [this](unsigned, uint64_t value, uint64_t now_ns) { notify(value, now_ns); }});
  struct Half {
    uint64_t offset;
    const char* name;
    uint64_t Virtqueue::*member;
    bool high;
  };
  static constexpr Half kHalves[] = {
      {0x080, "QueueDescLow", &Virtqueue::descriptors, false},
      {0x084, "QueueDescHigh", &Virtqueue::descriptors, true},
      {0x090, "QueueDriverLow", &Virtqueue::driver_area, false},
      {0x094, "QueueDriverHigh", &Virtqueue::driver_area, true},
      {0x0a0, "QueueDeviceLow", &Virtqueue::device_area, false},
      {0x0a4, "QueueDeviceHigh", &Virtqueue::device_area, true},
  };
  for (const Half& half : kHalves) {
    registers_.add({.offset = half.offset,
                    .name = half.name,
                    .read_mask = 0,
                    .write_mask = 0,
                    .doc = "address of a part of the selected queue",
                    .on_write = [this, half](unsigned, uint64_t value, uint64_t) {
                      Virtqueue* queue = selected();
                      if (queue == nullptr || queue->ready) return;
                      uint64_t& address = queue->*half.member;
                      address = half.high ? with_high(address, value) : with_low(address, value);
                    }});
  }
}

Virtqueue* VirtioMmio::selected() {
  const uint64_t number = registers_.get(queue_select_);
  return number < queues_.size() ? &queues_[number] : nullptr;
}

void VirtioMmio::write_status(uint64_t value) {
  value &= 0xff;
  if (value == 0) {
    reset();
    return;
  }
  if (identity_.device_id == 0) return;
  // FEATURES_OK sticks only when the driver accepted a subset of what is offered, version 1 included.
  const bool acceptable = (driver_features_ & ~offered()) == 0 && (driver_features_ & kFeatureVersion1) != 0 &&
                          !registers_.test(unknown_features_, 1);
  if ((value & kStatusFeaturesOk) != 0 && !acceptable) value &= ~kStatusFeaturesOk;
  registers_.set(status_, (value & ~kStatusNeedsReset) | (registers_.get(status_) & kStatusNeedsReset));
}

bool VirtioMmio::needs_reset() const { return registers_.test(status_, kStatusNeedsReset); }

bool VirtioMmio::running() const {
  return (registers_.get(status_) & (kStatusDriverOk | kStatusFeaturesOk | kStatusNeedsReset)) ==
         (kStatusDriverOk | kStatusFeaturesOk);
}

void VirtioMmio::notify(uint64_t queue, uint64_t now_ns) {
  if (queue < queues_.size() && queues_[queue].ready && running()) {
    queue_notified(static_cast<unsigned>(queue), now_ns);
  }
}

bool VirtioMmio::pop(unsigned queue, VirtioChain& chain) {
  if (!running()) return false;
  switch (queues_[queue].pop(dma, chain, negotiated(kFeatureIndirect))) {
    case Virtqueue::Pop::kChain:
      return true;
    case Virtqueue::Pop::kEmpty:
      return false;
    case Virtqueue::Pop::kBroken:
      set_broken();
      return false;
  }
  return false;
}

void VirtioMmio::push(unsigned queue, const VirtioChain& chain, uint32_t written_bytes) {
  push(queue, chain.head, written_bytes);
}

void VirtioMmio::push(unsigned queue, uint16_t head, uint32_t written_bytes) {
  if (!running()) return;
  if (!queues_[queue].push(dma, head, written_bytes)) {
    set_broken();
    return;
  }
  if (queues_[queue].wants_interrupt(dma)) set_interrupt(kInterruptUsed);
}

void VirtioMmio::set_broken() {
  registers_.set(status_, registers_.get(status_) | kStatusNeedsReset);
  if (registers_.test(status_, kStatusDriverOk)) set_interrupt(kInterruptConfig);
}

void VirtioMmio::set_interrupt(uint64_t bits) {
  registers_.set(interrupt_status_, registers_.get(interrupt_status_) | bits);
  irq.set(true);
}

bool VirtioMmio::read_other(uint64_t offset, unsigned size_bytes, uint64_t, uint64_t& value) {
  value = 0;
  if (offset < kConfigOffset) return true;
  const auto bytes = config();
  const uint64_t at = offset - kConfigOffset;
  for (unsigned i = 0; i < size_bytes; ++i) {
    if (at + i < bytes.size()) value |= uint64_t{bytes[at + i]} << (i * 8);
  }
  return true;
}

bool VirtioMmio::write_other(uint64_t, unsigned, uint64_t, uint64_t) { return true; }

void VirtioMmio::queue_notified(unsigned, uint64_t) {}
void VirtioMmio::device_reset() {}
std::span<const uint8_t> VirtioMmio::config() const { return {}; }
void VirtioMmio::save_device(SnapshotSection&) {}
void VirtioMmio::restore_device(StateReader&) {}

void VirtioMmio::reset() {
  Device::reset();
  driver_features_ = 0;
  for (Virtqueue& queue : queues_) queue.reset();
  irq.set(false);
  device_reset();
}

void VirtioMmio::save(SnapshotSection& section) {
  Device::save(section);
  section.put("driver_features", driver_features_);
  for (size_t i = 0; i < queues_.size(); ++i) queues_[i].save(section, "queue" + std::to_string(i));
  save_device(section);
}

void VirtioMmio::restore_extra(StateReader& reader) {
  reader.get("driver_features", driver_features_);
  for (size_t i = 0; i < queues_.size(); ++i) queues_[i].restore(reader, "queue" + std::to_string(i));
  irq.restore(registers_.get(interrupt_status_) != 0);
  if (reader.ok()) restore_device(reader);
}

}  // namespace lockstep::tlm_models
