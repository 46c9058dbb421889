// SPDX-License-Identifier: Apache-2.0
// Until when whoever may have kept what an evaluation reads may go on with it.
#include <algorithm>

#include "smmu_rtl_bridge/oracle/evaluation.h"
#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::AccessKind;
using tlm_models::smmuv3::ones;
using tlm_models::smmuv3::StreamWorld;
using tlm_models::smmuv3::TlbSpace;

// No hint of a level fits it.
constexpr unsigned kUnknownLevel = 0xff;

}  // namespace

void Evaluator::decode() {
  if (ste_read_ && !decoded_ste_) {
    ste_ = tlm_models::smmuv3::decode_ste(ste_words_, config_);
    decoded_ste_ = true;
  }
  if (cd_read_ && !decoded_cd_) {
    cd_ = tlm_models::smmuv3::decode_cd(cd_words_, stream_world(ste_, config_, e2h_), config_);
    decoded_cd_ = true;
  }
}

Sequence Evaluator::gone(const Snapshot& snapshot, uint64_t address, AccessKind kind) {
  const Sequence limit = window_.completed_before;
  switch (kind) {
    case AccessKind::kStreamTableLevel1:
      return log_.stream_entry(stream_, true, limit, log_.stream_entry(stream_, false, limit));
    case AccessKind::kStreamTableEntry:
      return log_.stream_entry(stream_, false, limit);
    case AccessKind::kContextLevel1:
      return log_.context(stream_, index_, true, limit, log_.context(stream_, index_, false, limit));
    case AccessKind::kContextDescriptor:
      return log_.context(stream_, index_, false, limit);
    case AccessKind::kStage1Descriptor:
      decode();
      return stage1_gone(snapshot.words[0]);
    case AccessKind::kStage2Descriptor:
      decode();
      return stage2_gone(snapshot.words[0], address);
    default:
      return window_.accepted;
  }
}

const tlm_models::smmuv3::TableHalf& Evaluator::half() const {
  return cd_.half[cd_.has_two_halves() && (address_ >> 55 & 1) ? 1 : 0];
}

tlm_models::smmuv3::TlbTag Evaluator::virtual_tag() const {
  tlm_models::smmuv3::TlbTag tag;
  tag.world = cd_.world;
  tag.asid = cd_.asid;
  tag.non_shared_asid = cd_.non_shared_asid;
  tag.vmid = config_.stage2 && cd_.world == StreamWorld::kEl1 ? ste_.stage2.vmid : 0;
  return tag;
}

CachedPiece Evaluator::virtual_piece(unsigned shift, unsigned level, bool leaf, bool global) const {
  uint64_t address = address_;
  if (half().top_byte_ignored)
    address = cd_.has_two_halves() && (address >> 55 & 1) ? address | ~ones(56) : address & ones(56);
  CachedPiece piece;
  piece.tag = virtual_tag();
  piece.global = global;
  piece.leaf = leaf;
  piece.granule_log2 = half().granule_log2;
  piece.level = static_cast<uint8_t>(level);
  piece.first = address & ~ones(shift);
  piece.last = piece.first | ones(shift);
  return piece;
}

unsigned Evaluator::stage1_level(unsigned reads) const {
  const unsigned granule = half().granule_log2;
  const unsigned input_bits = 64u - half().size_offset;
  return tlm_models::smmuv3::kLastLevel - (input_bits - 1 - granule) / (granule - 3) + reads;
}

// A whole translation that was kept for the address: what its walk read is of no more concern until the translation
// goes. How large it is, the walk has not shown yet, so the least is assumed.
Sequence Evaluator::whole_translation_gone() const {
  CachedPiece piece = virtual_piece(half().granule_log2, kUnknownLevel, true, false);
  const Sequence own = log_.translation(piece, window_.completed_before);
  piece.global = true;
  return std::min(own, log_.translation(piece, window_.completed_before));
}

// The same, or a pointer to a table that a level below the given one led to: such a pointer, too, was made by what the
// levels above it said.
Sequence Evaluator::pointers_gone(unsigned level) const {
  Sequence filled = whole_translation_gone();
  for (unsigned below = tlm_models::smmuv3::kLastLevel - 1; below > level; --below)
    filled = log_.translation(
        virtual_piece(tlm_models::smmuv3::level_shift(half().granule_log2, below), below, false, false),
        window_.completed_before, filled);
  return filled;
}

Sequence Evaluator::stage1_gone(uint64_t raw) {
  const unsigned granule = half().granule_log2;
  const unsigned level = stage1_level(static_cast<unsigned>(stage1_reads_.size()));
  const uint64_t descriptor = tlm_models::smmuv3::to_host(raw, cd_.big_endian);
  const bool leaf = tlm_models::smmuv3::kind_of(descriptor, granule, level, config_.oas_bits == 52) ==
                    tlm_models::smmuv3::DescriptorKind::kLeaf;
  const bool global = leaf && cd_.has_two_halves() && !(descriptor >> 11 & 1);
  return log_.translation(virtual_piece(tlm_models::smmuv3::level_shift(granule, level), level, leaf, global),
                          window_.completed_before, leaf ? kNever : pointers_gone(level));
}

// Whether stage 1 may have come to a leaf that wants its flags updated, so that stage 2 is asked for the leaf's place
// once more before it is asked for the output.
bool Evaluator::update_is_due() const {
  if (!cd_read_ || stage1_reads_.empty() || stage1_updated_ || !cd_.update_access) return false;
  const unsigned level = stage1_level(static_cast<unsigned>(stage1_reads_.size()) - 1);
  const uint64_t last = tlm_models::smmuv3::to_host(stage1_reads_.back().value, cd_.big_endian);
  if (tlm_models::smmuv3::kind_of(last, half().granule_log2, level, config_.oas_bits == 52) !=
      tlm_models::smmuv3::DescriptorKind::kLeaf)
    return false;
  return !(last & tlm_models::smmuv3::kAccessFlagBit) ||
         (may_mark_dirty_ && cd_.update_dirty && (last >> tlm_models::smmuv3::kDirtyBitModifier & 1));
}

// The intermediate address that a stage 2 walk is for, as far as the first reads of stage 1 tell.
std::optional<uint64_t> Evaluator::intermediate_address(unsigned reads) const {
  const bool address52 = config_.oas_bits == 52;
  if (!cd_read_) {
    if (ste_.stage1_translates()) return std::nullopt;  // of a context descriptor
    return address_;
  }
  const unsigned granule = half().granule_log2;
  const unsigned input_bits = 64u - half().size_offset;
  const unsigned next = stage1_level(reads);
  uint64_t table = half().table;
  unsigned index_bits = input_bits - tlm_models::smmuv3::level_shift(granule, next);
  if (reads != 0) {
    const uint64_t last = tlm_models::smmuv3::to_host(stage1_reads_[reads - 1].value, cd_.big_endian);
    const unsigned shift = tlm_models::smmuv3::level_shift(granule, next - 1);
    if (tlm_models::smmuv3::kind_of(last, granule, next - 1, address52) == tlm_models::smmuv3::DescriptorKind::kLeaf)
      return tlm_models::smmuv3::address_of(last, granule, shift, address52) | (address_ & ones(shift));
    table = tlm_models::smmuv3::address_of(last, granule, granule, address52);
    index_bits = granule - 3;
  } else {
    table &= ~ones(index_bits + 3);
  }
  return table + ((address_ >> tlm_models::smmuv3::level_shift(granule, next) & ones(index_bits)) << 3);
}

// The index of each descriptor tells the intermediate address.
Evaluator::Stage2Place Evaluator::stage2_place(uint64_t address) const {
  const tlm_models::smmuv3::Stage2Config& stage2 = ste_.stage2;
  const unsigned granule = stage2.granule_log2;
  const unsigned start = tlm_models::smmuv3::stage2_start_level(granule, stage2.start_level_code);
  const unsigned start_bits = 64u - stage2.t0sz - tlm_models::smmuv3::level_shift(granule, start);
  Stage2Place place{start, 0};
  const auto descend = [&](uint64_t at) {
    const uint64_t index = at >> 3 & ones(place.level == start ? start_bits : granule - 3);
    place.ipa |= index << tlm_models::smmuv3::level_shift(granule, place.level);
  };
  for (const TableRead& earlier : stage2_reads_) {
    descend(earlier.address);
    const uint64_t descriptor = tlm_models::smmuv3::to_host(earlier.value, stage2.big_endian);
    if (tlm_models::smmuv3::kind_of(descriptor, granule, place.level, config_.oas_bits == 52) ==
        tlm_models::smmuv3::DescriptorKind::kTable) {
      ++place.level;
    } else {
      place = {start, 0};
    }
  }
  descend(address);
  return place;
}

Sequence Evaluator::stage2_gone(uint64_t raw, uint64_t address) {
  using tlm_models::smmuv3::DescriptorKind;
  const tlm_models::smmuv3::Stage2Config& stage2 = ste_.stage2;
  const unsigned granule = stage2.granule_log2;
  const auto [level, ipa] = stage2_place(address);
  const uint64_t descriptor = tlm_models::smmuv3::to_host(raw, stage2.big_endian);
  CachedPiece piece;
  piece.tag.space = TlbSpace::kIntermediate;
  piece.tag.vmid = stage2.vmid;
  piece.leaf = tlm_models::smmuv3::kind_of(descriptor, granule, level, config_.oas_bits == 52) == DescriptorKind::kLeaf;
  piece.granule_log2 = static_cast<uint8_t>(granule);
  piece.level = static_cast<uint8_t>(level);
  piece.first = ipa;
  piece.last = ipa | ones(tlm_models::smmuv3::level_shift(granule, level));
  const auto reads = static_cast<unsigned>(stage1_reads_.size());
  const Sequence gone = stage2_gone(piece, reads);
  return update_is_due() ? std::min(gone, stage2_gone(piece, reads - 1)) : gone;
}

// Of a walk of stage 2 that follows so many reads of stage 1.
Sequence Evaluator::stage2_gone(CachedPiece piece, unsigned reads) const {
  const Sequence limit = window_.completed_before;
  // From the outermost cache to the innermost. First those of stage 1 that hold what stage 2 said too: context
  // descriptors, whole translations and pointers to tables.
  Sequence filled = kNever;
  if (cd_read_) {
    filled = stage1_holders_gone(reads);
  } else if (ste_.stage1_translates()) {
    filled = log_.context(stream_, index_, false, limit);
  }
  // Then whole translations by stage 2, which hide the tables that they came from.
  if (!piece.leaf) {
    const std::optional<uint64_t> whole = intermediate_address(reads);
    if (!whole) return 0;
    CachedPiece page = piece;
    page.leaf = true;
    page.level = kUnknownLevel;
    page.first = *whole & ~ones(piece.granule_log2);
    page.last = page.first | ones(piece.granule_log2);
    filled = log_.translation(page, limit, filled);
    // And pointers of the levels between.
    page.leaf = false;
    for (page.level = tlm_models::smmuv3::kLastLevel - 1; page.level > piece.level; --page.level) {
      const unsigned shift = tlm_models::smmuv3::level_shift(piece.granule_log2, page.level);
      page.first = *whole & ~ones(shift);
      page.last = page.first | ones(shift);
      filled = log_.translation(page, limit, filled);
    }
  }
  return log_.translation(piece, limit, filled);
}

tlm_models::smmuv3::TlbTag Evaluator::intermediate_tag(const tlm_models::smmuv3::StructureWords& ste) const {
  tlm_models::smmuv3::TlbTag tag;
  tag.space = TlbSpace::kIntermediate;
  tag.vmid = tlm_models::smmuv3::decode_ste(ste, config_).stage2.vmid;
  return tag;
}

tlm_models::smmuv3::TlbTag Evaluator::tag_of(const Structures& structures) const {
  if (!structures.has_cd) return intermediate_tag(structures.ste);
  const tlm_models::smmuv3::Ste ste = tlm_models::smmuv3::decode_ste(structures.ste, config_);
  const StreamWorld world = stream_world(ste, config_, e2h_);
  const auto cd = tlm_models::smmuv3::decode_cd(structures.cd, world, config_);
  tlm_models::smmuv3::TlbTag tag;
  tag.world = world;
  tag.asid = cd.asid;
  tag.non_shared_asid = cd.non_shared_asid;
  tag.vmid = config_.stage2 && world == StreamWorld::kEl1 ? ste.stage2.vmid : 0;
  return tag;
}

Sequence Evaluator::translation_gone(const tlm_models::smmuv3::TlbTag& tag, uint64_t address, Sequence limit) const {
  CachedPiece piece;
  piece.tag = tag;
  piece.leaf = true;
  piece.level = kUnknownLevel;
  piece.first = address & ~ones(12);
  piece.last = address | ones(12);
  const Sequence own = log_.translation(piece, limit);
  piece.global = true;
  return std::min(own, log_.translation(piece, limit));
}

Sequence Evaluator::stage1_holders_gone(unsigned reads) const {
  using tlm_models::smmuv3::level_shift;
  const Sequence limit = window_.completed_before;
  const unsigned granule = half().granule_log2;
  if (reads == 0) {
    const unsigned all = std::min(64u - half().size_offset, 63u);
    const unsigned start = stage1_level(0);
    const unsigned start_shift = std::min(level_shift(granule, start), all);
    // Without a first table in between, the table that TTB gives is the last one.
    const Sequence filled =
        start == tlm_models::smmuv3::kLastLevel
            ? whole_translation_gone()
            : log_.translation(virtual_piece(start_shift, start, false, false), limit, pointers_gone(start));
    return log_.translation(virtual_piece(all, 0, false, false), limit, filled);
  }
  const unsigned level = stage1_level(reads - 1);
  const uint64_t last = tlm_models::smmuv3::to_host(stage1_reads_[reads - 1].value, cd_.big_endian);
  const bool leaf = tlm_models::smmuv3::kind_of(last, granule, level, config_.oas_bits == 52) ==
                    tlm_models::smmuv3::DescriptorKind::kLeaf;
  const bool global = leaf && cd_.has_two_halves() && !(last >> 11 & 1);
  return log_.translation(virtual_piece(level_shift(granule, level), level, leaf, global), limit,
                          leaf ? kNever : pointers_gone(level));
}

}  // namespace lockstep::smmu_rtl_bridge
