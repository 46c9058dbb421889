// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/smmu.h"

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr unsigned kWalkCacheLog2 = 8;
constexpr uint32_t kCr1Queue = 0x3f;
constexpr uint32_t kCr1Table = 0xfc0;

}  // namespace

Smmu::Smmu(const Config& config, MemoryPort& memory, Environment& environment)
    : config_(config),
      physical_stall_model_(config.stall_model),
      memory_(memory),
      environment_(environment),
      registers_(config_),
      tlb_(config.tlb_sets_log2, config.tlb_ways),
      walk_cache_(kWalkCacheLog2),
      walker_(config_, memory_, tlb_, walk_cache_),
      lookup_(config_, memory_, walker_),
      stalled_(config.stall_model == StallModel::kTerminateOnly ? 0 : config.stalled_transactions_max) {
  reset();
}

void Smmu::reset() {
  config_.stall_model = physical_stall_model_;
  registers_.reset();
  drop_cached_translations();
  drop_cached_configuration();
  for (StalledTransaction& stalled : stalled_) stalled.used = false;
  stream_table_ = stream_table();
  last_event_ = {};
  last_record_mergeable_ = false;
  pending_atc_ = 0;
  atc_timed_out_ = false;
  update_bypass();
}

SmmuState Smmu::state() const {
  SmmuState state;
  for (size_t i = 0; i < kRegisters; ++i) state.registers[i] = registers_.get(static_cast<Id>(i));
  state.stalled = stalled_;
  state.bypass_control = bypass_control_;
  state.stalls_allowed = config_.stall_model == physical_stall_model_;
  state.last_record = last_record_;
  state.last_record_mergeable = last_record_mergeable_;
  state.pending_atc = pending_atc_;
  state.atc_timed_out = atc_timed_out_;
  return state;
}

void Smmu::restore(const SmmuState& state) {
  reset();
  for (size_t i = 0; i < kRegisters; ++i) registers_.set(static_cast<Id>(i), state.registers[i]);
  for (size_t i = 0; i < stalled_.size() && i < state.stalled.size(); ++i) stalled_[i] = state.stalled[i];
  allow_stalls(state.stalls_allowed);
  set_bypass(state.bypass_control);
  stream_table_ = stream_table();
  last_record_ = state.last_record;
  last_record_mergeable_ = state.last_record_mergeable;
  pending_atc_ = state.pending_atc;
  atc_timed_out_ = state.atc_timed_out;
}

void Smmu::drop_cached_translations() {
  tlb_.clear();
  walk_cache_.clear();
  ++generation_;
}

void Smmu::drop_cached_configuration() {
  lookup_.invalidate_all();
  ++generation_;
}

uint64_t Smmu::read_register(uint32_t offset, unsigned size_bytes) const {
  if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes != 0 || offset >= kRegisterSpaceBytes) return 0;
  uint64_t value = registers_.read_word(offset);
  if (size_bytes == 8) value |= static_cast<uint64_t>(registers_.read_word(offset + 4)) << 32;
  return value;
}

void Smmu::write_register(uint32_t offset, unsigned size_bytes, uint64_t value) {
  if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes != 0 || offset >= kRegisterSpaceBytes) return;
  write_word(offset, static_cast<uint32_t>(value));
  if (size_bytes == 8) write_word(offset + 4, static_cast<uint32_t>(value >> 32));
}

void Smmu::write_word(uint32_t offset, uint32_t value) {
  const RegisterRow* row = registers_.find(offset);
  if (!row || !registers_.unlocked(row->guard)) return;
  uint64_t mask = writable_bits(*row, config_);
  const uint64_t before = registers_.get(row->id);
  if (row->id == Id::kCr1) {
    if (!registers_.unlocked(Guard::kSmmuEnable)) mask &= ~uint64_t{kCr1Table};
    if (!registers_.unlocked(Guard::kCommandQueue) || !registers_.unlocked(Guard::kEventQueue) ||
        !registers_.unlocked(Guard::kPriQueue))
      mask &= ~uint64_t{kCr1Queue};
  } else if (row->id == Id::kGbpa) {
    // Only a write with Update counts, and only when none is under way.
    if (!(value & kGbpaUpdate) || (before & kGbpaUpdate)) return;
  } else if (row->id == Id::kCr0) {
    // A field that is still on its way to CR0ACK keeps the value it was given first.
    mask &= ~(before ^ registers_.get(Id::kCr0Ack));
  } else if (row->id == Id::kCr2 && (registers_.get32(Id::kCr0) ^ registers_.get32(Id::kCr0Ack)) & kCr0SmmuEnable) {
    return;
  }
  const unsigned shift = 8 * (offset - row->offset);
  mask &= uint64_t{0xffffffff} << shift;
  registers_.set(row->id, (before & ~mask) | (static_cast<uint64_t>(value) << shift & mask));
  write_effect(*row, before);
}

void Smmu::write_effect(const RegisterRow& row, uint64_t before) {
  switch (row.effect) {
    case WriteEffect::kNone:
      break;
    case WriteEffect::kControl:
      if (!config_.deferred_updates) update_control();
      break;
    case WriteEffect::kInterruptControl:
      if (!config_.deferred_updates) update_interrupts();
      break;
    case WriteEffect::kBypassUpdate:
      if (!config_.deferred_updates) update_bypass();
      break;
    case WriteEffect::kErrorAcknowledge:
      if ((before ^ registers_.get(row.id)) & kGerrorEventAbort) retry_unrecorded();
      process_commands();
      break;
    case WriteEffect::kCommandsAdded:
      process_commands();
      break;
    case WriteEffect::kInvalidateAll:
      registers_.set(Id::kInit, 0);
      for (Smmu* side : {this, non_secure_side_}) {
        if (!side) continue;
        side->drop_cached_translations();
        side->drop_cached_configuration();
      }
      break;
    case WriteEffect::kEventsConsumed:
      last_record_mergeable_ = false;
      retry_unrecorded();
      break;
  }
}

void Smmu::complete_updates() {
  update_bypass();
  update_interrupts();
  update_control();
}

void Smmu::update_control() {
  const uint32_t before = registers_.get32(Id::kCr0Ack);
  const uint32_t now = registers_.get32(Id::kCr0);
  registers_.set(Id::kCr0Ack, now);
  ++generation_;
  const uint32_t risen = now & ~before;
  const uint32_t fallen = before & ~now;
  if (non_secure_side_) non_secure_side_->allow_stalls(!(now & kCr0NonSecureStallDisable));
  if (risen & kCr0SmmuEnable) stream_table_ = stream_table();
  if (fallen & kCr0SmmuEnable) terminate_all_stalled();
  if (fallen & kCr0EventQueueEnable) last_record_mergeable_ = false;
  if (risen & kCr0EventQueueEnable) retry_unrecorded();
  if (risen & kCr0CommandQueueEnable) process_commands();
}

// NSSTALLD: what hardware could do is kept from non-secure software, and its ID register says so.
void Smmu::allow_stalls(bool allowed) {
  if (stalled_.empty() || physical_stall_model_ != StallModel::kStallAndTerminate) return;
  const StallModel before = config_.stall_model;
  config_.stall_model = allowed ? physical_stall_model_ : StallModel::kTerminateOnly;
  // What makes an STE or CD illegal has changed.
  if (config_.stall_model != before) drop_cached_configuration();
  registers_.set(Id::kIdr0, reset_value(Id::kIdr0, config_));
}

void Smmu::update_interrupts() { registers_.set(Id::kIrqCtrlAck, registers_.get(Id::kIrqCtrl)); }

void Smmu::update_bypass() {
  const uint32_t value = registers_.get32(Id::kGbpa) & ~kGbpaUpdate;
  registers_.set(Id::kGbpa, value);
  set_bypass(value);
}

void Smmu::set_bypass(uint32_t value) {
  bypass_control_ = value;
  bypass_overrides_ = {};
  if (!config_.attribute_types_override) return;
  bypass_overrides_.memory_type = static_cast<uint8_t>(bits(value, 3, 0));
  bypass_overrides_.replace_type = bit(value, 4);
  bypass_overrides_.allocation = static_cast<uint8_t>(bits(value, 11, 8));
  bypass_overrides_.shareability = static_cast<uint8_t>(bits(value, 13, 12));
}

StreamTable Smmu::stream_table() const {
  const uint64_t config = registers_.get(Id::kStrtabBaseCfg);
  const uint64_t control = registers_.get(Id::kCr1);
  StreamTable table;
  table.base = field_in_place(registers_.get(Id::kStrtabBase), 51, 6);
  table.log2size = static_cast<unsigned>(bits(config, 5, 0));
  table.two_level = bits(config, 17, 16) == 1;
  const auto split = static_cast<unsigned>(bits(config, 10, 6));
  table.split = split == 8 || split == 10 ? split : 6;
  table.attributes =
      register_attributes(static_cast<unsigned>(bits(control, 7, 6)), static_cast<unsigned>(bits(control, 9, 8)),
                          static_cast<unsigned>(bits(control, 11, 10)));
  table.attributes.secure = config_.secure;
  return table;
}

}  // namespace lockstep::tlm_models::smmuv3
