// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/watched.h"

#include <algorithm>
#include <cstring>

#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::AccessKind;
using Id = smmuv3::RegisterId;

// The core that is asked has no caches, and whatever a device does at its leisure it does at once.
smmuv3::Config plain(smmuv3::Config config) {
  config.tlb = config.stage1_walk_cache = config.stage2_cache = config.config_cache = false;
  config.tlb_sets_log2 = 0;
  config.tlb_ways = 1;
  config.config_cache_log2 = 0;
  config.merge_events = config.deferred_updates = false;
  return config;
}

smmuv3::MemoryAttributes attributes_of(const Attributes& attributes) {
  return smmuv3::in_space(smmuv3::from_mair(attributes.type, attributes.shareability), attributes.secure);
}

}  // namespace

bool Mirror::read(uint64_t address, void* data, size_t size_bytes) const {
  if (broken_.count(address >> kPageLog2)) return false;
  auto* out = static_cast<uint8_t*>(data);
  while (size_bytes != 0) {
    const uint64_t offset = address & smmuv3::ones(kPageLog2);
    const size_t piece = std::min<size_t>(size_bytes, (size_t{1} << kPageLog2) - offset);
    const auto page = pages_.find(address >> kPageLog2);
    if (page == pages_.end()) {
      std::memset(out, 0, piece);
    } else {
      std::memcpy(out, page->second.data() + offset, piece);
    }
    out += piece;
    address += piece;
    size_bytes -= piece;
  }
  return true;
}

void Mirror::write(uint64_t address, const void* data, size_t size_bytes) {
  const auto* in = static_cast<const uint8_t*>(data);
  while (size_bytes != 0) {
    const uint64_t offset = address & smmuv3::ones(kPageLog2);
    const size_t piece = std::min<size_t>(size_bytes, (size_t{1} << kPageLog2) - offset);
    auto [page, fresh] = pages_.try_emplace(address >> kPageLog2);
    if (fresh) page->second.fill(0);
    std::memcpy(page->second.data() + offset, in, piece);
    in += piece;
    address += piece;
    size_bytes -= piece;
  }
}

void Mirror::set_broken(uint64_t page, bool broken) {
  if (broken) {
    broken_.insert(page >> kPageLog2);
  } else {
    broken_.erase(page >> kPageLog2);
  }
}

Watched::Watched(const smmuv3::Config& config, Database& database)
    : database_(database), core_(plain(config), *this, *this) {}

uint64_t Watched::get(Id id) const {
  for (const smmuv3::RegisterRow& row : smmuv3::register_rows())
    if (row.id == id) return smmuv3::present(row, config()) ? core_.read_register(row.offset, row.size_bytes) : 0;
  return 0;
}

bool Watched::enabled(uint32_t bits) const { return (get(Id::kCr0Ack) & bits) == bits; }

void Watched::register_written(uint32_t offset, unsigned size_bytes, uint64_t value) {
  // Commands are read off the pins, errors are the device's to report.
  for (uint32_t at = offset; at < offset + size_bytes; at += 4) {
    const auto word = static_cast<uint32_t>(value >> 8 * (at - offset));
    for (const smmuv3::RegisterRow& row : smmuv3::register_rows()) {
      if (at < row.offset || at >= row.offset + row.size_bytes || !smmuv3::present(row, config())) continue;
      if (row.id == Id::kCmdqProd) command_produced = word & row.writable;
      if (row.id == Id::kEventqCons) event_consumed = word & row.writable;
      if (row.id == Id::kPriqCons) page_consumed = word & row.writable;
      if (row.id != Id::kCmdqProd && row.id != Id::kGerrorN) core_.write_register(at, 4, word);
    }
  }
}

smmuv3::QueueView Watched::queue(Id base, uint64_t produced, uint64_t consumed) const {
  const unsigned capacity = base == Id::kCmdqBase     ? config().command_queue_log2
                            : base == Id::kEventqBase ? config().event_queue_log2
                                                      : config().pri_queue_log2;
  return {get(base), produced, consumed, capacity, base == Id::kEventqBase ? 5u : 4u};
}

bool Watched::inside_queue(Id base, uint64_t address, uint64_t& index, unsigned& log2) const {
  const unsigned capacity = base == Id::kCmdqBase     ? config().command_queue_log2
                            : base == Id::kEventqBase ? config().event_queue_log2
                                                      : config().pri_queue_log2;
  log2 = std::min(static_cast<unsigned>(smmuv3::bits(get(base), 4, 0)), capacity);
  const unsigned entry_log2 = base == Id::kEventqBase ? 5 : 4;
  const uint64_t start = queue(base, 0, 0).consume_address();
  if (address < start || address - start >= uint64_t{1} << (log2 + entry_log2)) return false;
  index = (address - start) >> entry_log2;
  return true;
}

bool Watched::read(uint64_t address, void* data, size_t size_bytes, const smmuv3::MemoryAttributes&, AccessKind kind) {
  CoreAccess& access = accesses_.emplace_back();
  access.kind = kind;
  access.address = address;
  access.failed = !memory.read(address, data, size_bytes);
  for (const auto& [place, value] : updated_)
    if (place == address && size_bytes == sizeof value) std::memcpy(data, &value, sizeof value);
  if (!access.failed) std::memcpy(access.words.data(), data, std::min(size_bytes, sizeof access.words));
  return !access.failed;
}

smmuv3::ExchangeResult Watched::exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                         const smmuv3::MemoryAttributes&, AccessKind kind) {
  uint64_t now = 0;
  CoreAccess& access = accesses_.emplace_back();
  access.kind = kind;
  access.address = address;
  access.failed = !memory.read(address, &now, sizeof now);
  access.words[0] = expected;
  access.words[1] = desired;
  if (access.failed) return smmuv3::ExchangeResult::kBusError;
  updated_.emplace_back(address, desired);
  return smmuv3::ExchangeResult::kDone;
}

Look Watched::look(const ClientAccess& access) {
  smmuv3::Transaction transaction;
  transaction.address = access.address;
  transaction.stream_id = access.stream_id;
  transaction.substream_id = access.substream_id;
  transaction.substream_valid = access.substream_valid;
  transaction.write = access.write;
  transaction.atomic = access.atomic;
  transaction.instruction = access.instruction;
  transaction.privileged = access.privileged;
  transaction.translated = access.translated;
  // So that the core neither records nor stalls.
  transaction.speculative = true;
  transaction.attributes = attributes_of(access.attributes);
  accesses_.clear();
  updated_.clear();
  Look look;
  look.result = core_.translate(transaction);
  if (look.result.event != smmuv3::EventType::kNone) look.event = core_.last_event();
  understand(look, access.address);
  return look;
}

Look Watched::look(const AtsQuestion& question) {
  smmuv3::AtsRequest request;
  request.address = question.address;
  request.stream_id = question.stream_id;
  request.substream_id = question.substream_id;
  request.substream_valid = question.substream_valid;
  request.no_write = question.no_write;
  request.execute = question.execute;
  request.privileged = question.privileged;
  accesses_.clear();
  updated_.clear();
  Look look;
  look.completion = core_.translate_for_ats(request);
  if (look.completion.status != smmuv3::AtsStatus::kSuccess) look.event = core_.last_event();
  understand(look, question.address);
  return look;
}

void Watched::understand(Look& look, uint64_t address) const {
  Stage2Walk walk;
  bool walking = false;
  const auto end_walk = [&](Stage2Walk::Purpose purpose) {
    if (!walking) return;
    walk.purpose = purpose;
    walk.stage1_level = look.stage1_start + static_cast<unsigned>(look.stage1.size());
    look.stage2.push_back(walk);
    walk = {};
    walking = false;
  };
  for (const CoreAccess& access : accesses_) {
    switch (access.kind) {
      case AccessKind::kStreamTableEntry:
        if (access.failed) break;
        look.ste = smmuv3::decode_ste(access.words, config());
        look.stage2_start =
            smmuv3::stage2_start_level(look.ste->stage2.granule_log2, look.ste->stage2.start_level_code);
        break;
      case AccessKind::kContextLevel1:
        end_walk(Stage2Walk::Purpose::kContext);
        break;
      case AccessKind::kContextDescriptor: {
        end_walk(Stage2Walk::Purpose::kContext);
        if (access.failed || !look.ste) break;
        const bool e2h = get(Id::kCr2) & smmuv3::kCr2E2h;
        look.cd = smmuv3::decode_cd(access.words, smmuv3::stream_world(*look.ste, config(), e2h), config());
        look.half = look.cd->has_two_halves() && smmuv3::bit(address, 55);
        const smmuv3::TableHalf& half = look.cd->half[look.half];
        if (half.granule_log2 != 0 && half.size_offset != 0)
          look.stage1_start =
              smmuv3::kLastLevel - (64u - half.size_offset - 1 - half.granule_log2) / (half.granule_log2 - 3u);
        break;
      }
      case AccessKind::kStage1Descriptor:
        end_walk(Stage2Walk::Purpose::kTable);
        look.stage1_failed = access.failed;
        look.stage1.push_back(smmuv3::to_host(access.words[0], look.cd && look.cd->big_endian));
        break;
      case AccessKind::kStage1Update:
        end_walk(Stage2Walk::Purpose::kTableUpdate);
        break;
      case AccessKind::kStage2Descriptor:
        walking = true;
        walk.failed = access.failed;
        walk.descriptors.push_back(smmuv3::to_host(access.words[0], look.ste && look.ste->stage2.big_endian));
        break;
      default:
        break;
    }
  }
  const smmuv3::FaultClass last = look.event.fault_class;
  if (look.event.type == smmuv3::EventType::kNone || !look.event.stage2 || last == smmuv3::FaultClass::kInput) {
    end_walk(Stage2Walk::Purpose::kInput);
  } else if (last == smmuv3::FaultClass::kContextFetch) {
    end_walk(Stage2Walk::Purpose::kContext);
  } else {
    const bool leaf = !look.stage1.empty() && !look.stage1_failed &&
                      smmuv3::kind_of(look.stage1.back(), look.cd->half[look.half].granule_log2, look.stage1_level(),
                                      config().oas_bits == 52) == smmuv3::DescriptorKind::kLeaf;
    end_walk(leaf ? Stage2Walk::Purpose::kTableUpdate : Stage2Walk::Purpose::kTable);
  }
  look.accesses = accesses_;
}

std::string granule_name(unsigned granule_log2) {
  return granule_log2 == 12 ? "4K" : granule_log2 == 14 ? "16K" : granule_log2 == 16 ? "64K" : "reserved";
}

std::string level_name(unsigned level) { return "L" + std::to_string(level); }

const char* access_name(bool write, bool atomic, bool instruction) {
  return atomic ? "atomic" : write ? "write" : instruction ? "fetch" : "read";
}

const char* world_name(smmuv3::StreamWorld world) {
  return world == smmuv3::StreamWorld::kEl1 ? "EL1" : world == smmuv3::StreamWorld::kEl2 ? "EL2" : "EL2-E2H";
}

const char* class_name(bool stage2, smmuv3::FaultClass fault_class) {
  switch (fault_class) {
    case smmuv3::FaultClass::kContextFetch:
      return stage2 ? "stage2-CD" : "stage1-CD";
    case smmuv3::FaultClass::kTableWalk:
      return stage2 ? "stage2-TT" : "stage1-TT";
    case smmuv3::FaultClass::kInput:
      return stage2 ? "stage2-IN" : "stage1-IN";
  }
  return "";
}

Axis leaves() { return {"4K/L1", "4K/L2", "4K/L3", "16K/L2", "16K/L3", "64K/L1", "64K/L2", "64K/L3"}; }

Axis levels_of_granules() {
  return {"4K/L0", "4K/L1", "4K/L2", "4K/L3", "16K/L0", "16K/L1", "16K/L2", "16K/L3", "64K/L1", "64K/L2", "64K/L3"};
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
