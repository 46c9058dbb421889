// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/hart/hart.h"
#include "core/hart/state.h"
#include "core/memory/guest_ram.h"
#include "core/memory/tlb.h"

// Hashes of 64 bits that cost nanoseconds, for comparing two machines many times a millisecond. They are no digests:
// nothing keeps them, and nobody is trusted to choose the bytes.
namespace lockstep::core {

uint64_t quick_hash(const void* bytes, size_t size_bytes, uint64_t seed = 0);

// Hashes what two deterministic engines must agree on in a hart's state: the layout's architectural fields, the
// reservation and the instruction count.
class StateHash {
 public:
  explicit StateHash(const StateLayout& layout);
  uint64_t operator()(const Hart& hart) const;

 private:
  // Neighbouring fields are one stretch.
  struct Stretch {
    uint32_t offset;
    uint32_t size_bytes;
  };
  std::vector<Stretch> stretches_;
};

// What the hart's TLB contexts in use hold, host addresses and mapping numbers apart. Nor does it count which pages are
// written slowly: engines whose pieces of code differ in size, or that ran out of room, do not
// watch the same pages.
uint64_t quick_tlb_hash(Tlb& tlb);

struct PageHash {
  uint64_t page = 0;  // index from the base of RAM
  uint64_t hash = 0;
  bool operator==(const PageHash&) const = default;
};

// The pages that hold a byte other than zero, in rising order. Pages that the host never backed are not looked at.
std::vector<PageHash> quick_page_hashes(const GuestRam& ram);

}  // namespace lockstep::core
