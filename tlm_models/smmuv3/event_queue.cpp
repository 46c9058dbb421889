// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/queue.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr unsigned kEventLog2 = 5;
static_assert(sizeof(EventRecord) == size_t{1} << kEventLog2);

QueueView event_queue(const RegisterFile& registers) {
  return {registers.get(Id::kEventqBase), registers.get(Id::kEventqProd), registers.get(Id::kEventqCons),
          registers.config().event_queue_log2, kEventLog2};
}

}  // namespace

bool Smmu::error_active(uint32_t bit) const {
  return ((registers_.get32(Id::kGerror) ^ registers_.get32(Id::kGerrorN)) & bit) != 0;
}

void Smmu::raise_global_error(uint32_t bit) {
  if (error_active(bit)) return;
  registers_.set(Id::kGerror, registers_.get32(Id::kGerror) ^ bit);
  // A failed message about errors must not cause another one.
  if (bit != kGerrorMsiGerror) interrupt(Interrupt::kGlobalError, kIrqGerror, Id::kGerrorIrqCfg0, kGerrorMsiGerror);
}

void Smmu::interrupt(Interrupt source, uint32_t enable, RegisterId config0, uint32_t abort_bit) {
  if (!(registers_.get32(Id::kIrqCtrlAck) & enable)) return;
  environment_.raise(source);
  const uint64_t address = registers_.get(config0);
  if (!config_.msi || address == 0) return;
  // The three configuration registers of a source are neighbours in RegisterId.
  const auto data = registers_.get32(static_cast<Id>(static_cast<unsigned>(config0) + 1));
  const uint64_t attributes = registers_.get(static_cast<Id>(static_cast<unsigned>(config0) + 2));
  const bool written =
      memory_.write(address, &data, sizeof data,
                    in_space(consistent(from_stage2_encoding(static_cast<unsigned>(bits(attributes, 3, 0)),
                                                             static_cast<unsigned>(bits(attributes, 5, 4)))),
                             config_.secure),
                    AccessKind::kMsi);
  if (!written) raise_global_error(abort_bit);
}

bool Smmu::event_queue_writable() const {
  return enabled(kCr0EventQueueEnable) && !error_active(kGerrorEventAbort) && !event_queue(registers_).full();
}

bool Smmu::record(const Event& event, bool may_merge) {
  if (!enabled(kCr0EventQueueEnable) || error_active(kGerrorEventAbort)) return false;
  const EventRecord record = encode(event);
  if (config_.merge_events && may_merge && last_record_mergeable_ && mergeable(last_record_, record)) return true;
  const QueueView queue = event_queue(registers_);
  if (queue.full()) {
    const uint32_t produced = registers_.get32(Id::kEventqProd);
    // Held back stalls are not lost, so they cause no overflow.
    if (!event.stall && ((produced ^ registers_.get32(Id::kEventqCons)) & kQueueOverflow) == 0)
      registers_.set(Id::kEventqProd, produced ^ kQueueOverflow);
    return false;
  }
  if (!memory_.write(queue.produce_address(), record.data(), sizeof record, queue_attributes(registers_),
                     AccessKind::kEvent)) {
    raise_global_error(kGerrorEventAbort);
    return false;
  }
  last_record_ = record;
  last_record_mergeable_ = may_merge && !event.stall;
  registers_.set(Id::kEventqProd, (registers_.get32(Id::kEventqProd) & kQueueOverflow) | queue.after_produce());
  if (queue.empty()) interrupt(Interrupt::kEventQueue, kIrqEvent, Id::kEventqIrqCfg0, kGerrorMsiEvent);
  return true;
}

void Smmu::page_hint(const Event& hint) {
  Event event = hint;
  event.type = EventType::kPageRequestHint;
  record(event, false);
}

}  // namespace lockstep::tlm_models::smmuv3
