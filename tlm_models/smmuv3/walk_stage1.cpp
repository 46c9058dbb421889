// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tlm_models/smmuv3/descriptor.h"
#include "tlm_models/smmuv3/walk.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint64_t kStage1ReadOnly = uint64_t{1} << 7;
// Descriptors of one walk-cache entry: a part of a table that no stage 2 page splits.
constexpr unsigned kChunkLog2 = 9;
constexpr PermissionMask kAllWrites = kWrite | kWrite << kPrivilegedShift;

// Accumulated limits of table descriptors on the way down.
constexpr uint8_t kNoUser = 1;
constexpr uint8_t kReadOnly = 2;
constexpr uint8_t kUserExecuteNever = 4;
constexpr uint8_t kPrivilegedExecuteNever = 8;
// Not a limit of permissions: the next tables lie in non-secure memory (NSTable), whatever HAD says.
constexpr uint8_t kNonSecureTables = 16;

uint8_t hierarchical_of(uint64_t descriptor) {
  return static_cast<uint8_t>((bit(descriptor, 61) ? kNoUser : 0) | (bit(descriptor, 62) ? kReadOnly : 0) |
                              (bit(descriptor, 60) ? kUserExecuteNever : 0) |
                              (bit(descriptor, 59) ? kPrivilegedExecuteNever : 0));
}

// The direct permission scheme. `writable` already counts what a hardware update may make writable.
PermissionMask permissions_of(uint64_t descriptor, uint8_t limits, bool writable, const ContextDescriptor& cd) {
  const bool write = writable && !(limits & kReadOnly);
  if (!cd.has_two_halves()) {
    // One privilege level: AP[1], PXN and their table forms mean nothing.
    const bool execute = !bit(descriptor, 54) && !(limits & kUserExecuteNever) && !(cd.write_execute_never && write);
    const unsigned level = kRead | (write ? kWrite : 0u) | (execute ? kExecute : 0u);
    return static_cast<PermissionMask>(level | level << kPrivilegedShift);
  }
  const bool user = bit(descriptor, 6) && !(limits & kNoUser);
  const bool user_write = user && write;
  const bool user_execute =
      !bit(descriptor, 54) && !(limits & kUserExecuteNever) && !(cd.write_execute_never && user_write);
  const bool privileged_execute =
      !bit(descriptor, 53) && !(limits & kPrivilegedExecuteNever) && !user_write && !(cd.write_execute_never && write);
  const bool privileged_data = !(cd.privileged_access_never && user);
  const unsigned low = (user ? kRead : 0u) | (user_write ? kWrite : 0u) | (user_execute ? kExecute : 0u);
  const unsigned high = (privileged_data ? kRead | (write ? kWrite : 0u) : 0u) | (privileged_execute ? kExecute : 0u);
  return static_cast<PermissionMask>(low | high << kPrivilegedShift);
}

}  // namespace

Translation Walker::translate(const Regime& regime, uint64_t address, const AccessNeed& need) {
  Translation result;
  TlbEntry& entry = result.entry;
  if (regime.cd) {
    Step step = Step::kAgain;
    for (unsigned attempt = 0; attempt < kUpdateAttempts && step == Step::kAgain; ++attempt) {
      result = {};
      // A descriptor that was found changed may have been looked for where a kept pointer led: the next time counts
      // what memory holds.
      step = stage1(regime, address, need, attempt != 0, result);
    }
    if (step == Step::kAgain) result.fault.type = EventType::kWalkExternalAbort;
    if (result.fault || result.no_access_at_stage1) return result;
  } else {
    result.ipa = address;
    result.permissions = kAllPermissions;
    entry.allowed = kAllPermissions;
    entry.size_log2 = 63;
    entry.tag = regime.tag;
    entry.tag.space = TlbSpace::kIntermediate;
  }
  result.output = result.ipa;
  if (regime.stage2) {
    const Stage2Config& config = regime.ste->stage2;
    AccessNeed second = need;
    // Where stage 1 grants no write, a request for one marks nothing dirty below.
    if (need.gather && !(result.permissions & (need.privileged ? kWrite << kPrivilegedShift : kWrite)))
      second.write = false;
    const Stage2Translation stage2 = translate_stage2(*regime.ste, result.ipa, second, FaultClass::kInput);
    if (stage2.fault) {
      result.fault = stage2.fault;
      return result;
    }
    result.output = stage2.output;
    result.permissions &= stage2.permissions;
    entry.allowed &= stage2.permissions;
    if (stage2.clean) entry.allowed &= static_cast<PermissionMask>(~kAllWrites);
    entry.size_log2 = std::min(entry.size_log2, stage2.size_log2);
    if (!regime.cd) {
      entry.granule_log2 = config.granule_log2;
      entry.level = stage2.level;
    }
    entry.attributes.stage2 = true;
    entry.attributes.force_write_back = config.force_write_back;
    entry.attributes.stage2_memattr = stage2.memattr;
    entry.attributes.stage2_shareability = stage2.shareability;
  }
  if (!regime.cd) entry.input = address & ~ones(entry.size_log2);
  entry.input &= ~ones(entry.size_log2);
  entry.output = result.output & ~ones(entry.size_log2);
  return result;
}

Walker::Step Walker::stage1(const Regime& regime, uint64_t address, const AccessNeed& need, bool fresh,
                            Translation& result) {
  const ContextDescriptor& cd = *regime.cd;
  const auto fail = [&](EventType type, FaultClass fault_class = FaultClass::kInput, uint64_t fetch = 0) {
    result.fault = {};
    result.fault.type = type;
    result.fault.fault_class = fault_class;
    result.fault.fetch_address = fetch;
    return Step::kDone;
  };

  const unsigned which = cd.has_two_halves() && bit(address, 55) ? 1 : 0;
  const TableHalf& half = cd.half[which];
  uint64_t input = address;
  if (half.top_byte_ignored) input = which ? input | ~ones(56) : input & ones(56);
  const unsigned input_bits = 64 - half.size_offset;
  if (half.walk_disabled || (input >> input_bits) != (which ? ones(half.size_offset) : 0))
    return fail(EventType::kTranslation);

  const unsigned granule = half.granule_log2;
  const unsigned stride = granule - 3;
  const bool address52 = config_.oas_bits == 52;
  const unsigned start = kLastLevel - (input_bits - 1 - granule) / stride;
  const unsigned start_bits = input_bits - level_shift(granule, start);

  unsigned level = start;
  uint64_t table = half.table & ~ones(std::max(start_bits + 3, cd.output_bits == 52 ? 6u : 4u));
  uint8_t limits = 0;
  const WalkCacheEntry* cached = nullptr;
  if (config_.stage1_walk_cache && !fresh) {
    for (unsigned deepest = kLastLevel; deepest > start && !cached; --deepest)
      cached = walk_cache_.find(regime.tag, input, deepest, granule,
                                level_shift(granule, deepest) + std::min(stride, kChunkLog2));
  }

  MemoryAttributes attributes = half.walk_attributes;
  uint64_t place = 0;      // of the descriptor
  uint64_t place_ipa = 0;  // before stage 2
  uint64_t descriptor = 0;
  for (;; ++level) {
    uint64_t stored = 0;
    if (cached) {
      level = cached->level;
      limits = cached->hierarchical;
      attributes = cached->attributes;
      const uint64_t offset = bits(input, cached->region_log2 - 1, level_shift(granule, level)) << 3;
      place = cached->table + offset;
      place_ipa = cached->table_ipa + offset;
      cached = nullptr;
    } else {
      const unsigned shift = level_shift(granule, level);
      place_ipa = table + (bits(input, shift + (level == start ? start_bits : stride) - 1, shift) << 3);
      place = place_ipa;
      if (regime.stage2) {
        const Stage2Translation stage2 =
            translate_stage2(*regime.ste, place_ipa, {.privileged = true}, FaultClass::kTableWalk, fresh);
        if (stage2.fault) {
          result.fault = stage2.fault;
          return Step::kDone;
        }
        place = stage2.output;
        attributes = through_stage2(half.walk_attributes, regime.ste->stage2, stage2);
      }
      if (config_.stage1_walk_cache && level != start) {
        WalkCacheEntry entry;
        entry.level = static_cast<uint8_t>(level);
        entry.granule_log2 = static_cast<uint8_t>(granule);
        entry.region_log2 = static_cast<uint8_t>(shift + std::min(stride, kChunkLog2));
        entry.table_log2 = static_cast<uint8_t>(shift + stride);
        entry.hierarchical = limits;
        entry.attributes = attributes;
        entry.input = input & ~ones(entry.region_log2);
        entry.table = place & ~ones(kChunkLog2 + 3);
        entry.table_ipa = place_ipa & ~ones(kChunkLog2 + 3);
        entry.tag = regime.tag;
        walk_cache_.insert(entry);
      }
    }
    const unsigned shift = level_shift(granule, level);
    attributes.secure = half.walk_attributes.secure && !(limits & kNonSecureTables);
    if (!memory_.read(place, &stored, sizeof stored, attributes, AccessKind::kStage1Descriptor))
      return fail(EventType::kWalkExternalAbort, FaultClass::kTableWalk, place);
    descriptor = to_host(stored, cd.big_endian);
    const DescriptorKind kind = kind_of(descriptor, granule, level, address52);
    if (kind == DescriptorKind::kInvalid) return fail(EventType::kTranslation);
    const bool leaf = kind == DescriptorKind::kLeaf;
    const uint64_t output = address_of(descriptor, granule, leaf ? shift : granule, address52);
    if (output > ones(cd.output_bits)) return fail(EventType::kAddressSize);
    if (leaf) {
      result.ipa = output | (input & ones(shift));
      break;
    }
    table = output;
    if (!half.hierarchical_disabled) limits |= hierarchical_of(descriptor);
    if (bit(descriptor, 63)) limits |= kNonSecureTables;
  }

  uint64_t updated = descriptor;
  if (!(descriptor & kAccessFlagBit)) {
    if (cd.update_access) {
      updated |= kAccessFlagBit;
    } else if (!cd.access_fault_disabled) {
      return fail(EventType::kAccessFlag);
    }
  }
  const bool read_only = descriptor & kStage1ReadOnly;
  const bool marks_dirty = cd.update_access && cd.update_dirty && bit(descriptor, kDirtyBitModifier);
  bool clean = read_only && marks_dirty;
  result.permissions = permissions_of(descriptor, limits, !read_only || marks_dirty, cd);
  const bool secure = attributes.secure && !bit(descriptor, 5);
  if (regime.secure_fetch_only && !secure)
    result.permissions &= static_cast<PermissionMask>(~(kExecute | kExecute << kPrivilegedShift));
  const unsigned missing = need.mask() & ~result.permissions;
  if (missing && !need.gather) {
    fail(EventType::kPermission);
    result.fault.lacks_only_read =
        need.read && need.write && (missing & (kRead | kRead << kPrivilegedShift)) == missing;
    return Step::kDone;
  }
  if (missing == need.mask()) {
    result.no_access_at_stage1 = true;
    result.permissions = 0;
    return Step::kDone;
  }

  if (need.write && clean && !(missing & kAllWrites)) updated &= ~kStage1ReadOnly;
  if (updated != descriptor) {
    uint64_t update_place = place;
    MemoryAttributes update_attributes = attributes;
    if (regime.stage2) {
      // The update is a write to the table, which stage 2 must allow.
      const Stage2Translation written = translate_stage2(
          *regime.ste, place_ipa, {.read = false, .write = true, .privileged = true}, FaultClass::kTableWalk, fresh);
      if (written.fault) {
        result.fault = written.fault;
        return Step::kDone;
      }
      update_place = written.output;
      update_attributes = through_stage2(half.walk_attributes, regime.ste->stage2, written);
      update_attributes.secure = attributes.secure;
    }
    switch (memory_.exchange(update_place, to_host(descriptor, cd.big_endian), to_host(updated, cd.big_endian),
                             update_attributes, AccessKind::kStage1Update)) {
      case ExchangeResult::kChanged:
        result.fault.fault_class = FaultClass::kTableWalk;
        result.fault.fetch_address = update_place;
        return Step::kAgain;
      case ExchangeResult::kBusError:
        return fail(EventType::kWalkExternalAbort, FaultClass::kTableWalk, update_place);
      case ExchangeResult::kDone:
        break;
    }
    if (!(updated & kStage1ReadOnly)) clean = false;
  }

  TlbEntry& entry = result.entry;
  entry.tag = regime.tag;
  // What non-secure memory says of secure translations is never global.
  entry.global = cd.has_two_halves() && !bit(descriptor, 11) && attributes.secure == config_.secure;
  entry.granule_log2 = static_cast<uint8_t>(granule);
  entry.level = static_cast<uint8_t>(level);
  entry.size_log2 = static_cast<uint8_t>(leaf_size_log2(descriptor, granule, level, input, result.ipa, cd.output_bits));
  entry.leaf_log2 = entry.size_log2;
  entry.input = input;
  entry.allowed = result.permissions;
  if (clean) entry.allowed &= static_cast<PermissionMask>(~kAllWrites);
  entry.attributes.stage1 = true;
  entry.attributes.secure = secure;
  entry.attributes.stage1_attributes = from_mair(static_cast<uint8_t>(cd.mair >> (8 * bits(descriptor, 4, 2))),
                                                 static_cast<unsigned>(bits(descriptor, 9, 8)));
  return Step::kDone;
}

}  // namespace lockstep::tlm_models::smmuv3
