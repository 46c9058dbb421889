// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "smmu_rtl_bridge/oracle/judge.h"
#include "tlm_models/smmuv3/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::bits;
using tlm_models::smmuv3::Guard;
using tlm_models::smmuv3::ones;
using tlm_models::smmuv3::RegisterId;
using tlm_models::smmuv3::RegisterRow;

constexpr uint64_t kCr1Queue = 0x3f;
constexpr uint64_t kCr1Table = 0xfc0;

}  // namespace

bool Judge::command_error_active() const { return command_error_; }

void Judge::register_written(uint32_t offset, unsigned size_bytes, uint64_t value) {
  ++now_;
  if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes != 0) return;
  write_word(offset, static_cast<uint32_t>(value));
  if (size_bytes == 8) write_word(offset + 4, static_cast<uint32_t>(value >> 32));
}

void Judge::write_word(uint32_t offset, uint32_t value) {
  const RegisterRow* row = registers_.find(offset);
  if (!row || !registers_.unlocked(row->guard)) return;
  const uint64_t before = reg(row->id);
  uint64_t mask = writable_bits(*row, config_);
  if (row->id == RegisterId::kCr1) {
    if (!registers_.unlocked(Guard::kSmmuEnable)) mask &= ~kCr1Table;
    if (!registers_.unlocked(Guard::kCommandQueue) || !registers_.unlocked(Guard::kEventQueue) ||
        !registers_.unlocked(Guard::kPriQueue))
      mask &= ~kCr1Queue;
  } else if (row->id == RegisterId::kGbpa) {
    if (!(value & tlm_models::smmuv3::kGbpaUpdate)) return;
  }
  const unsigned shift = 8 * (offset - row->offset);
  mask &= uint64_t{0xffffffff} << shift;
  registers_.set(row->id, (before & ~mask) | (static_cast<uint64_t>(value) << shift & mask));
  const auto changed = static_cast<uint32_t>(before ^ reg(row->id));
  const auto now = static_cast<uint32_t>(reg(row->id));
  switch (row->id) {
    case RegisterId::kCr0:
      if (changed & now & tlm_models::smmuv3::kCr0CommandQueueEnable) command_queue_started();
      if (changed & now & tlm_models::smmuv3::kCr0EventQueueEnable)
        events_produced_ = reg(RegisterId::kEventqProd) & ones(event_queue_log2() + 1);
      if (changed & ~now & tlm_models::smmuv3::kCr0SmmuEnable)
        for (auto& [id, flight] : flights_) flight.may_abort = true;
      if (changed & now & tlm_models::smmuv3::kCr0SmmuEnable && first_enabled_ == 0) {
        // Nothing was fetched before, so nothing can be cached.
        memory_.forget_history();
        first_enabled_ = now_;
        memory_.set_floor(now_);
      }
      control_changed(true);
      note_event_queue();
      break;
    case RegisterId::kGbpa:
      registers_.set(RegisterId::kGbpa, reg(RegisterId::kGbpa) & ~uint64_t{tlm_models::smmuv3::kGbpaUpdate});
      control_changed(true);
      break;
    case RegisterId::kCr1:
    case RegisterId::kCr2:
    case RegisterId::kStrtabBase:
    case RegisterId::kStrtabBaseCfg:
      control_changed(false);
      break;
    case RegisterId::kCmdqProd:
      commands_handed_over();
      break;
    case RegisterId::kEventqCons:
      note_event_queue();
      break;
    case RegisterId::kGerrorN:
      if (changed & tlm_models::smmuv3::kGerrorEventAbort) event_queue_aborted_ = false;
      if (changed & tlm_models::smmuv3::kGerrorCommand) {
        command_error_ = false;
        atc_timed_out_ = false;
      }
      note_event_queue();
      break;
    default:
      break;
  }
}

void Judge::register_write_done(uint32_t) { ++now_; }

// A new state of the registers that translation depends on. One that is acknowledged later leaves the one before in
// effect until then.
void Judge::control_changed(bool acknowledged_later) {
  if (!acknowledged_later) controls_.back().until = std::min(controls_.back().until, now_);
  Control control;
  control.number = next_control_++;
  control.from = now_;
  control.cr0 = static_cast<uint32_t>(reg(RegisterId::kCr0));
  control.gbpa = static_cast<uint32_t>(reg(RegisterId::kGbpa));
  control.cr1 = reg(RegisterId::kCr1);
  control.cr2 = reg(RegisterId::kCr2);
  control.strtab_base = reg(RegisterId::kStrtabBase);
  control.strtab_base_cfg = reg(RegisterId::kStrtabBaseCfg);
  controls_.push_back(control);
}

void Judge::control_in_effect() {
  for (size_t i = 0; i + 1 < controls_.size(); ++i) controls_[i].until = std::min(controls_[i].until, now_);
  registers_.set(RegisterId::kCr0Ack, reg(RegisterId::kCr0));
  registers_.set(RegisterId::kIrqCtrlAck, reg(RegisterId::kIrqCtrl));
}

void Judge::register_read(uint32_t offset, unsigned size_bytes, uint64_t value) {
  ++now_;
  if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes != 0) return;
  read_word(offset, static_cast<uint32_t>(value));
  if (size_bytes == 8) read_word(offset + 4, static_cast<uint32_t>(value >> 32));
}

void Judge::wrong_value(const RegisterRow& row, uint64_t value, uint64_t allowed) {
  char text[160];
  std::snprintf(text, sizeof text, "%s reads as %#llx; allowed: %#llx", row.name,
                static_cast<unsigned long long>(value), static_cast<unsigned long long>(allowed));
  fail(Rule::kRegisterValue, text);
}

void Judge::read_word(uint32_t offset, uint32_t value) {
  const RegisterRow* row = registers_.find(offset);
  if (row == nullptr) return;
  switch (row->id) {
    case RegisterId::kCr0Ack:
      if (value == static_cast<uint32_t>(reg(RegisterId::kCr0))) control_in_effect();
      break;
    case RegisterId::kGbpa:
      if (!(value & tlm_models::smmuv3::kGbpaUpdate) && reg(RegisterId::kCr0) == reg(RegisterId::kCr0Ack))
        control_in_effect();
      break;
    case RegisterId::kCmdqCons: {
      const uint64_t mask = ones(command_queue_log2() + 1);
      const uint64_t index = value & mask;
      const uint64_t ahead = (index - (command_index_base_ + commands_consumed_)) & mask;
      if (!on(tlm_models::smmuv3::kCr0CommandQueueEnable)) break;
      if (ahead > commands_written_ - commands_consumed_) {
        wrong_value(*row, value, (command_index_base_ + commands_written_) & mask);
        break;
      }
      consumed_up_to(commands_consumed_ + ahead);
      break;
    }
    case RegisterId::kIdr0:
    case RegisterId::kIdr1:
    case RegisterId::kIdr3:
    case RegisterId::kIdr5:
      break;
    default:
      break;
  }
}

void Judge::pulsed(Wire wire) {
  ++now_;
  if (wire == Wire::kCommandSync) sync_signalled(true, 0, 0);
}

void Judge::device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes&, bool failed) {
  ++now_;
  if (!failed) memory_.write(address, data, size_bytes, now_);
  event_bytes_written(address, data, size_bytes, failed);
}

void Judge::atc_invalidated(const AtcInvalidation& invalidation) {
  ++now_;
  ++atc_open_;
  const auto same = [](const AtcInvalidation& a, const AtcInvalidation& b) {
    return a.stream_id == b.stream_id && a.substream_id == b.substream_id && a.substream_valid == b.substream_valid &&
           a.global == b.global && a.address == b.address && a.size_log2 == b.size_log2;
  };
  if (atc_expected_.empty() || !same(atc_expected_.front(), invalidation)) {
    char text[160];
    std::snprintf(text, sizeof text, "invalidation of stream %#x address %#llx size %u is not the next CMD_ATC_INV's",
                  invalidation.stream_id, static_cast<unsigned long long>(invalidation.address),
                  invalidation.size_log2);
    fail(Rule::kAtcInvalidation, text);
  }
  if (!atc_expected_.empty()) atc_expected_.pop_front();
}

void Judge::atc_invalidation_done(bool timed_out) {
  ++now_;
  if (atc_open_ != 0) --atc_open_;
  atc_timed_out_ = atc_timed_out_ || timed_out;
}

void Judge::page_asked(const PageQuestion&) { ++now_; }
void Judge::page_answered(const PageAnswer&) { ++now_; }

}  // namespace lockstep::smmu_rtl_bridge
