// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "smmu_rtl_bridge/oracle/judge.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

// Fields of a context descriptor that a walk goes by, and that a translation which was kept has in it. The rest says
// what becomes of faults, or is the tag.
constexpr uint64_t kWalkFields = 0x0000'0d1f'7fff'ffff;
// Fields of an entry that a walk of stage 2 goes by: all of word 2 but VMID, S2S and S2R, word 3, and S2FWB.
constexpr uint64_t kStage2Fields = ~(uint64_t{0xffff} | uint64_t{3} << 57);
constexpr uint64_t kForceWriteBack = uint64_t{1} << 25;
constexpr uint64_t kConfig = 0xe;

uint64_t key_of(const tlm_models::smmuv3::TlbTag& tag) {
  return uint64_t{tag.asid} | uint64_t{tag.vmid} << 16 | static_cast<uint64_t>(tag.world) << 32 |
         static_cast<uint64_t>(tag.space) << 34 | static_cast<uint64_t>(tag.non_shared_asid) << 36;
}

template <typename List, typename Kept, typename Same>
void keep(List& list, const Kept& one, size_t most, const Same& same) {
  const auto known =
      std::find_if(list.begin(), list.end(), [&](const auto& kept) { return same(kept.structures, one.structures); });
  if (known != list.end()) {
    known->used = std::max(known->used, one.used);
    return;
  }
  if (list.size() == most) list.erase(list.begin());
  list.push_back(one);
}

}  // namespace

const Judge::KeptList& Judge::keep_structures(uint32_t stream, uint32_t index, const std::vector<Structures>& met) {
  KeptList& list = kept_structures_[uint64_t{stream} << 20 | index];
  for (const Structures& one : met)
    keep(list, Kept{one, std::min(now_, one.until), stream, index}, kKeptMax,
         [](const Structures& a, const Structures& b) {
           return a.has_cd == b.has_cd && a.ste == b.ste && (!a.has_cd || a.cd == b.cd);
         });
  return list;
}

const Judge::KeptList& Judge::keep_regime(uint32_t stream, uint32_t index, const Structures& structures) {
  KeptList& list = kept_regimes_[key_of(structures.tag)];
  keep(list, Kept{structures, std::min(now_, structures.until), stream, index}, kKeptMax, same_regime);
  return list;
}

// Whether a context descriptor that was dropped may have been fetched again since, where the entry leads now, through
// translations of stage 2 that were kept from then: a device may have it though its place has no translation any more.
bool Judge::fetched_since(const Kept& kept, const std::vector<Structures>& met, Sequence context_gone,
                          Sequence limit) const {
  const Structures& structures = kept.structures;
  if ((structures.ste[0] & kConfig) < 0xc || structures.until <= context_gone) return false;
  // Where it can be fetched now, what memory was tells what a device may have.
  const auto fails_now = [&](const Structures& one) { return !one.has_cd && one.ste[0] == structures.ste[0]; };
  if (std::none_of(met.begin(), met.end(), fails_now)) return false;
  // Where its place lies is not known here: what invalidates some addresses is taken to have spared it.
  CachedPiece piece;
  piece.tag = evaluator_.intermediate_tag(structures.ste);
  piece.leaf = true;
  piece.first = ~uint64_t{0};
  piece.last = 0;
  return kept.used > log_.translation(piece, limit, context_gone);
}

bool Judge::same_regime(const Structures& a, const Structures& b) {
  if (a.has_cd != b.has_cd || ((a.ste[0] ^ b.ste[0]) & kConfig) != 0) return false;
  if (a.has_cd &&
      (((a.cd[0] ^ b.cd[0]) & kWalkFields) != 0 || a.cd[1] != b.cd[1] || a.cd[2] != b.cd[2] || a.cd[3] != b.cd[3]))
    return false;
  const bool stage2 = (a.ste[0] & kConfig) >= 0xc;
  return !stage2 || (((a.ste[2] ^ b.ste[2]) & kStage2Fields) == 0 && a.ste[3] == b.ste[3] &&
                     ((a.ste[1] ^ b.ste[1]) & kForceWriteBack) == 0);
}

Structures Judge::with_regime_of(const Structures& structures, const Structures& regime) {
  Structures mixed = structures;
  if (structures.has_cd && regime.has_cd) {
    mixed.cd[0] = (structures.cd[0] & ~kWalkFields) | (regime.cd[0] & kWalkFields);
    for (unsigned word = 1; word < 4; ++word) mixed.cd[word] = regime.cd[word];
  }
  // Where one of them has no stage 2, the other's is none of its business.
  if ((structures.ste[0] & kConfig) >= 0xc && (regime.ste[0] & kConfig) >= 0xc) {
    mixed.ste[1] = (structures.ste[1] & ~kForceWriteBack) | (regime.ste[1] & kForceWriteBack);
    mixed.ste[2] = (structures.ste[2] & ~kStage2Fields) | (regime.ste[2] & kStage2Fields);
    mixed.ste[3] = regime.ste[3];
  }
  return mixed;
}

}  // namespace lockstep::smmu_rtl_bridge
