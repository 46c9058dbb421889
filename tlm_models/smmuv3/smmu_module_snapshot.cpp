// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tlm_models/smmuv3/smmu_module_inside.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

// One stalled transaction is so many words.
constexpr size_t kStallWords = 6;

uint64_t pack(const CacheLevel& level) {
  return static_cast<uint64_t>(level.policy) | uint64_t{level.read_allocate} << 2 |
         uint64_t{level.write_allocate} << 3 | uint64_t{level.transient} << 4;
}

CacheLevel unpack_level(uint64_t word) {
  return {static_cast<Cacheability>(word & 3), (word & 4) != 0, (word & 8) != 0, (word & 16) != 0};
}

uint64_t pack(const MemoryAttributes& a) {
  return uint64_t{a.device} | static_cast<uint64_t>(a.device_type) << 1 | pack(a.inner) << 8 | pack(a.outer) << 16 |
         static_cast<uint64_t>(a.shareability) << 24 | uint64_t{a.secure} << 26;
}

MemoryAttributes unpack_attributes(uint64_t word) {
  MemoryAttributes a;
  a.device = (word & 1) != 0;
  a.device_type = static_cast<DeviceType>(word >> 1 & 3);
  a.inner = unpack_level(word >> 8 & 0x1f);
  a.outer = unpack_level(word >> 16 & 0x1f);
  a.shareability = static_cast<Shareability>(word >> 24 & 3);
  a.secure = (word >> 26 & 1) != 0;
  return a;
}

uint64_t pack_flags(const StalledTransaction& s) {
  const Transaction& t = s.transaction;
  uint64_t word = 0;
  unsigned place = 0;
  for (const bool flag : {s.used, s.recorded, t.substream_valid, t.write, t.atomic, t.instruction, t.privileged,
                          t.translated, t.speculative})
    word |= uint64_t{flag} << place++;
  return word;
}

void unpack_flags(uint64_t word, StalledTransaction& s) {
  Transaction& t = s.transaction;
  unsigned place = 0;
  for (bool* flag : {&s.used, &s.recorded, &t.substream_valid, &t.write, &t.atomic, &t.instruction, &t.privileged,
                     &t.translated, &t.speculative})
    *flag = (word >> place++ & 1) != 0;
}

void save_state(SnapshotSection& section, const std::string& prefix, const SmmuState& state) {
  put_words(section, prefix + "registers", state.registers);
  std::vector<uint64_t> words;
  for (const StalledTransaction& stalled : state.stalled) {
    const Transaction& t = stalled.transaction;
    const uint64_t fields[kStallWords] = {pack_flags(stalled), t.address,          t.stream_id,
                                          t.substream_id,      pack(t.attributes), t.token};
    words.insert(words.end(), std::begin(fields), std::end(fields));
  }
  put_words(section, prefix + "stalled", words);
  put_words(section, prefix + "last_record", state.last_record);
  section.put(prefix + "bypass_control", state.bypass_control);
  section.put(prefix + "stalls_allowed", state.stalls_allowed ? 1 : 0);
  section.put(prefix + "last_record_mergeable", state.last_record_mergeable ? 1 : 0);
  section.put(prefix + "pending_atc", state.pending_atc);
  section.put(prefix + "atc_timed_out", state.atc_timed_out ? 1 : 0);
}

void restore_state(StateReader& reader, const std::string& prefix, SmmuState& state) {
  const auto registers = reader.words(prefix + "registers", state.registers.size());
  if (reader.ok()) std::copy(registers.begin(), registers.end(), state.registers.begin());
  const auto words = reader.words(prefix + "stalled", state.stalled.size() * kStallWords);
  for (size_t i = 0; reader.ok() && i < state.stalled.size(); ++i) {
    const uint64_t* fields = &words[i * kStallWords];
    StalledTransaction& stalled = state.stalled[i];
    unpack_flags(fields[0], stalled);
    Transaction& t = stalled.transaction;
    t.address = fields[1];
    t.stream_id = static_cast<uint32_t>(fields[2]);
    t.substream_id = static_cast<uint32_t>(fields[3]);
    t.attributes = unpack_attributes(fields[4]);
    t.token = fields[5];
  }
  const auto record = reader.words(prefix + "last_record", state.last_record.size());
  if (reader.ok()) std::copy(record.begin(), record.end(), state.last_record.begin());
  reader.get(prefix + "bypass_control", state.bypass_control);
  reader.get(prefix + "stalls_allowed", state.stalls_allowed);
  reader.get(prefix + "last_record_mergeable", state.last_record_mergeable);
  reader.get(prefix + "pending_atc", state.pending_atc);
  reader.get(prefix + "atc_timed_out", state.atc_timed_out);
}

const char* prefix_of(unsigned side) { return side == 0 ? "core." : "secure_core."; }

}  // namespace

void SmmuModule::save(SnapshotSection& section) {
  for (unsigned side = 0; side < inside_->sides(); ++side) {
    inside_->cores[side]->drop_cached_translations();
    inside_->cores[side]->drop_cached_configuration();
  }
  refresh();
  Device::save(section);
  for (unsigned side = 0; side < inside_->sides(); ++side)
    save_state(section, prefix_of(side), inside_->cores[side]->state());
  section.put("sync_waits", inside_->sync_waits ? 1 : 0);
  std::vector<uint64_t> holding;
  for (const auto& port : upstream_) holding.push_back(port->holds_access ? 1 : 0);
  put_words(section, "holds_access", holding);
}

void SmmuModule::restore_extra(StateReader& reader) {
  Inside& in = *inside_;
  for (unsigned side = 0; side < in.sides(); ++side) {
    SmmuState state = in.cores[side]->state();
    restore_state(reader, prefix_of(side), state);
    for (const StalledTransaction& stalled : state.stalled) {
      if (stalled.used && (stalled.transaction.token >> UpstreamPort::kPortShift) >= upstream_.size())
        reader.fail("a stalled access is of a port that this SMMU does not have");
    }
    if (!reader.ok()) return;
    in.cores[side]->restore(state);
  }
  reader.get("sync_waits", in.sync_waits);
  const auto holding = reader.words("holds_access", upstream_.size());
  if (!reader.ok()) return;
  in.any_held = false;
  for (size_t i = 0; i < upstream_.size(); ++i) {
    upstream_[i]->holds_access = holding[i] != 0;
    in.any_held |= holding[i] != 0;
  }
  take_back_dmi();
  for (unsigned side = 0; side < in.sides(); ++side) {
    for (const auto& [id, row] : in.rows[side]) registers_.set(id, in.cores[side]->register_value(row->id));
  }
}

}  // namespace lockstep::tlm_models::smmuv3
