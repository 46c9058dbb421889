// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/config_from_registers.h"

#include <string>

#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/registers.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::bit;
using tlm_models::smmuv3::bits;
using tlm_models::smmuv3::Config;

core::Error wrong(const std::string& field, uint64_t value, const std::string& why) {
  return core::Error{"ID registers: " + field + " is " + std::to_string(value) + ", " + why + "."};
}

}  // namespace

core::Result<Config> config_from_id_registers(const IdRegisters& r) {
  Config c;
  const auto field = [](uint32_t value, unsigned high, unsigned low) {
    return static_cast<unsigned>(bits(value, high, low));
  };
  const unsigned formats = field(r.idr0, 3, 2);
  if (formats != 2 && formats != 3)
    return wrong("SMMU_IDR0.TTF", formats, "and only AArch64 tables (2 or 3) can be judged");
  c.stage2 = bit(r.idr0, 0);
  c.stage1 = bit(r.idr0, 1);
  c.coherent_access = bit(r.idr0, 4);
  c.broadcast = bit(r.idr0, 5);
  const unsigned update = field(r.idr0, 7, 6);
  if (update == 3) return wrong("SMMU_IDR0.HTTU", update, "which is reserved; use 0, 1 or 2");
  c.hardware_update = static_cast<tlm_models::smmuv3::HardwareUpdate>(update);
  c.hypervisor = bit(r.idr0, 9);
  c.ats = bit(r.idr0, 10);
  c.no_split_stage_ats = bit(r.idr0, 11);
  c.asid16 = bit(r.idr0, 12);
  c.msi = bit(r.idr0, 13);
  c.send_event = bit(r.idr0, 14);
  c.pri = bit(r.idr0, 16);
  c.vmid_wildcards = bit(r.idr0, 17);
  c.vmid16 = bit(r.idr0, 18);
  c.two_level_cd = bit(r.idr0, 19);
  const unsigned endian = field(r.idr0, 22, 21);
  if (endian == 1) return wrong("SMMU_IDR0.TTENDIAN", endian, "which is reserved; use 0, 2 or 3");
  c.table_endianness = static_cast<tlm_models::smmuv3::TableEndianness>(endian);
  c.ats_record_errors = bit(r.idr0, 23);
  const unsigned stall = field(r.idr0, 25, 24);
  if (stall == 3) return wrong("SMMU_IDR0.STALL_MODEL", stall, "which is reserved; use 0, 1 or 2");
  c.stall_model = static_cast<tlm_models::smmuv3::StallModel>(stall);
  c.terminate_abort_only = bit(r.idr0, 26);
  const unsigned levels = field(r.idr0, 28, 27);
  if (levels > 1) return wrong("SMMU_IDR0.ST_LEVEL", levels, "which is reserved; use 0 or 1");
  c.two_level_stream_table = levels == 1;

  if (bit(r.idr1, 30)) return wrong("SMMU_IDR1.TABLES_PRESET", 1, "and preset tables cannot be judged");
  if (bit(r.idr1, 29)) return wrong("SMMU_IDR1.QUEUES_PRESET", 1, "and preset queues cannot be judged");
  c.stream_id_bits = field(r.idr1, 5, 0);
  c.substream_id_bits = field(r.idr1, 10, 6);
  c.pri_queue_log2 = field(r.idr1, 15, 11);
  c.event_queue_log2 = field(r.idr1, 20, 16);
  c.command_queue_log2 = field(r.idr1, 25, 21);
  c.attribute_perms_override = bit(r.idr1, 26);
  c.attribute_types_override = bit(r.idr1, 27);

  c.pasid_in_auto_response = bit(r.idr3, 5);
  c.force_write_back = bit(r.idr3, 8);
  c.small_translation_tables = bit(r.idr3, 9);
  c.range_invalidation = bit(r.idr3, 10);

  const unsigned size = field(r.idr5, 2, 0);
  if (size > 6) return wrong("SMMU_IDR5.OAS", size, "which is reserved; use 0 to 6");
  c.oas_bits = tlm_models::smmuv3::address_bits(size);
  c.granule_4k = bit(r.idr5, 4);
  c.granule_16k = bit(r.idr5, 5);
  c.granule_64k = bit(r.idr5, 6);
  const unsigned va = field(r.idr5, 11, 10);
  if (va > 1) return wrong("SMMU_IDR5.VAX", va, "which is reserved; use 0 or 1");
  c.va52 = va == 1;
  c.stalled_transactions_max = field(r.idr5, 31, 16);
  c.implementer = r.iidr;
  if (!c.pri && c.pri_queue_log2 != 0) c.pri_queue_log2 = 0;

  c.tlb = c.stage1_walk_cache = c.stage2_cache = c.config_cache = c.merge_events = false;
  c.tlb_sets_log2 = 0;
  c.tlb_ways = 1;
  c.config_cache_log2 = 0;
  const core::Status status = tlm_models::smmuv3::check(c);
  if (!status) return core::Error{"ID registers: " + status.message()};
  return c;
}

IdRegisters id_registers(const Config& config) {
  using tlm_models::smmuv3::RegisterId;
  const auto value = [&](RegisterId id) { return static_cast<uint32_t>(tlm_models::smmuv3::reset_value(id, config)); };
  return {value(RegisterId::kIdr0), value(RegisterId::kIdr1), value(RegisterId::kIdr2), value(RegisterId::kIdr3),
          value(RegisterId::kIdr4), value(RegisterId::kIdr5), value(RegisterId::kIidr), value(RegisterId::kAidr)};
}

}  // namespace lockstep::smmu_rtl_bridge
