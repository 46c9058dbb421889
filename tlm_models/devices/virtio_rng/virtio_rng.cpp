// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_rng/virtio_rng.h"

#include <algorithm>

namespace lockstep::tlm_models {
namespace {

// One request is answered with at most this much; the driver asks again for more.
constexpr uint64_t kMaxRequestBytes = 64 * 1024;

}  // namespace

VirtioRng::VirtioRng(sc_core::sc_module_name name, uint64_t seed)
    : VirtioMmio(name, {.device_id = 4, .features = 0, .queues = 1}), state_(seed) {}

uint64_t VirtioRng::next() {
  // SplitMix64: a counter through a mixing function, so the state is one word.
  state_ += 0x9e3779b97f4a7c15;
  uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

void VirtioRng::queue_notified(unsigned queue, uint64_t) {
  VirtioChain chain;
  while (pop(queue, chain)) {
    std::vector<uint8_t> bytes(std::min(chain.writable_bytes(), kMaxRequestBytes));
    uint64_t word = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i % 8 == 0) word = next();
      bytes[i] = static_cast<uint8_t>(word >> (i % 8 * 8));
    }
    if (!scatter(dma, chain, 0, bytes)) {
      set_broken();
      return;
    }
    push(queue, chain, static_cast<uint32_t>(bytes.size()));
  }
}

void VirtioRng::save_device(SnapshotSection& section) { section.put("random_state", state_); }
void VirtioRng::restore_device(StateReader& reader) { reader.get("random_state", state_); }

}  // namespace lockstep::tlm_models
