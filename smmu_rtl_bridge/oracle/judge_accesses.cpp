// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/oracle/judge.h"
#include "tlm_models/smmuv3/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

// What a translation that was kept can give: what has no permission has a translation.
bool by_translation(const Outcome& outcome) { return outcome.end == Ends::kPass || outcome.lacks_permission; }

constexpr uint64_t kStagMask = 0xffff;
constexpr unsigned kStallBit = 31;

const char* name(Ends end) {
  switch (end) {
    case Ends::kPass:
      return "goes on";
    case Ends::kAbort:
      return "aborts";
    case Ends::kZero:
      return "reads as zero";
    case Ends::kStall:
      return "stalls";
  }
  return "?";
}

const char* name(AccessEnd end) {
  switch (end) {
    case AccessEnd::kDone:
      return "done";
    case AccessEnd::kAborted:
      return "aborted";
    case AccessEnd::kZero:
      return "zero";
    case AccessEnd::kFailed:
      return "failed downstream";
  }
  return "?";
}

std::string format(const char* pattern, auto... values) {
  char text[320];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

unsigned long long wide(uint64_t value) { return value; }

// Whether two outcomes look alike at the pins, updates of descriptors apart.
bool alike(const Outcome& a, const Outcome& b) {
  Outcome first = a;
  first.updates = b.updates;
  return first.same_as(b);
}

}  // namespace

bool Judge::sets_access_flag(const DescriptorUpdate& update) {
  const uint64_t flag = uint64_t{1} << 10;
  return (update.expected | flag) == update.desired || (update.expected | __builtin_bswap64(flag)) == update.desired;
}

std::string Judge::text_of(const EventRecord& record) {
  return format("%s %016llx %016llx %016llx %016llx",
                tlm_models::smmuv3::name(static_cast<tlm_models::smmuv3::EventType>(record[0] & 0xff)), wide(record[0]),
                wide(record[1]), wide(record[2]), wide(record[3]));
}

std::string Judge::text_of(const Outcome& outcome) {
  std::string text = name(outcome.end);
  if (outcome.ats) {
    const AtsAnswer& a = *outcome.ats;
    text = format("ATS status %u r%d w%d x%d p%d size %u address %#llx", a.status, a.read, a.write, a.execute,
                  a.privileged, a.size_log2, wide(a.address));
  } else if (outcome.end == Ends::kPass) {
    text += format(" to %#llx type %02x share %u%s priv %d inst %d", wide(outcome.address), outcome.attributes.type,
                   outcome.attributes.shareability, outcome.attributes.secure ? " secure" : "", outcome.privileged,
                   outcome.instruction);
  }
  for (const DescriptorUpdate& update : outcome.updates)
    text += format(" updating %#llx to %#llx", wide(update.address), wide(update.desired));
  if (outcome.recorded) text += " recording " + text_of(outcome.record);
  return text;
}

std::string Judge::text_of(const ClientAccess& access) {
  std::string text = format("access %llu: %s%s%s of %#llx by stream %#x", wide(access.id),
                            access.privileged ? "privileged " : "", access.instruction ? "instruction " : "",
                            access.atomic  ? "atomic"
                            : access.write ? "write"
                                           : "read",
                            wide(access.address), access.stream_id);
  if (access.substream_valid) text += format(" substream %#x", access.substream_id);
  if (access.translated) text += " translated";
  return text;
}

std::string Judge::text_of(const Flight& flight, AccessEnd end) {
  std::string text = name(end);
  if (flight.forwarded)
    text += format(" to %#llx type %02x share %u%s priv %d inst %d", wide(flight.seen.address),
                   flight.seen.attributes.type, flight.seen.attributes.shareability,
                   flight.seen.attributes.secure ? " secure" : "", flight.seen.privileged, flight.seen.instruction);
  return text;
}

Sequence Judge::oldest_flight() const {
  Sequence oldest = now_;
  for (const auto& [id, flight] : flights_) oldest = std::min(oldest, flight.accepted);
  for (const auto& [id, question] : questions_) oldest = std::min(oldest, question.second);
  return oldest;
}

void Judge::accepted(const ClientAccess& access) {
  ++now_;
  Flight flight;
  flight.access = access;
  flight.accepted = now_;
  if (!flights_.emplace(access.id, flight).second)
    fail(Rule::kAnswerOnce, access.id, text_of(access) + " was accepted while it was under way");
}

void Judge::forwarded(const ForwardedAccess& access) {
  ++now_;
  const auto found = flights_.find(access.id);
  if (found == flights_.end()) {
    fail(Rule::kForwardOnce, access.id, format("access %llu went downstream and is not under way", wide(access.id)));
    return;
  }
  Flight& flight = found->second;
  if (flight.forwarded) fail(Rule::kForwardOnce, access.id, text_of(flight.access) + " went downstream twice");
  if (flight.stalled && !swap_with_resumed(flight))
    fail_stall(flight, flight.record, Rule::kStallEnd, text_of(flight.access) + " went on without CMD_RESUME");
  flight.forwarded = true;
  flight.forwarded_at = now_;
  flight.seen = access;
}

void Judge::finished_downstream(uint64_t id) {
  ++now_;
  const auto found = flights_.find(id);
  if (found != flights_.end()) found->second.finished_at = now_;
}

void Judge::answered(uint64_t id, AccessEnd end) {
  ++now_;
  const auto found = flights_.find(id);
  if (found == flights_.end()) {
    fail(Rule::kAnswerOnce, id, format("access %llu was answered and is not under way", wide(id)));
    return;
  }
  ++counts_.answers;
  judge_answer(found->second, end);
  flights_.erase(found);
}

// Structures as a device may have kept them from earlier accesses, though they lie elsewhere now or their stream's
// entry is another one.
template <typename Asked>
bool Judge::kept_outcomes(const Asked& asked, const Control& control, const Window& window, std::vector<Outcome>& out) {
  // Evaluations with kept structures meet none.
  const std::vector<Structures>& met = evaluator_.met();
  if (met.empty()) return true;
  const uint32_t index = asked.substream_valid ? asked.substream_id : 0;
  const KeptList& structures = keep_structures(asked.stream_id, index, met);
  bool decided = true;
  const auto add = [&](const StructureWords* ste, const StructureWords* cd, unsigned seen, bool translations_only) {
    Window other = window;
    other.ste = ste;
    other.cd = cd;
    kept_outcomes_.clear();
    decided = evaluator_.evaluate(asked, control, other, kept_outcomes_) && decided;
    for (Outcome& outcome : kept_outcomes_) {
      if (translations_only && !by_translation(outcome)) continue;
      outcome.seen |= seen;
      if (std::none_of(out.begin(), out.end(), [&](const Outcome& have) { return have.same_as(outcome); }))
        out.push_back(outcome);
    }
  };
  const Sequence limit = window.ignore_invalidations ? 0 : window.completed_before;
  if (structures.size() > 1) {
    const Sequence entry_gone = log_.stream_entry(asked.stream_id, false, limit);
    const Sequence context_gone = log_.context(asked.stream_id, index, false, limit);
    for (const Kept& kept : structures) {
      const auto same_entry = [&](const Structures& one) { return one.ste == kept.structures.ste; };
      const auto same_context = [&](const Structures& one) { return one.has_cd && one.cd == kept.structures.cd; };
      const bool entry = kept.used > entry_gone && std::none_of(met.begin(), met.end(), same_entry);
      // A context descriptor that each entry leads to needs no keeping.
      const bool context = kept.structures.has_cd && !std::all_of(met.begin(), met.end(), same_context) &&
                           (kept.used > context_gone || fetched_since(kept, met, context_gone, limit));
      if (entry) add(&kept.structures.ste, nullptr, kSawOldStreamEntry, false);
      if (context) add(nullptr, &kept.structures.cd, kSawOldContext, false);
      if (entry && context) add(&kept.structures.ste, &kept.structures.cd, kSawOldStreamEntry | kSawOldContext, false);
    }
  }
  for (const Structures& now : met) {
    const KeptList& regimes = keep_regime(asked.stream_id, index, now);
    if (regimes.size() <= 1) continue;
    const Sequence gone = evaluator_.translation_gone(now.tag, asked.address, limit);
    for (const Kept& kept : regimes) {
      // A translation that was made after the last invalidation may still be by structures that were kept then.
      const Sequence then = std::min(log_.stream_entry(kept.stream, false, limit, gone),
                                     log_.context(kept.stream, kept.index, false, limit, gone));
      if (kept.used <= then || same_regime(kept.structures, now)) continue;
      const Structures mixed = with_regime_of(now, kept.structures);
      add(&mixed.ste, now.has_cd ? &mixed.cd : nullptr, kSawOldRegime, true);
    }
  }
  return decided;
}

template <typename Asked>
bool Judge::outcomes_of(const Asked& asked, Window window, std::vector<Outcome>& out) {
  out.clear();
  bool decided = true;
  unsigned states = 0;
  for (const Control& control : controls_) {
    if (control.from >= window.until || control.until <= window.accepted) continue;
    ++states;
    evaluator_.begin_answer();
    decided = evaluator_.evaluate(asked, control, window, out) && decided;
    decided = kept_outcomes(asked, control, window, out) && decided;
    explain_fetches(window.accepted);
  }
  if (states > 1) used(Rule::kMaySeeControlChange);
  return decided;
}

// Which of the latest reads of the device are as the evaluation makes them.
void Judge::explain_fetches(Sequence from) {
  size_t looked_at = 0;
  for (auto seen = fetches_.rbegin(); seen != fetches_.rend() && seen->at > from; ++seen) {
    if (++looked_at > kFetchesLookedAt) break;
    if (seen->right) continue;
    for (const Fetch& fetch : evaluator_.fetches()) {
      if (fetch.address != seen->address) continue;
      seen->expected = to_pins(fetch.attributes);
      seen->right = seen->expected == seen->attributes;
      seen->wrong = true;
      if (seen->right) break;
    }
  }
}

void Judge::settle_fetches() {
  for (const SeenFetch& seen : fetches_)
    if (seen.wrong && !seen.right)
      fail(Rule::kFetchAttributes,
           format("access of the SMMU at %#llx: type %02x share %u; allowed: type %02x share %u", wide(seen.address),
                  seen.attributes.type, seen.attributes.shareability, seen.expected.type, seen.expected.shareability));
  fetches_.clear();
}

void Judge::check_fetch_enabled(uint64_t address) {
  if (may_be_on(tlm_models::smmuv3::kCr0SmmuEnable)) return;
  fail(Rule::kFetchEnabled, format("the SMMU accessed %#llx while SMMUEN was acknowledged as 0", wide(address)));
}

void Judge::check_queue_attributes(const char* queue, const Attributes& attributes) {
  const uint64_t control = reg(RegisterId::kCr1);
  const auto field = [&](unsigned low) { return static_cast<unsigned>(control >> low & 3); };
  const Attributes allowed = to_pins(tlm_models::smmuv3::register_attributes(field(0), field(2), field(4)));
  if (attributes == allowed) return;
  fail(Rule::kQueueAttributes, format("%s: type %02x share %u; allowed: type %02x share %u", queue, attributes.type,
                                      attributes.shareability, allowed.type, allowed.shareability));
}

bool Judge::updates_seen(const Outcome& outcome, Sequence from) {
  return std::all_of(outcome.updates.begin(), outcome.updates.end(), [&](const DescriptorUpdate& update) {
    return std::any_of(updates_.rbegin(), updates_.rend(),
                       [&](const SeenUpdate& seen) { return seen.at > from && seen.update == update; });
  });
}

// An update belongs to an access only when those that have to come before it have been made: a page is marked dirty
// before a descriptor in it is written.
void Judge::explain_updates(const std::vector<Outcome>& outcomes, Sequence from) {
  for (const Outcome& outcome : outcomes) {
    for (const DescriptorUpdate& update : outcome.updates) {
      bool made = false;
      for (auto seen = updates_.rbegin(); seen != updates_.rend() && seen->at > from; ++seen) {
        if (!(seen->update == update)) continue;
        made = seen->explained = true;
      }
      if (!made) break;
    }
  }
}

bool Judge::agrees(const Outcome& outcome, const Flight& flight, AccessEnd end) {
  switch (end) {
    case AccessEnd::kDone:
    case AccessEnd::kFailed:
      return flight.forwarded && outcome.end == Ends::kPass && outcome.address == flight.seen.address &&
             outcome.attributes == flight.seen.attributes && outcome.privileged == flight.seen.privileged &&
             outcome.instruction == flight.seen.instruction;
    case AccessEnd::kAborted:
      return !flight.forwarded && (outcome.end == Ends::kAbort || (outcome.end == Ends::kStall && flight.may_abort));
    case AccessEnd::kZero:
      return !flight.forwarded && (outcome.end == Ends::kZero || (outcome.end == Ends::kStall && flight.may_zero));
  }
  return false;
}

void Judge::count_freedoms(unsigned seen) {
  if (seen & kSawOldStreamEntry) used(Rule::kMayKeepStreamEntry);
  if (seen & kSawOldContext) used(Rule::kMayKeepContext);
  if (seen & kSawOldDescriptor) used(Rule::kMayKeepTranslation);
  if (seen & kSawChange) used(Rule::kMaySeeChange);
  if (seen & kSawNeighbour) used(Rule::kMayAnswerForGroup);
  if (seen & kSawOldRegime) used(Rule::kMayKeepRegime);
}

// Those of outcomes_ that differ at the pins. What ends without a record of its stall has not stalled, unless software
// may have ended the stall of every access.
size_t Judge::count_outcomes(bool may_have_stalled) const {
  const auto counts = [&](const Outcome& outcome) { return may_have_stalled || outcome.end != Ends::kStall; };
  size_t distinct = 0;
  for (auto one = outcomes_.begin(); one != outcomes_.end(); ++one)
    distinct += counts(*one) &&
                std::none_of(outcomes_.begin(), one, [&](const Outcome& before) { return alike(before, *one); });
  return distinct;
}

// What went downstream by what was true then has to be done there before a CMD_SYNC tells software that nobody uses it
// any more. True where one completed in between and the access could not have gone where it went after it.
bool Judge::outlived_sync(const Flight& flight, AccessEnd end) {
  if (!log_.completed_within(flight.forwarded_at, flight.finished_at)) return false;
  const Window window{flight.accepted, flight.finished_at, flight.finished_at};
  std::vector<Outcome> outcomes;
  return outcomes_of(flight.access, window, outcomes) &&
         std::none_of(outcomes.begin(), outcomes.end(),
                      [&](const Outcome& outcome) { return agrees(outcome, flight, end); });
}

// What a device has kept shows at its pins: where it did not read the last descriptor, it had the translation.
void Judge::count_share(const Flight& flight, const Outcome& outcome) {
  counts_.nested += outcome.two_stages;
  if (outcome.last_descriptor == 0) return;
  for (auto seen = fetches_.rbegin(); seen != fetches_.rend() && seen->at > flight.accepted; ++seen) {
    if (seen->address != outcome.last_descriptor) continue;
    ++counts_.misses;
    return;
  }
  counts_.hits += outcome.end == Ends::kPass;
}

void Judge::judge_answer(Flight& flight, AccessEnd end) {
  const uint64_t id = flight.access.id;
  if (flight.stalled) {
    const bool fits = !flight.forwarded && ((end == AccessEnd::kAborted && flight.may_abort) ||
                                            (end == AccessEnd::kZero && flight.may_zero));
    if (fits || swap_with_stalled(flight, end)) {
      count_answer(flight.several);
      return;
    }
    if (!swap_with_resumed(flight)) {
      fail_stall(
          flight, flight.record, Rule::kStallEnd,
          text_of(flight.access) + format(" is stalled with tag %u and ended: ", flight.tag) + text_of(flight, end));
      count_answer(flight.several);
      return;
    }
  }
  if (!flight.stalled && !flight.forwarded && swap_with_stalled(flight, end)) {
    count_answer(flight.several);
    return;
  }
  Window window;
  window.accepted = flight.accepted;
  window.until = flight.forwarded ? flight.forwarded_at : now_;
  window.completed_before = flight.forwarded ? flight.forwarded_at : flight.accepted;
  const bool decided = outcomes_of(flight.access, window, outcomes_);
  if (!decided) ++counts_.undecided;
  if (outcome_watcher_) outcome_watcher_(id, outcomes_, decided);
  explain_updates(outcomes_, flight.accepted);
  if (outcomes_.size() > 1 || (!outcomes_.empty() && !outcomes_.front().updates.empty()))
    std::erase_if(outcomes_, [&](const Outcome& outcome) {
      return outcome.end == Ends::kPass && !outcome.updates.empty() && !updates_seen(outcome, flight.accepted);
    });

  count_answer(count_outcomes(flight.may_abort || flight.may_zero) > 1);
  Owed owed;
  bool found = false;
  unsigned seen = ~0u;
  const Outcome* likeliest = nullptr;
  for (size_t i = 0; i < outcomes_.size(); ++i) {
    const Outcome& outcome = outcomes_[i];
    bool repeated = false;
    for (size_t j = 0; j < i && !repeated; ++j) repeated = alike(outcomes_[j], outcome);
    if (!agrees(outcome, flight, end)) continue;
    found = true;
    if (outcome.seen < seen) likeliest = &outcome;
    seen = std::min(seen, outcome.seen);
    const bool from_stall = outcome.end == Ends::kStall;
    if (outcome.recorded && !from_stall) {
      if (!repeated) owed.options.push_back({outcome.record, outcome.seen, outcome.may_merge});
    } else {
      owed.maybe_none = true;
    }
  }
  if (!found && decided) {
    const bool guessed = !flight.forwarded && std::any_of(outcomes_.begin(), outcomes_.end(), [&](const Outcome& one) {
      return one.end == Ends::kStall && ambiguous_stalls_.count(one.record) != 0;
    });
    if (guessed) {
      ++counts_.undecided;
    } else {
      name_failure(flight, end, window);
    }
    return;
  }
  if (likeliest) count_share(flight, *likeliest);
  if (found && outlived_sync(flight, end))
    fail(Rule::kSyncWaits, id,
         text_of(flight.access) + " was not done downstream when CMD_SYNC completed; seen: " + text_of(flight, end));
  if (!decided && end != AccessEnd::kDone && end != AccessEnd::kFailed) {
    owed.undecided = owed.maybe_none = true;
  } else if (owed.options.empty()) {
    if (found) count_freedoms(seen);
    return;
  }
  owed.id = id;
  owed.access = flight.access;
  owed.has_access = true;
  owed.from = flight.accepted;
  owed.answered = now_;
  owed_.push_back(std::move(owed));
}

void Judge::fail_stall(const Flight& flight, const EventRecord& record, Rule rule, const std::string& text) {
  if (ambiguous_stalls_.count(record) != 0) {
    ++counts_.undecided;
  } else {
    fail(rule, flight.access.id, text);
  }
}

// Whether the access may be the one that a record of a stall speaks of.
bool Judge::stalls_with(const Flight& flight, const EventRecord& record) {
  if (flight.access.stream_id != record[0] >> 32 || flight.access.address != record[2]) return false;
  if (flight.stalled || flight.record == record) return flight.record == record;
  std::vector<Outcome> outcomes;
  outcomes_of(flight.access, {flight.accepted, now_, flight.accepted}, outcomes);
  return std::any_of(outcomes.begin(), outcomes.end(),
                     [&](const Outcome& outcome) { return outcome.end == Ends::kStall && outcome.record == record; });
}

// Accesses with the same record cannot be told apart by their tags. One that was taken to be stalled goes on: another
// one must be it, which was taken to have been resumed or not to have stalled yet.
bool Judge::swap_with_resumed(Flight& flight) {
  // One that was resumed is likelier than one that has not stalled yet.
  for (const bool was_stalled : {true, false}) {
    for (auto& [id, other] : flights_) {
      if (&other == &flight || other.stalled || other.forwarded) continue;
      if (was_stalled ? other.record != flight.record : !stalls_with(other, flight.record)) continue;
      std::swap(other.accepted, flight.accepted);
      other.stalled = true;
      other.tag = flight.tag;
      other.record = flight.record;
      std::swap(other.may_abort, flight.may_abort);
      std::swap(other.may_zero, flight.may_zero);
      other.several = flight.several;
      flight.stalled = false;
      // What came before the stall counts as well: which of them was when cannot be told.
      flight.accepted = std::min(flight.accepted, other.accepted);
      return true;
    }
  }
  return false;
}

// The other way round: one that nobody took to be stalled ends as a stall that software has ended.
bool Judge::swap_with_stalled(Flight& flight, AccessEnd end) {
  for (auto& [id, other] : flights_) {
    const bool ended = (end == AccessEnd::kAborted && other.may_abort) || (end == AccessEnd::kZero && other.may_zero);
    if (&other == &flight || !other.stalled || !ended || flight.forwarded) continue;
    if (flight.stalled ? flight.record != other.record : !stalls_with(flight, other.record)) continue;
    std::swap(other.stalled, flight.stalled);
    std::swap(other.tag, flight.tag);
    std::swap(other.record, flight.record);
    std::swap(other.accepted, flight.accepted);
    std::swap(other.may_abort, flight.may_abort);
    std::swap(other.may_zero, flight.may_zero);
    std::swap(other.several, flight.several);
    return true;
  }
  return false;
}

Rule Judge::stale_rule(unsigned seen) {
  return seen & kSawOldStreamEntry ? Rule::kStaleStreamEntry
         : seen & kSawOldContext   ? Rule::kStaleContext
                                   : Rule::kStaleTranslation;
}

// Why nothing that is allowed was seen: what would have to be different for it to be.
void Judge::name_failure(const Flight& flight, AccessEnd end, Window window) {
  const std::vector<Outcome> allowed = outcomes_;
  std::string text = text_of(flight.access) + "; allowed:";
  for (size_t i = 0; i < allowed.size() && i < 4; ++i) text += (i == 0 ? " " : " | ") + text_of(allowed[i]);
  if (allowed.empty()) text += " nothing without its update of a descriptor";
  text += "; seen: " + text_of(flight, end);
  const uint64_t id = flight.access.id;
  const bool went = end == AccessEnd::kDone || end == AccessEnd::kFailed;
  if (went != flight.forwarded) {
    fail(Rule::kForwardOnce, id, text);
    return;
  }
  const auto explained = [&](bool with_updates) -> const Outcome* {
    outcomes_of(flight.access, window, outcomes_);
    const Outcome* best = nullptr;
    for (const Outcome& outcome : outcomes_)
      if (agrees(outcome, flight, end) &&
          (!with_updates || outcome.end != Ends::kPass || updates_seen(outcome, flight.accepted)))
        if (best == nullptr || outcome.seen < best->seen) best = &outcome;
    return best;
  };
  if (explained(false) != nullptr) {
    fail(Rule::kUpdateMissing, id, text);
    return;
  }
  if (window.completed_before != window.accepted) {
    window.completed_before = window.accepted;
    if (explained(true) != nullptr) {
      fail(Rule::kSyncWaits, id, text);
      return;
    }
  }
  window.keep_faults = true;
  if (explained(true) != nullptr) {
    fail(Rule::kFaultCached, id, text);
    return;
  }
  window.keep_faults = false;
  window.ignore_invalidations = true;
  if (const Outcome* outcome = explained(true)) {
    fail(stale_rule(outcome->seen), id, text);
    return;
  }
  for (const Outcome& outcome : allowed) {
    if (!went || outcome.end != Ends::kPass) continue;
    fail(outcome.address != flight.seen.address         ? Rule::kForwardAddress
         : outcome.attributes != flight.seen.attributes ? Rule::kForwardAttributes
                                                        : Rule::kForwardPrivilege,
         id, text);
    return;
  }
  fail(Rule::kAnswerEnd, id, text);
}

// A record with Stall set belongs to an access that is under way now: which one, software tells by the tag later.
bool Judge::match_stall(const EventRecord& record) {
  EventRecord plain = record;
  plain[1] &= ~kStagMask;
  const auto tag = static_cast<uint16_t>(record[1] & kStagMask);
  Flight* oldest = nullptr;
  Flight* undecided = nullptr;  // the record may be of an outcome that was not tried
  const auto alike = std::count_if(flights_.begin(), flights_.end(), [&](const auto& one) {
    return !one.second.forwarded && one.second.access.stream_id == record[0] >> 32 &&
           one.second.access.address == record[2];
  });
  if (alike > 1) ambiguous_stalls_.insert(plain);
  for (auto& [id, flight] : flights_) {
    if (flight.stalled) {
      if (flight.tag == tag && !flight.may_abort && !flight.may_zero) {
        fail(Rule::kStallTag, flight.access.id,
             format("tag %u is of ", tag) + text_of(flight.access) + " and came again in " + text_of(record));
      }
      continue;
    }
    if (flight.forwarded || flight.access.stream_id != record[0] >> 32 || flight.access.address != record[2]) continue;
    if (oldest != nullptr && oldest->accepted < flight.accepted) continue;
    const Window window{flight.accepted, now_, flight.accepted};
    const bool decided = outcomes_of(flight.access, window, outcomes_);
    const bool fits = std::any_of(outcomes_.begin(), outcomes_.end(), [&](const Outcome& outcome) {
      return outcome.end == Ends::kStall && outcome.record == plain;
    });
    if (fits) {
      oldest = &flight;
    } else if (!decided && (undecided == nullptr || undecided->accepted > flight.accepted)) {
      undecided = &flight;
    }
  }
  if (oldest == nullptr && undecided != nullptr) {
    ++counts_.undecided;
    oldest = undecided;
  }
  if (oldest == nullptr) return false;
  const Window window{oldest->accepted, now_, oldest->accepted};
  const bool decided = outcomes_of(oldest->access, window, outcomes_);
  if (outcome_watcher_) outcome_watcher_(oldest->access.id, outcomes_, decided);
  explain_updates(outcomes_, oldest->accepted);
  oldest->stalled = true;
  oldest->tag = tag;
  oldest->record = plain;
  oldest->several = count_outcomes(true) > 1;
  oldest->may_abort = oldest->may_zero = false;
  return true;
}

void Judge::settle_flights() {
  size_t stalled = 0;
  for (const auto& [id, flight] : flights_) stalled += flight.stalled;
  for (auto& [id, flight] : flights_) {
    if (flight.stalled) {
      if (flight.may_abort || flight.may_zero)
        fail_stall(flight, flight.record, Rule::kStallEnd, text_of(flight.access) + " was resumed and has no answer");
      continue;
    }
    const Window window{flight.accepted, now_, flight.accepted};
    outcomes_of(flight.access, window, outcomes_);
    explain_updates(outcomes_, flight.accepted);
    const bool may_stall = std::any_of(outcomes_.begin(), outcomes_.end(),
                                       [](const Outcome& outcome) { return outcome.end == Ends::kStall; });
    // Where tags were guessed, so was the count of stalls.
    const size_t held = ambiguous_stalls_.empty() ? stalled : flights_.size() - 1;
    if (may_stall && !flight.forwarded &&
        (event_queue_blocked_since(std::max(flight.accepted, last_quiet_)) ||
         held >= config_.stalled_transactions_max)) {
      used(Rule::kMayHoldStalls);
      continue;
    }
    fail_stall(flight, flight.record, Rule::kAnswerMissing, text_of(flight.access) + " has no answer");
  }
}

void Judge::ats_asked(const AtsQuestion& question) {
  ++now_;
  questions_[question.id] = {question, now_};
}

void Judge::ats_answered(const AtsAnswer& answer) {
  ++now_;
  const auto found = questions_.find(answer.id);
  if (found == questions_.end()) {
    fail(Rule::kAtsAnswer, answer.id,
         format("translation request %llu was answered and is not under way", wide(answer.id)));
    return;
  }
  ++counts_.answers;
  const auto [question, from] = found->second;
  questions_.erase(found);
  outcomes_of(question, {from, now_, from}, outcomes_);
  explain_updates(outcomes_, from);
  std::erase_if(outcomes_, [&](const Outcome& outcome) { return !updates_seen(outcome, from); });
  Owed owed;
  bool matched = false;
  std::string allowed;
  for (const Outcome& outcome : outcomes_) {
    Outcome seen = outcome;
    seen.ats = answer;
    seen.ats->id = outcome.ats->id;
    allowed += (allowed.empty() ? " " : " | ") + text_of(outcome);
    if (!seen.same_as(outcome)) continue;
    matched = true;
    if (outcome.recorded) {
      owed.options.push_back({outcome.record, outcome.seen, outcome.may_merge});
    } else {
      owed.maybe_none = true;
    }
  }
  ++(outcomes_.size() > 1 ? counts_.several_outcomes : counts_.one_outcome);
  if (!matched) {
    Outcome seen;
    seen.ats = answer;
    fail(Rule::kAtsAnswer, answer.id,
         format("translation request %llu of %#llx by stream %#x; allowed:", wide(answer.id), wide(question.address),
                question.stream_id) +
             allowed + "; seen: " + text_of(seen));
    return;
  }
  if (owed.options.empty()) return;
  owed.id = answer.id;
  owed.from = from;
  owed.answered = now_;
  owed_.push_back(std::move(owed));
}

}  // namespace lockstep::smmu_rtl_bridge
