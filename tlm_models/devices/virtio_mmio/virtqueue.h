// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tlm_models/kernel/dma_port.h"
#include "tlm_models/kernel/state_reader.h"

namespace lockstep::tlm_models {

// One buffer of a descriptor chain, in guest physical memory. Checked only when it is used.
struct VirtioSegment {
  uint64_t address = 0;
  uint32_t length = 0;
  bool device_writes = false;
};

// A request as the driver queued it. Segments that the device reads come first (Virtual I/O Device 1.2,
// section 2.7.4.2).
struct VirtioChain {
  uint16_t head = 0;
  std::vector<VirtioSegment> segments;

  uint64_t readable_bytes() const;
  uint64_t writable_bytes() const;
};

// A split virtqueue seen from the device (Virtual I/O Device 1.2, section 2.7). All it reads was written by the guest
// and may be hostile: every walk is bounded, and a ring that breaks the rules makes pop() answer kBroken.
class Virtqueue {
 public:
  static constexpr uint32_t kMaxSize = 1024;
  // Segments of one chain, indirect ones included; drivers use at most seg_max + 2.
  static constexpr size_t kMaxSegments = 1024;
  // Bytes of one chain: bounds the work and memory of one request. A real driver stays below 4 MiB.
  static constexpr uint64_t kMaxChainBytes = uint64_t{64} << 20;

  // Registers as the driver set them.
  uint32_t size = 0;
  bool ready = false;
  uint64_t descriptors = 0;
  uint64_t driver_area = 0;
  uint64_t device_area = 0;

  enum class Pop { kEmpty, kChain, kBroken };

  // `indirect`: the driver negotiated indirect descriptors; without that one of them breaks the ring.
  Pop pop(DmaPort& dma, VirtioChain& chain, bool indirect = true);
  // Returns a chain with `written` bytes in its device-written segments. False when the ring's memory refuses.
  bool push(DmaPort& dma, uint16_t head, uint32_t written);
  // Whether the driver wants an interrupt for used buffers.
  bool wants_interrupt(DmaPort& dma) const;

  void reset();
  void save(SnapshotSection& section, const std::string& prefix) const;
  void restore(StateReader& reader, const std::string& prefix);

 private:
  bool append(DmaPort& dma, uint64_t table, uint32_t table_size, uint16_t first, bool indirect_allowed,
              VirtioChain& chain, uint64_t& bytes) const;

  uint16_t next_available_ = 0;
  uint16_t next_used_ = 0;
};

// Copies between a chain's segments and host memory, beginning `offset` bytes into the readable or writable part.
// False when the chain is too short or a segment lies outside memory.
bool gather(DmaPort& dma, const VirtioChain& chain, uint64_t offset, std::span<uint8_t> out);
bool scatter(DmaPort& dma, const VirtioChain& chain, uint64_t offset, std::span<const uint8_t> data);

}  // namespace lockstep::tlm_models
