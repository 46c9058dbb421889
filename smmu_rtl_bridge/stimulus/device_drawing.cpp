// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/drawing.h"
#include "smmu_rtl_bridge/stimulus/generator.h"

namespace lockstep::smmu_rtl_bridge {

std::vector<Setting> draw_device(uint64_t seed, const Mix& mix) {
  // Another stream of numbers than the script's.
  Drawing draw(seed ^ 0x6465766963650000);
  std::vector<Setting> settings;
  const auto set = [&](const char* name, uint64_t value) { settings.push_back({name, std::to_string(value)}); };
  const auto maybe_off = [&](const char* name, unsigned percent_on) {
    const bool on = draw.chance(percent_on);
    if (!on) set(name, 0);
    return on;
  };
  const auto caches = [&] {
    if (!draw.chance(mix.small_caches)) return;
    maybe_off("tlb", 90);
    maybe_off("stage1_walk_cache", 75);
    maybe_off("stage2_cache", 75);
    maybe_off("config_cache", 85);
    set("tlb_sets_log2", draw.below(6));
    set("tlb_ways", draw.between(1, 4));
    set("config_cache_log2", draw.below(6));
  };
  if (draw.chance(mix.plain_device)) {
    caches();
    return settings;
  }
  constexpr unsigned kSizes[] = {32, 36, 40, 42, 44, 48, 52};
  const unsigned output = draw.chance(40) ? 52 : kSizes[draw.below(std::size(kSizes))];
  const bool granule4 = draw.chance(85), granule16 = draw.chance(85);
  const bool granule64 = draw.chance(85) || output == 52 || (!granule4 && !granule16);
  if (output != 52) set("oas_bits", output);
  if (!granule4) set("granule_4k", 0);
  if (!granule16) set("granule_16k", 0);
  if (!granule64) set("granule_64k", 0);
  if (!granule64 || draw.chance(40)) set("va52", 0);
  const bool stage1 = draw.chance(94);
  if (!stage1) set("stage1", 0);
  if (stage1) maybe_off("stage2", 88);
  maybe_off("hypervisor", 80);
  const bool ats = draw.chance(80);
  if (!ats) set("ats", 0);
  if (!ats || draw.chance(20)) set("pri", 0);
  if (draw.chance(20)) set("no_split_stage_ats", 1);
  maybe_off("msi", 85);
  maybe_off("send_event", 85);
  maybe_off("asid16", 80);
  maybe_off("vmid16", 80);
  maybe_off("vmid_wildcards", 70);
  maybe_off("broadcast", 70);
  maybe_off("two_level_cd", 85);
  maybe_off("range_invalidation", 80);
  maybe_off("force_write_back", 80);
  maybe_off("small_translation_tables", 60);
  maybe_off("attribute_types_override", 80);
  maybe_off("attribute_perms_override", 80);
  maybe_off("ats_record_errors", 80);
  if (draw.chance(40)) set("pasid_in_auto_response", 1);
  if (draw.chance(15)) set("terminate_abort_only", 1);
  if (draw.chance(40)) set("hardware_update", draw.below(3));
  if (draw.chance(40)) set("table_endianness", draw.pick({0, 2, 3}));
  if (draw.chance(40)) set("stall_model", draw.below(3));
  set("stream_id_bits", draw.chance(5) ? draw.below(7) : draw.between(7, 16));
  set("substream_id_bits", draw.chance(85) ? draw.between(1, 20) : 0);
  if (draw.chance(30)) set("stalled_transactions_max", draw.between(1, 4));
  if (draw.chance(mix.small_queues)) set("command_queue_log2", draw.below(4));
  if (draw.chance(mix.small_queues)) set("event_queue_log2", draw.below(4));
  if (draw.chance(mix.small_queues)) set("pri_queue_log2", draw.below(4));
  maybe_off("merge_events", 70);
  if (draw.chance(20)) set("deferred_updates", 1);
  if (draw.chance(20)) set("gbpa_reset", 0x101000);
  caches();
  return settings;
}

}  // namespace lockstep::smmu_rtl_bridge
