// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/invalidation_log.h"

#include <algorithm>

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::bit;
using tlm_models::smmuv3::bits;
using tlm_models::smmuv3::CommandWords;
using tlm_models::smmuv3::field_in_place;
using tlm_models::smmuv3::ones;
using tlm_models::smmuv3::Opcode;
using tlm_models::smmuv3::StreamWorld;
using tlm_models::smmuv3::TlbInvalidation;
using tlm_models::smmuv3::TlbSpace;

uint32_t stream_of(const CommandWords& words) { return static_cast<uint32_t>(words[0] >> 32); }

// Section "Range-based invalidation and level hint".
void name_addresses(TlbInvalidation& scope, const CommandWords& words, bool ranges, unsigned top) {
  scope.by_address = true;
  scope.leaf_only = bit(words[1], 0);
  scope.first = field_in_place(words[1], top, 12);
  scope.last = scope.first + 0xfff;
  const auto granule = static_cast<unsigned>(bits(words[1], 11, 10));
  if (!ranges || granule == 0) return;
  const unsigned granule_log2 = 10 + 2 * granule;
  scope.granule_log2 = static_cast<uint8_t>(granule_log2);
  const auto level = static_cast<uint8_t>(bits(words[1], 9, 8));
  scope.level = granule == 2 && level == 1 ? 0 : level;
  const uint64_t bytes = (bits(words[0], 16, 12) + 1) << (bits(words[0], 24, 20) + granule_log2);
  scope.last = scope.first + bytes - 1 < scope.first ? ~uint64_t{0} : scope.first + bytes - 1;
}

// Whether the invalidation must have removed the piece. Hints that do not fit it promise nothing.
bool reaches(const TlbInvalidation& scope, const CachedPiece& piece) {
  if (!scope.matches_tag(piece.tag, piece.global)) return false;
  if (!scope.by_address) return true;
  if (scope.leaf_only && !piece.leaf) return false;
  if (scope.granule_log2 != 0 && scope.granule_log2 != piece.granule_log2) return false;
  if (scope.level != 0 && (piece.leaf ? scope.level != piece.level : piece.level >= scope.level)) return false;
  return piece.first <= scope.last && piece.last >= scope.first;
}

}  // namespace

void InvalidationLog::add(const CommandWords& words, uint64_t place, Sequence fetched, const CommandContext& context) {
  Entry entry;
  entry.place = place;
  entry.fetched = fetched;
  const auto keep = [&] {
    open_.push_back(entries_.size());
    entries_.push_back(entry);
  };
  switch (static_cast<Opcode>(words[0] & 0xff)) {
    case Opcode::kCfgiSte:
      entry.kind = Kind::kStreams;
      entry.first_stream = entry.last_stream = stream_of(words);
      entry.leaf_only = bit(words[1], 0);
      keep();
      break;
    case Opcode::kCfgiSteRange: {
      const auto below = static_cast<uint32_t>(ones(static_cast<unsigned>(bits(words[1], 4, 0)) + 1));
      entry.kind = Kind::kStreams;
      entry.first_stream = stream_of(words) & ~below;
      entry.last_stream = stream_of(words) | below;
      entry.all = below == ~uint32_t{0};
      keep();
      break;
    }
    case Opcode::kCfgiCd:
      entry.kind = Kind::kContext;
      entry.first_stream = stream_of(words);
      entry.index = static_cast<uint32_t>(bits(words[0], 31, 12));
      entry.leaf_only = bit(words[1], 0);
      keep();
      break;
    case Opcode::kCfgiCdAll:
      entry.kind = Kind::kContexts;
      entry.first_stream = stream_of(words);
      keep();
      break;
    default:
      add_translations(words, entry, context);
      break;
  }
}

// Section "TLB invalidation": which regimes, VMIDs, ASIDs and addresses each command names.
void InvalidationLog::add_translations(const CommandWords& words, Entry entry, const CommandContext& context) {
  TlbInvalidation& scope = entry.scope;
  const auto keep = [&](StreamWorld world) {
    scope.by_world = true;
    scope.world = world;
    open_.push_back(entries_.size());
    entries_.push_back(entry);
  };
  const auto of_space = [&](TlbSpace space) {
    scope.by_space = true;
    scope.space = space;
  };
  const auto of_vmid = [&] {
    scope.by_vmid = config_.stage2;
    scope.vmid = static_cast<uint16_t>(bits(words[0], 47, 32));
    scope.vmid_ignored = static_cast<uint16_t>(context.vmid_wildcard <= 4 ? ones(context.vmid_wildcard) : 0);
  };
  const auto of_asid = [&](bool spare_global) {
    scope.by_asid = true;
    scope.asid = static_cast<uint16_t>(bits(words[0], 63, 48));
    scope.spare_global = spare_global;
  };
  const StreamWorld host = context.e2h ? StreamWorld::kEl2E2h : StreamWorld::kEl2;
  switch (static_cast<Opcode>(words[0] & 0xff)) {
    case Opcode::kTlbiNhAll:
      of_space(TlbSpace::kVirtual);
      of_vmid();
      keep(StreamWorld::kEl1);
      break;
    case Opcode::kTlbiNhAsid:
      of_space(TlbSpace::kVirtual);
      of_vmid();
      of_asid(true);
      keep(StreamWorld::kEl1);
      break;
    case Opcode::kTlbiNhVa:
      of_asid(false);
      [[fallthrough]];
    case Opcode::kTlbiNhVaa:
      of_space(TlbSpace::kVirtual);
      of_vmid();
      name_addresses(scope, words, config_.range_invalidation, 63);
      keep(StreamWorld::kEl1);
      break;
    case Opcode::kTlbiEl2All:
      keep(StreamWorld::kEl2);
      keep(StreamWorld::kEl2E2h);
      break;
    case Opcode::kTlbiEl2Asid:
      of_asid(true);
      keep(StreamWorld::kEl2E2h);
      break;
    case Opcode::kTlbiEl2Va:
      if (context.e2h) of_asid(false);
      [[fallthrough]];
    case Opcode::kTlbiEl2Vaa:
      name_addresses(scope, words, config_.range_invalidation, 63);
      keep(host);
      break;
    case Opcode::kTlbiS12Vmall:
      of_vmid();
      keep(StreamWorld::kEl1);
      break;
    case Opcode::kTlbiS2Ipa:
      of_space(TlbSpace::kIntermediate);
      of_vmid();
      name_addresses(scope, words, config_.range_invalidation, 51);
      keep(StreamWorld::kEl1);
      break;
    case Opcode::kTlbiNsnhAll:
      entry.all = true;
      keep(StreamWorld::kEl1);
      break;
    default:
      break;
  }
}

void InvalidationLog::withdraw(uint64_t place) {
  std::erase_if(open_, [&](size_t i) { return entries_[i].place >= place; });
  // What was withdrawn never completes, so that it answers no question.
}

void InvalidationLog::complete(uint64_t places_before, Sequence now) {
  std::erase_if(open_, [&](size_t i) {
    if (entries_[i].place >= places_before) return false;
    entries_[i].completed = now;
    return true;
  });
}

bool InvalidationLog::completed_within(Sequence from, Sequence to) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->completed == kNever) continue;
    if (entry->completed <= from) return false;
    if (entry->completed < to) return true;
  }
  return false;
}

Sequence InvalidationLog::stream_entry(uint32_t stream, bool level1, Sequence limit, Sequence filled) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (entry->completed < limit && entry->fetched <= filled && entry->kind == Kind::kStreams &&
        !(level1 && entry->leaf_only) && stream >= entry->first_stream && stream <= entry->last_stream)
      return entry->fetched;
  return 0;
}

Sequence InvalidationLog::context(uint32_t stream, uint32_t index, bool level1, Sequence limit, Sequence filled) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->completed >= limit || entry->fetched > filled) continue;
    switch (entry->kind) {
      case Kind::kStreams:
        if (stream >= entry->first_stream && stream <= entry->last_stream) return entry->fetched;
        break;
      case Kind::kContexts:
        if (stream == entry->first_stream) return entry->fetched;
        break;
      case Kind::kContext:
        if (stream == entry->first_stream && index == entry->index && !(level1 && entry->leaf_only))
          return entry->fetched;
        break;
      case Kind::kTranslations:
        break;
    }
  }
  return 0;
}

Sequence InvalidationLog::translation(const CachedPiece& piece, Sequence limit, Sequence filled) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (entry->completed < limit && entry->fetched <= filled && entry->kind == Kind::kTranslations &&
        reaches(entry->scope, piece))
      return entry->fetched;
  return 0;
}

Sequence InvalidationLog::everything(Sequence limit) const {
  Sequence configuration = 0, el1 = 0, el2 = 0, host = 0;
  for (const Entry& entry : entries_)
    if (entry.completed < limit && entry.kind == Kind::kStreams && entry.all) configuration = entry.fetched;
  // A context descriptor that is kept was fetched through what stage 2 was then.
  for (const Entry& entry : entries_) {
    if (entry.completed >= limit || entry.kind != Kind::kTranslations || entry.fetched >= configuration) continue;
    const bool of_all = !entry.scope.by_address && !entry.scope.by_asid;
    if (entry.scope.world == StreamWorld::kEl1 && entry.all) el1 = entry.fetched;
    if (entry.scope.world == StreamWorld::kEl2 && of_all) el2 = entry.fetched;
    if (entry.scope.world == StreamWorld::kEl2E2h && of_all) host = entry.fetched;
  }
  return config_.hypervisor && config_.stage1 ? std::min({el1, el2, host}) : el1;
}

}  // namespace lockstep::smmu_rtl_bridge
