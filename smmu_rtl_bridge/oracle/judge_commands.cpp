// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "smmu_rtl_bridge/oracle/judge.h"
#include "tlm_models/smmuv3/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::bit;
using tlm_models::smmuv3::bits;
using tlm_models::smmuv3::CommandWords;
using tlm_models::smmuv3::field_in_place;
using tlm_models::smmuv3::ones;
using tlm_models::smmuv3::Opcode;

constexpr unsigned kCommandLog2 = 4;

std::string text_of_command(const CommandWords& words) {
  const auto* command = [&]() -> const tlm_models::smmuv3::CommandRow* {
    for (const auto& row : tlm_models::smmuv3::command_rows())
      if (row.opcode == static_cast<Opcode>(words[0] & 0xff)) return &row;
    return nullptr;
  }();
  char text[120];
  std::snprintf(text, sizeof text, "%s %016llx %016llx", command ? command->name : "command",
                static_cast<unsigned long long>(words[0]), static_cast<unsigned long long>(words[1]));
  return text;
}

uint32_t stream_of(const CommandWords& words) { return static_cast<uint32_t>(words[0] >> 32); }

}  // namespace

unsigned Judge::command_queue_log2() const {
  return std::min(static_cast<unsigned>(bits(reg(RegisterId::kCmdqBase), 4, 0)), config_.command_queue_log2);
}

// Places count commands; an index of the queue is a place modulo twice its length.
void Judge::commands_handed_over() {
  const uint64_t mask = ones(command_queue_log2() + 1);
  const uint64_t index = reg(RegisterId::kCmdqProd) & mask;
  const uint64_t consumed_index = (command_index_base_ + commands_consumed_) & mask;
  const uint64_t count = (index - consumed_index) & mask;
  const uint64_t size = uint64_t{1} << command_queue_log2();
  // Full for sure only where nothing was under way that may be consumed by now.
  if (commands_written_ == commands_consumed_ && count == size) {
    commands_full_at_ = now_;
    commands_full_place_ = commands_consumed_;
  } else if (commands_consumed_ == commands_full_place_ && count != size) {
    commands_full_at_ = 0;
  }
  // Indices further apart than the queue is long: nothing is consumed.
  commands_written_ = commands_consumed_ + (count <= size ? count : 0);
}

// Where software has put neither the queue nor its consumer index elsewhere, the device goes on where it was.
void Judge::command_queue_started() {
  if (!command_queue_moved_) return commands_handed_over();
  command_queue_moved_ = false;
  commands_full_at_ = 0;
  commands_written_ = commands_consumed_;
  while (!commands_.empty()) commands_.pop_back();
  log_.withdraw(commands_consumed_);
  command_front_ = commands_consumed_;
  const uint64_t mask = ones(command_queue_log2() + 1);
  command_index_base_ = ((reg(RegisterId::kCmdqCons) & mask) - commands_consumed_) & mask;
  commands_handed_over();
}

Judge::SeenCommand* Judge::command_at(uint64_t place) {
  if (place < command_front_ || place - command_front_ >= commands_.size()) return nullptr;
  return &commands_[place - command_front_];
}

// The device reads its command queue, an entry at a time or several.
// True where the read is of the queue.
bool Judge::command_fetched(uint64_t address, const void* data, size_t size_bytes, bool failed) {
  if (!may_be_on(tlm_models::smmuv3::kCr0CommandQueueEnable) || size_bytes < 16) return false;
  const unsigned log2 = command_queue_log2();
  const uint64_t base = field_in_place(reg(RegisterId::kCmdqBase), 51, 5) & ~ones(std::max(log2 + kCommandLog2, 5u));
  const uint64_t size = uint64_t{1} << (log2 + kCommandLog2);
  if (address < base || address - base >= size) return false;
  for (size_t at = 0; at + 16 <= size_bytes; at += 16) {
    const uint64_t slot = (address + at - base) >> kCommandLog2;
    const uint64_t front = (command_index_base_ + commands_consumed_) & ones(log2);
    const uint64_t place = commands_consumed_ + ((slot - front) & ones(log2));
    if (place >= commands_written_) continue;
    // In order only: what lies further on is read again when its turn comes.
    if (place > command_front_ + commands_.size()) continue;
    if (SeenCommand* again = command_at(place)) {
      if (again->consumed || again->taken_into_account_twice(data, at, failed)) continue;
      log_.withdraw(place);
      while (command_front_ + commands_.size() > place) commands_.pop_back();
    }
    SeenCommand command;
    command.place = place;
    command.fetched = ++now_;
    command.failed = failed;
    if (!failed) std::memcpy(command.words.data(), static_cast<const uint8_t*>(data) + at, 16);
    const bool blocked = !commands_.empty() && (commands_.back().stops_here || commands_.back().blocked);
    command.legal = !failed && tlm_models::smmuv3::legal_command(command.words, config_) != nullptr;
    command.stops_here = !command.legal;
    command.blocked = blocked;
    command.is_sync = command.legal && static_cast<Opcode>(command.words[0] & 0xff) == Opcode::kSync;
    commands_.push_back(command);
    if (blocked) continue;
    if (command.legal) take_command(commands_.back());
    if (!command.legal || (command.is_sync && atc_timed_out_ < command.place))
      cause_error(tlm_models::smmuv3::kGerrorCommand);
  }
  return true;
}

bool Judge::SeenCommand::taken_into_account_twice(const void* data, size_t at, bool now_failed) const {
  if (failed || now_failed) return false;
  return std::memcmp(words.data(), static_cast<const uint8_t*>(data) + at, 16) == 0 && legal;
}

// What a command makes possible from its fetch on.
void Judge::take_command(SeenCommand& command) {
  const CommandWords& words = command.words;
  ++counts_.commands;
  switch (static_cast<Opcode>(words[0] & 0xff)) {
    case Opcode::kPrefetchConfig:
    case Opcode::kPrefetchAddress:
      prefetched_from_ = std::min(prefetched_from_, now_);
      break;
    case Opcode::kResume: {
      const uint64_t tag = bits(words[1], 15, 0);
      for (auto& [id, flight] : flights_) {
        if (!flight.stalled || flight.tag != tag || flight.access.stream_id != stream_of(words)) continue;
        if (flight.may_abort || flight.may_zero) continue;
        if (bit(words[0], 12)) {
          flight.stalled = false;
          flight.accepted = now_;
        } else if (bit(words[0], 13) || config_.terminate_abort_only) {
          flight.may_abort = true;
        } else {
          flight.may_zero = true;
        }
      }
      break;
    }
    case Opcode::kStallTerm:
      for (auto& [id, flight] : flights_)
        if (flight.access.stream_id == stream_of(words)) flight.may_abort = true;
      break;
    case Opcode::kAtcInv: {
      if (!(controls_.back().cr0 & tlm_models::smmuv3::kCr0SmmuEnable)) break;
      AtcInvalidation expected;
      expected.stream_id = stream_of(words);
      expected.substream_valid = bit(words[0], 11) && config_.substream_id_bits != 0;
      expected.substream_id = expected.substream_valid ? static_cast<uint32_t>(bits(words[0], 31, 12)) : 0;
      expected.global = expected.substream_valid && bit(words[0], 9);
      expected.size_log2 = static_cast<uint8_t>(12 + bits(words[1], 5, 0));
      expected.address = field_in_place(words[1], 63, 12) & ~ones(expected.size_log2);
      atc_expected_.push_back({expected, command.place});
      break;
    }
    case Opcode::kPriResp: {
      if (!(controls_.back().cr0 & tlm_models::smmuv3::kCr0SmmuEnable)) break;
      PageAnswer expected;
      expected.stream_id = stream_of(words);
      expected.substream_valid = bit(words[0], 11) && config_.substream_id_bits != 0;
      expected.substream_id = expected.substream_valid ? static_cast<uint32_t>(bits(words[0], 31, 12)) : 0;
      expected.group = static_cast<uint16_t>(bits(words[1], 8, 0));
      static constexpr uint8_t kCodes[] = {15, 1, 0, 15};
      expected.code = kCodes[bits(words[1], 13, 12)];
      page_answers_expected_.push_back(expected);
      break;
    }
    case Opcode::kSync:
      break;
    default: {
      CommandContext context;
      context.e2h = reg(RegisterId::kCr2) & tlm_models::smmuv3::kCr2E2h;
      context.vmid_wildcard = static_cast<unsigned>(bits(reg(RegisterId::kCr0), 8, 6));
      log_.add(words, command.place, command.fetched, context);
      break;
    }
  }
}

// The consumer index, or a signal, has shown that everything before this place is over.
void Judge::consumed_up_to(uint64_t place) {
  while (commands_consumed_ < place) {
    SeenCommand* command = command_at(commands_consumed_);
    if (command == nullptr) {
      fail(Rule::kCommandOrder,
           "command " + std::to_string(commands_consumed_) + " of the run was consumed and never read from the queue");
      command_front_ = commands_consumed_ = place;
      commands_.clear();
      return;
    }
    if (!command->legal)
      fail(Rule::kCommandIllegal,
           text_of_command(command->words) +
               (command->failed ? " could not be read and was consumed" : " is illegal and was consumed"));
    if (command->is_sync) complete_sync(*command);
    if (command->is_sync && bits(command->words[0], 13, 12) == 2) event_asked_for_ = command->fetched;
    command->consumed = true;
    ++commands_consumed_;
    while (command_front_ < commands_consumed_ && commands_.size() > 1) {
      if (!commands_.front().consumed || commands_.front().waits_for_signal()) break;
      commands_.pop_front();
      ++command_front_;
    }
  }
}

void Judge::complete_sync(SeenCommand& command) {
  if (command.completed) return;
  command.completed = true;
  if (atc_timed_out_ < command.place) {
    fail(Rule::kSyncAtc, "CMD_SYNC completed after an ATC invalidation that timed out, without CERROR_ATC_INV_SYNC");
    atc_timed_out_ = kNever;
  }
  if (atc_before(command.place)) fail(Rule::kSyncAtc, "CMD_SYNC completed while ATC invalidations were under way");
  log_.complete(command.place, now_);
  syncs_.push_back({command.fetched, now_});
}

bool Judge::atc_before(uint64_t place) const {
  return std::any_of(atc_open_.begin(), atc_open_.end(), [&](uint64_t open) { return open < place; });
}

// When all is quiet, every command up to an illegal one is over.
void Judge::settle_commands() {
  if (!on(tlm_models::smmuv3::kCr0CommandQueueEnable) || (errors_caused_ & tlm_models::smmuv3::kGerrorCommand) != 0) {
    settle_stopped_commands();
    return;
  }
  uint64_t place = commands_consumed_;
  bool stopped = false;
  for (; place < commands_written_ && !stopped; ++place) {
    const SeenCommand* command = command_at(place);
    if (command == nullptr) {
      fail(Rule::kCommandStuck,
           "command " + std::to_string(place) + " of the run was handed over and not read, with the queue enabled");
      return;
    }
    if (!command->legal || (command->is_sync && (atc_before(place) || atc_timed_out_ < place))) break;
  }
  consumed_up_to(place);
}

// With an error active, what comes before the command at fault is over.
void Judge::settle_stopped_commands() {
  if (!on(tlm_models::smmuv3::kCr0CommandQueueEnable)) return;
  for (const SeenCommand& command : commands_)
    if (command.place >= commands_consumed_ && command.stops_here) {
      consumed_up_to(command.place);
      return;
    }
}

// A completion signal of the earliest CMD_SYNC that asks for one and has had none.
void Judge::sync_signalled(bool by_wire, uint64_t address, uint32_t data) {
  for (SeenCommand& command : commands_) {
    if (!command.is_sync || command.blocked || bits(command.words[0], 13, 12) != 1) continue;
    bool& had = by_wire ? command.pulsed : command.signalled;
    if (had) continue;
    if (!by_wire &&
        (field_in_place(command.words[1], 51, 2) != address || static_cast<uint32_t>(command.words[0] >> 32) != data))
      continue;
    had = true;
    complete_sync(command);
    return;
  }
  char text[120];
  std::snprintf(text, sizeof text, "no CMD_SYNC asks for %s",
                by_wire ? "its interrupt" : "the message that was written");
  fail(Rule::kSyncSignal, text);
}

}  // namespace lockstep::smmu_rtl_bridge
