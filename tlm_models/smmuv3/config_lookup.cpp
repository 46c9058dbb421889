// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/config_lookup.h"

#include <algorithm>

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr unsigned kSteLog2 = 6;
constexpr unsigned kCdLog2 = 6;
constexpr unsigned kLevel1Log2 = 3;
constexpr unsigned kSpanMax = 11;

uint64_t aligned(uint64_t address, unsigned log2) { return address & ~ones(log2); }

}  // namespace

ConfigLookup::ConfigLookup(const Config& config, CountedMemory& memory, Walker& walker)
    : config_(config),
      memory_(memory),
      walker_(walker),
      mask_(static_cast<uint32_t>(ones(config.config_cache_log2))),
      stes_(size_t{1} << config.config_cache_log2),
      cds_(size_t{1} << config.config_cache_log2) {}

const CachedSte* ConfigLookup::find_ste(const StreamTable& table, uint32_t stream_id, ConfigError& error) {
  CachedSte& place = stes_[ste_place(stream_id)];
  if (place.valid && place.stream_id == stream_id && config_.config_cache) return &place;
  StructureWords words;
  place.valid = false;
  if (!fetch_ste(table, stream_id, words, error)) return nullptr;
  place.stream_id = stream_id;
  place.ste = decode_ste(words, config_);
  place.broken = first_broken_rule(place.ste, config_);
  place.valid = true;
  return &place;
}

bool ConfigLookup::fetch_ste(const StreamTable& table, uint32_t stream_id, StructureWords& words, ConfigError& error) {
  const unsigned stream_bits = std::min(table.log2size, config_.stream_id_bits);
  const auto bad_stream = [&] {
    error.type = EventType::kBadStreamId;
    return false;
  };
  const auto bad_fetch = [&](uint64_t address) {
    error.type = EventType::kSteFetch;
    error.fetch_address = address & ones(config_.oas_bits);
    return false;
  };
  if ((uint64_t{stream_id} >> stream_bits) != 0) return bad_stream();

  uint64_t address = 0;
  if (!table.two_level) {
    address = aligned(table.base, std::min(table.log2size + kSteLog2, 63u)) + (uint64_t{stream_id} << kSteLog2);
  } else {
    const unsigned level1_log2 = table.log2size > table.split ? table.log2size - table.split + kLevel1Log2 : 0;
    const uint64_t level1 =
        aligned(table.base, std::max(kSteLog2, level1_log2)) + (uint64_t{stream_id >> table.split} << kLevel1Log2);
    if (level1 > ones(config_.oas_bits)) return bad_fetch(level1);
    uint64_t descriptor = 0;
    if (!memory_.read(level1, &descriptor, sizeof descriptor, table.attributes, AccessKind::kStreamTableLevel1))
      return bad_fetch(level1);
    const auto span = static_cast<unsigned>(bits(descriptor, 4, 0));
    if (span == 0 || span > kSpanMax || span > table.split + 1) return bad_stream();
    const uint64_t index = bits(stream_id, table.split - 1, 0);
    if ((index >> (span - 1)) != 0) return bad_stream();
    address = aligned(field_in_place(descriptor, 51, 6), kSteLog2 + span - 1) + (index << kSteLog2);
  }
  if (address > ones(config_.oas_bits)) return bad_fetch(address);
  if (!memory_.read(address, words.data(), sizeof words, table.attributes, AccessKind::kStreamTableEntry))
    return bad_fetch(address);
  return true;
}

const CachedCd* ConfigLookup::find_cd(const CachedSte& ste, uint32_t index, bool e2h, ConfigError& error,
                                      Fault& fault) {
  CachedCd& place = cds_[cd_place(ste.stream_id, index)];
  if (place.valid && place.stream_id == ste.stream_id && place.substream_id == index && config_.config_cache)
    return &place;
  place.valid = false;
  uint64_t address = 0;
  StructureWords words;
  if (!locate_cd(ste.ste, index, address, error, fault) ||
      !read_context(ste.ste, address, words.data(), sizeof words, AccessKind::kContextDescriptor, error, fault))
    return nullptr;
  place.stream_id = ste.stream_id;
  place.substream_id = index;
  place.cd = decode_cd(words, stream_world(ste.ste, config_, e2h), config_);
  place.broken = first_broken_rule(place.cd, ste.ste, config_);
  place.valid = true;
  return &place;
}

bool ConfigLookup::locate_cd(const Ste& ste, uint32_t index, uint64_t& address, ConfigError& error, Fault& fault) {
  const unsigned count_log2 = config_.substream_id_bits == 0 ? 0 : ste.cd_max;
  if (count_log2 == 0 || ste.s1_format == 0 || ste.s1_format == 3) {
    address = aligned(ste.context_pointer, count_log2 + kCdLog2) + (uint64_t{index} << kCdLog2);
    return true;
  }
  const unsigned split = ste.s1_format == 1 ? 6 : 10;
  const unsigned level1_log2 = count_log2 > split ? count_log2 - split + kLevel1Log2 : 0;
  const uint64_t level1 =
      aligned(ste.context_pointer, std::max(kCdLog2, level1_log2)) + (uint64_t{index >> split} << kLevel1Log2);
  uint64_t descriptor = 0;
  if (!read_context(ste, level1, &descriptor, sizeof descriptor, AccessKind::kContextLevel1, error, fault))
    return false;
  const uint64_t table = aligned(field_in_place(descriptor, 51, 12), split + kCdLog2);
  if (!bit(descriptor, 0) || table > ones(config_.oas_bits)) {
    error.type = EventType::kBadSubstreamId;
    return false;
  }
  address = table + (bits(index, split - 1, 0) << kCdLog2);
  return true;
}

bool ConfigLookup::read_context(const Ste& ste, uint64_t address, void* data, size_t size_bytes, AccessKind kind,
                                ConfigError& error, Fault& fault) {
  uint64_t physical = address;
  MemoryAttributes attributes = ste.context_attributes;
  if (ste.stage2_translates()) {
    const Stage2Translation stage2 =
        walker_.translate_stage2(ste, address, {.privileged = true}, FaultClass::kContextFetch);
    if (stage2.fault) {
      fault = stage2.fault;
      return false;
    }
    physical = stage2.output;
    attributes = through_stage2(attributes, ste.stage2, stage2);
  }
  if (memory_.read(physical, data, size_bytes, attributes, kind)) return true;
  error.type = EventType::kCdFetch;
  error.fetch_address = physical;
  return false;
}

void ConfigLookup::invalidate_ste(uint32_t first_stream, uint32_t last_stream) {
  for (CachedSte& ste : stes_)
    if (ste.stream_id >= first_stream && ste.stream_id <= last_stream) ste.valid = false;
  for (CachedCd& cd : cds_)
    if (cd.stream_id >= first_stream && cd.stream_id <= last_stream) cd.valid = false;
}

void ConfigLookup::invalidate_cd(uint32_t stream_id, uint32_t index) {
  CachedCd& cd = cds_[cd_place(stream_id, index)];
  if (cd.stream_id == stream_id && cd.substream_id == index) cd.valid = false;
}

void ConfigLookup::invalidate_cds(uint32_t stream_id) {
  for (CachedCd& cd : cds_)
    if (cd.stream_id == stream_id) cd.valid = false;
}

void ConfigLookup::invalidate_all() { invalidate_ste(0, ~uint32_t{0}); }

}  // namespace lockstep::tlm_models::smmuv3
