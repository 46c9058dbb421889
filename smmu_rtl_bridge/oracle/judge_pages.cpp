// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "smmu_rtl_bridge/oracle/judge.h"
#include "tlm_models/smmuv3/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace smmuv3 = tlm_models::smmuv3;
using smmuv3::bits;
using smmuv3::field_in_place;
using smmuv3::ones;

constexpr unsigned kEntryLog2 = 4;
constexpr size_t kPagesSource = 1;
constexpr uint8_t kSuccess = 0;
constexpr uint8_t kFailure = 15;
constexpr uint32_t kLastOnly = 1u << 31;

// Section "Page request queue".
std::array<uint64_t, 2> record_of(const PageQuestion& q) {
  const auto at = [](bool value, unsigned place) { return uint64_t{value} << place; };
  return {q.stream_id | uint64_t{q.substream_valid ? q.substream_id & 0xfffffu : 0} << 32 | at(q.privileged, 58) |
              at(q.execute, 59) | at(q.read, 60) | at(q.write, 61) | at(q.last, 62) | at(q.substream_valid, 63),
          (q.group & uint64_t{0x1ff}) | field_in_place(q.address, 63, 12)};
}

bool stop_marker(const PageQuestion& q) { return q.substream_valid && q.last && !q.read && !q.write; }

bool same(const PageAnswer& a, const PageAnswer& b) {
  return a.stream_id == b.stream_id && a.substream_valid == b.substream_valid && a.substream_id == b.substream_id &&
         a.group == b.group && a.code == b.code;
}

}  // namespace

unsigned Judge::page_queue_log2() const {
  return std::min(static_cast<unsigned>(bits(reg(RegisterId::kPriqBase), 4, 0)), config_.pri_queue_log2);
}

uint64_t Judge::page_queue_used() const {
  return (pages_produced_ - reg(RegisterId::kPriqCons)) & ones(page_queue_log2() + 1);
}

bool Judge::page_queue_usable() const {
  return config_.pri && on(smmuv3::kCr0SmmuEnable | smmuv3::kCr0PriQueueEnable) &&
         !(errors_caused_ & smmuv3::kGerrorPriAbort);
}

// Section "PRI queue overflow": a success, whose substream the stream's entry decides on where IDR3.PPS does not; a
// failure where there is no such entry.
void Judge::note_responses(PageFlight& page) {
  const PageQuestion& question = page.question;
  if (!question.substream_valid || config_.substream_id_bits == 0 || config_.pasid_in_auto_response) {
    page.may_name_substream = question.substream_valid && config_.substream_id_bits != 0;
    page.may_be_plain = !page.may_name_substream;
    return;
  }
  ClientAccess access;
  access.stream_id = question.stream_id;
  access.substream_id = question.substream_id;
  access.substream_valid = true;
  outcomes_of(access, {now_ - 1, now_ + 1, now_}, outcomes_);
  const std::vector<Structures> met = evaluator_.met();
  page.may_fail =
      met.empty() || std::any_of(outcomes_.begin(), outcomes_.end(), [](const Outcome& outcome) {
        return outcome.recorded && (outcome.record[0] & 0xff) <= static_cast<uint64_t>(smmuv3::EventType::kBadSte);
      });
  const auto allow = [&](const StructureWords& words) {
    const smmuv3::Ste ste = smmuv3::decode_ste(words, config_);
    page.may_fail = page.may_fail || smmuv3::first_broken_rule(ste, config_) != nullptr;
    (ste.page_request_pasid ? page.may_name_substream : page.may_be_plain) = true;
  };
  for (const Structures& one : met) allow(one.ste);
  for (const Kept& kept : keep_structures(question.stream_id, question.substream_id, met)) allow(kept.structures.ste);
}

void Judge::page_asked(const PageQuestion& question) {
  ++now_;
  pages_.push_back({question, now_});
  if (config_.pri) note_responses(pages_.back());
  if (page_queue_usable() && page_queue_used() >= uint64_t{1} << page_queue_log2()) page_queue_overflowed_ = true;
  if (page_queue_overflowed_)
    for (PageFlight& page : pages_) page.may_be_lost = true;
  // An overflow looks up the stream's entry for its response, and may record that it could not.
  if (!question.substream_valid || !(reg(RegisterId::kCr2) & smmuv3::kCr2RecordAtsErrors)) return;
  ClientAccess access;
  access.stream_id = question.stream_id;
  access.substream_id = question.substream_id;
  access.substream_valid = true;
  outcomes_of(access, {now_ - 1, now_ + 1, now_}, outcomes_);
  Owed owed;
  owed.maybe_none = true;
  owed.from = now_ - 1;
  owed.answered = now_;
  for (const Outcome& outcome : outcomes_)
    if (outcome.recorded && (outcome.record[0] & 0xff) <= static_cast<uint64_t>(smmuv3::EventType::kBadSte))
      owed.options.push_back({outcome.record, outcome.seen, true});
  if (!owed.options.empty()) owed_.push_back(std::move(owed));
}

bool Judge::page_bytes_written(uint64_t address, const void* data, size_t size_bytes, bool failed) {
  if (!config_.pri) return false;
  const unsigned log2 = page_queue_log2();
  const uint64_t base = field_in_place(reg(RegisterId::kPriqBase), 51, 5) & ~ones(std::max(log2 + kEntryLog2, 5u));
  if (address < base || address - base >= uint64_t{1} << (log2 + kEntryLog2) || size_bytes > 16) return false;
  const uint64_t slot = base + ((pages_produced_ & ones(log2)) << kEntryLog2);
  char text[160];
  if (!may_be_on(smmuv3::kCr0PriQueueEnable) || page_queue_used() >= uint64_t{1} << log2 ||
      (address & ~uint64_t{15}) != slot) {
    std::snprintf(text, sizeof text, "a page request was written to %#llx; the producer index is at %#llx, %llu used%s",
                  static_cast<unsigned long long>(address), static_cast<unsigned long long>(slot),
                  static_cast<unsigned long long>(page_queue_used()),
                  may_be_on(smmuv3::kCr0PriQueueEnable) ? "" : ", disabled");
    fail(Rule::kPageRecord, text);
  }
  if (failed) {
    cause_error(smmuv3::kGerrorPriAbort);
    page_bytes_ = 0;
    return true;
  }
  std::memcpy(reinterpret_cast<uint8_t*>(page_piece_.data()) + (address & 15), data, size_bytes);
  page_bytes_ |= ones(static_cast<unsigned>(size_bytes)) << (address & 15);
  if (page_bytes_ != ones(16)) return true;
  page_bytes_ = 0;
  const bool was_empty = page_queue_used() == 0;
  pages_produced_ = (pages_produced_ + 1) & ones(log2 + 1);
  const auto page = std::find_if(pages_.begin(), pages_.end(), [&](const PageFlight& one) {
    return !one.written && !one.responded && record_of(one.question) == page_piece_;
  });
  if (page == pages_.end()) {
    std::snprintf(text, sizeof text, "no page request is %016llx %016llx",
                  static_cast<unsigned long long>(page_piece_[0]), static_cast<unsigned long long>(page_piece_[1]));
    fail(Rule::kPageRecord, text);
    return true;
  }
  page->written = true;
  if (page->at > pages_overflowed_surely_)
    fail(Rule::kPageRecord, "a page request was written while software had not acknowledged an overflow");
  const bool last_only = reg(RegisterId::kPriqIrqCfg2) & kLastOnly;
  if (last_only ? page->question.last : was_empty) happened(kPagesSource);
  return true;
}

void Judge::page_answered(const PageAnswer& answer) {
  ++now_;
  if (!page_answers_expected_.empty() && same(page_answers_expected_.front(), answer)) {
    page_answers_expected_.pop_front();
    return;
  }
  for (PageFlight& page : pages_) {
    const PageQuestion& q = page.question;
    if (page.written || page.responded || stop_marker(q) || q.stream_id != answer.stream_id || q.group != answer.group)
      continue;
    if (answer.substream_valid && (!q.substream_valid || answer.substream_id != q.substream_id)) continue;
    const bool success = answer.substream_valid ? page.may_name_substream : page.may_be_plain;
    const bool lost =
        page.may_be_lost && q.last &&
        (answer.code == kSuccess ? success : answer.code == kFailure && page.may_fail && !answer.substream_valid);
    const bool refused = answer.code == kFailure && (!page_queue_usable() || !pages_usable_since(page.at));
    if (!lost && !refused) continue;
    page.responded = true;
    // Only an overflow gives a success by itself.
    if (answer.code == kSuccess) pages_overflowed_surely_ = std::min(pages_overflowed_surely_, now_);
    if (lost && (reg(RegisterId::kPriqIrqCfg2) & kLastOnly)) happened(kPagesSource);
    return;
  }
  char text[120];
  std::snprintf(text, sizeof text, "response %u for stream %#x group %u, which neither software nor the queue gave",
                answer.code, answer.stream_id, answer.group);
  fail(Rule::kPageAnswer, text);
}

bool Judge::pages_usable_since(Sequence from) const { return pages_unusable_until_ <= from; }

void Judge::settle_pages() {
  for (const PageFlight& page : pages_) {
    if (page.written || page.responded) continue;
    const PageQuestion& q = page.question;
    const bool no_response = stop_marker(q) || !q.last;
    // A request that is not the last of its group is dropped by an overflow; one that finds no queue is answered.
    if (no_response && (page.may_be_lost || stop_marker(q))) continue;
    if (!page_queue_usable() && stop_marker(q)) continue;
    char text[120];
    std::snprintf(text, sizeof text, "page request of stream %#x group %u was neither written nor answered",
                  q.stream_id, q.group);
    fail(Rule::kPageRecord, text);
  }
  pages_.clear();
  if (!page_answers_expected_.empty()) {
    fail(Rule::kPageAnswer, "a CMD_PRI_RESP is over and its response did not come");
    page_answers_expected_.clear();
  }
  if (!atc_expected_.empty() && atc_open_.empty()) {
    fail(Rule::kAtcInvalidation, "a CMD_ATC_INV is over and its invalidation did not come");
    atc_expected_.clear();
  }
}

}  // namespace lockstep::smmu_rtl_bridge
