// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/campaign/beside.h"

namespace lockstep::smmu_rtl_bridge {

IdRegisters id_registers_of(Device& device) {
  const auto get = [&](uint32_t offset) {
    uint64_t value = 0;
    device.read_register(offset, 4, value);
    return static_cast<uint32_t>(value);
  };
  return {get(0x00), get(0x04), get(0x08), get(0x0c), get(0x10), get(0x14), get(0x18), get(0x1c)};
}

core::Result<std::vector<Setting>> model_settings_for(const IdRegisters& registers) {
  const auto config = config_from_id_registers(registers);
  if (!config) return config.error();
  std::vector<Setting> settings;
  const auto set = [&](const char* name, uint64_t value) { settings.push_back({name, std::to_string(value)}); };
#define LOCKSTEP_SAME(field) set(#field, static_cast<uint64_t>(config->field))
  LOCKSTEP_SAME(stage1);
  LOCKSTEP_SAME(stage2);
  LOCKSTEP_SAME(hypervisor);
  LOCKSTEP_SAME(ats);
  LOCKSTEP_SAME(no_split_stage_ats);
  LOCKSTEP_SAME(pri);
  LOCKSTEP_SAME(msi);
  LOCKSTEP_SAME(send_event);
  LOCKSTEP_SAME(asid16);
  LOCKSTEP_SAME(vmid16);
  LOCKSTEP_SAME(vmid_wildcards);
  LOCKSTEP_SAME(broadcast);
  LOCKSTEP_SAME(coherent_access);
  LOCKSTEP_SAME(two_level_cd);
  LOCKSTEP_SAME(two_level_stream_table);
  LOCKSTEP_SAME(range_invalidation);
  LOCKSTEP_SAME(force_write_back);
  LOCKSTEP_SAME(small_translation_tables);
  LOCKSTEP_SAME(attribute_types_override);
  LOCKSTEP_SAME(attribute_perms_override);
  LOCKSTEP_SAME(ats_record_errors);
  LOCKSTEP_SAME(pasid_in_auto_response);
  LOCKSTEP_SAME(granule_4k);
  LOCKSTEP_SAME(granule_16k);
  LOCKSTEP_SAME(granule_64k);
  LOCKSTEP_SAME(va52);
  LOCKSTEP_SAME(terminate_abort_only);
  LOCKSTEP_SAME(hardware_update);
  LOCKSTEP_SAME(table_endianness);
  LOCKSTEP_SAME(stall_model);
  LOCKSTEP_SAME(oas_bits);
  LOCKSTEP_SAME(stream_id_bits);
  LOCKSTEP_SAME(substream_id_bits);
  LOCKSTEP_SAME(command_queue_log2);
  LOCKSTEP_SAME(event_queue_log2);
  LOCKSTEP_SAME(pri_queue_log2);
  LOCKSTEP_SAME(stalled_transactions_max);
  LOCKSTEP_SAME(implementer);
#undef LOCKSTEP_SAME
  set("merge_events", 0);
  return settings;
}

}  // namespace lockstep::smmu_rtl_bridge
