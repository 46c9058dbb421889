// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tlm_models/smmuv3/attributes.h"

namespace lockstep::tlm_models::smmuv3 {

// Why the SMMU itself accesses memory. Counted by kind, so that tests can check how many reads a translation takes.
enum class AccessKind : uint8_t {
  kStreamTableLevel1,
  kStreamTableEntry,
  kContextLevel1,
  kContextDescriptor,
  kStage1Descriptor,
  kStage2Descriptor,
  kStage1Update,
  kStage2Update,
  kCommand,
  kEvent,
  kPageRequest,
  kMsi,
  kCount,
};
inline constexpr size_t kAccessKinds = static_cast<size_t>(AccessKind::kCount);

enum class ExchangeResult : uint8_t { kDone, kChanged, kBusError };

// The downstream side of the core: everything it reads and writes by itself goes through here. Addresses are physical
// and aligned to the size, sizes are 4 to 64 bytes; data is as it lies in memory. False is a bus error.
class MemoryPort {
 public:
  virtual ~MemoryPort() = default;
  virtual bool read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes& attributes,
                    AccessKind kind) = 0;
  virtual bool write(uint64_t address, const void* data, size_t size_bytes, const MemoryAttributes& attributes,
                     AccessKind kind) = 0;
  // Writes `desired` if the eight bytes at `address` are still `expected`, in one piece.
  virtual ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                  const MemoryAttributes& attributes, AccessKind kind) = 0;
};

// The port with counters in front: what the core's parts hold.
class CountedMemory {
 public:
  explicit CountedMemory(MemoryPort& port) : port_(port) {}

  bool read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes& attributes, AccessKind kind) {
    ++counts_[static_cast<size_t>(kind)];
    return port_.read(address, data, size_bytes, attributes, kind);
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const MemoryAttributes& attributes,
             AccessKind kind) {
    ++counts_[static_cast<size_t>(kind)];
    return port_.write(address, data, size_bytes, attributes, kind);
  }
  ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired, const MemoryAttributes& attributes,
                          AccessKind kind) {
    ++counts_[static_cast<size_t>(kind)];
    return port_.exchange(address, expected, desired, attributes, kind);
  }

  uint64_t count(AccessKind kind) const { return counts_[static_cast<size_t>(kind)]; }
  // Reads of translation table descriptors at both stages.
  uint64_t walk_reads() const { return count(AccessKind::kStage1Descriptor) + count(AccessKind::kStage2Descriptor); }
  void clear_counts() { counts_.fill(0); }

 private:
  MemoryPort& port_;
  std::array<uint64_t, kAccessKinds> counts_{};
};

}  // namespace lockstep::tlm_models::smmuv3
