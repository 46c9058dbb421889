// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <vector>

#include "tests/tlm_models/bench.h"
#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"

namespace lockstep::tlm_models::testing {

// A driver's side of a virtio device: negotiation, one queue at a fixed place in RAM, requests.
struct VirtioBench : Bench {
  static constexpr uint64_t kDescriptors = kTestRamBase + 0x1000;
  static constexpr uint64_t kAvailable = kTestRamBase + 0x2000;
  static constexpr uint64_t kUsed = kTestRamBase + 0x3000;
  static constexpr uint64_t kQueueBytes = 0x4000;  // distance between the areas of two queues
  static constexpr uint32_t kQueueSize = 16;

  struct Segment {
    uint64_t address;
    uint32_t length;
    bool device_writes;
  };

  void plug(VirtioMmio& device) {
    add(device, kTestDeviceBase, VirtioMmio::kSizeBytes);
    device.dma.socket.bind(router.in);
    advance();
  }
  uint64_t get(unsigned offset) { return cpu.read(kTestDeviceBase + offset); }
  void put(unsigned offset, uint64_t value) { cpu.write(kTestDeviceBase + offset, value); }
  template <typename T>
  void poke(uint64_t address, T value) {
    cpu.write(address, value, sizeof(T));
  }
  std::span<uint8_t> bytes(uint64_t address, uint64_t length) { return memory.ram().bytes(address, length); }

  // Accepts all offered features and sets up queues 0 to queues - 1.
  void start(unsigned queues) {
    put(0x70, 0);
    put(0x70, 3);
    for (unsigned half = 0; half < 2; ++half) {
      put(0x14, half);
      const uint64_t offered = get(0x10);
      put(0x24, half);
      put(0x20, offered);
    }
    put(0x70, 11);
    EXPECT_EQ(get(0x70), 11u);
    for (unsigned queue = 0; queue < queues; ++queue) {
      put(0x30, queue);
      EXPECT_GE(get(0x34), kQueueSize);
      put(0x38, kQueueSize);
      put(0x80, kDescriptors + queue * kQueueBytes);
      put(0x90, kAvailable + queue * kQueueBytes);
      put(0xa0, kUsed + queue * kQueueBytes);
      put(0x44, 1);
    }
    put(0x70, 15);
  }

  // Writes a chain into descriptors first, first + 1, ... of a queue and makes it available.
  void submit(unsigned queue, uint16_t first, const std::vector<Segment>& segments) {
    const uint64_t base = queue * kQueueBytes;
    for (size_t i = 0; i < segments.size(); ++i) {
      const uint64_t at = kDescriptors + base + (first + i) * 16;
      const bool last = i + 1 == segments.size();
      poke<uint64_t>(at, segments[i].address);
      poke<uint32_t>(at + 8, segments[i].length);
      poke<uint16_t>(at + 12, static_cast<uint16_t>((last ? 0 : 1) | (segments[i].device_writes ? 2 : 0)));
      poke<uint16_t>(at + 14, static_cast<uint16_t>(first + i + 1));
    }
    make_available(queue, first);
  }
  void make_available(unsigned queue, uint16_t head) {
    const uint64_t base = queue * kQueueBytes;
    const auto index = static_cast<uint16_t>(cpu.read(kAvailable + base + 2, 2));
    poke<uint16_t>(kAvailable + base + 4 + index % kQueueSize * 2, head);
    poke<uint16_t>(kAvailable + base + 2, static_cast<uint16_t>(index + 1));
  }
  void notify(unsigned queue) { put(0x50, queue); }
  uint64_t used_index(unsigned queue) { return cpu.read(kUsed + queue * kQueueBytes + 2, 2); }
  // Length that the device wrote into the used entry.
  uint64_t used_length(unsigned queue, unsigned entry) {
    return cpu.read(kUsed + queue * kQueueBytes + 4 + entry * 8 + 4, 4);
  }
  bool needs_reset() { return (get(0x70) & 64) != 0; }
};

}  // namespace lockstep::tlm_models::testing
