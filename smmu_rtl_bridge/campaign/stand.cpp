// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/campaign/stand.h"

#include <cstring>

#include "smmu_rtl_bridge/names.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr size_t kRecordBytes = 32;

std::string text_of(const Answers::Answer& answer) {
  std::string text = name_of(answer.end);
  if (!answer.forwarded) return text;
  const ForwardedAccess& seen = answer.seen;
  return text + " at " + hex(seen.address) + " type " + hex(seen.attributes.type) + " share " +
         std::to_string(seen.attributes.shareability) + (seen.privileged ? " privileged" : "") +
         (seen.instruction ? " instruction" : "");
}

std::string text_of(const Answers::Record& record) {
  return hex(record[0]) + " " + hex(record[1]) + " " + hex(record[2]) + " " + hex(record[3]);
}

bool same(const Answers::Answer& first, const Answers::Answer& second) {
  if (first.end != second.end || first.forwarded != second.forwarded) return false;
  return !first.forwarded ||
         (first.seen.address == second.seen.address && first.seen.attributes == second.seen.attributes &&
          first.seen.privileged == second.seen.privileged && first.seen.instruction == second.seen.instruction);
}

}  // namespace

const Answers::Answer* Answers::find(uint64_t id) const {
  if (id < first_id || id - first_id >= by_id.size()) return nullptr;
  const Answer& answer = by_id[id - first_id];
  return answer.known ? &answer : nullptr;
}

Answers::Answer& Answers::of(uint64_t id) {
  if (by_id.empty()) first_id = id;
  if (id < first_id) {
    by_id.insert(by_id.begin(), first_id - id, Answer{});
    first_id = id;
  }
  if (id - first_id >= by_id.size()) by_id.resize(id - first_id + 1);
  Answer& answer = by_id[id - first_id];
  answer.known = true;
  return answer;
}

void Stand::here() {
  line_ = player_ != nullptr ? player_->current_line() : 0;
  cycle_ = device_ != nullptr ? device_->cycles() : 0;
}

void Stand::note() {
  found_ = true;
  here();
}

void Stand::differ(const char* rule, std::string text) {
  if (!difference_rule_.empty() || found_) return;
  difference_rule_ = rule;
  difference_ = std::move(text);
  here();
}

void Stand::device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                         bool failed) {
  const uint64_t before = judge_.counts().events;
  timed([&] { judge_.device_wrote(address, data, size_bytes, attributes, failed); });
  if (!keeps_answers_ || judge_.counts().events == before || size_bytes != kRecordBytes) return;
  Answers::Record record;
  std::memcpy(record.data(), data, sizeof record);
  answers_.events.insert(record);
}

void Stand::forwarded(const ForwardedAccess& access) {
  timed([&] { judge_.forwarded(access); });
  if (!keeps_answers_) return;
  Answers::Answer& answer = answers_.of(access.id);
  answer.forwarded = true;
  answer.seen = access;
}

void Stand::answered(uint64_t id, AccessEnd end) {
  const uint64_t one = judge_.counts().one_outcome;
  timed([&] { judge_.answered(id, end); });
  if (!keeps_answers_) return;
  Answers::Answer& answer = answers_.of(id);
  answer.end = end;
  answer.no_choice = judge_.counts().one_outcome != one;
  answers_.any_choice |= !answer.no_choice;
  if (!model_ || !answer.no_choice) return;
  const Answers::Answer* by_model = model_->find(id);
  if (by_model == nullptr) return differ("both.answer", "the model never answered access " + std::to_string(id));
  if (!by_model->no_choice || same(answer, *by_model)) return;
  differ("both.answer", "access " + std::to_string(id) + ": " + text_of(answer) + "; the model: " + text_of(*by_model));
}

// Records may be merged and lost; how many there are is a choice then.
uint64_t Stand::freedoms() const {
  const JudgeStatistics statistics = judge_.statistics();
  uint64_t taken = statistics.undecided;
  for (const char* freedom : {"may-merge-events", "may-lose-events", "may-hold-stalls"})
    if (const auto found = statistics.by_rule.find(freedom); found != statistics.by_rule.end()) taken += found->second;
  return taken;
}

const Answers& Stand::answers() {
  answers_.any_choice |= freedoms() != freedoms_forgotten_;
  return answers_;
}

void Stand::forget_difference() {
  difference_rule_.clear();
  difference_.clear();
}

void Stand::forget() {
  answers_ = {};
  freedoms_forgotten_ = freedoms();
  forget_difference();
}

void Stand::compare_events() {
  if (!model_ || model_->any_choice || answers().any_choice || answers_.events == model_->events) return;
  for (const Answers::Record& record : answers_.events)
    if (answers_.events.count(record) != model_->events.count(record))
      return differ("both.events", "event " + text_of(record) + " was recorded " +
                                       std::to_string(answers_.events.count(record)) + " times; by the model " +
                                       std::to_string(model_->events.count(record)));
  for (const Answers::Record& record : model_->events)
    if (!answers_.events.contains(record)) return differ("both.events", "the model recorded event " + text_of(record));
}

void Notes::answered(uint64_t id, AccessEnd) {
  if (model_) {
    const Answers::Answer* by_model = model_->find(id);
    out_ << "  model: client " << id << " " << (by_model == nullptr ? "without an answer" : text_of(*by_model)) << "\n";
  }
  tell();
}

void Notes::tell() {
  if (!judge_) return;
  for (; told_ < judge_->failures().size(); ++told_)
    out_ << "  ORACLE: " << judge_->failures()[told_].rule << ": " << judge_->failures()[told_].text << "\n";
}

}  // namespace lockstep::smmu_rtl_bridge
