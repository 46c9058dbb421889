// SPDX-License-Identifier: Apache-2.0
// Chapters walks and httu.
#include <algorithm>

#include "smmu_rtl_bridge/coverage/translation.h"
#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::AccessKind;
using smmuv3::DescriptorKind;
using smmuv3::EventType;
using smmuv3::FaultClass;
using smmuv3::kLastLevel;
using Purpose = Stage2Walk::Purpose;

const Axis kWalkEvents = {"F_TRANSLATION", "F_ADDR_SIZE", "F_ACCESS", "F_PERMISSION", "F_WALK_EABT"};

struct Start {
  unsigned granule_log2;
  unsigned level;
  unsigned smallest;  // input bits
  unsigned largest;
};
constexpr Start kStage1Starts[] = {{12, 0, 40, 48}, {12, 1, 31, 39}, {12, 2, 22, 30}, {12, 3, 16, 21},
                                   {14, 0, 48, 48}, {14, 1, 37, 47}, {14, 2, 26, 36}, {14, 3, 16, 25},
                                   {16, 1, 43, 52}, {16, 2, 30, 42}, {16, 3, 17, 29}};

std::string start_name(const Start& start) {
  return granule_name(start.granule_log2) + "/from-" + level_name(start.level);
}

// How many tables of stage 2 lie side by side at the start level; 1 too where the first is not used in full.
unsigned tables_side_by_side(const smmuv3::Stage2Config& stage2, unsigned start) {
  const unsigned index_bits = 64u - stage2.t0sz - smmuv3::level_shift(stage2.granule_log2, start);
  const unsigned stride = stage2.granule_log2 - 3u;
  return index_bits > stride ? 1u << (index_bits - stride) : 1;
}

const char* why_invalid(uint64_t descriptor) { return smmuv3::bit(descriptor, 0) ? "reserved" : "invalid"; }

std::string stage1_place(const Look& look) {
  return granule_name(look.cd->half[look.half].granule_log2) + "/" + level_name(look.stage1_level());
}

void collect_starts(Watched& watched, const Look& look) {
  if (look.cd && !look.stage1.empty()) {
    const smmuv3::TableHalf& half = look.cd->half[look.half];
    const unsigned size = 64u - half.size_offset;
    for (const Start& start : kStage1Starts) {
      if (start.granule_log2 != half.granule_log2 || start.level != look.stage1_start) continue;
      watched.hit("walks/start/stage1", start_name(start),
                  size == start.smallest  ? "smallest"
                  : size == start.largest ? "largest"
                                          : "between");
    }
  }
  if (!look.stage2.empty()) {
    const smmuv3::Stage2Config& stage2 = look.ste->stage2;
    watched.hit("walks/start/stage2", granule_name(stage2.granule_log2), "from-" + level_name(look.stage2_start),
                "tables-" + std::to_string(tables_side_by_side(stage2, look.stage2_start)));
  }
  for (const Stage2Walk& walk : look.stage2)
    if (walk.purpose == Purpose::kTable && !walk.failed)
      watched.hit("walks/reads-of-stage1-tables-through-stage2", level_name(walk.stage1_level),
                  std::to_string(walk.descriptors.size()) + "-reads");
}

void collect_stage1_faults(Watched& watched, const Look& look) {
  const smmuv3::Event& event = look.event;
  if (event.type == EventType::kNone || event.stage2 || !look.cd) return;
  const smmuv3::ContextDescriptor& cd = *look.cd;
  if (look.stage1.empty()) {
    if (event.type == EventType::kTranslation)
      watched.hit("walks/outside", world_name(cd.world) + std::string(look.half ? "-TTB1" : "-TTB0"),
                  cd.half[look.half].walk_disabled ? "EPD" : "input-too-large");
    return;
  }
  const std::string place = stage1_place(look);
  const char* type = smmuv3::name(event.type);
  if (event.type == EventType::kTranslation) {
    watched.hit("walks/faults/stage1", place, type, why_invalid(look.stage1.back()));
  } else {
    watched.hit("walks/faults/stage1", place, type);
  }
}

void collect_stage2_faults(Watched& watched, const Look& look) {
  const smmuv3::Event& event = look.event;
  if (event.type == EventType::kNone || !event.stage2 || !look.ste) return;
  const char* type = smmuv3::name(event.type);
  const unsigned granule = look.ste->stage2.granule_log2;
  if (look.stage2.empty() || (event.type == EventType::kTranslation && !look.stage2.empty() &&
                              (event.ipa >> (64u - look.ste->stage2.t0sz)) != 0)) {
    watched.hit("walks/outside/stage2", class_name(true, event.fault_class));
    return;
  }
  const Stage2Walk& walk = look.stage2.back();
  const unsigned level = look.stage2_start + static_cast<unsigned>(walk.descriptors.size()) - 1;
  const std::string place = granule_name(granule) + "/" + level_name(level);
  if (event.type == EventType::kTranslation) {
    watched.hit("walks/faults/stage2", place, type, why_invalid(walk.descriptors.back()));
  } else {
    watched.hit("walks/faults/stage2", place, type);
  }
  if (event.fault_class == FaultClass::kContextFetch) {
    const bool level1 = look.ste->cd_max != 0 && (look.ste->s1_format == 1 || look.ste->s1_format == 2) &&
                        std::none_of(look.accesses.begin(), look.accesses.end(),
                                     [](const CoreAccess& a) { return a.kind == AccessKind::kContextLevel1; });
    watched.hit("walks/nested/context", level1 ? "level-1" : "descriptor", type);
  } else if (event.fault_class == FaultClass::kTableWalk) {
    if (walk.purpose == Purpose::kTableUpdate) {
      watched.hit("walks/nested/table-update", type);
    } else {
      watched.hit("walks/nested/table", level_name(walk.stage1_level), type);
      if (event.type == EventType::kPermission && look.ste->stage2.protected_table_walk &&
          smmuv3::bit(walk.descriptors.back(), 6))
        watched.hit("walks/nested/protected-table-walk");
    }
  }
}

void collect_updates(Watched& watched, const Look& look) {
  for (const CoreAccess& access : look.accesses) {
    const bool stage1 = access.kind == AccessKind::kStage1Update;
    if ((!stage1 && access.kind != AccessKind::kStage2Update) || access.failed) continue;
    const bool big = stage1 ? look.cd->big_endian : look.ste->stage2.big_endian;
    const uint64_t changed = smmuv3::to_host(access.words[0] ^ access.words[1], big);
    const bool flag = changed & smmuv3::kAccessFlagBit;
    const bool dirty = changed >> 7 & 1;
    const char* what = flag && dirty ? "both" : flag ? "access" : "dirty";
    if (stage1) {
      watched.hit("httu/stage1", stage1_place(look), what);
      watched.hit("httu/stage1", look.ste->stage2_translates() ? "nested" : "alone", what);
    } else {
      // The walk that was under way: the one that ends at or before this access.
      size_t reads = 0;
      for (const CoreAccess& a : look.accesses) {
        if (&a == &access) break;
        reads += a.kind == AccessKind::kStage2Descriptor;
      }
      for (const Stage2Walk& walk : look.stage2) {
        if (reads > walk.descriptors.size()) {
          reads -= walk.descriptors.size();
          continue;
        }
        const unsigned level = look.stage2_start + static_cast<unsigned>(walk.descriptors.size()) - 1;
        static constexpr const char* kPurposes[] = {"context", "table", "table-update", "input"};
        watched.hit("httu/stage2", granule_name(look.ste->stage2.granule_log2), level_name(level), what);
        watched.hit("httu/stage2/for", kPurposes[static_cast<size_t>(walk.purpose)], what);
        break;
      }
    }
  }
  // Leaves that hardware does not touch.
  if (look.cd && !look.stage1.empty() && !look.stage1_failed && look.result.outcome == smmuv3::Outcome::kPass) {
    const uint64_t leaf = look.stage1.back();
    if (!(leaf & smmuv3::kAccessFlagBit) && !look.cd->update_access) watched.hit("httu/off/stage1/AFFD");
    if (smmuv3::bit(leaf, smmuv3::kDirtyBitModifier) && smmuv3::bit(leaf, 7) && look.cd->update_dirty &&
        look.cd->update_access)
      watched.hit("httu/stage1/clean-page", look.accesses.back().kind == AccessKind::kStage1Update ? "marked" : "met");
  }
  if (!look.stage2.empty() && look.result.outcome == smmuv3::Outcome::kPass) {
    const uint64_t leaf = look.stage2.back().descriptors.back();
    if (!(leaf & smmuv3::kAccessFlagBit) && !look.ste->stage2.update_access) watched.hit("httu/off/stage2/AFFD");
  }
}

}  // namespace

void plan_walks(Planner& planner) {
  for (const Start& start : kStage1Starts) {
    const bool one_size = start.smallest == start.largest;
    planner.cross("walks/start/stage1/" + start_name(start),
                  {one_size ? Axis{"smallest"} : Axis{"smallest", "between", "largest"}});
  }
  struct Stage2Start {
    const char* name;
    unsigned most_tables;
  };
  // Input sizes end at 48 bits, 52 with 64 KiB tables, and so does how many tables lie side by side.
  constexpr Stage2Start kStage2Starts[] = {
      {"4K/from-L0", 1},   {"4K/from-L1", 16},  {"4K/from-L2", 16}, {"4K/from-L3", 16},  {"16K/from-L1", 2},
      {"16K/from-L2", 16}, {"16K/from-L3", 16}, {"64K/from-L1", 1}, {"64K/from-L2", 16}, {"64K/from-L3", 16}};
  for (const Stage2Start& start : kStage2Starts)
    for (unsigned tables = 1; tables <= start.most_tables; tables *= 2)
      planner.add(std::string("walks/start/stage2/") + start.name + "/tables-" + std::to_string(tables));
  for (unsigned level = 0; level <= kLastLevel; ++level)
    for (unsigned reads = 1; reads <= 4; ++reads)
      planner.add("walks/reads-of-stage1-tables-through-stage2/" + level_name(level) + "/" + std::to_string(reads) +
                  "-reads");

  planner.cross("walks/outside",
                {{"EL1-TTB0", "EL1-TTB1", "EL2-TTB0", "EL2-E2H-TTB0", "EL2-E2H-TTB1"}, {"EPD", "input-too-large"}},
                [](const Axis& v) { return v[0] != "EL2-TTB0" || v[1] != "EPD"; });
  planner.cross("walks/outside/stage2", {{"stage2-IN", "stage2-TT", "stage2-CD"}});
  for (const char* stage : {"stage1", "stage2"}) {
    const std::string root = std::string("walks/faults/") + stage;
    // A descriptor of a level that has blocks is never a reserved one.
    const auto possible = [stage](const Axis& v) {
      const bool no_block =
          v[0] == "4K/L0" || v[0] == "16K/L0" || v[0] == "16K/L1" || v[0] == "64K/L1" || v[0].ends_with("L3");
      if (std::string(stage) == "stage2" && v[0] == "16K/L0") return false;
      return v[1] != "F_TRANSLATION/reserved" || no_block;
    };
    planner.cross(
        root, {levels_of_granules(), {"F_TRANSLATION/invalid", "F_TRANSLATION/reserved", "F_ADDR_SIZE", "F_WALK_EABT"}},
        possible);
    planner.cross(root, {leaves(), {"F_ACCESS", "F_PERMISSION"}});
  }
  planner.cross("walks/nested/context", {{"level-1", "descriptor"}, kWalkEvents});
  planner.cross("walks/nested/table", {{"L0", "L1", "L2", "L3"}, kWalkEvents});
  planner.add("walks/nested/table-update/F_PERMISSION");
  planner.add("walks/nested/protected-table-walk");

  const Axis what = {"access", "dirty", "both"};
  planner.cross("httu", {{"stage1", "stage2"}, leaves(), what});
  planner.cross("httu/stage1", {{"alone", "nested"}, what});
  planner.cross("httu/stage1/clean-page", {{"met", "marked"}});
  planner.cross("httu/stage2/for", {{"context", "table"}, {"access"}});
  planner.cross("httu/stage2/for", {{"table-update"}, {"dirty"}});
  planner.cross("httu/stage2/for", {{"input"}, what});
  planner.cross("httu/off", {{"stage1", "stage2"}, {"AFFD"}});
}

void collect_walks(Watched& watched, const Look& look) {
  collect_starts(watched, look);
  collect_stage1_faults(watched, look);
  collect_stage2_faults(watched, look);
  collect_updates(watched, look);
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
