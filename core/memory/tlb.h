// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/memory/bus.h"

namespace lockstep::core {

// The fast half of a TLB entry. A hit is `(vaddr & (kPageMask | (size - 1))) == tag`; the host address is then
// vaddr + addend. Low bits of a valid tag are zero, so that a misaligned access misses by itself.
struct TlbEntry {
  uint64_t tag = ~uint64_t{0};
  uint64_t addend = 0;
};

// The slow half: which physical page an address maps to, also where accesses cannot go straight to RAM (devices, pages
// that hold code).
struct TlbPage {
  uint64_t vpage = ~uint64_t{0};
  uint64_t ppage = 0;
};

// Geometry, the same for all engines because a guest that forgets a fence can see it.
inline constexpr unsigned kTlbIndexBits = 9;
inline constexpr unsigned kTlbEntries = 1u << kTlbIndexBits;
inline constexpr unsigned kTlbContexts = 16;

inline unsigned tlb_index(uint64_t vaddr) { return (vaddr >> kPageBits) & (kTlbEntries - 1); }

// Translations of one context, direct-mapped, one array for each kind of access (index: Access).
struct TlbContext {
  std::array<TlbEntry, kTlbEntries> fast[3];
  std::array<TlbPage, kTlbEntries> pages[3];
  uint64_t key = ~uint64_t{0};  // the ISA's context key: privilege, address space, permission modifiers
  uint64_t asid = 0;            // for selective flushes
  uint64_t last_use = 0;
  // Addresses that large pages cover: a flush of one address inside drops the whole context.
  uint64_t large_first = ~uint64_t{0};
  uint64_t large_last = 0;
  bool empty = true;
};

// A hart's soft TLB: a few contexts between which the ISA switches without a flush, least recently used one reused.
// Filled in program order by all engines.
class Tlb {
 public:
  Tlb();

  // With false, every switch to another context empties it first, as a TLB without address-space tags would.
  void set_tagged(bool tagged) { tagged_ = tagged; }

  // Makes (data_key, fetch_key) the contexts in use. Keys name everything that a translation depends on except the page
  // tables' contents; asid is what flush_asid() and flush_page() compare.
  void select(uint64_t data_key, uint64_t fetch_key, uint64_t asid);

  TlbContext& data() { return *data_; }
  TlbContext& fetch() { return *fetch_; }

  // Remembers that `vaddr` maps to `paddr` for one kind of access (index: Access), as part of a block of
  // 2^block_bits bytes. `fast`: accesses may go straight to `host_page`, the host address of the page's first byte.
  void fill(TlbContext& context, unsigned access, uint64_t vaddr, uint64_t paddr, unsigned block_bits,
            uint8_t* host_page, bool fast);

  void flush_all();
  void flush_asid(uint64_t asid);
  // All contexts, or those of one asid.
  void flush_page(uint64_t vaddr);
  void flush_page(uint64_t vaddr, uint64_t asid);
  // The page at `ppage` (physical address) became one that must be written slowly: drops fast store entries for it.
  void drop_fast_stores(uint64_t ppage);
  void drop_all_fast_stores();

 private:
  TlbContext& find(uint64_t key, uint64_t asid);
  void clear(TlbContext& context);
  void flush_page_in(TlbContext& context, uint64_t vaddr);

  std::array<std::unique_ptr<TlbContext>, kTlbContexts> contexts_;
  TlbContext* data_;
  TlbContext* fetch_;
  uint64_t use_clock_ = 0;
  bool tagged_ = true;
};

}  // namespace lockstep::core
