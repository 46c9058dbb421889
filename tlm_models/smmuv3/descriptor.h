// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::tlm_models::smmuv3 {

// What translation table descriptors of both stages have in common (VMSAv8-64 of the Arm architecture).

inline constexpr unsigned kLastLevel = 3;
inline constexpr uint64_t kAccessFlagBit = uint64_t{1} << 10;
inline constexpr unsigned kDirtyBitModifier = 51;
inline constexpr unsigned kContiguous = 52;

// What TG0 of CDs and S2TG say; 0 for the reserved code.
constexpr unsigned granule_of_code(unsigned code) { return code == 0 ? 12 : code == 1 ? 16 : code == 2 ? 14 : 0; }

enum class DescriptorKind : uint8_t { kInvalid, kTable, kLeaf };

// Input bits below a descriptor's at a level.
constexpr unsigned level_shift(unsigned granule_log2, unsigned level) {
  return granule_log2 + (kLastLevel - level) * (granule_log2 - 3);
}

// Blocks exist where one entry is worth them; the largest one of 64 KiB tables came with 52-bit addresses.
constexpr bool block_allowed(unsigned granule_log2, unsigned level, bool address52) {
  if (level == 2) return true;
  return level == 1 && (granule_log2 == 12 || (granule_log2 == 16 && address52));
}

constexpr DescriptorKind kind_of(uint64_t descriptor, unsigned granule_log2, unsigned level, bool address52) {
  if (!bit(descriptor, 0)) return DescriptorKind::kInvalid;
  if (level == kLastLevel) return bit(descriptor, 1) ? DescriptorKind::kLeaf : DescriptorKind::kInvalid;
  if (bit(descriptor, 1)) return DescriptorKind::kTable;
  return block_allowed(granule_log2, level, address52) ? DescriptorKind::kLeaf : DescriptorKind::kInvalid;
}

// The address in a descriptor, aligned to 2^low; with 52-bit addresses and 64 KiB tables its top bits lie in [15:12].
constexpr uint64_t address_of(uint64_t descriptor, unsigned granule_log2, unsigned low, bool address52) {
  uint64_t address = field_in_place(descriptor, 47, low);
  if (granule_log2 == 16 && address52) address |= bits(descriptor, 15, 12) << 48;
  return address;
}

// log2 of how many neighbours the contiguous hint of a leaf stands for.
constexpr unsigned contiguous_log2(unsigned granule_log2, unsigned level) {
  if (granule_log2 == 12) return 4;
  if (granule_log2 == 14) return level == kLastLevel ? 7 : 5;
  return level == kLastLevel || level == 2 ? 5 : 0;
}

// Size of the region that a leaf's result holds for. The hint counts only where the outputs can be neighbours too, all
// of them within the output size: the others are faults, which no entry may hide.
constexpr unsigned leaf_size_log2(uint64_t descriptor, unsigned granule_log2, unsigned level, uint64_t input,
                                  uint64_t output, unsigned output_bits) {
  const unsigned shift = level_shift(granule_log2, level);
  if (!bit(descriptor, kContiguous)) return shift;
  const unsigned wide = shift + contiguous_log2(granule_log2, level);
  return wide <= output_bits && ((input ^ output) & ones(wide)) == 0 ? wide : shift;
}

constexpr uint64_t to_host(uint64_t stored, bool big_endian) { return big_endian ? __builtin_bswap64(stored) : stored; }

}  // namespace lockstep::tlm_models::smmuv3
