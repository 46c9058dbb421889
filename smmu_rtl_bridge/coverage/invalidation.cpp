// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/invalidation.h"

#include <algorithm>

#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bit;
using smmuv3::bits;
using smmuv3::Opcode;
using smmuv3::StreamWorld;

// What a command compares, as section "Common TLB invalidation" and its neighbours have it.
struct Scope {
  Opcode opcode;
  const char* name;
  bool el1;
  bool el2;
  bool e2h;
  bool by_vmid;
  bool by_asid;
  bool by_address;
  bool stage1;  // reaches results of stage 1, alone or with stage 2
  bool stage2;  // reaches results of stage 2 alone
};
constexpr Scope kScopes[] = {
    {Opcode::kTlbiNhAll, "TLBI_NH_ALL", true, false, false, true, false, false, true, false},
    {Opcode::kTlbiNhAsid, "TLBI_NH_ASID", true, false, false, true, true, false, true, false},
    {Opcode::kTlbiNhVa, "TLBI_NH_VA", true, false, false, true, true, true, true, false},
    {Opcode::kTlbiNhVaa, "TLBI_NH_VAA", true, false, false, true, false, true, true, false},
    {Opcode::kTlbiEl2All, "TLBI_EL2_ALL", false, true, true, false, false, false, true, false},
    {Opcode::kTlbiEl2Asid, "TLBI_EL2_ASID", false, false, true, false, true, false, true, false},
    {Opcode::kTlbiEl2Va, "TLBI_EL2_VA", false, true, true, false, true, true, true, false},
    {Opcode::kTlbiEl2Vaa, "TLBI_EL2_VAA", false, true, true, false, false, true, true, false},
    {Opcode::kTlbiS12Vmall, "TLBI_S12_VMALL", true, false, false, true, false, false, true, true},
    {Opcode::kTlbiS2Ipa, "TLBI_S2_IPA", true, false, false, true, false, true, false, true},
    {Opcode::kTlbiNsnhAll, "TLBI_NSNH_ALL", true, false, false, false, false, false, true, true},
};

}  // namespace

void plan_invalidation(Planner& planner) {
  for (const Scope& scope : kScopes) {
    const std::string root = std::string("invalidation/") + scope.name;
    if (scope.stage1 && scope.el1) planner.cross(root + "/reaches", {{"EL1", "nested"}});
    if (scope.el2) planner.add(root + "/reaches/EL2");
    if (scope.e2h) planner.add(root + "/reaches/EL2-E2H");
    if (scope.stage2) planner.add(root + "/reaches/stage2");
    if (scope.by_address) {
      planner.cross(root + "/reaches", {{"page", "block"}, {"leaf", "all-levels"}});
      planner.cross(root, {{"reaches"}, {"by-range", "by-level-hint"}});
      planner.cross(root, {{"spares"}, {"other-address", "other-level"}});
    }
    if (scope.by_asid) planner.add(root + "/spares/other-ASID");
    if (scope.by_asid && !scope.by_address) planner.add(root + "/spares/global");
    if (scope.by_asid && scope.by_address) planner.add(root + "/reaches/global");
    if (scope.by_vmid) planner.cross(root, {{"spares/other-VMID", "reaches/by-VMW"}});
    if (scope.stage1) planner.add(root + "/spares/other-world");
    planner.cross(root + "/used-again", {{"same", "changed"}});
  }
  planner.cross("invalidation", {{"CFGI_STE", "CFGI_STE_RANGE", "CFGI_CD", "CFGI_CD_ALL"},
                                 {"reaches", "spares/other-stream", "used-again/same", "used-again/changed"}});
  planner.add("invalidation/CFGI_STE_RANGE/all");
  planner.add("invalidation/CFGI_CD/spares/other-substream");
}

void InvalidationChapter::used(const Look& look, const ClientAccess& access) {
  if (!look.ste || access.translated) return;
  const Key key{access.stream_id, access.substream_valid ? access.substream_id + 1 : 0, access.address >> 12};
  const uint64_t output = look.result.outcome == smmuv3::Outcome::kPass ? look.result.address >> 12 : ~uint64_t{0};
  const auto known = uses_.find(key);
  if (known != uses_.end() && !known->second.invalidated_by.empty())
    watched_.hit("invalidation", known->second.invalidated_by, "used-again",
                 known->second.output == output ? "same" : "changed");
  // What fails is no translation that could be kept; a use from before may still be.
  if (output == ~uint64_t{0}) {
    if (known != uses_.end()) known->second.invalidated_by.clear();
    return;
  }
  Use use;
  use.stream = access.stream_id;
  use.context = access.substream_valid ? access.substream_id : 0;
  use.output = output;
  use.input = access.address;
  use.stage2 = look.ste->stage2_translates();
  if (use.stage2 || (look.cd && look.cd->world == StreamWorld::kEl1)) use.vmid = look.ste->stage2.vmid;
  if (look.cd && !look.stage1.empty()) {
    const smmuv3::TableHalf& half = look.cd->half[look.half];
    use.stage1 = true;
    use.world = look.cd->world;
    use.asid = look.cd->asid;
    use.global = look.cd->has_two_halves() && !bit(look.stage1.back(), 11);
    use.granule_log2 = half.granule_log2;
    use.level = look.stage1_level();
    if (half.top_byte_ignored) use.input = look.half ? use.input | ~smmuv3::ones(56) : use.input & smmuv3::ones(56);
  } else if (use.stage2 && !look.stage2.empty()) {
    use.granule_log2 = look.ste->stage2.granule_log2;
    use.level = look.stage2_start + static_cast<unsigned>(look.stage2.back().descriptors.size()) - 1;
  } else {
    return;
  }
  use.size_log2 = smmuv3::level_shift(use.granule_log2, use.level);
  if (known == uses_.end() && uses_.size() >= kUses) uses_.erase(uses_.begin());
  uses_[key] = use;
}

void InvalidationChapter::command(const smmuv3::CommandWords& command) {
  const smmuv3::CommandRow* row = smmuv3::legal_command(command, watched_.config());
  if (!row) return;
  command_of_configuration(*row, command);
  command_of_tlb(*row, command);
}

void InvalidationChapter::command_of_configuration(const smmuv3::CommandRow& row, const smmuv3::CommandWords& command) {
  const auto stream = static_cast<uint32_t>(command[0] >> 32);
  const auto context = static_cast<uint32_t>(bits(command[0], 31, 12));
  uint32_t below = 0;
  switch (row.opcode) {
    case Opcode::kCfgiSteRange:
      below = static_cast<uint32_t>(smmuv3::ones(static_cast<unsigned>(bits(command[1], 4, 0)) + 1));
      if (below == ~uint32_t{0}) watched_.hit("invalidation/CFGI_STE_RANGE/all");
      break;
    case Opcode::kCfgiSte:
    case Opcode::kCfgiCd:
    case Opcode::kCfgiCdAll:
      break;
    default:
      return;
  }
  const std::string name = row.name + 4;
  for (auto& [key, use] : uses_) {
    if ((use.stream & ~below) != (stream & ~below)) {
      watched_.hit("invalidation", name, "spares/other-stream");
    } else if (row.opcode == Opcode::kCfgiCd && (use.context != context || !use.stage1)) {
      if (use.stage1) watched_.hit("invalidation", name, "spares/other-substream");
    } else if (row.opcode != Opcode::kCfgiCdAll || use.stage1) {
      watched_.hit("invalidation", name, "reaches");
      use.invalidated_by = name;
    }
  }
}

void InvalidationChapter::command_of_tlb(const smmuv3::CommandRow& row, const smmuv3::CommandWords& command) {
  const auto found =
      std::find_if(std::begin(kScopes), std::end(kScopes), [&](const Scope& s) { return s.opcode == row.opcode; });
  if (found == std::end(kScopes)) return;
  const Scope& scope = *found;
  const auto vmid = static_cast<uint16_t>(bits(command[0], 47, 32));
  const auto asid = static_cast<uint16_t>(bits(command[0], 63, 48));
  const uint64_t wildcard = bits(watched_.get(smmuv3::RegisterId::kCr0Ack), 8, 6);
  const auto vmid_mask = static_cast<uint16_t>(~(wildcard <= 4 ? smmuv3::ones(static_cast<unsigned>(wildcard)) : 0));
  const bool e2h = watched_.get(smmuv3::RegisterId::kCr2) & smmuv3::kCr2E2h;
  const uint64_t first = smmuv3::field_in_place(command[1], 63, 12);
  uint64_t last = first | 0xfff;
  const uint64_t granule = watched_.config().range_invalidation ? bits(command[1], 11, 10) : 0;
  uint64_t level_hint = 0;
  const unsigned granule_log2 = static_cast<unsigned>(10 + 2 * granule);
  if (granule != 0) {
    const uint64_t granules = (bits(command[0], 16, 12) + 1) << bits(command[0], 24, 20);
    const uint64_t end = first + (granules << granule_log2) - 1;
    last = end < first ? ~uint64_t{0} : end;
    level_hint = bits(command[1], 9, 8);
  }

  for (auto& [key, use] : uses_) {
    const bool kind = use.stage1 ? scope.stage1 : scope.stage2;
    if (!kind) continue;
    const bool world = use.world == StreamWorld::kEl1   ? scope.el1
                       : use.world == StreamWorld::kEl2 ? scope.el2 && (!scope.by_address || !e2h)
                                                        : scope.e2h && (!scope.by_address || e2h);
    const bool compares_asid = scope.by_asid && use.stage1 && use.world != StreamWorld::kEl2;
    const bool compares_vmid = scope.by_vmid && use.world == StreamWorld::kEl1 && watched_.config().stage2;
    const bool asid_alike = !compares_asid || use.asid == asid || (use.global && scope.by_address);
    const bool global_spared = compares_asid && use.global && !scope.by_address;
    const bool vmid_alike = !compares_vmid || ((use.vmid ^ vmid) & vmid_mask) == 0;
    const uint64_t reach = smmuv3::ones(use.size_log2);
    const bool address_alike = !scope.by_address || ((use.input & ~reach) <= last && (use.input | reach) >= first);
    const bool level_alike = !scope.by_address || ((granule == 0 || granule_log2 == use.granule_log2) &&
                                                   (level_hint == 0 || level_hint == use.level));
    const int unlike = !world + !asid_alike + global_spared + !vmid_alike + !address_alike + !level_alike;
    if (unlike > 1) continue;
    const std::string root = std::string("invalidation/") + scope.name;
    if (unlike == 1) {
      watched_.hit(root, "spares",
                   !world           ? "other-world"
                   : global_spared  ? "global"
                   : !asid_alike    ? "other-ASID"
                   : !vmid_alike    ? "other-VMID"
                   : !address_alike ? "other-address"
                                    : "other-level");
      continue;
    }
    watched_.hit(root, "reaches",
                 !use.stage1                      ? "stage2"
                 : use.world != StreamWorld::kEl1 ? world_name(use.world)
                 : use.stage2                     ? "nested"
                                                  : "EL1");
    if (scope.by_address) {
      watched_.hit(root, "reaches", use.level == smmuv3::kLastLevel ? "page" : "block",
                   bit(command[1], 0) ? "leaf" : "all-levels");
      if (granule != 0) watched_.hit(root, "reaches/by-range");
      if (level_hint != 0) watched_.hit(root, "reaches/by-level-hint");
      if (compares_asid && use.global && use.asid != asid) watched_.hit(root, "reaches/global");
    }
    if (compares_vmid && use.vmid != vmid) watched_.hit(root, "reaches/by-VMW");
    use.invalidated_by = scope.name;
  }
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
