// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lockstep::tlm_models::smmuv3 {

enum class Cacheability : uint8_t { kNonCacheable = 1, kWriteThrough = 2, kWriteBack = 3 };
enum class Shareability : uint8_t { kNone = 0, kOuter = 2, kInner = 3 };
// In order of strength.
enum class DeviceType : uint8_t { kNGnRnE = 0, kNGnRE = 1, kNGRE = 2, kGRE = 3 };

// One level (inner or outer) of a Normal type. The hints mean something only where the level is cacheable.
struct CacheLevel {
  Cacheability policy = Cacheability::kWriteBack;
  bool read_allocate = true;
  bool write_allocate = true;
  bool transient = false;
  bool operator==(const CacheLevel&) const = default;
};

// Memory attributes of an access, chapter "Attribute Transformation" of the specification. The defaults are those of an
// interconnect that carries no attributes ("Default input attributes").
struct MemoryAttributes {
  bool device = false;
  DeviceType device_type = DeviceType::kNGnRnE;
  CacheLevel inner;
  CacheLevel outer;
  Shareability shareability = Shareability::kNone;
  bool secure = false;  // the address space: the inverse of NS
  bool operator==(const MemoryAttributes&) const = default;
};

MemoryAttributes device_attributes(DeviceType type);
// Inner and outer cacheability as CR1, CDs and STEs encode it for the SMMU's own accesses.
MemoryAttributes table_attributes(unsigned inner, unsigned outer, unsigned shareability);
// CR1's queue and table fields, whose encoding differs: 0 non-cacheable, 1 write-back, 2 write-through.
MemoryAttributes register_attributes(unsigned inner, unsigned outer, unsigned shareability);

// One byte of MAIR with the shareability of the descriptor; section "CD", MAIR0.
MemoryAttributes from_mair(uint8_t attribute, unsigned shareability);
// The four-bit encoding that stage 2 descriptors, STE.MemAttr, GBPA and MSI configurations share.
MemoryAttributes from_stage2_encoding(unsigned memattr, unsigned shareability);

// Stronger of the two for each part; section "Combine".
MemoryAttributes combine(const MemoryAttributes& first, const MemoryAttributes& second);
// Stage 2 as FWB has it: `memattr` is the descriptor's bits [5:2].
MemoryAttributes combine_force_write_back(const MemoryAttributes& stage1, unsigned memattr, unsigned shareability);
// Hints of the incoming access and those of stage 1; section "Stage 1 memory attributes".
MemoryAttributes stage1_with_input_hints(const MemoryAttributes& stage1, const MemoryAttributes& input);

// Override fields as STEs and GBPA have them; section "Replace".
struct AttributeOverrides {
  bool replace_type = false;  // MTCFG
  uint8_t memory_type = 0;    // MemAttr
  uint8_t allocation = 0;     // ALLOCCFG
  uint8_t shareability = 1;   // SHCFG; 1: as it came
  bool operator==(const AttributeOverrides&) const = default;
};
MemoryAttributes replace(const MemoryAttributes& input, const AttributeOverrides& overrides);

// Section "Ensuring consistent output attributes".
MemoryAttributes consistent(MemoryAttributes attributes);

// The same attributes in the given address space.
constexpr MemoryAttributes in_space(MemoryAttributes attributes, bool secure) {
  attributes.secure = secure;
  return attributes;
}

}  // namespace lockstep::tlm_models::smmuv3
