// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/attributes.h"

#include <algorithm>

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

Shareability shareability_of(unsigned encoding) {
  return encoding == 2 ? Shareability::kOuter : encoding == 3 ? Shareability::kInner : Shareability::kNone;
}

// A nibble of MAIR for a Normal type: the policy and transience in bits 3:2, the allocation hints in bits 1:0.
CacheLevel level_of_mair(unsigned nibble) {
  if (nibble == 4) return {Cacheability::kNonCacheable, false, false, false};
  if (nibble == 0) nibble = 3;  // Reserved, behaves as transient write-through with both hints.
  CacheLevel level;
  level.policy = bit(nibble, 2) ? Cacheability::kWriteBack : Cacheability::kWriteThrough;
  level.transient = !bit(nibble, 3);
  level.read_allocate = bit(nibble, 1);
  level.write_allocate = bit(nibble, 0);
  return level;
}

CacheLevel combine_levels(const CacheLevel& a, const CacheLevel& b) {
  return {std::min(a.policy, b.policy), a.read_allocate && b.read_allocate, a.write_allocate && b.write_allocate,
          a.transient || b.transient};
}

Shareability combine_shareability(Shareability a, Shareability b) {
  if (a == Shareability::kOuter || b == Shareability::kOuter) return Shareability::kOuter;
  if (a == Shareability::kInner || b == Shareability::kInner) return Shareability::kInner;
  return Shareability::kNone;
}

CacheLevel level_of_table(unsigned encoding) {
  switch (encoding & 3) {
    case 1:
      return {Cacheability::kWriteBack, true, true, false};
    case 2:
      return {Cacheability::kWriteThrough, true, false, false};
    case 3:
      return {Cacheability::kWriteBack, true, false, false};
    default:
      return {Cacheability::kNonCacheable, false, false, false};
  }
}

bool cacheable(const CacheLevel& level) { return level.policy != Cacheability::kNonCacheable; }

}  // namespace

MemoryAttributes device_attributes(DeviceType type) {
  MemoryAttributes result;
  result.device = true;
  result.device_type = type;
  return consistent(result);
}

MemoryAttributes table_attributes(unsigned inner, unsigned outer, unsigned shareability) {
  MemoryAttributes result;
  result.inner = level_of_table(inner);
  result.outer = level_of_table(outer);
  result.shareability = shareability_of(shareability);
  return consistent(result);
}

MemoryAttributes register_attributes(unsigned inner, unsigned outer, unsigned shareability) {
  return table_attributes(inner == 3 ? 0 : inner, outer == 3 ? 0 : outer, shareability);
}

MemoryAttributes from_mair(uint8_t attribute, unsigned shareability) {
  const unsigned high = attribute >> 4;
  const unsigned low = attribute & 0xf;
  if (high == 0) return device_attributes(static_cast<DeviceType>(low >> 2));
  MemoryAttributes result;
  result.outer = level_of_mair(high);
  result.inner = level_of_mair(low);
  result.shareability = shareability_of(shareability);
  return consistent(result);
}

MemoryAttributes from_stage2_encoding(unsigned memattr, unsigned shareability) {
  const unsigned outer = (memattr >> 2) & 3;
  const unsigned inner = memattr & 3;
  if (outer == 0) return device_attributes(static_cast<DeviceType>(inner));
  if (inner == 0) return device_attributes(DeviceType::kNGnRnE);
  MemoryAttributes result;
  result.outer.policy = static_cast<Cacheability>(outer);
  result.inner.policy = static_cast<Cacheability>(inner);
  result.shareability = shareability_of(shareability);
  // Stage 2 says nothing of hints, so they are those that combine to the other's.
  return result;
}

MemoryAttributes combine(const MemoryAttributes& first, const MemoryAttributes& second) {
  if (first.device || second.device) {
    DeviceType type = first.device ? first.device_type : second.device_type;
    if (first.device && second.device) type = std::min(first.device_type, second.device_type);
    return device_attributes(type);
  }
  MemoryAttributes result;
  result.inner = combine_levels(first.inner, second.inner);
  result.outer = combine_levels(first.outer, second.outer);
  result.shareability = combine_shareability(first.shareability, second.shareability);
  return consistent(result);
}

MemoryAttributes combine_force_write_back(const MemoryAttributes& stage1, unsigned memattr, unsigned shareability) {
  const unsigned low = memattr & 3;
  if (!bit(memattr, 2)) {
    const auto type = static_cast<DeviceType>(low);
    return device_attributes(stage1.device ? std::min(stage1.device_type, type) : type);
  }
  MemoryAttributes result = stage1;
  if (low == 2) {
    for (CacheLevel* level : {&result.inner, &result.outer}) {
      if (stage1.device || !cacheable(*level)) *level = CacheLevel{};
      level->policy = Cacheability::kWriteBack;
    }
    result.device = false;
    result.device_type = DeviceType::kNGnRnE;
  } else if (low != 3 && !stage1.device) {
    result.inner.policy = result.outer.policy = Cacheability::kNonCacheable;
  }
  result.shareability = combine_shareability(stage1.shareability, shareability_of(shareability));
  return consistent(result);
}

MemoryAttributes stage1_with_input_hints(const MemoryAttributes& stage1, const MemoryAttributes& input) {
  if (stage1.device || input.device) return stage1;
  MemoryAttributes result = stage1;
  // A level that is not cached on the way in carries no hints, so stage 1 decides alone there.
  const auto apply = [](CacheLevel& level, const CacheLevel& from) {
    if (!cacheable(from)) return;
    level.read_allocate = level.read_allocate && from.read_allocate;
    level.write_allocate = level.write_allocate && from.write_allocate;
    level.transient = level.transient || from.transient;
  };
  apply(result.inner, input.inner);
  apply(result.outer, input.outer);
  return result;
}

MemoryAttributes replace(const MemoryAttributes& input, const AttributeOverrides& overrides) {
  MemoryAttributes result = input;
  if (overrides.replace_type) {
    result = from_stage2_encoding(overrides.memory_type, static_cast<unsigned>(input.shareability));
    // Hints of the input are kept at a level that was cached before; from_stage2_encoding left the defaults elsewhere.
    const auto keep = [&](CacheLevel& level, const CacheLevel& from) {
      if (input.device || !cacheable(from)) return;
      level.read_allocate = from.read_allocate;
      level.write_allocate = from.write_allocate;
      level.transient = from.transient;
    };
    if (!result.device) {
      keep(result.inner, input.inner);
      keep(result.outer, input.outer);
      result.shareability = input.shareability;
    }
  }
  if (bit(overrides.allocation, 3)) {
    for (CacheLevel* level : {&result.inner, &result.outer}) {
      level->read_allocate = bit(overrides.allocation, 2);
      level->write_allocate = bit(overrides.allocation, 1);
      level->transient = bit(overrides.allocation, 0);
    }
  }
  if (overrides.shareability != 1) result.shareability = shareability_of(overrides.shareability);
  return result;
}

MemoryAttributes consistent(MemoryAttributes attributes) {
  if (attributes.device) {
    const CacheLevel none{Cacheability::kNonCacheable, false, false, false};
    attributes.inner = attributes.outer = none;
    attributes.shareability = Shareability::kOuter;
    return attributes;
  }
  attributes.device_type = DeviceType::kNGnRnE;
  for (CacheLevel* level : {&attributes.inner, &attributes.outer}) {
    if (!cacheable(*level)) {
      level->read_allocate = level->write_allocate = level->transient = false;
    } else if (!level->read_allocate && !level->write_allocate) {
      level->transient = false;
    }
  }
  if (!cacheable(attributes.inner) && !cacheable(attributes.outer)) attributes.shareability = Shareability::kOuter;
  return attributes;
}

}  // namespace lockstep::tlm_models::smmuv3
