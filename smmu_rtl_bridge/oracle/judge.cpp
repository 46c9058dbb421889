// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/judge.h"

#include <algorithm>
#include <cstdio>

namespace lockstep::smmu_rtl_bridge {

core::Result<std::unique_ptr<Judge>> Judge::make(const IdRegisters& registers, const JudgeProfile& profile) {
  const core::Result<tlm_models::smmuv3::Config> config = config_from_id_registers(registers);
  if (!config) return config.error();
  return std::make_unique<Judge>(*config, registers, profile);
}

Judge::Judge(const tlm_models::smmuv3::Config& config, const JudgeProfile& profile)
    : Judge(config, id_registers(config), profile) {}

Judge::Judge(const tlm_models::smmuv3::Config& config, const IdRegisters& registers, const JudgeProfile& profile)
    : config_(config),
      profile_(profile),
      log_(config_),
      evaluator_(config_, memory_, log_),
      registers_(config_),
      ids_(registers) {
  Control control;
  control.number = next_control_++;
  control.gbpa = static_cast<uint32_t>(reg(RegisterId::kGbpa));
  controls_.push_back(control);
}

void Judge::fail(Rule rule, std::string text) {
  ++failures_total_;
  used(rule);
  if (failures_.size() >= kFailuresMax) return;
  Failure failure;
  failure.rule = row(rule).name;
  failure.text = std::move(text);
  failure.sequence = now_for_report_ != 0 ? now_for_report_ : now_;
  failures_.push_back(std::move(failure));
}

void Judge::fail(Rule rule, uint64_t id, std::string text) {
  const size_t before = failures_.size();
  fail(rule, std::move(text));
  if (failures_.size() == before) return;
  failures_.back().access_id = id;
  failures_.back().has_access = true;
}

JudgeStatistics Judge::statistics() const {
  JudgeStatistics result = counts_;
  result.evaluations = evaluator_.evaluations();
  for (size_t i = 0; i < kRules; ++i)
    if (used_[i] != 0) result.by_rule[row(static_cast<Rule>(i)).name] = used_[i];
  return result;
}

void Judge::software_wrote(uint64_t address, const void* data, size_t size_bytes) {
  memory_.write(address, data, size_bytes, ++now_);
}

void Judge::memory_was(uint64_t address, const void* data, size_t size_bytes) {
  if (data != nullptr) {
    memory_.learn(address, data, size_bytes);
  } else {
    memory_.set_broken(address, true, 0);
  }
}

void Judge::page_broken(uint64_t page, bool broken) { memory_.set_broken(page, broken, ++now_); }

void Judge::device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                        bool failed) {
  ++now_;
  if (!failed) memory_.learn(address, data, size_bytes);
  // A pointer may lead a walk into the queue, whose attributes are other ones then.
  if (command_fetched(address, data, size_bytes, failed)) {
    if (size_bytes == 16) check_queue_attributes("command queue", attributes);
    return;
  }
  check_fetch_enabled(address);
  fetches_.push_back({address, now_, attributes, false, false, {}});
}

void Judge::device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes,
                             bool done, bool failed) {
  ++now_;
  check_fetch_enabled(address);
  fetches_.push_back({address, now_, attributes, false, false, {}});
  if (!done || failed) return;
  memory_.write(address, &desired, sizeof desired, now_);
  updates_.push_back({{address, expected, desired}, now_, false});
  ++counts_.updates;
}

// Nothing is under way but what software holds by a stall or what waits for room to stall.
void Judge::quiet() {
  ++now_;
  settle_commands();
  control_in_effect();
  settle_events();
  settle_flights();
  settle_pages();
  settle_interrupts();
  settle_fetches();
  const Sequence oldest = oldest_flight();
  for (const SeenUpdate& update : updates_) {
    if (update.explained || update.at >= oldest) continue;
    char text[160];
    std::snprintf(text, sizeof text, "descriptor at %#llx changed from %#llx to %#llx, which no access needed",
                  static_cast<unsigned long long>(update.update.address),
                  static_cast<unsigned long long>(update.update.expected),
                  static_cast<unsigned long long>(update.update.desired));
    // What a command asks to be fetched in advance is walked as for an access.
    const bool ahead = profile_.speculative_access_flag || update.at > prefetched_from_;
    if (ahead && sets_access_flag(update.update)) {
      used(Rule::kMaySetAccessFlag);
    } else {
      fail(Rule::kUpdateUnexpected, text);
    }
  }
  prefetched_from_ = kNever;
  std::erase_if(updates_, [&](const SeenUpdate& update) { return update.at < oldest; });
  memory_.set_floor(std::min(oldest, std::max(first_enabled_, log_.everything(now_))));
  while (controls_.size() > 1 && controls_.front().until <= oldest) controls_.pop_front();
  last_quiet_ = now_;
}

void Judge::finished() { quiet(); }

}  // namespace lockstep::smmu_rtl_bridge
