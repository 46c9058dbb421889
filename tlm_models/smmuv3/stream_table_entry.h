// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "tlm_models/smmuv3/attributes.h"
#include "tlm_models/smmuv3/config.h"

namespace lockstep::tlm_models::smmuv3 {

// The translation regime of a stream; section "STE", STRW. On the secure side the first is secure EL1, and the second,
// which has one half and no ASIDs, is EL3.
enum class StreamWorld : uint8_t { kEl1, kEl2, kEl2E2h };

// Parameters of the stage 2 tables of a stream.
struct Stage2Config {
  uint64_t table = 0;  // S2TTB as written
  uint16_t vmid = 0;
  uint8_t t0sz = 0;
  uint8_t start_level_code = 0;  // S2SL0
  uint8_t granule_log2 = 0;      // 0: the reserved encoding
  uint8_t output_bits = 0;       // effective S2PS
  bool aarch64 = false;
  bool big_endian = false;
  bool access_fault_disabled = false;  // S2AFFD
  bool protected_table_walk = false;   // S2PTW
  bool update_access = false;          // S2HA
  bool update_dirty = false;           // S2HD, effective only with S2HA
  bool force_write_back = false;       // S2FWB, false where the feature is off
  MemoryAttributes walk_attributes;
};

// A stream table entry in plain fields; section "STE, Stream Table Entry". What the implementation has no feature for
// reads as the specification says (RES0 and IGNORED fields keep what was written, and rules look at the feature).
struct Ste {
  bool valid = false;
  uint8_t config = 0;
  uint8_t s1_format = 0;
  uint64_t context_pointer = 0;
  uint8_t cd_max = 0;             // log2 of the number of context descriptors
  uint8_t default_substream = 0;  // S1DSS
  MemoryAttributes context_attributes;
  bool merge_events = false;
  bool page_request_pasid = false;  // PPAR
  bool stall_disabled = false;      // S1STALLD
  uint8_t ats = 0;                  // EATS
  uint8_t stream_world = 0;         // STRW
  AttributeOverrides overrides;
  uint8_t privilege_override = 0;    // PRIVCFG: 2 unprivileged, 3 privileged
  uint8_t space_override = 0;        // NSCFG of the secure side: 2 secure, 3 non-secure
  uint8_t instruction_override = 0;  // INSTCFG: 2 data, 3 instruction
  Stage2Config stage2;
  bool stage2_stall = false;   // S2S
  bool stage2_record = false;  // S2R

  bool translates() const { return (config & 4) && (config & 3); }
  bool stage1_translates() const { return (config & 5) == 5; }
  bool stage2_translates() const { return (config & 6) == 6; }
};

using StructureWords = std::array<uint64_t, 8>;

Ste decode_ste(const StructureWords& words, const Config& config);
StreamWorld stream_world(const Ste& ste, const Config& config, bool e2h);
// Whether STRW and S2VMID mean nothing in this entry.
bool stream_world_unused(const Ste& ste, const Config& config);
bool vmid_unused(const Ste& ste, const Config& config);

// One condition under which an entry is ILLEGAL. Tests and the coverage plan enumerate these tables.
struct SteRule {
  const char* name;
  const char* section;
  bool (*broken)(const Ste& ste, const Config& config);
};
std::span<const SteRule> ste_rules();
// The first rule that the entry breaks, or null when the entry may be used. An entry that neither translates nor passes
// (Config 0b0xx) is checked for V alone.
const SteRule* first_broken_rule(const Ste& ste, const Config& config);

// First level that a stage 2 walk reads, from the granule and S2SL0; 4 when the encoding is reserved.
unsigned stage2_start_level(unsigned granule_log2, unsigned code);

}  // namespace lockstep::tlm_models::smmuv3
