// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/tlb.h"

#include <algorithm>

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr bool overlaps(uint64_t start, unsigned size_log2, uint64_t first, uint64_t last) {
  return start <= last && (start | ones(size_log2)) >= first;
}

}  // namespace

MemoryAttributes OutputAttributes::apply(const MemoryAttributes& input) const {
  const MemoryAttributes first = stage1 ? stage1_with_input_hints(stage1_attributes, input) : input;
  if (!stage2) return in_space(consistent(first), secure);
  if (force_write_back) return in_space(combine_force_write_back(first, stage2_memattr, stage2_shareability), secure);
  return in_space(combine(first, from_stage2_encoding(stage2_memattr, stage2_shareability)), secure);
}

bool TlbInvalidation::matches_tag(const TlbTag& tag, bool global) const {
  if (by_space && tag.space != space) return false;
  if (by_world && tag.world != world) return false;
  if (by_vmid && ((tag.vmid ^ vmid) & ~vmid_ignored)) return false;
  if (by_asid && tag.space == TlbSpace::kVirtual) {
    if (spare_non_shared && tag.non_shared_asid) return false;
    if (global) {
      if (spare_global) return false;
    } else if (tag.asid != asid) {
      return false;
    }
  }
  return true;
}

bool TlbInvalidation::matches(const TlbEntry& entry) const {
  if (!matches_tag(entry.tag, entry.global)) return false;
  if (!by_address) return true;
  if (granule_log2 && entry.granule_log2 != granule_log2) return false;
  if (level && entry.level != level) return false;
  const unsigned reach = std::max(entry.size_log2, entry.leaf_log2);
  return overlaps(entry.input & ~ones(reach), reach, first, last);
}

Tlb::Tlb(unsigned sets_log2, unsigned ways)
    : sets_log2_(sets_log2),
      ways_(ways),
      set_mask_(ones(sets_log2)),
      entries_((size_t{1} << sets_log2) * ways_),
      keys_(entries_.size()),
      next_way_(size_t{1} << sets_log2) {}

void Tlb::remove(TlbEntry& entry) {
  if (!entry.valid) return;
  entry.valid = false;
  keys_[static_cast<size_t>(&entry - entries_.data())] = 0;
  if (--size_counts_[entry.size_log2] == 0) sizes_present_ &= ~(uint64_t{1} << entry.size_log2);
}

void Tlb::insert(const TlbEntry& entry) {
  const size_t set = set_of(entry.input, entry.size_log2);
  const size_t first = set * ways_;
  TlbEntry* chosen = nullptr;
  for (unsigned way = 0; way < ways_ && !chosen; ++way) {
    TlbEntry& other = entries_[first + way];
    if (!other.valid || (other.input == entry.input && other.size_log2 == entry.size_log2 && other.tag == entry.tag))
      chosen = &other;
  }
  if (!chosen) {
    uint8_t& next = next_way_[set];
    chosen = &entries_[first + next];
    next = static_cast<uint8_t>(next + 1u < ways_ ? next + 1 : 0);
  }
  remove(*chosen);
  *chosen = entry;
  chosen->valid = true;
  keys_[static_cast<size_t>(chosen - entries_.data())] = key_of(entry.input, entry.size_log2);
  if (size_counts_[entry.size_log2]++ == 0) sizes_present_ |= uint64_t{1} << entry.size_log2;
}

void Tlb::invalidate(const TlbInvalidation& invalidation) {
  if (sizes_present_ == 0) return;
  for (TlbEntry& entry : entries_)
    if (entry.valid && invalidation.matches(entry)) remove(entry);
}

void Tlb::drop(const TlbTag& tag, uint64_t address) {
  while (const TlbEntry* entry = find(tag, address)) remove(entries_[static_cast<size_t>(entry - entries_.data())]);
}

void Tlb::clear() {
  for (TlbEntry& entry : entries_) remove(entry);
}

size_t Tlb::valid_entries() const {
  size_t count = 0;
  for (uint32_t of_size : size_counts_) count += of_size;
  return count;
}

WalkCache::WalkCache(unsigned entries_log2) : mask_(ones(entries_log2)), entries_(size_t{1} << entries_log2) {}

const WalkCacheEntry* WalkCache::find(const TlbTag& tag, uint64_t address, unsigned level, unsigned granule_log2,
                                      unsigned region_log2) const {
  const WalkCacheEntry& entry = entries_[index(address, level, region_log2)];
  if (!entry.valid || entry.level != level || entry.granule_log2 != granule_log2 || entry.region_log2 != region_log2 ||
      ((entry.input ^ address) >> region_log2) != 0)
    return nullptr;
  if (entry.tag.world != tag.world || entry.tag.vmid != tag.vmid || entry.tag.asid != tag.asid ||
      entry.tag.non_shared_asid != tag.non_shared_asid)
    return nullptr;
  return &entry;
}

void WalkCache::insert(const WalkCacheEntry& entry) {
  WalkCacheEntry& place = entries_[index(entry.input, entry.level, entry.region_log2)];
  place = entry;
  place.valid = true;
}

void WalkCache::invalidate(const TlbInvalidation& invalidation) {
  // Entries of stage 2 alone are no concern here, and a leaf scope leaves pointers to tables.
  if (invalidation.leaf_only || (invalidation.by_space && invalidation.space != TlbSpace::kVirtual)) return;
  for (WalkCacheEntry& entry : entries_) {
    if (!entry.valid || !invalidation.matches_tag(entry.tag, false)) continue;
    if (invalidation.by_address &&
        !overlaps(entry.input & ~ones(entry.table_log2), entry.table_log2, invalidation.first, invalidation.last))
      continue;
    entry.valid = false;
  }
}

void WalkCache::clear() {
  for (WalkCacheEntry& entry : entries_) entry.valid = false;
}

}  // namespace lockstep::tlm_models::smmuv3
