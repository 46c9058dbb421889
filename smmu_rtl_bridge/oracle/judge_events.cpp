// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "smmu_rtl_bridge/oracle/judge.h"
#include "tlm_models/smmuv3/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::bits;
using tlm_models::smmuv3::field_in_place;
using tlm_models::smmuv3::ones;

constexpr unsigned kEventLog2 = 5;
constexpr unsigned kStallBit = 31;
constexpr size_t kEventsSource = 0;
constexpr size_t kRememberedEvents = 256;  // records that a later one may have been merged into

}  // namespace

unsigned Judge::event_queue_log2() const {
  return std::min(static_cast<unsigned>(bits(reg(RegisterId::kEventqBase), 4, 0)), config_.event_queue_log2);
}

uint64_t Judge::event_queue_used() const {
  return (events_produced_ - reg(RegisterId::kEventqCons)) & ones(event_queue_log2() + 1);
}

// Whether records may be lost now; remembered until all that is under way is over.
void Judge::note_event_queue() {
  const bool blocked = !on(tlm_models::smmuv3::kCr0EventQueueEnable) ||
                       (errors_caused_ & tlm_models::smmuv3::kGerrorEventAbort) != 0 ||
                       event_queue_used() >= uint64_t{1} << event_queue_log2();
  if (event_queue_blocked_ && !blocked) event_queue_blocked_until_ = now_;
  event_queue_blocked_ = blocked;
  const uint32_t enabled = static_cast<uint32_t>(reg(RegisterId::kCr0) & reg(RegisterId::kCr0Ack));
  const bool shut = !(enabled & tlm_models::smmuv3::kCr0EventQueueEnable) ||
                    (errors_caused_ & tlm_models::smmuv3::kGerrorEventAbort) != 0;
  if (event_queue_shut_ && !shut) event_queue_shut_until_ = now_;
  event_queue_shut_ = shut;
}

// A queue that is on takes every record that it has room for. What it has no room for sets OVFLG, unless that waits for
// software already, and software saw it then or sees it next.
void Judge::note_lost_event(const Owed& owed) {
  if (event_queue_shut_ || event_queue_shut_until_ > owed.from) return;
  if (std::max(events_overflow_seen_, events_overflow_acknowledged_) > owed.from) return;
  events_were_lost_ = true;
}

bool Judge::event_queue_blocked_since(Sequence from) const {
  return event_queue_blocked_ || event_queue_blocked_until_ > from;
}

// True when the write was one of a record, or of a piece of one.
bool Judge::event_bytes_written(uint64_t address, const void* data, size_t size_bytes, bool failed) {
  const unsigned log2 = event_queue_log2();
  const uint64_t base = field_in_place(reg(RegisterId::kEventqBase), 51, 5) & ~ones(std::max(log2 + kEventLog2, 5u));
  const uint64_t size = uint64_t{1} << (log2 + kEventLog2);
  if (address < base || address - base >= size || size_bytes > 32) return false;
  const uint64_t slot = base + ((events_produced_ & ones(log2)) << kEventLog2);
  char text[160];
  if (!may_be_on(tlm_models::smmuv3::kCr0EventQueueEnable) || event_queue_used() >= uint64_t{1} << log2) {
    std::snprintf(text, sizeof text, "an event was written to %#llx while the queue was %s",
                  static_cast<unsigned long long>(address),
                  may_be_on(tlm_models::smmuv3::kCr0EventQueueEnable) ? "full" : "disabled");
    fail(Rule::kEventSlot, text);
  } else if ((address & ~uint64_t{31}) != slot) {
    std::snprintf(text, sizeof text, "an event was written to %#llx; the producer index is at %#llx",
                  static_cast<unsigned long long>(address), static_cast<unsigned long long>(slot));
    fail(Rule::kEventSlot, text);
  }
  if (failed) {
    cause_error(tlm_models::smmuv3::kGerrorEventAbort);
    event_bytes_ = 0;
    note_event_queue();
    return true;
  }
  std::memcpy(reinterpret_cast<uint8_t*>(event_piece_.data()) + (address & 31), data, size_bytes);
  event_bytes_ |= ones(static_cast<unsigned>(size_bytes)) << (address & 31);
  if (event_bytes_ != ones(32)) return true;
  event_bytes_ = 0;
  if (event_queue_used() == 0) {
    // A consumer index on its way to the device: the record may be there before it.
    const bool surely_empty = ((events_produced_ - events_consumed_surely_) & ones(log2 + 1)) == 0;
    surely_empty ? happened(kEventsSource) : may_have_happened(kEventsSource);
  }
  events_produced_ = (events_produced_ + 1) & ones(log2 + 1);
  if (event_queue_used() >= uint64_t{1} << log2) events_overflowed_ = true;
  note_event_queue();
  event_written(event_piece_);
  return true;
}

void Judge::event_written(const EventRecord& record) {
  ++counts_.events;
  if (record[1] >> kStallBit & 1) {
    if (match_stall(record)) return;
    // Maybe with a field that is wrong: settled with the others.
  }
  events_.push_back({record, now_, false});
}

std::string Judge::text_of_owed(const Owed& owed) {
  std::string text = owed.has_access ? text_of(owed.access) : "request " + std::to_string(owed.id);
  text += " owes";
  for (const OwedRecord& option : owed.options) text += " " + text_of(option.record);
  return text;
}

// Whether a CMD_SYNC that was fetched after the access had ended was over before its record came.
bool Judge::outlived_sync(const Owed& owed, const SeenEvent& event) const {
  return std::any_of(syncs_.begin(), syncs_.end(),
                     [&](const SeenSync& sync) { return sync.fetched > owed.answered && sync.completed < event.at; });
}

// A record that would be right if invalidations did not count.
bool Judge::name_stale_event(const Owed& owed, const SeenEvent& event, const std::string& text) {
  if (!owed.has_access || event.record[0] >> 32 != owed.access.stream_id || event.at <= owed.from) return false;
  Window window{owed.from, owed.answered, owed.from};
  for (const bool keep_faults : {true, false}) {
    window.keep_faults = keep_faults;
    window.ignore_invalidations = !keep_faults;
    outcomes_of(owed.access, window, outcomes_);
    for (const Outcome& outcome : outcomes_) {
      if (!outcome.recorded || outcome.record != event.record) continue;
      fail(keep_faults ? Rule::kFaultCached : stale_rule(outcome.seen), owed.id, text);
      return true;
    }
  }
  return false;
}

// Every record belongs to an answer, and every answer that owes a record has one: a matching of both, in which an
// answer may have several records that would do.
void Judge::settle_events() {
  std::vector<int> owner(events_.size(), -1);
  std::vector<char> visited;
  const auto is_of = [&](const Owed& owed, const SeenEvent& event) {
    return event.at > owed.from && std::any_of(owed.options.begin(), owed.options.end(),
                                               [&](const OwedRecord& option) { return option.record == event.record; });
  };
  const auto fits = [&](const Owed& owed, const SeenEvent& event) {
    return is_of(owed, event) && !outlived_sync(owed, event);
  };
  const auto place = [&](auto&& self, size_t who) -> bool {
    for (size_t i = 0; i < events_.size(); ++i) {
      if (visited[i] || !fits(owed_[who], events_[i])) continue;
      visited[i] = 1;
      if (owner[i] < 0 || self(self, static_cast<size_t>(owner[i]))) {
        owner[i] = static_cast<int>(who);
        return true;
      }
    }
    return false;
  };
  // Who needs a record most comes first: whoever has one keeps one.
  const auto need = [&](const Owed& owed) {
    if (owed.maybe_none) return 0;
    if (event_queue_blocked_since(owed.from)) return 1;
    const bool may_merge = std::any_of(owed.options.begin(), owed.options.end(),
                                       [](const OwedRecord& option) { return option.may_merge; });
    return may_merge ? 2 : 3;
  };
  std::vector<size_t> missing;
  for (int turn = 3; turn >= 0; --turn)
    for (size_t who = 0; who < owed_.size(); ++who) {
      if (need(owed_[who]) != turn) continue;
      visited.assign(events_.size(), 0);
      if (!place(place, who) && turn != 0) missing.push_back(who);
    }

  std::vector<size_t> extra;
  for (size_t i = 0; i < events_.size(); ++i) {
    if (owner[i] < 0) {
      extra.push_back(i);
      continue;
    }
    const Owed& owed = owed_[static_cast<size_t>(owner[i])];
    for (const OwedRecord& option : owed.options)
      if (option.record == events_[i].record) count_freedoms(option.seen);
  }

  for (const size_t who : missing) {
    const Owed& owed = owed_[who];
    const auto late = std::find_if(extra.begin(), extra.end(), [&](size_t i) { return is_of(owed, events_[i]); });
    if (late != extra.end()) {
      fail(Rule::kSyncEvents, owed.id, text_of_owed(owed) + ", which was written after a CMD_SYNC was over");
      extra.erase(late);
      continue;
    }
    const auto merged_into = [&](const SeenEvent& event) {
      return std::any_of(owed.options.begin(), owed.options.end(), [&](const OwedRecord& option) {
        return option.may_merge && tlm_models::smmuv3::mergeable(event.record, option.record);
      });
    };
    if (std::any_of(events_.begin(), events_.end(), merged_into) ||
        std::any_of(earlier_events_.begin(), earlier_events_.end(), merged_into)) {
      used(Rule::kMayMergeEvents);
      continue;
    }
    if (event_queue_blocked_since(owed.from)) {
      used(Rule::kMayLoseEvents);
      note_lost_event(owed);
      continue;
    }
    // One that is nearly right is better told as a wrong field than as a missing record and one too many.
    const auto stale = std::find_if(extra.begin(), extra.end(), [&](size_t i) {
      return name_stale_event(owed, events_[i], text_of_owed(owed) + "; seen: " + text_of(events_[i].record));
    });
    if (stale != extra.end()) {
      extra.erase(stale);
      continue;
    }
    const auto near = std::find_if(extra.begin(), extra.end(), [&](size_t i) {
      const EventRecord& seen = events_[i].record;
      return std::any_of(owed.options.begin(), owed.options.end(), [&](const OwedRecord& option) {
        const EventRecord& other = option.record;
        return (seen[0] >> 32 == other[0] >> 32 || (seen[0] & 0xff) == (other[0] & 0xff)) &&
               (seen[2] == other[2] || seen[0] == other[0]);
      });
    });
    const std::string text = text_of_owed(owed);
    if (near != extra.end()) {
      fail(Rule::kEventField, owed.id, text + "; seen: " + text_of(events_[*near].record));
      extra.erase(near);
    } else {
      fail(Rule::kEventMissing, owed.id, text);
    }
  }
  for (const size_t i : extra) {
    const bool undecided = std::any_of(owed_.begin(), owed_.end(), [&](const Owed& owed) {
      return owed.undecided && events_[i].at > owed.from && events_[i].record[0] >> 32 == owed.access.stream_id;
    });
    EventRecord plain = events_[i].record;
    plain[1] &= ~uint64_t{0xffff};
    const bool guessed = (plain[1] >> kStallBit & 1) && ambiguous_stalls_.count(plain) != 0;
    if (guessed) ++counts_.undecided;
    if (undecided || guessed) continue;
    now_for_report_ = events_[i].at;
    fail(Rule::kEventUnexpected, "no access owes " + text_of(events_[i].record));
    now_for_report_ = 0;
  }
  for (const SeenEvent& event : events_) earlier_events_.push_back(event);
  while (earlier_events_.size() > kRememberedEvents) earlier_events_.pop_front();
  events_.clear();
  owed_.clear();
  syncs_.clear();
}

}  // namespace lockstep::smmu_rtl_bridge
