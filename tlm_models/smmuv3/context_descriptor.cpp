// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/context_descriptor.h"

#include <algorithm>

#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

unsigned granule1_of_code(unsigned code) { return code == 1 ? 14 : code == 2 ? 12 : code == 3 ? 16 : 0; }

// A half whose fields count: TTB1 is out of reach in the EL2 regime.
bool in_use(const ContextDescriptor& cd, unsigned half) {
  return (half == 0 || cd.has_two_halves()) && !cd.half[half].walk_disabled;
}

bool size_out_of_range(const ContextDescriptor& cd, unsigned half, const Config& config) {
  if (!in_use(cd, half)) return false;
  const TableHalf& table = cd.half[half];
  unsigned largest = 39;
  // The reserved granule is no 4 KiB or 16 KiB granule; another rule refuses it anyway.
  const bool small = table.granule_log2 == 12 || table.granule_log2 == 14;
  if (config.small_translation_tables) largest = small ? 48 : 47;
  const unsigned smallest = config.va52 && table.granule_log2 == 16 ? 12 : 16;
  return table.size_offset < smallest || table.size_offset > largest;
}

bool granule_unsupported(const ContextDescriptor& cd, unsigned half, const Config& config) {
  return in_use(cd, half) && !config.supports_granule(cd.half[half].granule_log2);
}

bool table_outside(const ContextDescriptor& cd, unsigned half) {
  if (!in_use(cd, half)) return false;
  const unsigned limit = cd.half[half].granule_log2 == 16 ? cd.output_bits : std::min<unsigned>(cd.output_bits, 48);
  return cd.half[half].table > ones(limit);
}

constexpr CdRule kRules[] = {
    {"cd_not_valid", "CD, V", [](const ContextDescriptor& d, const Ste&, const Config&) { return !d.valid; }},
    {"cd_stall_disabled_by_ste", "Fault configuration (A, R, S bits)",
     [](const ContextDescriptor& d, const Ste& s, const Config&) { return s.stall_disabled && d.stall; }},
    {"cd_abort_required", "CD, A",
     [](const ContextDescriptor& d, const Ste&, const Config& c) { return c.terminate_abort_only && !d.abort; }},
    {"cd_stall_absent", "Fault configuration (A, R, S bits)",
     [](const ContextDescriptor& d, const Ste&, const Config& c) {
       return c.stall_model == StallModel::kTerminateOnly && d.stall;
     }},
    {"cd_stall_forced", "Fault configuration (A, R, S bits)",
     [](const ContextDescriptor& d, const Ste&, const Config& c) {
       return c.stall_model == StallModel::kStallForced && !d.stall;
     }},
    {"cd_endi_little_only", "CD, ENDI",
     [](const ContextDescriptor& d, const Ste&, const Config& c) {
       return (in_use(d, 0) || in_use(d, 1)) && d.big_endian && c.table_endianness == TableEndianness::kLittle;
     }},
    {"cd_endi_big_only", "CD, ENDI",
     [](const ContextDescriptor& d, const Ste&, const Config& c) {
       return (in_use(d, 0) || in_use(d, 1)) && !d.big_endian && c.table_endianness == TableEndianness::kBig;
     }},
    {"cd_aa64_lpae_absent", "CD, AA64",
     [](const ContextDescriptor& d, const Ste&, const Config&) { return !d.aarch64; }},
    {"cd_ha_hd_absent", "CD, HA",
     [](const ContextDescriptor& d, const Ste&, const Config& c) {
       return (d.update_access || d.update_dirty) && c.hardware_update == HardwareUpdate::kNone;
     }},
    {"cd_hd_dirty_absent", "CD, HD",
     [](const ContextDescriptor& d, const Ste&, const Config& c) {
       return d.update_dirty && c.hardware_update == HardwareUpdate::kAccessFlag;
     }},
    {"cd_asid_above_8_bits", "CD, ASID",
     [](const ContextDescriptor& d, const Ste&, const Config& c) {
       return d.has_two_halves() && !c.asid16 && d.asid > 0xff;
     }},
    {"cd_t0sz_out_of_range", "CD, T0SZ",
     [](const ContextDescriptor& d, const Ste&, const Config& c) { return size_out_of_range(d, 0, c); }},
    {"cd_t1sz_out_of_range", "CD, T1SZ",
     [](const ContextDescriptor& d, const Ste&, const Config& c) { return size_out_of_range(d, 1, c); }},
    {"cd_tg0_unsupported", "CD, TG0",
     [](const ContextDescriptor& d, const Ste&, const Config& c) { return granule_unsupported(d, 0, c); }},
    {"cd_tg1_unsupported", "CD, TG1",
     [](const ContextDescriptor& d, const Ste&, const Config& c) { return granule_unsupported(d, 1, c); }},
    {"cd_ttb0_out_of_range", "CD, TTB0",
     [](const ContextDescriptor& d, const Ste&, const Config&) { return table_outside(d, 0); }},
    {"cd_ttb1_out_of_range", "CD, TTB1",
     [](const ContextDescriptor& d, const Ste&, const Config&) { return table_outside(d, 1); }},
};

}  // namespace

ContextDescriptor decode_cd(const StructureWords& words, StreamWorld world, const Config& config) {
  ContextDescriptor cd;
  cd.world = world;
  cd.valid = bit(words[0], 31);
  for (unsigned half = 0; half < 2; ++half) {
    TableHalf& table = cd.half[half];
    const unsigned low = half == 0 ? 0 : 16;
    table.size_offset = static_cast<uint8_t>(bits(words[0], low + 5, low));
    const auto granule = static_cast<unsigned>(bits(words[0], low + 7, low + 6));
    table.granule_log2 = static_cast<uint8_t>(half == 0 ? granule_of_code(granule) : granule1_of_code(granule));
    table.walk_attributes = table_attributes(static_cast<unsigned>(bits(words[0], low + 9, low + 8)),
                                             static_cast<unsigned>(bits(words[0], low + 11, low + 10)),
                                             static_cast<unsigned>(bits(words[0], low + 13, low + 12)));
    // NSCFGx: where the first table lies.
    table.walk_attributes.secure = config.secure && !bit(words[1 + half], 0);
    // EPD0 and EPD1 have no effect in the EL2 regime, which has one half that always walks.
    table.walk_disabled = world != StreamWorld::kEl2 && bit(words[0], low + 14);
    table.hierarchical_disabled = bit(words[1 + half], 1);
    table.top_byte_ignored = bit(words[0], 38 + half);
    table.table = field_in_place(words[1 + half], 51, 4);
  }
  cd.big_endian = bit(words[0], 15);
  cd.output_bits =
      static_cast<uint8_t>(std::min(address_bits(static_cast<unsigned>(bits(words[0], 34, 32))), config.oas_bits));
  cd.access_fault_disabled = bit(words[0], 35);
  cd.write_execute_never = bit(words[0], 36);
  cd.privileged_access_never = world != StreamWorld::kEl2 && bit(words[0], 40);
  cd.aarch64 = bit(words[0], 41);
  cd.update_dirty = bit(words[0], 42);
  cd.update_access = bit(words[0], 43);
  cd.stall = bit(words[0], 44);
  cd.record = bit(words[0], 45);
  cd.abort = bit(words[0], 46);
  cd.non_shared_asid = bit(words[0], 47);
  cd.asid = world == StreamWorld::kEl2 ? 0 : static_cast<uint16_t>(bits(words[0], 63, 48));
  cd.mair = words[3];
  return cd;
}

std::span<const CdRule> cd_rules() { return kRules; }

const CdRule* first_broken_rule(const ContextDescriptor& cd, const Ste& ste, const Config& config) {
  for (const CdRule& rule : kRules)
    if (rule.broken(cd, ste, config)) return &rule;
  return nullptr;
}

}  // namespace lockstep::tlm_models::smmuv3
