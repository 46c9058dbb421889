// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_net/virtio_net.h"

#include <algorithm>

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kFeatureMac = uint64_t{1} << 5;
constexpr uint64_t kFeatureStatus = uint64_t{1} << 16;

constexpr unsigned kReceiveQueue = 0;
constexpr unsigned kTransmitQueue = 1;
// struct virtio_net_hdr of version 1 devices; all zero here apart from num_buffers.
constexpr size_t kHeaderBytes = 12;
constexpr size_t kBufferCountAt = 10;
constexpr uint8_t kLinkUp = 1;

}  // namespace

VirtioNet::VirtioNet(sc_core::sc_module_name name, TimerQueue& timers, const MacAddress& mac)
    : VirtioMmio(name, {.device_id = 1, .features = kFeatureMac | kFeatureStatus, .queues = 2}),
      timers_(timers),
      timer_(timers.add([this](uint64_t) { deliver(); })) {
  std::copy(mac.begin(), mac.end(), config_.begin());
  config_[6] = kLinkUp;
}

std::span<const uint8_t> VirtioNet::config() const { return config_; }

void VirtioNet::queue_notified(unsigned queue, uint64_t now_ns) {
  if (queue == kTransmitQueue) transmit_all(now_ns);
  if (queue == kReceiveQueue && network_.has_frame() && timers_.deadline_ns(timer_) == kNever) deliver();
}

void VirtioNet::transmit_all(uint64_t now_ns) {
  VirtioChain chain;
  while (pop(kTransmitQueue, chain)) {
    const uint64_t total = chain.readable_bytes();
    if (total > kHeaderBytes && total - kHeaderBytes <= UserNetwork::kMaxFrameBytes) {
      std::vector<uint8_t> frame(total - kHeaderBytes);
      if (!gather(dma, chain, kHeaderBytes, frame)) {
        set_broken();
        return;
      }
      network_.send(frame, now_ns);
    }
    push(kTransmitQueue, chain, 0);
  }
  if (network_.has_frame() && timers_.deadline_ns(timer_) == kNever) timers_.arm(timer_, now_ns + kLatencyNs);
}

void VirtioNet::deliver() {
  VirtioChain chain;
  while (network_.has_frame() && pop(kReceiveQueue, chain)) {
    std::vector<uint8_t> packet(kHeaderBytes, 0);
    packet[kBufferCountAt] = 1;
    packet.insert(packet.end(), network_.front().begin(), network_.front().end());
    network_.pop_front();
    const auto space = chain.writable_bytes();
    // A frame that does not fit its buffer is lost; the buffer goes back unused.
    const bool fits = packet.size() <= space;
    if (fits && !scatter(dma, chain, 0, packet)) {
      set_broken();
      return;
    }
    push(kReceiveQueue, chain, fits ? static_cast<uint32_t>(packet.size()) : 0);
  }
}

void VirtioNet::device_reset() {
  timers_.cancel(timer_);
  network_.drop_frames();
}

void VirtioNet::save_device(SnapshotSection& section) {
  section.put("deadline_ns", timers_.deadline_ns(timer_));
  network_.save(section);
}

void VirtioNet::restore_device(StateReader& reader) {
  const uint64_t deadline_ns = reader.word("deadline_ns");
  network_.restore(reader);
  if (reader.ok()) timers_.arm(timer_, deadline_ns);
}

}  // namespace lockstep::tlm_models
