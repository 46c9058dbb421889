// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_console/virtio_console.h"

#include <algorithm>

namespace lockstep::tlm_models {
namespace {

constexpr unsigned kReceiveQueue = 0;
constexpr unsigned kTransmitQueue = 1;
// Output is copied in pieces of this size, whatever the guest's buffers are.
constexpr uint64_t kPieceBytes = 4096;
// One chain of output; drivers send at most tens of KiB. Bounds the work of one doorbell.
constexpr uint64_t kMaxOutputBytes = uint64_t{1} << 20;

}  // namespace

VirtioConsole::VirtioConsole(sc_core::sc_module_name name, ByteSink transmit)
    : VirtioMmio(name, {.device_id = 3, .features = 0, .queues = 2}), transmit_(std::move(transmit)) {}

void VirtioConsole::receive(uint8_t byte) {
  if (input_.size() >= kMaxInputBytes) return;
  input_.push_back(byte);
  deliver_input();
}

void VirtioConsole::queue_notified(unsigned queue, uint64_t) {
  if (queue == kTransmitQueue) transmit_all();
  if (queue == kReceiveQueue) deliver_input();
}

void VirtioConsole::transmit_all() {
  VirtioChain chain;
  while (pop(kTransmitQueue, chain)) {
    const uint64_t total = chain.readable_bytes();
    if (total > kMaxOutputBytes) {
      set_broken();
      return;
    }
    uint8_t piece[kPieceBytes];
    for (uint64_t done = 0; done < total;) {
      const uint64_t length = std::min(total - done, kPieceBytes);
      if (!gather(dma, chain, done, {piece, length})) {
        set_broken();
        return;
      }
      for (uint64_t i = 0; i < length; ++i) transmit_(piece[i]);
      done += length;
    }
    push(kTransmitQueue, chain, 0);
  }
}

void VirtioConsole::deliver_input() {
  VirtioChain chain;
  while (!input_.empty() && pop(kReceiveQueue, chain)) {
    const size_t length = std::min<uint64_t>(input_.size(), chain.writable_bytes());
    const std::vector<uint8_t> bytes(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(length));
    if (!scatter(dma, chain, 0, bytes)) {
      set_broken();
      return;
    }
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(length));
    push(kReceiveQueue, chain, static_cast<uint32_t>(length));
  }
}

void VirtioConsole::device_reset() { input_.clear(); }

void VirtioConsole::save_device(SnapshotSection& section) {
  section.put_bytes("input", std::vector<uint8_t>(input_.begin(), input_.end()));
}

void VirtioConsole::restore_device(StateReader& reader) {
  const auto bytes = reader.bytes("input", kMaxInputBytes);
  input_.assign(bytes.begin(), bytes.end());
}

}  // namespace lockstep::tlm_models
