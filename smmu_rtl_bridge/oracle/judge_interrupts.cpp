// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstring>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/oracle/judge.h"
#include "tlm_models/smmuv3/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace smmuv3 = tlm_models::smmuv3;
using smmuv3::bits;
using smmuv3::field_in_place;
using smmuv3::RegisterId;

constexpr size_t kEvents = 0;
constexpr size_t kPages = 1;
constexpr size_t kErrors = 2;

Attributes message_attributes(unsigned memattr, unsigned shareability) {
  return to_pins(smmuv3::consistent(smmuv3::from_stage2_encoding(memattr, shareability)));
}

}  // namespace

const std::array<Judge::Source, Judge::kSources> Judge::kSourceTable = {{
    {smmuv3::kIrqEvent, RegisterId::kEventqIrqCfg0, smmuv3::kGerrorMsiEvent, "the event queue"},
    {smmuv3::kIrqPri, RegisterId::kPriqIrqCfg0, smmuv3::kGerrorMsiPri, "the page request queue"},
    {smmuv3::kIrqGerror, RegisterId::kGerrorIrqCfg0, smmuv3::kGerrorMsiGerror, "global errors"},
}};

// While a change of IRQ_CTRL is under way, both are right.
bool Judge::may_interrupt(size_t source) const {
  return (reg(RegisterId::kIrqCtrl) | reg(RegisterId::kIrqCtrlAck)) & kSourceTable[source].enable;
}

bool Judge::has_message(size_t source) const { return config_.msi && reg(kSourceTable[source].config0) != 0; }

void Judge::may_have_happened(size_t source) {
  if (!may_interrupt(source)) return;
  ++wires_open_[source];
  ++messages_open_[source];
}

// Something that interrupts if that is enabled.
void Judge::happened(size_t source) {
  may_have_happened(source);
  const bool surely = reg(RegisterId::kIrqCtrl) & reg(RegisterId::kIrqCtrlAck) & kSourceTable[source].enable;
  if (!surely) return;
  message_due_[source] = message_due_[source] || has_message(source);
  wire_due_[source] = wire_due_[source] || has_wires_ || !has_message(source);
}

void Judge::cause_error(uint32_t bit) {
  if (errors_caused_ & bit) return;
  errors_caused_ |= bit;
  // A failed message about errors must not cause another one.
  if (bit != smmuv3::kGerrorMsiGerror) happened(kErrors);
}

void Judge::pulsed(Wire wire) {
  ++now_;
  has_wires_ = has_wires_ || wire != Wire::kSendEvent;
  size_t source = kEvents;
  switch (wire) {
    case Wire::kCommandSync:
      sync_signalled(true, 0, 0);
      return;
    case Wire::kSendEvent:
      has_event_wire_ = true;
      event_sent_ = now_;
      if (!config_.send_event) fail(Rule::kInterruptUnexpected, "an event was sent though SMMU_IDR0.SEV is 0");
      return;
    case Wire::kEventQueue:
      source = kEvents;
      break;
    case Wire::kPriQueue:
      source = kPages;
      break;
    case Wire::kGlobalError:
      source = kErrors;
      break;
  }
  wire_due_[source] = false;
  if (wires_open_[source] == 0) {
    fail(Rule::kInterruptUnexpected, std::string("the wire of ") + kSourceTable[source].name + " without a cause");
    return;
  }
  --wires_open_[source];
}

// True when the write is a message, right or not.
bool Judge::message_written(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                            bool failed) {
  if (size_bytes != 4) return false;
  uint32_t value = 0;
  std::memcpy(&value, data, sizeof value);
  char text[200];
  const auto wrong = [&](const char* what, uint64_t expected, uint64_t seen, const char* source) {
    std::snprintf(text, sizeof text, "message of %s: %s is %#llx, expected %#llx", source, what,
                  static_cast<unsigned long long>(seen), static_cast<unsigned long long>(expected));
    fail(Rule::kMessage, text);
  };
  // The same address may serve several sources, so that a right one is looked for first.
  const bool reads_data = !failed;
  for (const bool exact : {true, false}) {
    for (size_t i = 0; i < kSources; ++i) {
      const Source& source = kSourceTable[i];
      if (!has_message(i) || reg(source.config0) != address || (exact && messages_open_[i] == 0)) continue;
      const auto expected =
          static_cast<uint32_t>(reg(static_cast<RegisterId>(static_cast<unsigned>(source.config0) + 1)));
      const uint64_t fields = reg(static_cast<RegisterId>(static_cast<unsigned>(source.config0) + 2));
      const Attributes allowed =
          message_attributes(static_cast<unsigned>(bits(fields, 3, 0)), static_cast<unsigned>(bits(fields, 5, 4)));
      const bool right = (!reads_data || value == expected) && attributes == allowed;
      if (exact && !right) continue;
      if (failed) cause_error(source.abort_error);
      message_due_[i] = false;
      if (messages_open_[i] == 0) {
        fail(Rule::kInterruptUnexpected, std::string("a message of ") + source.name + " without a cause");
        return true;
      }
      --messages_open_[i];
      if (reads_data && value != expected) wrong("data", expected, value, source.name);
      if (attributes != allowed)
        wrong("memory type and shareability", uint64_t{allowed.type} << 4 | allowed.shareability,
              uint64_t{attributes.type} << 4 | attributes.shareability, source.name);
      return true;
    }
    if (!exact) break;
    for (SeenCommand& command : commands_) {
      if (!command.is_sync || command.blocked || command.signalled || bits(command.words[0], 13, 12) != 1) continue;
      if ((field_in_place(command.words[1], 51, 2) & smmuv3::ones(config_.oas_bits)) != address) continue;
      if (reads_data && static_cast<uint32_t>(command.words[0] >> 32) != value) continue;
      const Attributes allowed = message_attributes(static_cast<unsigned>(bits(command.words[0], 27, 24)),
                                                    static_cast<unsigned>(bits(command.words[0], 23, 22)));
      if (failed) cause_error(smmuv3::kGerrorMsiCommand);
      command.signalled = true;
      if (attributes != allowed)
        wrong("memory type and shareability", uint64_t{allowed.type} << 4 | allowed.shareability,
              uint64_t{attributes.type} << 4 | attributes.shareability, "CMD_SYNC");
      complete_sync(command);
      return true;
    }
  }
  std::snprintf(text, sizeof text, "%#x was written to %#llx, which is no message that was asked for", value,
                static_cast<unsigned long long>(address));
  fail(Rule::kMessage, text);
  return true;
}

// A pulse is an answer to everything that asked for one before it.
void Judge::settle_sent_events() {
  const bool has_room = commands_full_at_ != 0 && commands_consumed_ > commands_full_place_;
  if (has_event_wire_ && config_.send_event) {
    if (event_sent_ < event_asked_for_) fail(Rule::kSyncSignal, "CMD_SYNC is over and sent no event");
    if (has_room && event_sent_ < commands_full_at_)
      fail(Rule::kInterruptMissing, "the command queue was full and has room again, and no event was sent");
  }
  event_asked_for_ = 0;
  if (has_room) commands_full_at_ = 0;
}

void Judge::settle_interrupts() {
  settle_sent_events();
  for (size_t i = 0; i < kSources; ++i) {
    if (wire_due_[i]) fail(Rule::kInterruptMissing, std::string("no interrupt of ") + kSourceTable[i].name);
    if (message_due_[i]) fail(Rule::kInterruptMissing, std::string("no message of ") + kSourceTable[i].name);
    wire_due_[i] = message_due_[i] = false;
    wires_open_[i] = messages_open_[i] = 0;
  }
  errors_due_ = errors_caused_;
  for (const SeenCommand& command : commands_) {
    if (!command.consumed || !command.waits_for_signal()) continue;
    if (!command.pulsed && (has_wires_ || !config_.msi || (command.words[1] & 0xffffffffffffc) == 0))
      fail(Rule::kSyncSignal, "CMD_SYNC is over and its interrupt did not come");
    if (config_.msi && !command.signalled && (command.words[1] & 0xffffffffffffc) != 0)
      fail(Rule::kSyncSignal, "CMD_SYNC is over and its message did not come");
  }
  while (!commands_.empty() && commands_.front().consumed) {
    commands_.pop_front();
    ++command_front_;
  }
}

void Judge::read_errors(const smmuv3::RegisterRow& row, uint32_t value) {
  const uint32_t active = (value ^ static_cast<uint32_t>(reg(RegisterId::kGerrorN))) & ~errors_unclear_;
  const uint32_t without_cause = active & ~errors_caused_;
  const uint32_t missing = errors_due_ & ~active & ~errors_unclear_;
  // Until it is acknowledged, what software has seen stays, and CMDQ_CONS.ERR says why.
  errors_due_ |= active & errors_caused_;
  if (without_cause == 0 && missing == 0) return;
  char text[160];
  std::snprintf(text, sizeof text, "%s reads as %#x: bits %#x are active without a cause, bits %#x should be active",
                row.name, value, without_cause, missing);
  fail(Rule::kGlobalError, text);
}

}  // namespace lockstep::smmu_rtl_bridge
