// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tlm_models/smmuv3/descriptor.h"
#include "tlm_models/smmuv3/walk.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint64_t kStage2Write = uint64_t{1} << 7;

bool is_device(const Stage2Config& stage2, unsigned memattr) {
  if (stage2.force_write_back) return !bit(memattr, 2);
  return (memattr & 0xc) == 0 || (memattr & 3) == 0;
}

PermissionMask permissions_of(uint64_t descriptor, bool writable) {
  const auto execute_never = static_cast<unsigned>(bits(descriptor, 54, 53));
  const unsigned data = (bit(descriptor, 6) ? kRead : 0u) | (writable ? kWrite : 0u);
  const unsigned user = data | (execute_never == 0 || execute_never == 1 ? kExecute : 0u);
  const unsigned privileged = data | (execute_never == 0 || execute_never == 3 ? kExecute : 0u);
  return static_cast<PermissionMask>(user | privileged << kPrivilegedShift);
}

}  // namespace

MemoryAttributes through_stage2(const MemoryAttributes& attributes, const Stage2Config& stage2,
                                const Stage2Translation& translation) {
  if (stage2.force_write_back)
    return combine_force_write_back(attributes, translation.memattr, translation.shareability);
  return combine(attributes, from_stage2_encoding(translation.memattr, translation.shareability));
}

Stage2Translation Walker::translate_stage2(const Ste& ste, uint64_t ipa, const AccessNeed& need, FaultClass fault_class,
                                           bool fresh) {
  Stage2Translation result;
  const TlbTag tag{.world = StreamWorld::kEl1, .space = TlbSpace::kIntermediate, .vmid = ste.stage2.vmid};
  if (fresh && config_.stage2_cache) tlb_.drop(tag, ipa);
  if (config_.stage2_cache && !need.gather && !fresh) {
    const TlbEntry* entry = tlb_.find(tag, ipa);
    const bool protected_walk = fault_class != FaultClass::kInput && ste.stage2.protected_table_walk;
    if (entry && (need.mask() & ~entry->allowed) == 0 &&
        !(protected_walk && is_device(ste.stage2, entry->attributes.stage2_memattr))) {
      result.output = entry->output | (ipa & ones(entry->size_log2));
      result.size_log2 = entry->size_log2;
      result.level = entry->level;
      result.permissions = entry->allowed;
      result.memattr = entry->attributes.stage2_memattr;
      result.shareability = entry->attributes.stage2_shareability;
      // Without write permission the page may be one that a write must mark dirty: the walk would tell.
      result.clean = !(entry->allowed & kWrite);
      return result;
    }
  }
  Step step = Step::kAgain;
  for (unsigned attempt = 0; attempt < kUpdateAttempts && step == Step::kAgain; ++attempt) {
    result = {};
    step = stage2_walk(ste.stage2, ipa, need, fault_class, result);
  }
  if (step == Step::kAgain) result.fault.type = EventType::kWalkExternalAbort;
  if (result.fault) {
    result.fault.stage2 = true;
    result.fault.fault_class = fault_class;
    result.fault.table_read = !need.write;
    result.fault.ipa = ipa;
    return result;
  }
  if (config_.stage2_cache && fault_class != FaultClass::kInput) {
    TlbEntry entry;
    entry.tag = tag;
    entry.size_log2 = result.size_log2;
    entry.granule_log2 = ste.stage2.granule_log2;
    entry.level = result.level;
    entry.input = ipa & ~ones(result.size_log2);
    entry.output = result.output & ~ones(result.size_log2);
    entry.allowed = result.permissions;
    if (result.clean) entry.allowed &= static_cast<PermissionMask>(~(kWrite | kWrite << kPrivilegedShift));
    entry.attributes.stage2 = true;
    entry.attributes.force_write_back = ste.stage2.force_write_back;
    entry.attributes.stage2_memattr = result.memattr;
    entry.attributes.stage2_shareability = result.shareability;
    tlb_.insert(entry);
  }
  return result;
}

Walker::Step Walker::stage2_walk(const Stage2Config& stage2, uint64_t ipa, const AccessNeed& need,
                                 FaultClass fault_class, Stage2Translation& result) {
  const unsigned granule = stage2.granule_log2;
  const unsigned stride = granule - 3;
  const unsigned input_bits = 64 - stage2.t0sz;
  const bool address52 = config_.oas_bits == 52;
  const auto fail = [&](EventType type, uint64_t fetch = 0) {
    result.fault.type = type;
    result.fault.fetch_address = fetch;
    return Step::kDone;
  };
  if ((ipa >> input_bits) != 0) return fail(EventType::kTranslation);

  unsigned level = stage2_start_level(granule, stage2.start_level_code);
  unsigned index_bits = input_bits - level_shift(granule, level);
  uint64_t table = stage2.table & ~ones(std::max(index_bits + 3, stage2.output_bits == 52 ? 6u : 4u));
  uint64_t place = 0;
  uint64_t descriptor = 0;
  for (;; ++level, index_bits = stride) {
    const unsigned shift = level_shift(granule, level);
    place = table + (bits(ipa, shift + index_bits - 1, shift) << 3);
    uint64_t stored = 0;
    if (!memory_.read(place, &stored, sizeof stored, stage2.walk_attributes, AccessKind::kStage2Descriptor))
      return fail(EventType::kWalkExternalAbort, place);
    descriptor = to_host(stored, stage2.big_endian);
    const DescriptorKind kind = kind_of(descriptor, granule, level, address52);
    if (kind == DescriptorKind::kInvalid) return fail(EventType::kTranslation);
    const bool leaf = kind == DescriptorKind::kLeaf;
    const uint64_t address = address_of(descriptor, granule, leaf ? shift : granule, address52);
    if (address > ones(stage2.output_bits)) return fail(EventType::kAddressSize);
    if (leaf) {
      result.output = address | (ipa & ones(shift));
      break;
    }
    table = address;
  }

  uint64_t updated = descriptor;
  if (!(descriptor & kAccessFlagBit)) {
    if (stage2.update_access) {
      updated |= kAccessFlagBit;
    } else if (!stage2.access_fault_disabled) {
      return fail(EventType::kAccessFlag);
    }
  }
  const bool marks_dirty = stage2.update_access && stage2.update_dirty && bit(descriptor, kDirtyBitModifier);
  result.clean = !(descriptor & kStage2Write) && marks_dirty;
  result.permissions = permissions_of(descriptor, (descriptor & kStage2Write) || marks_dirty);
  result.level = static_cast<uint8_t>(level);
  result.memattr = static_cast<uint8_t>(bits(descriptor, 5, 2));
  result.shareability = static_cast<uint8_t>(bits(descriptor, 9, 8));
  result.size_log2 =
      static_cast<uint8_t>(leaf_size_log2(descriptor, granule, level, ipa, result.output, stage2.output_bits));

  const unsigned missing = need.mask() & ~result.permissions;
  if (missing && !need.gather) {
    result.fault.lacks_only_read =
        need.read && need.write && (missing & (kRead | kRead << kPrivilegedShift)) == missing;
    return fail(EventType::kPermission);
  }
  if (fault_class != FaultClass::kInput && stage2.protected_table_walk && is_device(stage2, result.memattr))
    return fail(EventType::kPermission);
  // A gathering walk that grants nothing of what it wants leaves the page alone, and without its access flag that page
  // permits nothing that could be kept.
  if (missing == need.mask()) {
    if (updated != descriptor) result.permissions = 0;
    return Step::kDone;
  }

  if (need.write && result.clean && !(missing & (kWrite | kWrite << kPrivilegedShift))) updated |= kStage2Write;
  if (updated == descriptor) return Step::kDone;
  switch (memory_.exchange(place, to_host(descriptor, stage2.big_endian), to_host(updated, stage2.big_endian),
                           stage2.walk_attributes, AccessKind::kStage2Update)) {
    case ExchangeResult::kChanged:
      result.fault.fetch_address = place;
      return Step::kAgain;
    case ExchangeResult::kBusError:
      return fail(EventType::kWalkExternalAbort, place);
    case ExchangeResult::kDone:
      break;
  }
  if (updated & kStage2Write) result.clean = false;
  return Step::kDone;
}

}  // namespace lockstep::tlm_models::smmuv3
