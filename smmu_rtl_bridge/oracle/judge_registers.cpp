// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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

constexpr size_t kEventsSource = 0;
constexpr unsigned kIndexBits = 20;
constexpr uint64_t kCr1Queue = 0x3f;
constexpr uint64_t kCr1Table = 0xfc0;

}  // namespace

void Judge::register_written(uint32_t offset, unsigned size_bytes, uint64_t value) {
  ++now_;
  if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes != 0) return;
  write_word(offset, static_cast<uint32_t>(value));
  if (size_bytes == 8) write_word(offset + 4, static_cast<uint32_t>(value >> 32));
}

void Judge::write_word(uint32_t offset, uint32_t value) {
  const RegisterRow* row = registers_.find(offset);
  if (!row) return;
  const uint64_t before = reg(row->id);
  uint64_t mask = writable_bits(*row, config_);
  const unsigned shift = 8 * (offset - row->offset);
  const bool changing =
      reg(RegisterId::kCr0) != reg(RegisterId::kCr0Ack) || reg(RegisterId::kIrqCtrl) != reg(RegisterId::kIrqCtrlAck);
  // While an enable is on its way, nobody can say whether it guards already.
  if (changing && (row->guard != Guard::kNone || row->id == RegisterId::kCr0 || row->id == RegisterId::kCr1))
    unclear_[static_cast<size_t>(row->id)] |= mask & uint64_t{0xffffffff} << shift;
  if (!registers_.unlocked(row->guard)) return;
  if (row->id == RegisterId::kCr1) {
    if (!registers_.unlocked(Guard::kSmmuEnable)) mask &= ~kCr1Table;
    if (!registers_.unlocked(Guard::kCommandQueue) || !registers_.unlocked(Guard::kEventQueue) ||
        !registers_.unlocked(Guard::kPriQueue))
      mask &= ~kCr1Queue;
  } else if (row->id == RegisterId::kGbpa) {
    if (!(value & tlm_models::smmuv3::kGbpaUpdate)) return;
  }
  mask &= uint64_t{0xffffffff} << shift;
  registers_.set(row->id, (before & ~mask) | (static_cast<uint64_t>(value) << shift & mask));
  const auto changed = static_cast<uint32_t>(before ^ reg(row->id));
  const auto now = static_cast<uint32_t>(reg(row->id));
  switch (row->id) {
    case RegisterId::kCr0:
      if (changed & now & tlm_models::smmuv3::kCr0CommandQueueEnable) command_queue_started();
      if (changed & now & tlm_models::smmuv3::kCr0EventQueueEnable) {
        events_produced_ &= ones(event_queue_log2() + 1);
        events_read_ = events_produced_;
      }
      if (changed & now & tlm_models::smmuv3::kCr0PriQueueEnable) pages_produced_ &= ones(page_queue_log2() + 1);
      if (changed & (tlm_models::smmuv3::kCr0PriQueueEnable | tlm_models::smmuv3::kCr0SmmuEnable))
        pages_unusable_until_ = kNever;
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
    case RegisterId::kCmdqBase:
    case RegisterId::kCmdqCons:
      if (!on(tlm_models::smmuv3::kCr0CommandQueueEnable)) command_queue_moved_ = true;
      break;
    case RegisterId::kCmdqProd:
      commands_handed_over();
      break;
    case RegisterId::kEventqCons:
      note_event_queue();
      // Software has seen all that EVENTQ_PROD tells; a record that is in memory may come to be told after this.
      if (((now ^ events_read_) & ones(event_queue_log2() + 1)) == 0 && events_read_ != events_produced_)
        may_have_happened(kEventsSource);
      if (changed & tlm_models::smmuv3::kQueueOverflow) {
        events_overflowed_ = events_were_lost_ = false;
        events_overflow_acknowledged_ = now_;
      }
      if (event_queue_used() >= uint64_t{1} << event_queue_log2()) events_overflowed_ = true;
      break;
    case RegisterId::kEventqProd:
      events_were_lost_ = false;
      if (!on(tlm_models::smmuv3::kCr0EventQueueEnable)) events_produced_ = events_read_ = now;
      break;
    case RegisterId::kPriqProd:
      if (!on(tlm_models::smmuv3::kCr0PriQueueEnable)) pages_produced_ = now;
      break;
    case RegisterId::kPriqCons:
      if (changed & tlm_models::smmuv3::kQueueOverflow) {
        page_queue_overflowed_ = false;
        pages_overflowed_surely_ = kNever;
      }
      break;
    case RegisterId::kIrqCtrl:
      if (!changed) break;
      for (size_t i = 0; i < kSources; ++i)
        if (changed & kSourceTable[i].enable) wire_due_[i] = message_due_[i] = false;
      break;
    case RegisterId::kGerrorN:
      // Acknowledging what is not active leaves the error in a state that is not defined.
      errors_unclear_ |= changed & ~errors_caused_;
      errors_unclear_ &= ~(changed & errors_caused_);
      errors_caused_ &= ~changed;
      errors_due_ &= ~changed;
      if (changed & tlm_models::smmuv3::kGerrorCommand) atc_timed_out_ = kNever;
      if (changed & tlm_models::smmuv3::kGerrorPriAbort) pages_unusable_until_ = now_;
      note_event_queue();
      break;
    default:
      break;
  }
}

void Judge::register_write_done(uint32_t) {
  ++now_;
  events_consumed_surely_ = reg(RegisterId::kEventqCons);
}

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
  if (pages_unusable_until_ == kNever) pages_unusable_until_ = now_;
  registers_.set(RegisterId::kCr0Ack, reg(RegisterId::kCr0));
  interrupts_in_effect();
  note_event_queue();
}

// What is off has sent what it had to send.
void Judge::interrupts_in_effect() {
  registers_.set(RegisterId::kIrqCtrlAck, reg(RegisterId::kIrqCtrl));
  for (size_t i = 0; i < kSources; ++i)
    if (!may_interrupt(i)) wires_open_[i] = messages_open_[i] = 0;
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

// An index of a queue counts in the bits that the queue has. Those above are zero or as software left them.
void Judge::check_index(const RegisterRow& row, uint32_t value, uint64_t mask) {
  const uint64_t above = ones(kIndexBits) & ~mask;
  const uint64_t allowed = reg(row.id) & above;
  if ((value & above) == 0 || (value & above) == allowed) return;
  wrong_value(row, value, (value & ~above) | allowed);
}

// CMDQ_CONS: where the queue is, and what stopped it.
void Judge::read_commands_consumed(const RegisterRow& row, uint32_t value) {
  // Of a queue that is off it tells what was consumed before; where software has put it elsewhere since, nothing.
  if (command_queue_moved_) return;
  const uint64_t mask = ones(command_queue_log2() + 1);
  check_index(row, value, mask);
  const uint64_t ahead = ((value & mask) - (command_index_base_ + commands_consumed_)) & mask;
  if (ahead > commands_written_ - commands_consumed_) {
    if (!on(tlm_models::smmuv3::kCr0CommandQueueEnable)) return;
    wrong_value(row, value, (command_index_base_ + commands_written_) & mask);
    return;
  }
  consumed_up_to(commands_consumed_ + ahead);
  if (!(errors_due_ & tlm_models::smmuv3::kGerrorCommand)) return;
  const SeenCommand* stopped = command_at(commands_consumed_);
  if (stopped == nullptr) return;
  const unsigned expected = stopped->failed   ? tlm_models::smmuv3::kErrorAbort
                            : !stopped->legal ? tlm_models::smmuv3::kErrorIllegal
                                              : tlm_models::smmuv3::kErrorAtcSync;
  if ((value >> 24 & 0x7f) == expected) return;
  char text[120];
  std::snprintf(text, sizeof text, "%s.ERR is %u, allowed: %u", row.name, value >> 24 & 0x7f, expected);
  fail(Rule::kGlobalError, text);
}

// EVENTQ_PROD follows the records, maybe after a while.
void Judge::read_events_produced(const RegisterRow& row, uint32_t value) {
  if (!on(tlm_models::smmuv3::kCr0EventQueueEnable)) return;
  const uint64_t mask = ones(event_queue_log2() + 1);
  const uint64_t index = value & mask;
  check_index(row, value, mask);
  if (((events_produced_ - index) & mask) > ((events_produced_ - events_read_) & mask)) {
    wrong_value(row, index, events_produced_);
    return;
  }
  events_read_ = index;
  const bool overflow = (value ^ reg(RegisterId::kEventqCons)) & tlm_models::smmuv3::kQueueOverflow;
  if (overflow) events_overflow_seen_ = now_;
  if (overflow != events_overflow_flag_) {
    if (overflow && !events_overflowed_) fail(Rule::kRegisterValue, "EVENTQ_PROD.OVFLG without an overflow");
    events_overflow_flag_ = overflow;
  }
  if (!overflow && events_were_lost_)
    fail(Rule::kRegisterValue, "records were lost to a full event queue and EVENTQ_PROD.OVFLG says nothing of it");
  // What was told once stays until software acknowledges it.
  events_were_lost_ |= overflow;
}

void Judge::read_word(uint32_t offset, uint32_t value) {
  using tlm_models::smmuv3::kCr0EventQueueEnable;
  const RegisterRow* row = registers_.find(offset);
  if (row == nullptr) return;
  const unsigned shift = 8 * (offset - row->offset);
  auto expected = static_cast<uint32_t>(reg(row->id) >> shift);
  uint64_t& unclear = unclear_[static_cast<size_t>(row->id)];
  auto ignored = static_cast<uint32_t>(unclear >> shift);
  switch (row->id) {
    case RegisterId::kCr0Ack:
    case RegisterId::kIrqCtrlAck: {
      const RegisterId control = row->id == RegisterId::kCr0Ack ? RegisterId::kCr0 : RegisterId::kIrqCtrl;
      const auto wanted = static_cast<uint32_t>(reg(control));
      ignored = (wanted ^ expected) | static_cast<uint32_t>(unclear_[static_cast<size_t>(control)]);
      if (row->id == RegisterId::kIrqCtrlAck && value == wanted) interrupts_in_effect();
      if (row->id == RegisterId::kCr0Ack && value == wanted) control_in_effect();
      break;
    }
    case RegisterId::kGbpa:
      ignored |= tlm_models::smmuv3::kGbpaUpdate;
      if (!(value & tlm_models::smmuv3::kGbpaUpdate) && reg(RegisterId::kCr0) == reg(RegisterId::kCr0Ack))
        control_in_effect();
      break;
    case RegisterId::kGerror:
      read_errors(*row, value);
      return;
    case RegisterId::kCmdqCons:
      read_commands_consumed(*row, value);
      return;
    case RegisterId::kEventqProd:
      read_events_produced(*row, value);
      if (on(kCr0EventQueueEnable)) return;
      ignored = ~0u;
      break;
    case RegisterId::kPriqProd:
      if (on(tlm_models::smmuv3::kCr0PriQueueEnable)) {
        expected = static_cast<uint32_t>(pages_produced_);
        ignored = ~static_cast<uint32_t>(ones(page_queue_log2() + 1));
      } else {
        ignored = ~0u;
      }
      break;
    case RegisterId::kIdr0:
      expected = ids_.idr0;
      break;
    case RegisterId::kIdr1:
      expected = ids_.idr1;
      break;
    case RegisterId::kIdr2:
      expected = ids_.idr2;
      break;
    case RegisterId::kIdr3:
      expected = ids_.idr3;
      break;
    case RegisterId::kIdr4:
      expected = ids_.idr4;
      break;
    case RegisterId::kIdr5:
      expected = ids_.idr5;
      break;
    case RegisterId::kIidr:
      expected = ids_.iidr;
      break;
    case RegisterId::kAidr:
      expected = ids_.aidr;
      break;
    case RegisterId::kAgbpa:
    case RegisterId::kStatusr:
      return;  // implementation defined
    default:
      break;
  }
  if (((value ^ expected) & ~ignored) != 0) wrong_value(*row, value, expected);
  if (unclear != 0 && row->id != RegisterId::kCr0Ack && row->id != RegisterId::kIrqCtrlAck) {
    const uint64_t here = unclear & uint64_t{0xffffffff} << shift;
    registers_.set(row->id, (reg(row->id) & ~here) | (static_cast<uint64_t>(value) << shift & here));
    unclear &= ~here;
  }
}

void Judge::device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                         bool failed) {
  ++now_;
  if (!failed) memory_.write(address, data, size_bytes, now_);
  if (event_bytes_written(address, data, size_bytes, failed)) {
    check_queue_attributes("event queue", attributes);
    return;
  }
  if (page_bytes_written(address, data, size_bytes, failed)) {
    check_queue_attributes("page request queue", attributes);
    return;
  }
  if (message_written(address, data, size_bytes, attributes, failed)) return;
  char text[120];
  std::snprintf(text, sizeof text, "%zu bytes were written to %#llx", size_bytes,
                static_cast<unsigned long long>(address));
  fail(Rule::kWriteUnexpected, text);
}

void Judge::atc_invalidated(const AtcInvalidation& invalidation) {
  ++now_;
  const auto same = [](const AtcInvalidation& a, const AtcInvalidation& b) {
    return a.stream_id == b.stream_id && a.substream_id == b.substream_id && a.substream_valid == b.substream_valid &&
           a.global == b.global && a.address == b.address && a.size_log2 == b.size_log2;
  };
  if (atc_expected_.empty() || !same(atc_expected_.front().invalidation, invalidation)) {
    char text[160];
    std::snprintf(text, sizeof text, "invalidation of stream %#x address %#llx size %u is not the next CMD_ATC_INV's",
                  invalidation.stream_id, static_cast<unsigned long long>(invalidation.address),
                  invalidation.size_log2);
    fail(Rule::kAtcInvalidation, text);
  }
  atc_open_.push_back(atc_expected_.empty() ? commands_consumed_ : atc_expected_.front().place);
  if (!atc_expected_.empty()) atc_expected_.pop_front();
}

void Judge::atc_invalidation_done(bool timed_out) {
  ++now_;
  const uint64_t place = atc_open_.empty() ? commands_consumed_ : atc_open_.front();
  if (!atc_open_.empty()) atc_open_.pop_front();
  if (!timed_out) return;
  atc_timed_out_ = std::min(atc_timed_out_, place);
  for (const SeenCommand& command : commands_)
    if (command.is_sync && !command.consumed && !command.blocked) cause_error(tlm_models::smmuv3::kGerrorCommand);
}

}  // namespace lockstep::smmu_rtl_bridge
