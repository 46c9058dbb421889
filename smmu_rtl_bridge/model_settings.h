// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <string>

#include "core/result.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tlm_models/smmuv3/config.h"

// A model's settings by name. The namespace has the model's name, so that it goes with a copy of the model that is
// compiled under another one.
namespace lockstep::smmu_rtl_bridge::model_side::smmuv3 {

namespace model = tlm_models::smmuv3;

// One setting: a name and how a number becomes a field.
struct SettingRow {
  const char* name;
  void (*apply)(model::Config& config, uint64_t value);
  uint64_t largest;
};

// clang-format off
#define LOCKSTEP_FLAG(field) {#field, [](model::Config& c, uint64_t v) { c.field = v != 0; }, 1}
#define LOCKSTEP_NUMBER(field, most) \
  {#field, [](model::Config& c, uint64_t v) { c.field = static_cast<decltype(c.field)>(v); }, most}
inline constexpr SettingRow kSettings[] = {
    LOCKSTEP_FLAG(stage1), LOCKSTEP_FLAG(stage2), LOCKSTEP_FLAG(hypervisor), LOCKSTEP_FLAG(ats),
    LOCKSTEP_FLAG(no_split_stage_ats), LOCKSTEP_FLAG(pri), LOCKSTEP_FLAG(msi), LOCKSTEP_FLAG(send_event),
    LOCKSTEP_FLAG(asid16), LOCKSTEP_FLAG(vmid16), LOCKSTEP_FLAG(vmid_wildcards), LOCKSTEP_FLAG(broadcast),
    LOCKSTEP_FLAG(coherent_access), LOCKSTEP_FLAG(two_level_cd), LOCKSTEP_FLAG(two_level_stream_table),
    LOCKSTEP_FLAG(range_invalidation), LOCKSTEP_FLAG(force_write_back), LOCKSTEP_FLAG(small_translation_tables),
    LOCKSTEP_FLAG(attribute_types_override), LOCKSTEP_FLAG(attribute_perms_override),
    LOCKSTEP_FLAG(ats_record_errors), LOCKSTEP_FLAG(pasid_in_auto_response), LOCKSTEP_FLAG(granule_4k),
    LOCKSTEP_FLAG(granule_16k), LOCKSTEP_FLAG(granule_64k), LOCKSTEP_FLAG(va52),
    LOCKSTEP_FLAG(terminate_abort_only), LOCKSTEP_NUMBER(hardware_update, 2), LOCKSTEP_NUMBER(table_endianness, 3),
    LOCKSTEP_NUMBER(stall_model, 2), LOCKSTEP_NUMBER(oas_bits, 52), LOCKSTEP_NUMBER(stream_id_bits, 32),
    LOCKSTEP_NUMBER(substream_id_bits, 20), LOCKSTEP_NUMBER(command_queue_log2, 19),
    LOCKSTEP_NUMBER(event_queue_log2, 19), LOCKSTEP_NUMBER(pri_queue_log2, 19),
    LOCKSTEP_NUMBER(stalled_transactions_max, 65535), LOCKSTEP_NUMBER(implementer, 0xffffffff),
    LOCKSTEP_NUMBER(gbpa_reset, 0xffffffff), LOCKSTEP_NUMBER(tlb_sets_log2, 16), LOCKSTEP_NUMBER(tlb_ways, 64),
    LOCKSTEP_FLAG(tlb), LOCKSTEP_FLAG(stage1_walk_cache), LOCKSTEP_FLAG(stage2_cache), LOCKSTEP_FLAG(config_cache),
    LOCKSTEP_NUMBER(config_cache_log2, 16), LOCKSTEP_FLAG(merge_events), LOCKSTEP_FLAG(deferred_updates),
};
#undef LOCKSTEP_FLAG
#undef LOCKSTEP_NUMBER
// clang-format on

inline core::Result<model::Config> config_of(const DeviceSettings& settings) {
  model::Config config;
  for (const Setting& setting : settings) {
    const SettingRow* row = nullptr;
    for (const SettingRow& candidate : kSettings)
      if (setting.name == candidate.name) row = &candidate;
    if (!row)
      return core::Error{"device setting '" + setting.name +
                         "' is not known; settings are the fields of tlm_models/smmuv3/config.h."};
    const std::string& text = setting.value;
    const bool hex = text.starts_with("0x");
    uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data() + (hex ? 2 : 0), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size() || value > row->largest)
      return core::Error{"device setting " + setting.name + "=" + text + ": use a number from 0 to " +
                         std::to_string(row->largest) + "."};
    row->apply(config, value);
  }
  if (const core::Status status = model::check(config); !status) return status.error();
  return config;
}

}  // namespace lockstep::smmu_rtl_bridge::model_side::smmuv3
