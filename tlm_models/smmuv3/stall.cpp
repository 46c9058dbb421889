// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {

// A stalled transaction's tag is its place in the table, which is free again only after software has answered. Section
// "Stall model".
bool Smmu::stall(const Transaction& transaction, Event event, uint16_t& tag) {
  for (size_t place = 0; place < stalled_.size(); ++place) {
    StalledTransaction& stalled = stalled_[place];
    if (stalled.used) continue;
    tag = static_cast<uint16_t>(place);
    event.stall_tag = tag;
    last_event_ = event;
    stalled.used = true;
    stalled.transaction = transaction;
    stalled.recorded = record(event, false);
    return true;
  }
  return false;
}

unsigned Smmu::stalled_transactions() const {
  unsigned count = 0;
  for (const StalledTransaction& stalled : stalled_) count += stalled.used;
  return count;
}

void Smmu::retry(StalledTransaction& stalled) {
  stalled.used = false;
  const Transaction transaction = stalled.transaction;
  const TranslateResult result = translate(transaction);
  // A place was freed, so it cannot lack one; a new stall has a new record and waits on.
  if (result.outcome == Outcome::kStalled) return;
  resolved_transaction_ = transaction;
  environment_.resolved(transaction.token, result);
}

void Smmu::terminate(StalledTransaction& stalled, bool abort) {
  stalled.used = false;
  TranslateResult result;
  result.outcome = abort || config_.terminate_abort_only ? Outcome::kAbort : Outcome::kZeroIgnored;
  resolved_transaction_ = stalled.transaction;
  environment_.resolved(resolved_transaction_.token, result);
}

// Stalls whose record found no place are tried again as though they had just come, once records can be written.
void Smmu::retry_unrecorded() {
  if (retrying_) return;
  retrying_ = true;
  for (StalledTransaction& stalled : stalled_) {
    if (!event_queue_writable()) break;
    if (stalled.used && !stalled.recorded) retry(stalled);
  }
  retrying_ = false;
}

void Smmu::terminate_all_stalled() {
  for (StalledTransaction& stalled : stalled_)
    if (stalled.used) terminate(stalled, true);
}

}  // namespace lockstep::tlm_models::smmuv3
