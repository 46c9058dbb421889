// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/result.h"

namespace lockstep::tlm_models::smmuv3 {

// What SMMU_IDR0.STALL_MODEL says.
enum class StallModel : uint8_t { kStallAndTerminate = 0, kTerminateOnly = 1, kStallForced = 2 };

// What SMMU_IDR0.TTENDIAN says.
enum class TableEndianness : uint8_t { kMixed = 0, kLittle = 2, kBig = 3 };

// What SMMU_IDR0.HTTU says.
enum class HardwareUpdate : uint8_t { kNone = 0, kAccessFlag = 1, kAccessFlagAndDirty = 2 };

// The features of one SMMU, fixed when it is built. The ID registers are computed from it, so they tell software
// exactly what the model does. Sections "SMMU_IDR0" to "SMMU_IDR5" of the SMMUv3 specification.
struct Config {
  bool stage1 = true;
  bool stage2 = true;
  bool hypervisor = true;  // EL2 StreamWorlds
  bool ats = true;
  bool no_split_stage_ats = false;  // SMMU_IDR0.NS1ATS
  bool pri = true;
  bool msi = true;
  bool send_event = true;  // SMMU_IDR0.SEV
  bool asid16 = true;
  bool vmid16 = true;
  bool vmid_wildcards = true;
  bool broadcast = true;  // takes part in invalidations that processors broadcast (SMMU_IDR0.BTM)
  bool coherent_access = true;
  bool two_level_cd = true;
  bool two_level_stream_table = true;
  bool range_invalidation = true;
  bool force_write_back = true;          // stage 2 control of attributes (FWB)
  bool small_translation_tables = true;  // STT
  bool attribute_types_override = true;  // SMMU_IDR1.ATTR_TYPES_OVR
  bool attribute_perms_override = true;  // SMMU_IDR1.ATTR_PERMS_OVR
  bool ats_record_errors = true;         // SMMU_IDR0.ATSRECERR
  bool pasid_in_auto_response = false;   // SMMU_IDR3.PPS
  bool granule_4k = true;
  bool granule_16k = true;
  bool granule_64k = true;
  bool va52 = true;                   // SMMU_IDR5.VAX
  bool terminate_abort_only = false;  // SMMU_IDR0.TERM_MODEL
  HardwareUpdate hardware_update = HardwareUpdate::kAccessFlagAndDirty;
  TableEndianness table_endianness = TableEndianness::kMixed;
  StallModel stall_model = StallModel::kStallAndTerminate;
  unsigned oas_bits = 52;                  // 32, 36, 40, 42, 44, 48 or 52
  unsigned stream_id_bits = 16;            // 0 to 32
  unsigned substream_id_bits = 20;         // 0 to 20; 0: no substreams
  unsigned command_queue_log2 = 19;        // 0 to 19
  unsigned event_queue_log2 = 19;          // 0 to 19
  unsigned pri_queue_log2 = 19;            // 0 to 19
  unsigned stalled_transactions_max = 32;  // SMMU_IDR5.STALL_MAX
  uint32_t implementer = 0x0000043b;       // SMMU_IIDR
  uint32_t gbpa_reset = 0x00001000;        // SMMU_GBPA without Update: no abort, incoming attributes

  // The secure side of an SMMU that has one; see secure_side(). Its streams come from the secure stream table.
  bool secure = false;
  bool ats_beside = false;  // the non-secure side has ATS, which the secure command queue keeps out of (S_IDR3.SAMS)

  // Sizes of the caches; they change how many reads a translation takes, never its result.
  unsigned tlb_sets_log2 = 8;
  unsigned tlb_ways = 4;
  bool tlb = true;
  bool stage1_walk_cache = true;
  bool stage2_cache = true;  // intermediate addresses of table walks
  bool config_cache = true;  // stream table entries and context descriptors
  unsigned config_cache_log2 = 6;
  bool merge_events = true;  // where STE.MEV permits
  // Updates of CR0, IRQ_CTRL and GBPA wait for Smmu::complete_updates() instead of ending inside the write.
  bool deferred_updates = false;

  // IAS and OAS are one number where AArch64 is the only table format, as it is here (section "Address sizes").
  unsigned ias_bits() const { return oas_bits; }
  bool supports_granule(unsigned granule_log2) const {
    return (granule_log2 == 12 && granule_4k) || (granule_log2 == 14 && granule_16k) ||
           (granule_log2 == 16 && granule_64k);
  }
};

// The features of the secure programming interface beside a non-secure one with these: stage 1 alone, because there
// is no secure EL2, no ATS and no page requests; section "Security states support".
Config secure_side(const Config& non_secure);

// Which combination of features cannot be: the message names the field and the way out.
core::Status check(const Config& config);

// Address sizes in the encoding that OAS, IPS and S2PS share; the reserved value behaves as 52.
unsigned address_bits(unsigned encoding);
unsigned address_encoding(unsigned bits);

}  // namespace lockstep::tlm_models::smmuv3
