// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/memory/bus.h"

namespace lockstep::core {

// A tag that no page has.
inline constexpr uint64_t kNoTag = ~uint64_t{0};
// A mapping number that no mapping has.
inline constexpr uint32_t kNoMapping = 0;

// The slow half: which physical page an address maps to, also where accesses cannot go straight to RAM (devices, pages
// that hold code).
struct TlbPage {
  uint64_t vpage = ~uint64_t{0};
  uint64_t ppage = 0;

  uint64_t paddr(uint64_t vaddr) const { return ppage | (vaddr & ~kPageMask); }
};

// Geometry, the same for all engines because a guest that forgets a fence can see it.
inline constexpr unsigned kTlbIndexBits = 9;
inline constexpr unsigned kTlbEntries = 1u << kTlbIndexBits;
inline constexpr unsigned kTlbContexts = 16;
// Pages that others took the place of, for each context and kind of access.
inline constexpr unsigned kTlbVictims = 8;

inline unsigned tlb_index(uint64_t vaddr) { return (vaddr >> kPageBits) & (kTlbEntries - 1); }

// Generated code keeps a context's address plus this in a register, which is then also the operand of BEXTR that takes
// an entry's index out of an address: its low 16 bits are the first bit and, in the upper byte, the number of bits.
inline constexpr uint64_t kTlbContextAlignment = 1u << 16;
inline constexpr uint64_t kTlbContextBias = kPageBits | kTlbIndexBits << 8;

// Translations of one context, direct-mapped, one array for each kind of access (index: Access).
//
// The fast half is two arrays, so that both are indexed by a scaled register. The last byte of an access decides: a hit
// is `((vaddr + size - 1) & kPageMask) == tags[access][tlb_index(vaddr)]`, and the host address is then vaddr + addend.
struct alignas(kTlbContextAlignment) TlbContext {
  std::array<uint64_t, kTlbEntries> tags[3];
  std::array<uint64_t, kTlbEntries> addends[3];
  // Of fetches: the number of the mapping (virtual page, host page), kNoMapping where there is none. One compare tells
  // whether a jump to another page still leads where it did.
  std::array<uint32_t, kTlbEntries> mappings;
  std::array<TlbPage, kTlbEntries> pages[3];
  // Pages used in turns that want the same place find one another here; a walk for each would cost ten times as much.
  std::array<TlbPage, kTlbVictims> victims[3];
  uint8_t next_victim[3] = {};
  uint64_t key = ~uint64_t{0};  // the ISA's context key: privilege, address space, permission modifiers
  uint64_t asid = 0;            // for selective flushes
  uint64_t last_use = 0;
  // Addresses that large pages cover: a flush of one address inside drops the whole context.
  uint64_t large_first = ~uint64_t{0};
  uint64_t large_last = 0;
  bool empty = false;  // what a fresh one holds is yet to be cleared

  // The fast entry for `vaddr`, whose access is `size_bytes` long, may be used.
  bool hits(unsigned access, uint64_t vaddr, unsigned size_bytes) const {
    return ((vaddr + size_bytes - 1) & kPageMask) == tags[access][tlb_index(vaddr)];
  }
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

  // The slow half's entry for `vaddr`, or nullptr. What was replaced is put back for it, not fast.
  const TlbPage* known(TlbContext& context, unsigned access, uint64_t vaddr) {
    const TlbPage& page = context.pages[access][tlb_index(vaddr)];
    return page.vpage == (vaddr & kPageMask) || recall(context, access, vaddr) ? &page : nullptr;
  }

  // Grows whenever a fast entry is lost to another one, or dropped: what was seen to hit before may not any more.
  uint64_t losses() const { return losses_; }

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
  bool recall(TlbContext& context, unsigned access, uint64_t vaddr);
  void flush_page_in(TlbContext& context, uint64_t vaddr);
  void drop_fast(TlbContext& context, unsigned access, unsigned index);
  uint32_t mapping_number(uint64_t vpage, uint64_t addend);

  // Numbers are never used twice; past this many the table forgets, and mappings get new ones.
  static constexpr size_t kMaxMappings = 1u << 16;
  struct MappingHash {
    size_t operator()(const std::pair<uint64_t, uint64_t>& m) const {
      return (m.first >> kPageBits) * 0x9e3779b97f4a7c15u ^ (m.second >> kPageBits);
    }
  };
  std::unordered_map<std::pair<uint64_t, uint64_t>, uint32_t, MappingHash> mappings_;
  uint32_t last_mapping_ = kNoMapping;

  std::array<std::unique_ptr<TlbContext>, kTlbContexts> contexts_;
  TlbContext* data_;
  TlbContext* fetch_;
  uint64_t use_clock_ = 0;
  uint64_t losses_ = 0;
  bool tagged_ = true;
};

}  // namespace lockstep::core
