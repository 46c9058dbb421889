// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lockstep::core {

inline constexpr unsigned kPageBits = 12;
inline constexpr uint64_t kPageSize = uint64_t{1} << kPageBits;
inline constexpr uint64_t kPageMask = ~(kPageSize - 1);

// Bits of a RAM page's flag byte. A page with any bit set is written on the slow path.
enum PageFlag : uint8_t {
  kPageHasCode = 1u << 0,  // a translated block was read from this page
  kPageTracked = 1u << 1,  // dirty tracking is on and the page has not been written since it was last cleaned
};

// A stretch of RAM (or ROM) that harts reach without the bus: the physical side of a DMI grant.
struct RamWindow {
  uint64_t base = 0;        // physical address, page aligned
  uint64_t size_bytes = 0;  // a multiple of the page size
  uint8_t* host = nullptr;
  uint8_t* page_flags = nullptr;  // PageFlag bits, one byte a page
  bool writable = true;

  bool contains(uint64_t paddr, uint64_t length = 1) const {
    return paddr >= base && paddr - base < size_bytes && length <= size_bytes - (paddr - base);
  }
};

// What a hart sees below its MMU. Physical addresses; little-endian values; sizes 1, 2, 4 or 8 bytes.
class PhysicalBus {
 public:
  virtual ~PhysicalBus() = default;

  // The RAM or ROM around `paddr`, or nullptr where an access must go over the bus. The window stays valid for the
  // life of the machine.
  virtual const RamWindow* window(uint64_t paddr) = 0;

  // Device accesses. False: no device answers, or it answers with an error. The access never crosses a page.
  virtual bool read(uint64_t paddr, unsigned size_bytes, uint64_t& value) = 0;
  virtual bool write(uint64_t paddr, unsigned size_bytes, uint64_t value) = 0;

  // RAM in [paddr, paddr + size) was written on the slow path: dirty bits are set here and every hart's engine drops
  // the blocks that were translated from these bytes (GuestRam::note_write does both).
  virtual void ram_written(uint64_t paddr, uint64_t size_bytes) = 0;

  // A block was translated from the page at `paddr`: it has kPageHasCode set, and every hart drops its fast store
  // entries for it (Tlb::drop_fast_stores). Concurrent harts say so before they read its bytes.
  virtual void page_has_code(uint64_t paddr) = 0;
};

}  // namespace lockstep::core
