// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/stalls.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bits;
using smmuv3::Opcode;

const char* stage_name(bool stage2) { return stage2 ? "stage2" : "stage1"; }

}  // namespace

void plan_stalls(Planner& planner) {
  planner.cross("stalls/at-once", {{"1", "2-3", "4-7", "8-or-more"}});
  planner.add("stalls/at-once/all-places");
  planner.cross("stalls/RESUME", {{"terminate", "retry", "abort", "abort-and-retry"}, {"stage1", "stage2"}});
  planner.cross("stalls/RESUME", {{"unknown-tag", "wrong-stream"}});
  planner.cross("stalls/STALL_TERM", {{"no-stall", "one-stall", "several-stalls", "spares-other-streams"}});
  planner.cross("stalls/end/RESUME",
                {{"terminate-aborts", "terminate-gives-zero", "abort", "retry-passes", "retry-fails", "retry-stalls"}});
  planner.cross("stalls/end", {{"STALL_TERM", "SMMUEN-cleared"}, {"stage1", "stage2"}});
  planner.cross("stalls/held-back", {{"queue-off", "queue-full"}, {"waits", "then-recorded"}});
}

void StallChapter::accepted(const ClientAccess& access, const Look& look) {
  if (!smmuv3::is_translation_related(look.event.type)) return;
  const bool stalls = look.event.stage2 ? look.ste && look.ste->stage2_stall : look.cd && look.cd->stall;
  if (!stalls) return;
  Stall stall;
  stall.stream = access.stream_id;
  stall.address = access.address;
  stall.stage2 = look.event.stage2;
  stalls_[access.id] = stall;
}

void StallChapter::recorded(const smmuv3::EventRecord& record) {
  if (!smmuv3::bit(record[1], 31)) return;
  const auto stream = static_cast<uint32_t>(record[0] >> 32);
  size_t waiting = 0;
  bool found = false;
  for (auto& [id, stall] : stalls_) {
    if (!found && stall.stream == stream && stall.address == record[2] &&
        (!stall.recorded || stall.wish == Wish::kRetry)) {
      found = true;
      if (stall.recorded) watched_.hit("stalls/end/RESUME/retry-stalls");
      if (!stall.held_back.empty()) watched_.hit("stalls/held-back", stall.held_back, "then-recorded");
      stall.recorded = true;
      stall.wish = Wish::kNone;
      stall.tag = static_cast<uint16_t>(bits(record[1], 15, 0));
      stall.stage2 = smmuv3::bit(record[1], 39);
    }
    waiting += stall.recorded;
  }
  watched_.hit("stalls/at-once", waiting >= 8 ? "8-or-more" : waiting >= 4 ? "4-7" : waiting >= 2 ? "2-3" : "1");
  if (waiting >= watched_.config().stalled_transactions_max) watched_.hit("stalls/at-once/all-places");
}

void StallChapter::command(const smmuv3::CommandWords& command) {
  if (!smmuv3::legal_command(command, watched_.config())) return;
  const auto stream = static_cast<uint32_t>(command[0] >> 32);
  if (static_cast<Opcode>(command[0] & 0xff) == Opcode::kStallTerm) {
    unsigned ended = 0;
    bool spares = false;
    for (auto& [id, stall] : stalls_) {
      if (stall.stream == stream) {
        stall.wish = Wish::kTerm;
        ++ended;
      } else {
        spares = true;
      }
    }
    watched_.hit("stalls/STALL_TERM", ended == 0 ? "no-stall" : ended == 1 ? "one-stall" : "several-stalls");
    if (spares && ended != 0) watched_.hit("stalls/STALL_TERM/spares-other-streams");
    return;
  }
  if (static_cast<Opcode>(command[0] & 0xff) != Opcode::kResume) return;
  static constexpr const char* kNames[] = {"terminate", "retry", "abort", "abort-and-retry"};
  const uint64_t response = bits(command[0], 13, 12);
  const uint64_t tag = bits(command[1], 15, 0);
  bool tag_known = false;
  for (auto& [id, stall] : stalls_) {
    if (!stall.recorded || stall.tag != tag || stall.wish != Wish::kNone) continue;
    tag_known = true;
    if (stall.stream != stream) continue;
    watched_.hit("stalls/RESUME", kNames[response], stage_name(stall.stage2));
    stall.wish = response & 1 ? Wish::kRetry : response == 2 ? Wish::kAbort : Wish::kTerminate;
    return;
  }
  watched_.hit("stalls/RESUME", tag_known ? "wrong-stream" : "unknown-tag");
}

void StallChapter::answered(uint64_t id, AccessEnd end) {
  const auto place = stalls_.find(id);
  if (place == stalls_.end()) return;
  const Stall stall = place->second;
  stalls_.erase(place);
  switch (stall.wish) {
    case Wish::kTerminate:
      watched_.hit("stalls/end/RESUME", end == AccessEnd::kZero ? "terminate-gives-zero" : "terminate-aborts");
      break;
    case Wish::kAbort:
      watched_.hit("stalls/end/RESUME/abort");
      break;
    case Wish::kRetry:
      watched_.hit("stalls/end/RESUME",
                   end == AccessEnd::kDone || end == AccessEnd::kFailed ? "retry-passes" : "retry-fails");
      break;
    case Wish::kTerm:
      watched_.hit("stalls/end/STALL_TERM", stage_name(stall.stage2));
      break;
    case Wish::kNone:
      if (stall.recorded && disabled_) watched_.hit("stalls/end/SMMUEN-cleared", stage_name(stall.stage2));
      break;
  }
}

void StallChapter::quiet(bool queue_full) {
  for (auto& [id, stall] : stalls_) {
    if (stall.recorded || !stall.held_back.empty()) continue;
    const bool on = watched_.enabled(smmuv3::kCr0EventQueueEnable);
    if (on && !queue_full) continue;
    stall.held_back = on ? "queue-full" : "queue-off";
    watched_.hit("stalls/held-back", stall.held_back, "waits");
  }
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
