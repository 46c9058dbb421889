// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/ats.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bit;
using smmuv3::bits;
using smmuv3::EventType;
using smmuv3::Opcode;

constexpr EventType kErrors[] = {EventType::kSteFetch,       EventType::kBadSte,           EventType::kBadStreamId,
                                 EventType::kBadSubstreamId, EventType::kCdFetch,          EventType::kBadCd,
                                 EventType::kStreamDisabled, EventType::kWalkExternalAbort};

const char* config_name(const smmuv3::Ste& ste) {
  static constexpr const char* kNames[] = {"bypass", "stage1", "stage2", "nested"};
  return ste.config & 4 ? kNames[ste.config & 3] : "abort";
}

std::string permissions(const AtsAnswer& answer) {
  if (!answer.read && !answer.write) return answer.execute ? "execute" : "none";
  return std::string(answer.read ? "read" : "") + (answer.write ? "write" : "") + (answer.execute ? "-execute" : "");
}

const char* code_name(uint8_t code) { return code == 0 ? "success" : code == 1 ? "invalid" : "failure"; }

}  // namespace

void plan_ats(Planner& planner) {
  const Axis configs = {"stage1", "stage2", "nested"};
  planner.cross("ats/asked", {{"bypass", "stage1", "stage2", "nested", "abort"}, {"EATS-0", "EATS-1"}});
  planner.add("ats/asked/nested/EATS-2");
  planner.cross("ats/granted", {configs, {"none", "read", "write", "readwrite"}, {"wants-write", "no-write"}},
                [](const Axis& v) { return v[0] != "stage1" || v[1] != "write" || v[2] == "wants-write"; });
  planner.cross("ats/granted", {{"stage1", "nested"}, {"read-execute", "readwrite-execute"}});
  planner.cross("ats/granted/by", {{"user", "privileged", "no-substream"}});
  planner.cross("ats/size", {{"4K", "16K", "64K", "larger"}});
  for (const EventType type : kErrors)
    planner.cross(std::string("ats/errors/") + smmuv3::name(type), {{"told", "kept-quiet"}});
  planner.cross("ats/answer", {{"success", "unsupported", "completer-abort"}});
  planner.cross("ats/translated/ATSCHK-0", {{"passes", "address-too-large"}});
  planner.cross("ats/translated", {{"EATS-full", "EATS-split"}, {"passes", "fails"}});
  planner.cross("ats/translated", {{"EATS-off", "bypass-config", "abort-config", "no-configuration"}, {"fails"}});
  planner.cross("ats/ATC", {{"at-once", "later", "timed-out"}});
  planner.cross("ats/ATC/several-pending", {{"2", "3-or-more"}});

  planner.cross(
      "pri/asked",
      {{"read", "write", "read-write", "execute"}, {"user", "privileged", "no-substream"}, {"last", "not-last"}},
      [](const Axis& v) { return v[0] != "execute" || v[1] != "no-substream"; });
  planner.add("pri/stop-marker");
  planner.cross("pri/fate", {{"queued", "queue-full", "queue-off", "SMMUEN-0", "queue-aborted"}, {"last", "not-last"}});
  planner.cross("pri/queue", {{"into-empty", "after-others", "at-the-wrap"}});
  planner.cross("pri/response/commanded", {{"success", "invalid", "failure"}, {"substream", "no-substream"}});
  planner.cross("pri/response/automatic/success", {{"substream", "no-substream"}});
  planner.add("pri/response/automatic/failure/no-substream");
}

void AtsChapter::asked(const AtsQuestion& question, const Look& look) {
  Question& open = questions_[question.id];
  open.question = question;
  open.event = look.event;
  open.events_before = events_;
  if (!look.ste || look.event.type == EventType::kBadSte) return;
  open.config = config_name(*look.ste);
  if (look.ste->ats < 3)
    watched_.hit("ats/asked", open.config,
                 "EATS-" + std::to_string(look.ste->ats == 2 && look.ste->config != 7 ? 0 : look.ste->ats));
}

void AtsChapter::answered(const AtsAnswer& answer) {
  static constexpr const char* kStatus[] = {"success", "unsupported", "completer-abort"};
  watched_.hit("ats/answer", kStatus[answer.status < 3 ? answer.status : 2]);
  const auto place = questions_.find(answer.id);
  if (place == questions_.end()) return;
  const Question open = place->second;
  questions_.erase(place);
  if (answer.status == 2) {
    for (const EventType type : kErrors)
      if (open.event.type == type)
        watched_.hit("ats/errors", smmuv3::name(type), events_ != open.events_before ? "told" : "kept-quiet");
    return;
  }
  const std::string config = open.config;
  if (answer.status != 0 || config.empty() || config == "bypass" || config == "abort") return;
  const std::string granted = permissions(answer);
  if (answer.execute) {
    if (config != "stage2" && answer.read) watched_.hit("ats/granted", config, granted);
  } else {
    watched_.hit("ats/granted", config, granted, open.question.no_write ? "no-write" : "wants-write");
  }
  if (!answer.read && !answer.write) return;
  watched_.hit("ats/granted/by", !open.question.substream_valid ? "no-substream"
                                 : open.question.privileged     ? "privileged"
                                                                : "user");
  watched_.hit("ats/size", answer.size_log2 == 12   ? "4K"
                           : answer.size_log2 == 14 ? "16K"
                           : answer.size_log2 == 16 ? "64K"
                                                    : "larger");
}

void AtsChapter::translated(const ClientAccess&, const Look& look) {
  if (!watched_.enabled(smmuv3::kCr0SmmuEnable)) return;
  const bool passes = look.result.outcome == smmuv3::Outcome::kPass;
  if (!watched_.enabled(smmuv3::kCr0AtsCheck)) {
    watched_.hit("ats/translated/ATSCHK-0", passes ? "passes" : "address-too-large");
    return;
  }
  std::string config = "no-configuration";
  if (look.ste && look.event.type != EventType::kBadSte)
    config = !(look.ste->config & 4) ? "abort-config"
             : look.ste->config == 4 ? "bypass-config"
             : look.ste->ats == 1    ? "EATS-full"
             : look.ste->ats == 2    ? "EATS-split"
                                     : "EATS-off";
  watched_.hit("ats/translated", config, passes ? "passes" : "fails");
}

void AtsChapter::command(const smmuv3::CommandWords& command) {
  if (!smmuv3::legal_command(command, watched_.config()) || !watched_.enabled(smmuv3::kCr0SmmuEnable)) return;
  if (static_cast<Opcode>(command[0] & 0xff) == Opcode::kPriResp) ++commanded_;
}

void AtsChapter::atc_invalidated(const AtcInvalidation&) {
  ++pending_atc_;
  at_once_ = true;
  if (pending_atc_ >= 2) watched_.hit("ats/ATC/several-pending", pending_atc_ == 2 ? "2" : "3-or-more");
}

void AtsChapter::atc_done(bool timed_out) {
  if (pending_atc_ != 0) --pending_atc_;
  watched_.hit("ats/ATC", timed_out ? "timed-out" : at_once_ ? "at-once" : "later");
}

void AtsChapter::page_asked(const PageQuestion& question) {
  page_ended();
  page_ = question;
  page_open_ = true;
  page_queued_ = false;
  if (question.substream_valid && question.last && !question.read && !question.write) {
    watched_.hit("pri/stop-marker");
    return;
  }
  const char* by = !question.substream_valid ? "no-substream" : question.privileged ? "privileged" : "user";
  const char* last = question.last ? "last" : "not-last";
  if (question.execute && question.substream_valid) {
    watched_.hit("pri/asked/execute", by, last);
  } else if (question.read || question.write) {
    watched_.hit("pri/asked",
                 question.read && question.write ? "read-write"
                 : question.read                 ? "read"
                                                 : "write",
                 by, last);
  }
}

void AtsChapter::page_recorded(uint64_t index, unsigned log2, bool failed) {
  if (failed) {
    page_queue_aborted_ = true;
    return;
  }
  page_queued_ = true;
  const uint64_t at = (pages_produced_ & smmuv3::ones(log2)) == index ? pages_produced_ : index;
  const smmuv3::QueueView before = watched_.queue(smmuv3::RegisterId::kPriqBase, at, watched_.page_consumed);
  watched_.hit("pri/queue", before.empty() ? "into-empty" : "after-others");
  if (index == smmuv3::ones(log2)) watched_.hit("pri/queue/at-the-wrap");
  pages_produced_ = before.after_produce();
  page_ended();
}

void AtsChapter::page_ended() {
  if (!page_open_) return;
  page_open_ = false;
  const char* last = page_.last ? "last" : "not-last";
  const char* fate = "queue-full";
  if (page_queued_) {
    fate = "queued";
  } else if (!watched_.enabled(smmuv3::kCr0SmmuEnable)) {
    fate = "SMMUEN-0";
  } else if (!watched_.enabled(smmuv3::kCr0PriQueueEnable)) {
    fate = "queue-off";
  } else if (page_queue_aborted_) {
    fate = "queue-aborted";
  }
  watched_.hit("pri/fate", fate, last);
}

void AtsChapter::page_answered(const PageAnswer& answer) {
  const char* substream = answer.substream_valid ? "substream" : "no-substream";
  if (commanded_ != 0) {
    --commanded_;
    watched_.hit("pri/response/commanded", code_name(answer.code), substream);
    return;
  }
  watched_.hit("pri/response/automatic", code_name(answer.code), substream);
  page_ended();
}

void AtsChapter::errors_acknowledged(uint64_t before, uint64_t after) {
  if ((before ^ after) & smmuv3::kGerrorPriAbort) page_queue_aborted_ = false;
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
