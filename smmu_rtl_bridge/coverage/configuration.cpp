// SPDX-License-Identifier: Apache-2.0
// Chapters illegal, structures, regimes.
#include "smmu_rtl_bridge/coverage/translation.h"
#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::AccessKind;
using smmuv3::bits;
using smmuv3::Outcome;

const Axis kRegimes = {"EL1-TTB0", "EL1-TTB1", "EL2-TTB0", "EL2-E2H-TTB0", "EL2-E2H-TTB1"};
const Axis kEndianness = {"little", "big"};

std::string config_name(unsigned config) {
  switch (config) {
    case 4:
      return "bypass";
    case 5:
      return "stage1";
    case 6:
      return "stage2";
    case 7:
      return "nested";
    default:
      return "abort";
  }
}

const char* default_name(unsigned s1dss) {
  static constexpr const char* kNames[] = {"terminate", "bypass", "substream-0", "reserved"};
  return kNames[s1dss & 3];
}

void collect_illegal(Watched& watched, const Look& look) {
  if (!look.ste) return;
  const smmuv3::SteRule* alone = nullptr;
  unsigned broken = 0;
  if (!look.ste->valid || (look.ste->config & 4)) {
    for (const smmuv3::SteRule& rule : smmuv3::ste_rules()) {
      if (!rule.broken(*look.ste, watched.config())) continue;
      alone = &rule;
      ++broken;
    }
  }
  if (broken == 1) watched.hit("illegal/STE", alone->name);
  if (broken != 0 || !look.cd) return;
  const smmuv3::CdRule* alone_cd = nullptr;
  for (const smmuv3::CdRule& rule : smmuv3::cd_rules()) {
    if (!rule.broken(*look.cd, *look.ste, watched.config())) continue;
    alone_cd = &rule;
    ++broken;
  }
  if (broken == 1) watched.hit("illegal/CD", alone_cd->name, look.ste->stage2_translates() ? "nested" : "stage1");
}

void collect_structures(Watched& watched, const Look& look, const ClientAccess& access) {
  bool level1 = false;
  uint64_t span = 0;
  bool context_level1 = false;
  for (const CoreAccess& a : look.accesses) {
    if (a.kind == AccessKind::kStreamTableLevel1 && !a.failed) {
      level1 = true;
      span = bits(a.words[0], 4, 0);
    }
    context_level1 = context_level1 || a.kind == AccessKind::kContextLevel1;
  }
  const uint64_t base_config = watched.get(smmuv3::RegisterId::kStrtabBaseCfg);
  if (look.ste) {
    if (!level1) {
      watched.hit("structures/stream-table/linear");
    } else {
      const uint64_t code = bits(base_config, 10, 6);
      const uint64_t split = code == 8 || code == 10 ? code : 6;
      watched.hit("structures/stream-table/two-level", "split-" + std::to_string(split),
                  span == split + 1 ? "span-whole"
                  : span == 1       ? "span-one"
                                    : "span-some");
    }
  }
  if (!look.ste || !look.ste->valid || !look.ste->stage1_translates()) return;
  const smmuv3::Ste& ste = *look.ste;
  const char* config = ste.stage2_translates() ? "nested" : "stage1";
  const bool many = ste.cd_max != 0 && watched.config().substream_id_bits != 0;
  if (!many) {
    if (look.cd) watched.hit("structures/contexts/one", config);
    return;
  }
  static constexpr const char* kFormats[] = {"linear", "leaves-of-4K", "leaves-of-64K", "reserved"};
  watched.hit("structures/substreams", access.substream_valid ? "substream" : "no-substream",
              std::string("default-") + default_name(ste.default_substream), config);
  if (look.cd)
    watched.hit("structures/contexts", kFormats[ste.s1_format & 3], context_level1 ? "two-level" : "one-level",
                access.substream_valid ? "substream" : "default");
}

void collect_regimes(Watched& watched, const Look& look, const ClientAccess& access) {
  const char* kind = access_name(access.write, access.atomic, access.instruction);
  const Outcome outcome = look.result.outcome;
  if (!watched.enabled(smmuv3::kCr0SmmuEnable)) {
    if (!access.translated)
      watched.hit("regimes/SMMUEN-0", kind,
                  outcome == Outcome::kPass                                     ? "passes"
                  : watched.get(smmuv3::RegisterId::kGbpa) & smmuv3::kGbpaAbort ? "aborts"
                                                                                : "address-too-large");
    return;
  }
  if (!look.ste || look.event.type == smmuv3::EventType::kBadSte || access.translated) return;
  const smmuv3::Ste& ste = *look.ste;
  watched.hit("regimes/config", config_name(ste.config), kind, outcome == Outcome::kPass ? "passes" : "fails");
  if (outcome != Outcome::kPass || !ste.translates()) return;

  unsigned stage1_size = 0;
  std::string granule1;
  if (look.cd && !look.stage1.empty()) {
    const smmuv3::TableHalf& half = look.cd->half[look.half];
    const char* endian = look.cd->big_endian ? "big" : "little";
    granule1 = granule_name(half.granule_log2);
    const unsigned level = look.stage1_level();
    stage1_size = smmuv3::level_shift(half.granule_log2, level);
    const std::string regime = std::string(world_name(look.cd->world)) + (look.half ? "-TTB1" : "-TTB0");
    if (ste.stage2_translates()) {
      watched.hit("regimes/nested", look.half ? "TTB1" : "TTB0", granule1, level_name(level), endian);
    } else {
      watched.hit("regimes/stage1", regime, granule1, level_name(level), endian);
    }
    if (half.top_byte_ignored)
      watched.hit("regimes/top-byte-ignored", regime,
                  (access.address >> 56) == (look.half ? 0xffu : 0u) ? "canonical" : "tagged");
    if (smmuv3::bit(look.stage1.back(), smmuv3::kContiguous) && smmuv3::contiguous_log2(half.granule_log2, level) != 0)
      watched.hit("regimes/contiguous/stage1", granule1, level_name(level));
    if (!smmuv3::bit(look.stage1.back(), 11) && look.cd->has_two_halves())
      watched.hit("regimes/global", regime, look.cd->non_shared_asid ? "ASET-1" : "ASET-0");
  }
  if (ste.stage2_translates() && !look.stage2.empty()) {
    const Stage2Walk& walk = look.stage2.back();
    const unsigned granule = ste.stage2.granule_log2;
    const unsigned level = look.stage2_start + static_cast<unsigned>(walk.descriptors.size()) - 1;
    const unsigned size = smmuv3::level_shift(granule, level);
    watched.hit("regimes/stage2", look.cd ? "nested" : "alone", granule_name(granule), level_name(level),
                ste.stage2.big_endian ? "big" : "little");
    if (smmuv3::bit(walk.descriptors.back(), smmuv3::kContiguous) && smmuv3::contiguous_log2(granule, level) != 0)
      watched.hit("regimes/contiguous/stage2", granule_name(granule), level_name(level));
    if (look.cd)
      watched.hit("regimes/sizes", "stage1-" + granule1, "stage2-" + granule_name(granule),
                  stage1_size < size   ? "stage1-smaller"
                  : stage1_size > size ? "stage1-larger"
                                       : "equal");
  }
}

}  // namespace

void plan_configuration(Planner& planner) {
  for (const smmuv3::SteRule& rule : smmuv3::ste_rules()) planner.add(std::string("illegal/STE/") + rule.name);
  for (const smmuv3::CdRule& rule : smmuv3::cd_rules())
    planner.cross(std::string("illegal/CD/") + rule.name, {{"stage1", "nested"}});

  planner.add("structures/stream-table/linear");
  planner.cross("structures/stream-table/two-level",
                {{"split-6", "split-8", "split-10"}, {"span-one", "span-some", "span-whole"}});
  planner.cross("structures/contexts/one", {{"stage1", "nested"}});
  planner.cross("structures/contexts",
                {{"linear/one-level", "leaves-of-4K/two-level", "leaves-of-64K/two-level", "reserved/one-level"},
                 {"substream", "default"}});
  planner.cross("structures/substreams",
                {{"substream", "no-substream"},
                 {"default-terminate", "default-bypass", "default-substream-0", "default-reserved"},
                 {"stage1", "nested"}});

  planner.cross("regimes/SMMUEN-0", {{"read", "write", "atomic", "fetch"}, {"passes", "aborts", "address-too-large"}});
  planner.cross(
      "regimes/config",
      {{"abort", "bypass", "stage1", "stage2", "nested"}, {"read", "write", "atomic", "fetch"}, {"passes", "fails"}},
      [](const Axis& v) { return v[0] != "abort" || v[2] == "fails"; });
  planner.cross("regimes/stage1", {kRegimes, leaves(), kEndianness});
  planner.cross("regimes/nested", {{"TTB0", "TTB1"}, leaves(), kEndianness});
  planner.cross("regimes/stage2", {{"alone", "nested"}, leaves(), kEndianness});
  planner.cross("regimes/top-byte-ignored", {kRegimes, {"canonical", "tagged"}});
  planner.cross("regimes/global", {kRegimes, {"ASET-0", "ASET-1"}}, [](const Axis& v) { return v[0] != "EL2-TTB0"; });
  planner.cross("regimes/contiguous", {{"stage1", "stage2"}, leaves()}, [](const Axis& v) { return v[1] != "64K/L1"; });
  planner.cross("regimes/sizes",
                {{"stage1-4K", "stage1-16K", "stage1-64K"},
                 {"stage2-4K", "stage2-16K", "stage2-64K"},
                 {"stage1-smaller", "equal", "stage1-larger"}},
                [](const Axis& v) { return v[2] != "equal" || v[0].substr(7) == v[1].substr(7); });
}

void collect_configuration(Watched& watched, const Look& look, const ClientAccess& access) {
  collect_illegal(watched, look);
  collect_structures(watched, look, access);
  collect_regimes(watched, look, access);
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
