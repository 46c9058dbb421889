// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "tlm_models/smmuv3/attributes.h"
#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/registers.h"

namespace lockstep::tlm_models::smmuv3 {

// CR1's attributes of the accesses to queues, in the address space of their side.
inline MemoryAttributes queue_attributes(const RegisterFile& registers) {
  const uint64_t control = registers.get(RegisterId::kCr1);
  const auto field = [&](unsigned low) { return static_cast<unsigned>(bits(control, low + 1, low)); };
  return in_space(register_attributes(field(0), field(2), field(4)), registers.config().secure);
}

// A circular queue as its three registers describe it; section "SMMU circular queues". The bit above the index tells a
// full queue from an empty one.
class QueueView {
 public:
  // `capacity_log2` caps LOG2SIZE; `entry_log2` is the size of an entry in bytes.
  QueueView(uint64_t base, uint64_t produced, uint64_t consumed, unsigned capacity_log2, unsigned entry_log2)
      : log2_(std::min(static_cast<unsigned>(bits(base, 4, 0)), capacity_log2)),
        entry_log2_(entry_log2),
        // Queues lie at multiples of their size, and of 32 bytes at least.
        address_(field_in_place(base, 51, 5) & ~ones(std::max(log2_ + entry_log2, 5u))),
        produced_(produced & ones(log2_ + 1)),
        consumed_(consumed & ones(log2_ + 1)) {}

  uint64_t used() const { return (produced_ - consumed_) & ones(log2_ + 1); }
  bool empty() const { return used() == 0; }
  bool full() const { return used() >= uint64_t{1} << log2_; }
  // Indices further apart than the queue is long: software wrote nonsense. Nothing is consumed then, and nothing
  // produced, as the specification allows.
  bool consistent() const { return used() <= uint64_t{1} << log2_; }

  uint64_t produce_address() const { return entry(produced_); }
  uint64_t consume_address() const { return entry(consumed_); }
  uint64_t after_produce() const { return (produced_ + 1) & ones(log2_ + 1); }
  uint64_t after_consume() const { return (consumed_ + 1) & ones(log2_ + 1); }
  uint64_t consumed() const { return consumed_; }

 private:
  uint64_t entry(uint64_t index) const { return address_ + ((index & ones(log2_)) << entry_log2_); }

  unsigned log2_;
  unsigned entry_log2_;
  uint64_t address_;
  uint64_t produced_;
  uint64_t consumed_;
};

}  // namespace lockstep::tlm_models::smmuv3
