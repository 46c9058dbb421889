// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#include "core/hart/hart.h"
#include "core/interpreter/memory_access.h"
#include "core/ir/ir.h"

namespace lockstep::core {

// Feeds the frontend from the hart's fetch translations and remembers what the block depends on. The next page is read
// for a block's first instruction only: one that reaches over there is a block of its own, so that the next page is
// fetched from when the program gets there and not before, however it came to be cut into blocks.
class MmuCodeReader : public CodeReader {
 public:
  MmuCodeReader(Hart& hart, MemoryAccess& memory, const ir::Block& block)
      : hart_(hart), memory_(memory), block_(block), first_page_(block.pc & kPageMask) {}

  bool fetch16(uint64_t vaddr, uint16_t& bits) override { return read(vaddr, &bits, sizeof bits); }
  bool fetch8(uint64_t vaddr, uint8_t& byte) override { return read(vaddr, &byte, sizeof byte); }

  Fault fault() const { return fault_; }
  uint64_t fault_address() const { return fault_address_; }
  bool cacheable() const { return cacheable_; }
  uint64_t second_ppage() const { return second_ppage_; }

 private:
  bool read(uint64_t vaddr, void* out, unsigned size_bytes) {
    const bool next_page = (vaddr & kPageMask) != first_page_;
    if (next_page && block_.guest_instructions > 0) return false;
    const MemoryAccess::Fetch fetch = memory_.fetch(vaddr);
    if (fetch.fault != Fault::kNone) {
      fault_ = fetch.fault;
      fault_address_ = vaddr;
      return false;
    }
    cacheable_ &= fetch.cacheable;
    if (next_page) second_ppage_ = fetch.paddr & kPageMask;
    if (hart_.concurrent() && announced_ != (fetch.paddr & kPageMask)) {
      // From here on every write to the page is told to this engine, so what is read now stays true or is dropped.
      announced_ = fetch.paddr & kPageMask;
      hart_.bus().page_has_code(fetch.paddr);
    }
    std::memcpy(out, fetch.host, size_bytes);
    return true;
  }

  Hart& hart_;
  MemoryAccess& memory_;
  const ir::Block& block_;
  uint64_t first_page_;
  uint64_t second_ppage_ = 0;
  Fault fault_ = Fault::kNone;
  uint64_t fault_address_ = 0;
  bool cacheable_ = true;
  uint64_t announced_ = ~uint64_t{0};
};

}  // namespace lockstep::core
