// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "tlm_models/smmuv3/attributes.h"
#include "tlm_models/smmuv3/config.h"
#include "tlm_models/smmuv3/stream_table_entry.h"

namespace lockstep::tlm_models::smmuv3 {

// What an entry's address is: a virtual address (result of stage 1 alone or of both stages) or an intermediate one
// (result of stage 2 alone). Section "TLB tagging, VMIDs, ASIDs and participation in broadcast TLB maintenance".
enum class TlbSpace : uint8_t { kVirtual, kIntermediate };

// Permissions of a page as bits: read, write and execute for unprivileged (0 to 2) and privileged (3 to 5) accesses.
using PermissionMask = uint8_t;
inline constexpr PermissionMask kRead = 1;
inline constexpr PermissionMask kWrite = 2;
inline constexpr PermissionMask kExecute = 4;
inline constexpr unsigned kPrivilegedShift = 3;
inline constexpr PermissionMask kAllPermissions = 0x3f;

// What a lookup and an entry agree on besides the address.
struct TlbTag {
  StreamWorld world = StreamWorld::kEl1;
  TlbSpace space = TlbSpace::kVirtual;
  bool non_shared_asid = false;  // ASET: broadcast invalidations leave such entries
  uint16_t vmid = 0;
  uint16_t asid = 0;
  bool operator==(const TlbTag&) const = default;
};

// Attributes of a translation before the input's hints are known: enough to compute the output for any input.
struct OutputAttributes {
  bool stage1 = false;  // replaced by stage 1; otherwise the input's own go into stage 2
  bool stage2 = false;
  bool force_write_back = false;
  bool secure = false;  // output address space
  uint8_t stage2_memattr = 0;
  uint8_t stage2_shareability = 0;
  MemoryAttributes stage1_attributes;
  MemoryAttributes apply(const MemoryAttributes& input) const;
};

// What a hit reads comes first, in one line of a host's cache.
struct alignas(64) TlbEntry {
  uint64_t input = 0;   // aligned to the size
  uint64_t output = 0;  // aligned to the size
  uint8_t size_log2 = 0;
  uint8_t granule_log2 = 0;  // of the stage that the tag's address belongs to
  uint8_t level = 0;         // of the leaf at that stage
  // The whole leaf of that stage: an invalidation of any address in it reaches an entry that stage 2 made smaller.
  uint8_t leaf_log2 = 0;
  bool valid = false;
  bool global = false;
  // Accesses that need no walk: a page that a write must first mark dirty has no write permission here.
  PermissionMask allowed = 0;
  TlbTag tag;
  // What attributes.apply() gave for one input: the next access mostly has the same.
  bool applied = false;
  MemoryAttributes applied_input;
  MemoryAttributes applied_output;
  OutputAttributes attributes;

  void apply_for(const MemoryAttributes& incoming) {
    applied = true;
    applied_input = incoming;
    applied_output = attributes.apply(incoming);
  }
  MemoryAttributes output_attributes(const MemoryAttributes& incoming) const {
    if (applied && std::memcmp(&incoming, &applied_input, sizeof incoming) == 0) return applied_output;
    return attributes.apply(incoming);
  }
};
static_assert(std::has_unique_object_representations_v<MemoryAttributes>);

// Which entries an invalidation reaches.
struct TlbInvalidation {
  bool by_space = false;
  TlbSpace space = TlbSpace::kVirtual;
  bool by_world = false;
  StreamWorld world = StreamWorld::kEl1;
  bool by_vmid = false;
  uint16_t vmid = 0;
  uint16_t vmid_ignored = 0;  // bits that VMW leaves out of the comparison
  bool by_asid = false;
  uint16_t asid = 0;
  bool spare_global = false;      // with by_asid: global entries stay (ASID scope) or go (address scope)
  bool spare_non_shared = false;  // with by_asid: entries of ASIDs that processors do not share (ASET) stay
  bool by_address = false;
  uint64_t first = 0;
  uint64_t last = ~uint64_t{0};  // inclusive
  uint8_t granule_log2 = 0;      // not 0: only entries of this granule
  uint8_t level = 0;             // not 0: only leaves of this level
  bool leaf_only = false;        // table entries may stay

  bool matches_tag(const TlbTag& tag, bool global) const;
  bool matches(const TlbEntry& entry) const;
};

// Set-associative. Entries of all sizes share the sets; a lookup tries each size that is present.
class Tlb {
 public:
  Tlb(unsigned sets_log2, unsigned ways);

  // The entry that translates the address, or null. Entries that are global match any ASID of their set (ASET).
  const TlbEntry* find(const TlbTag& tag, uint64_t address) const;
  // Replaces what the set has for the same address and tag, or the way whose turn it is.
  void insert(const TlbEntry& entry);
  void invalidate(const TlbInvalidation& invalidation);
  // Drops one translation that turned out not to suffice.
  void drop(const TlbTag& tag, uint64_t address);
  void clear();
  size_t valid_entries() const;

 private:
  static constexpr unsigned kSizes = 64;

  size_t set_of(uint64_t address, unsigned size_log2) const {
    const uint64_t page = address >> size_log2;
    return static_cast<size_t>((page ^ (page >> sets_log2_) ^ size_log2 * 7) & set_mask_);
  }
  // Address and size in one word, which is not 0: what a lookup compares first.
  static uint64_t key_of(uint64_t address, unsigned size_log2) { return address >> size_log2 << 6 | size_log2; }
  static bool hit(const TlbEntry& entry, const TlbTag& tag);
  void remove(TlbEntry& entry);

  unsigned sets_log2_;
  unsigned ways_;
  uint64_t set_mask_;
  std::vector<TlbEntry> entries_;
  std::vector<uint64_t> keys_;  // of each entry; 0: not valid
  std::vector<uint8_t> next_way_;
  uint64_t sizes_present_ = 0;
  std::array<uint32_t, kSizes> size_counts_{};
};

inline bool Tlb::hit(const TlbEntry& entry, const TlbTag& tag) {
  if (entry.tag.world != tag.world || entry.tag.space != tag.space || entry.tag.vmid != tag.vmid) return false;
  if (tag.space == TlbSpace::kIntermediate) return true;
  return entry.tag.non_shared_asid == tag.non_shared_asid && (entry.global || entry.tag.asid == tag.asid);
}

inline const TlbEntry* Tlb::find(const TlbTag& tag, uint64_t address) const {
  for (uint64_t sizes = sizes_present_; sizes != 0; sizes &= sizes - 1) {
    const auto size_log2 = static_cast<unsigned>(std::countr_zero(sizes));
    const uint64_t key = key_of(address, size_log2);
    const size_t first = set_of(address, size_log2) * ways_;
    for (unsigned way = 0; way < ways_; ++way)
      if (keys_[first + way] == key && hit(entries_[first + way], tag)) return &entries_[first + way];
  }
  return nullptr;
}

// A pointer to a stage 1 table that a walk read, with the table's address already translated by stage 2. One entry
// stands for at most 512 descriptors, so that it never spans two stage 2 pages.
struct WalkCacheEntry {
  bool valid = false;
  uint8_t level = 0;  // of the table pointed to
  uint8_t granule_log2 = 0;
  uint8_t region_log2 = 0;      // input addresses that the part of the table covers
  uint8_t table_log2 = 0;       // and those of the whole table, which an invalidation of any of them reaches
  uint8_t hierarchical = 0;     // accumulated APTable and XNTable, as the walk has them
  uint64_t input = 0;           // aligned to the region
  uint64_t table = 0;           // physical address of the first descriptor of the part
  uint64_t table_ipa = 0;       // the same before stage 2
  MemoryAttributes attributes;  // of reads there
  TlbTag tag;
};

class WalkCache {
 public:
  explicit WalkCache(unsigned entries_log2);
  const WalkCacheEntry* find(const TlbTag& tag, uint64_t address, unsigned level, unsigned granule_log2,
                             unsigned region_log2) const;
  void insert(const WalkCacheEntry& entry);
  void invalidate(const TlbInvalidation& invalidation);
  void clear();

 private:
  size_t index(uint64_t address, unsigned level, unsigned region_log2) const {
    const uint64_t page = address >> region_log2;
    return static_cast<size_t>((page ^ (page >> 9) ^ level * 0x55) & mask_);
  }
  uint64_t mask_;
  std::vector<WalkCacheEntry> entries_;
};

}  // namespace lockstep::tlm_models::smmuv3
