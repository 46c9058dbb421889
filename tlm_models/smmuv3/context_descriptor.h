// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "tlm_models/smmuv3/stream_table_entry.h"

namespace lockstep::tlm_models::smmuv3 {

// One of the two halves of a stage 1 address space.
struct TableHalf {
  uint64_t table = 0;                  // TTBx as written
  uint8_t size_offset = 0;             // TxSZ
  uint8_t granule_log2 = 0;            // 0: the reserved encoding
  bool walk_disabled = false;          // EPDx, effective value
  bool hierarchical_disabled = false;  // HADx
  bool top_byte_ignored = false;       // TBIx
  MemoryAttributes walk_attributes;
};

// A context descriptor in plain fields; section "CD, Context Descriptor". Values are effective ones for the StreamWorld
// that it is reached with.
struct ContextDescriptor {
  bool valid = false;
  StreamWorld world = StreamWorld::kEl1;
  TableHalf half[2];
  bool big_endian = false;
  uint8_t output_bits = 0;               // effective IPS
  bool access_fault_disabled = false;    // AFFD
  bool write_execute_never = false;      // WXN
  bool privileged_access_never = false;  // PAN
  bool aarch64 = false;
  bool update_access = false;    // HA
  bool update_dirty = false;     // HD
  bool stall = false;            // S
  bool record = false;           // R
  bool abort = false;            // A
  bool non_shared_asid = false;  // ASET
  uint16_t asid = 0;
  uint64_t mair = 0;

  bool has_two_halves() const { return world != StreamWorld::kEl2; }
};

ContextDescriptor decode_cd(const StructureWords& words, StreamWorld world, const Config& config);

// One condition under which a descriptor is ILLEGAL when reached through a given entry.
struct CdRule {
  const char* name;
  const char* section;
  bool (*broken)(const ContextDescriptor& cd, const Ste& ste, const Config& config);
};
std::span<const CdRule> cd_rules();
const CdRule* first_broken_rule(const ContextDescriptor& cd, const Ste& ste, const Config& config);

}  // namespace lockstep::tlm_models::smmuv3
