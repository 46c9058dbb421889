// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/events.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bit;
using smmuv3::bits;
using smmuv3::EventType;

constexpr EventType kTranslationEvents[] = {EventType::kTranslation, EventType::kAddressSize, EventType::kAccessFlag,
                                            EventType::kPermission};
constexpr EventType kTypes[] = {EventType::kSteFetch,       EventType::kBadSte,
                                EventType::kBadStreamId,    EventType::kCdFetch,
                                EventType::kBadCd,          EventType::kBadSubstreamId,
                                EventType::kStreamDisabled, EventType::kTranslationForbidden,
                                EventType::kBadAtsRequest,  EventType::kTranslation,
                                EventType::kAddressSize,    EventType::kAccessFlag,
                                EventType::kPermission,     EventType::kWalkExternalAbort};
constexpr EventType kWithSubstream[] = {EventType::kSteFetch, EventType::kBadSte, EventType::kBadStreamId,
                                        EventType::kCdFetch, EventType::kBadCd};

std::string root(EventType type) { return std::string("events/") + smmuv3::name(type); }

bool has_cause(EventType type) {
  return type == EventType::kSteFetch || type == EventType::kBadStreamId || type == EventType::kCdFetch ||
         type == EventType::kBadSubstreamId || type == EventType::kStreamDisabled;
}

// Why configuration could not be had, from what the core read on the way.
std::string cause(const Look& look) {
  const CoreAccess* last = look.accesses.empty() ? nullptr : &look.accesses.back();
  const bool level1 = last && (last->kind == smmuv3::AccessKind::kStreamTableLevel1 ||
                               last->kind == smmuv3::AccessKind::kContextLevel1);
  switch (look.event.type) {
    case EventType::kSteFetch:
      return !last || last->failed ? (level1 ? "level-1" : "entry") : "level-1-address-too-large";
    case EventType::kBadStreamId: {
      if (!last) return "outside-the-table";
      const uint64_t span = bits(last->words[0], 4, 0);
      return span == 0 ? "span-0" : span > 11 ? "span-reserved" : "beyond-the-span";
    }
    case EventType::kCdFetch:
      return std::string(level1 ? "level-1" : "descriptor") +
             (look.ste && look.ste->stage2_translates() ? "/nested" : "/stage1");
    case EventType::kBadSubstreamId:
      if (level1) return bit(last->words[0], 0) ? "level-1-address-too-large" : "level-1-invalid";
      return look.ste && look.ste->stage1_translates() && look.ste->cd_max != 0 ? "outside-the-table" : "no-table";
    case EventType::kStreamDisabled:
      if (look.event.substream_valid) return "substream-0-is-the-default";
      return look.ste && look.ste->default_substream == 3 ? "default-reserved" : "default-terminates";
    default:
      return "";
  }
}

}  // namespace

void plan_events(Planner& planner) {
  const Axis places = {"stage1-IN", "stage2-IN", "stage2-TT", "stage2-CD"};
  for (const EventType type : kTranslationEvents) {
    planner.cross(root(type), {places, {"read", "write", "fetch"}, {"user", "privileged"}, {"no-stall", "stall"}});
    planner.cross(root(type) + "/end", {{"stage1", "stage2"}, {"abort", "zero", "stall"}},
                  [](const Axis& v) { return v[0] == "stage1" || v[1] != "zero"; });
    planner.cross(root(type) + "/fate/suppressed", {{"stage1", "stage2"}});
  }
  planner.cross("events/F_PERMISSION/stage2-TT", {{"table-read", "table-write"}});
  planner.cross(
      "events/F_WALK_EABT",
      {{"stage1-TT", "stage2-IN", "stage2-TT", "stage2-CD"}, {"read", "write", "fetch"}, {"user", "privileged"}});
  planner.cross("events/F_TRANSL_FORBIDDEN", {{"read", "write"}});
  planner.cross("events/F_TRANSL_FORBIDDEN/cause", {{"SMMU-off", "EATS-off"}});
  planner.cross("events/F_BAD_ATS_TREQ", {{"read", "read-write"}, {"data", "execute"}, {"user", "privileged"}});
  planner.cross("events/F_BAD_ATS_TREQ/cause", {{"SMMU-off", "EATS-off"}});
  for (const EventType type : kWithSubstream) planner.cross(root(type), {{"substream", "no-substream"}});
  planner.cross("events/F_STE_FETCH/cause", {{"level-1", "entry", "level-1-address-too-large"}});
  planner.cross("events/C_BAD_STREAMID/cause", {{"outside-the-table", "span-0", "span-reserved", "beyond-the-span"}});
  planner.cross("events/F_CD_FETCH/cause", {{"level-1", "descriptor"}, {"stage1", "nested"}});
  planner.cross("events/C_BAD_SUBSTREAMID/cause",
                {{"no-table", "outside-the-table", "level-1-invalid", "level-1-address-too-large"}});
  planner.cross("events/F_STREAM_DISABLED/cause",
                {{"substream-0-is-the-default", "default-terminates", "default-reserved"}});
  for (const EventType type : kTypes)
    planner.cross(root(type) + "/fate", {{"recorded", "merged", "queue-off", "overflow", "queue-aborted"}});
  planner.add("events/C_BAD_STREAMID/fate/suppressed");
  planner.cross("events/queue", {{"into-empty", "after-others", "last-place", "at-the-wrap"}});
}

bool EventChapter::queue_full() const {
  return watched_.queue(smmuv3::RegisterId::kEventqBase, produced_, watched_.event_consumed).full();
}

void EventChapter::expected(uint64_t id, bool ats, const Look& look) {
  const smmuv3::Event& event = look.event;
  if (event.type == EventType::kNone) return;
  Pending pending;
  pending.event = event;
  if (smmuv3::is_translation_related(event.type)) {
    if (event.stage2) {
      pending.suppressed = look.ste && !look.ste->stage2_record && !look.ste->stage2_stall;
    } else if (look.cd) {
      pending.suppressed = !look.cd->record && !look.cd->stall;
    }
  } else if (event.type == EventType::kBadStreamId) {
    pending.suppressed = !(watched_.get(smmuv3::RegisterId::kCr2) & smmuv3::kCr2RecordInvalidStream);
  }
  if (has_cause(event.type)) watched_.hit(root(event.type), "cause", cause(look));
  if (event.type == EventType::kTranslationForbidden || event.type == EventType::kBadAtsRequest)
    watched_.hit(root(event.type), "cause", watched_.enabled(smmuv3::kCr0SmmuEnable) ? "EATS-off" : "SMMU-off");
  // Whether errors of ATS are told is the business of the chapter about ATS.
  const bool told_always = event.type == EventType::kBadAtsRequest || event.type == EventType::kTranslationForbidden;
  if (ats && !told_always) return;
  (event.type == EventType::kBadAtsRequest ? pending_ats_ : pending_)[id] = pending;
}

void EventChapter::recorded(const smmuv3::EventRecord& record, uint64_t index, unsigned log2) {
  const auto type = static_cast<EventType>(record[0] & 0xff);
  const uint64_t at = (produced_ & smmuv3::ones(log2)) == index ? produced_ : index;
  const smmuv3::QueueView before = watched_.queue(smmuv3::RegisterId::kEventqBase, at, watched_.event_consumed);
  watched_.hit("events/queue", before.empty() ? "into-empty" : "after-others");
  if (before.used() + 1 == uint64_t{1} << log2) watched_.hit("events/queue/last-place");
  if (index == smmuv3::ones(log2)) watched_.hit("events/queue/at-the-wrap");
  produced_ = before.after_produce();

  const auto stream = static_cast<uint32_t>(record[0] >> 32);
  for (auto* pendings : {&pending_, &pending_ats_}) {
    for (auto& [id, pending] : *pendings) {
      if (pending.recorded || pending.event.type != type || pending.event.stream_id != stream) continue;
      pending.recorded = true;
      pending.stalled = bit(record[1], 31);
      break;
    }
  }

  const bool read = bit(record[1], 35);
  const bool fetch = bit(record[1], 34);
  const char* access = !read ? "write" : fetch ? "fetch" : "read";
  const char* level = bit(record[1], 33) ? "privileged" : "user";
  const bool stage2 = bit(record[1], 39);
  const uint64_t fault_class = bits(record[1], 41, 40);
  const char* place = class_name(stage2, static_cast<smmuv3::FaultClass>(fault_class > 2 ? 2 : fault_class));
  const bool stalls = bit(record[1], 31);
  if (smmuv3::is_translation_related(type)) {
    watched_.hit(root(type), place, access, level, stalls ? "stall" : "no-stall");
    if (stalls) watched_.hit(root(type), "end", stage2 ? "stage2" : "stage1", "stall");
    if (type == EventType::kPermission && stage2 && fault_class == 1)
      watched_.hit(root(type), "stage2-TT", bit(record[1], 44) ? "table-read" : "table-write");
  } else if (type == EventType::kWalkExternalAbort) {
    watched_.hit(root(type), place, access, level);
  } else if (type == EventType::kTranslationForbidden) {
    watched_.hit(root(type), read ? "read" : "write");
  } else if (type == EventType::kBadAtsRequest) {
    watched_.hit(root(type), bit(record[1], 36) ? "read-write" : "read", fetch ? "execute" : "data", level);
  } else {
    for (const EventType with : kWithSubstream)
      if (with == type) watched_.hit(root(type), bit(record[0], 11) ? "substream" : "no-substream");
  }
}

void EventChapter::errors_acknowledged(uint64_t before, uint64_t after) {
  if ((before ^ after) & smmuv3::kGerrorEventAbort) queue_aborted_ = false;
}

void EventChapter::fate(const Pending& pending) {
  const std::string name = root(pending.event.type) + "/fate";
  if (pending.recorded) {
    watched_.hit(name, "recorded");
  } else if (pending.suppressed) {
    if (pending.event.type == EventType::kBadStreamId) {
      watched_.hit(name, "suppressed");
    } else {
      watched_.hit(name, "suppressed", pending.event.stage2 ? "stage2" : "stage1");
    }
  } else if (!watched_.enabled(smmuv3::kCr0EventQueueEnable)) {
    watched_.hit(name, "queue-off");
  } else if (queue_aborted_) {
    watched_.hit(name, "queue-aborted");
  } else if (queue_full()) {
    watched_.hit(name, "overflow");
  } else {
    watched_.hit(name, "merged");
  }
}

void EventChapter::answered(uint64_t id, AccessEnd end) {
  const auto place = pending_.find(id);
  if (place == pending_.end()) return;
  const Pending pending = place->second;
  pending_.erase(place);
  // A stalled access may have gone well after all.
  if (end == AccessEnd::kDone || end == AccessEnd::kFailed) {
    if (pending.recorded) fate(pending);
    return;
  }
  fate(pending);
  // A stall that ends with zero is no answer of stage 2's.
  const bool stalls = pending.stalled || (end == AccessEnd::kZero && pending.event.stage2);
  if (smmuv3::is_translation_related(pending.event.type) && !stalls)
    watched_.hit(root(pending.event.type), "end", pending.event.stage2 ? "stage2" : "stage1",
                 end == AccessEnd::kZero ? "zero" : "abort");
}

void EventChapter::ats_answered(uint64_t id) {
  const auto place = pending_ats_.find(id);
  if (place == pending_ats_.end()) return;
  fate(place->second);
  pending_ats_.erase(place);
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
