// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/stream_table_entry.h"

#include <algorithm>

#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

unsigned input_bits(const Stage2Config& stage2) { return 64 - stage2.t0sz; }

bool stage2_size_out_of_range(const Ste& ste, const Config& config) {
  unsigned largest = 39;
  if (config.small_translation_tables) largest = ste.stage2.granule_log2 == 16 ? 47 : 48;
  const unsigned smallest = std::max(ste.stage2.granule_log2 == 16 ? 12u : 16u, 64 - config.ias_bits());
  return ste.stage2.t0sz < smallest || ste.stage2.t0sz > largest;
}

// The start level must resolve the input size, with at most 16 tables side by side.
bool stage2_start_inconsistent(const Ste& ste, const Config& config) {
  const unsigned granule = ste.stage2.granule_log2;
  if (granule == 0) return false;  // another rule's business
  const unsigned code = ste.stage2.start_level_code;
  const unsigned start = stage2_start_level(granule, code);
  if (start > kLastLevel) return true;
  if (granule == 12 && code == 3 && !config.small_translation_tables) return true;
  // A start level that only large physical addresses need, as in the walk of processors.
  if (code == 2 && granule != 14 && config.oas_bits < 44) return true;
  if (code == 2 && granule == 14 && config.oas_bits < 42) return true;
  const unsigned stride = granule - 3;
  const unsigned smallest = (kLastLevel - start) * stride + granule + 1;
  const unsigned largest = smallest + stride - 1 + 4;
  return input_bits(ste.stage2) < smallest || input_bits(ste.stage2) > largest;
}

bool hardware_update_refused(bool access, bool dirty, const Config& config) {
  return (access || dirty) && config.hardware_update == HardwareUpdate::kNone;
}

constexpr SteRule kRules[] = {
    {"ste_not_valid", "STE, V", [](const Ste& s, const Config&) { return !s.valid; }},
    {"ste_stage1_absent", "STE, Config", [](const Ste& s, const Config& c) { return (s.config & 1) && !c.stage1; }},
    {"ste_stage2_absent", "STE, Config", [](const Ste& s, const Config& c) { return (s.config & 2) && !c.stage2; }},
    {"ste_eats_split_needs_nested", "STE, EATS",
     [](const Ste& s, const Config& c) { return c.ats && (s.config & 3) && s.ats == 2 && s.config != 7; }},
    {"ste_eats_split_with_stall", "STE, EATS",
     [](const Ste& s, const Config& c) { return c.ats && (s.config & 3) && s.ats == 2 && s.stage2_stall; }},
    {"ste_eats_split_absent", "STE, EATS",
     [](const Ste& s, const Config& c) { return c.ats && (s.config & 3) && s.ats == 2 && c.no_split_stage_ats; }},
    {"ste_eats_full_with_stall", "STE, EATS",
     [](const Ste& s, const Config& c) { return c.ats && s.stage2_translates() && s.ats == 1 && s.stage2_stall; }},
    {"ste_strw_reserved", "STE, STRW",
     [](const Ste& s, const Config& c) {
       if (stream_world_unused(s, c)) return false;
       // There is no secure EL2, which 0b10 stands for (docs/status.md); 0b01 is EL3.
       return c.secure ? (s.stream_world & 2) != 0 : (s.stream_world & 1) != 0;
     }},
    {"ste_s1stalld_not_configurable", "STE, S1STALLD",
     [](const Ste& s, const Config& c) {
       return s.stage1_translates() && s.stall_disabled && c.stall_model != StallModel::kStallAndTerminate;
     }},
    {"ste_s1cdmax_too_large", "STE, S1CDMax",
     [](const Ste& s, const Config& c) {
       return s.stage1_translates() && c.substream_id_bits != 0 && s.cd_max > c.substream_id_bits;
     }},
    {"ste_s1fmt_two_level_absent", "STE, S1Fmt",
     [](const Ste& s, const Config& c) {
       return s.stage1_translates() && c.substream_id_bits != 0 && s.cd_max != 0 && !c.two_level_cd &&
              (s.s1_format == 1 || s.s1_format == 2);
     }},
    {"ste_s1contextptr_out_of_range", "Address sizes of SMMU-originated accesses",
     [](const Ste& s, const Config& c) { return s.stage1_translates() && s.context_pointer > ones(c.oas_bits); }},
    {"ste_s2s_stall_absent", "STE, S2S",
     [](const Ste& s, const Config& c) {
       return s.stage2_translates() && s.stage2_stall && c.stall_model == StallModel::kTerminateOnly;
     }},
    {"ste_s2s_stall_forced", "STE, S2S",
     [](const Ste& s, const Config& c) {
       return s.stage2_translates() && !s.stage2_stall && c.stall_model == StallModel::kStallForced;
     }},
    {"ste_s2aa64_lpae_absent", "STE, S2AA64",
     [](const Ste& s, const Config&) { return s.stage2_translates() && !s.stage2.aarch64; }},
    {"ste_s2ha_s2hd_absent", "STE, S2HA",
     [](const Ste& s, const Config& c) {
       return s.stage2_translates() && hardware_update_refused(s.stage2.update_access, s.stage2.update_dirty, c);
     }},
    {"ste_s2hd_dirty_absent", "STE, S2HD",
     [](const Ste& s, const Config& c) {
       return s.stage2_translates() && s.stage2.update_dirty && c.hardware_update == HardwareUpdate::kAccessFlag;
     }},
    {"ste_s2tg_unsupported", "STE, S2TG",
     [](const Ste& s, const Config& c) { return s.stage2_translates() && !c.supports_granule(s.stage2.granule_log2); }},
    {"ste_s2ttb_outside_s2ps", "STE, S2TTB",
     [](const Ste& s, const Config&) { return s.stage2_translates() && s.stage2.table > ones(s.stage2.output_bits); }},
    {"ste_s2ttb_outside_48_bits", "STE, S2TTB",
     [](const Ste& s, const Config&) {
       return s.stage2_translates() && s.stage2.granule_log2 != 16 && s.stage2.table > ones(48);
     }},
    {"ste_s2t0sz_out_of_range", "STE, S2T0SZ",
     [](const Ste& s, const Config& c) { return s.stage2_translates() && stage2_size_out_of_range(s, c); }},
    {"ste_s2sl0_inconsistent", "STE, S2SL0",
     [](const Ste& s, const Config& c) { return s.stage2_translates() && stage2_start_inconsistent(s, c); }},
    {"ste_s2endi_little_only", "STE, S2ENDI",
     [](const Ste& s, const Config& c) {
       return s.stage2_translates() && s.stage2.big_endian && c.table_endianness == TableEndianness::kLittle;
     }},
    {"ste_s2endi_big_only", "STE, S2ENDI",
     [](const Ste& s, const Config& c) {
       return s.stage2_translates() && !s.stage2.big_endian && c.table_endianness == TableEndianness::kBig;
     }},
    {"ste_s2vmid_above_8_bits", "STE, S2VMID",
     [](const Ste& s, const Config& c) { return !vmid_unused(s, c) && !c.vmid16 && s.stage2.vmid > 0xff; }},
};

}  // namespace

Ste decode_ste(const StructureWords& words, const Config& config) {
  Ste ste;
  ste.valid = bit(words[0], 0);
  ste.config = static_cast<uint8_t>(bits(words[0], 3, 1));
  ste.s1_format = static_cast<uint8_t>(bits(words[0], 5, 4));
  ste.context_pointer = field_in_place(words[0], 51, 6);
  ste.cd_max = static_cast<uint8_t>(bits(words[0], 63, 59));

  ste.default_substream = static_cast<uint8_t>(bits(words[1], 1, 0));
  ste.context_attributes =
      table_attributes(static_cast<unsigned>(bits(words[1], 3, 2)), static_cast<unsigned>(bits(words[1], 5, 4)),
                       static_cast<unsigned>(bits(words[1], 7, 6)));
  ste.context_attributes.secure = config.secure;
  ste.page_request_pasid = bit(words[1], 18);
  ste.merge_events = bit(words[1], 19);
  ste.stall_disabled = bit(words[1], 27);
  ste.ats = static_cast<uint8_t>(bits(words[1], 29, 28));
  ste.stream_world = static_cast<uint8_t>(bits(words[1], 31, 30));
  if (config.attribute_types_override) {
    ste.overrides.memory_type = static_cast<uint8_t>(bits(words[1], 35, 32));
    ste.overrides.replace_type = bit(words[1], 36);
    ste.overrides.allocation = static_cast<uint8_t>(bits(words[1], 40, 37));
    ste.overrides.shareability = static_cast<uint8_t>(bits(words[1], 45, 44));
  }
  if (config.attribute_perms_override) {
    ste.privilege_override = static_cast<uint8_t>(bits(words[1], 49, 48));
    ste.instruction_override = static_cast<uint8_t>(bits(words[1], 51, 50));
    if (config.secure) ste.space_override = static_cast<uint8_t>(bits(words[1], 47, 46));
  }

  Stage2Config& stage2 = ste.stage2;
  stage2.vmid = static_cast<uint16_t>(bits(words[2], 15, 0));
  stage2.t0sz = static_cast<uint8_t>(bits(words[2], 37, 32));
  stage2.start_level_code = static_cast<uint8_t>(bits(words[2], 39, 38));
  stage2.walk_attributes =
      table_attributes(static_cast<unsigned>(bits(words[2], 41, 40)), static_cast<unsigned>(bits(words[2], 43, 42)),
                       static_cast<unsigned>(bits(words[2], 45, 44)));
  stage2.granule_log2 = static_cast<uint8_t>(granule_of_code(static_cast<unsigned>(bits(words[2], 47, 46))));
  stage2.output_bits =
      static_cast<uint8_t>(std::min(address_bits(static_cast<unsigned>(bits(words[2], 50, 48))), config.oas_bits));
  stage2.aarch64 = bit(words[2], 51);
  stage2.big_endian = bit(words[2], 52);
  stage2.access_fault_disabled = bit(words[2], 53);
  stage2.protected_table_walk = bit(words[2], 54);
  stage2.update_dirty = bit(words[2], 55);
  stage2.update_access = bit(words[2], 56);
  ste.stage2_stall = bit(words[2], 57);
  ste.stage2_record = bit(words[2], 58);
  stage2.table = field_in_place(words[3], 51, 4);
  stage2.force_write_back = config.force_write_back && bit(words[1], 25);
  return ste;
}

bool stream_world_unused(const Ste& ste, const Config& config) {
  return !config.stage1 || (!config.hypervisor && !config.secure) || ste.stage2_translates() || ste.config == 4;
}

bool vmid_unused(const Ste& ste, const Config& config) {
  if (!(ste.config & 4) || ste.config == 4 || !config.stage2) return true;
  return ste.stream_world != 0 && !stream_world_unused(ste, config);
}

StreamWorld stream_world(const Ste& ste, const Config& config, bool e2h) {
  if (stream_world_unused(ste, config)) return StreamWorld::kEl1;
  if (config.secure) return ste.stream_world == 1 ? StreamWorld::kEl2 : StreamWorld::kEl1;
  if (ste.stream_world != 2) return StreamWorld::kEl1;
  return e2h ? StreamWorld::kEl2E2h : StreamWorld::kEl2;
}

std::span<const SteRule> ste_rules() { return kRules; }

const SteRule* first_broken_rule(const Ste& ste, const Config& config) {
  if (ste.valid && !(ste.config & 4)) return nullptr;
  for (const SteRule& rule : kRules)
    if (rule.broken(ste, config)) return &rule;
  return nullptr;
}

unsigned stage2_start_level(unsigned granule_log2, unsigned code) {
  if (granule_log2 == 12) return code == 3 ? kLastLevel : 2 - code;
  return code == 3 ? kLastLevel + 1 : kLastLevel - code;
}

}  // namespace lockstep::tlm_models::smmuv3
