// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/shadow/shadow.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "smmu_rtl_bridge/campaign/beside.h"
#include "smmu_rtl_bridge/names.h"
#include "smmu_rtl_bridge/script/vocabulary.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace at = register_offset;

constexpr uint32_t kIdRegistersEnd = 0x20, kStatusr = 0x40, kAgbpa = 0x48;
constexpr uint64_t kCommandQueueOn = 8, kEventQueueOn = 4, kPriQueueOn = 2;
constexpr uint64_t kGbpaUpdate = uint64_t{1} << 31;
constexpr uint64_t kOverflow = uint64_t{1} << 31;
constexpr uint64_t kCommandErrorField = uint64_t{0x7f} << 24;
constexpr uint64_t kCommandError = 1, kEventQueueError = 4;
constexpr unsigned kTerminateOnly = 1;

uint64_t word_of(const void* data, size_t size_bytes) {
  uint64_t value = 0;
  std::memcpy(&value, data, std::min(size_bytes, sizeof value));
  return value;
}

std::string name_of(uint32_t offset) {
  const RegisterName* row = find_register_at(offset);
  if (row == nullptr) return "the register at " + hex(offset);
  return "SMMU_" + std::string(row->name) + (offset != row->offset ? "+4" : "");
}

std::string text_of(const ClientAccess& access) {
  return "access " + std::to_string(access.id) + ", a " +
         (access.atomic        ? "read and write"
          : access.write       ? "write"
          : access.instruction ? "fetch"
                               : "read") +
         " of " + std::to_string(access.size_bytes) + " bytes at " + hex(access.address) + " by stream " +
         hex(access.stream_id) + (access.substream_valid ? "." + hex(access.substream_id) : "") +
         (access.privileged ? ", privileged" : "");
}

}  // namespace

// The model, and what it has around it: the watched memory, which it cannot change.
class Shadow::ModelSide : public Surroundings {
 public:
  explicit ModelSide(Shadow& shadow) : shadow_(shadow) {}

  MemoryAnswer read(uint64_t address, void* data, size_t size_bytes, const Attributes& attributes) override {
    const bool failed = !shadow_.memory_.read(address, data, size_bytes);
    shadow_.model_stand_->device_read(address, data, size_bytes, attributes, failed);
    return failed ? MemoryAnswer::kBusError : MemoryAnswer::kDone;
  }
  MemoryAnswer write(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes) override {
    const bool failed = shadow_.memory_.broken(address);
    if (!shadow_.wrote_record(*shadow_.model_stand_, address, data, size_bytes, attributes, failed) && !failed)
      shadow_.model_doings_.messages[address] = word_of(data, size_bytes);
    return failed ? MemoryAnswer::kBusError : MemoryAnswer::kDone;
  }
  // The model has no hardware updates here.
  MemoryAnswer exchange(uint64_t, uint64_t, uint64_t, const Attributes&) override { return MemoryAnswer::kBusError; }
  MemoryAnswer forward(const ForwardedAccess& access) override {
    shadow_.model_stand_->forwarded(access);
    return MemoryAnswer::kDone;
  }
  // Told when the device has answered too: how memory answers what is let through is known then.
  void answered(uint64_t id, AccessEnd end) override { shadow_.model_ends_[id] = end; }
  void ats_answered(const AtsAnswer&) override {}
  void page_answered(const PageAnswer&) override {}
  void invalidate_atc(const AtcInvalidation&) override {}
  void pulse(Wire wire) override {
    ++shadow_.model_doings_.pulses[static_cast<size_t>(wire)];
    shadow_.model_stand_->pulsed(wire);
  }

  std::unique_ptr<Device> device;

 private:
  Shadow& shadow_;
};

Shadow::~Shadow() = default;

core::Result<std::unique_ptr<Shadow>> Shadow::make(const IdRegisters& registers, const DeviceFactory& model) {
  const auto config = config_from_id_registers(registers);
  if (!config) return config.error();
  const auto refuse = [](const char* what) {
    return core::Error{std::string("its ID registers claim ") + what +
                       ", for which a design has no pins in a machine; make it without, or run without --shadow"};
  };
  if (config->ats || config->pri) return refuse("ATS or page requests (SMMU_IDR0.ATS, PRI)");
  if (static_cast<unsigned>(config->stall_model) != kTerminateOnly) return refuse("stalls (SMMU_IDR0.STALL_MODEL)");
  if (static_cast<unsigned>(config->hardware_update) != 0) return refuse("hardware updates (SMMU_IDR0.HTTU)");
  const auto settings = model_settings_for(registers);
  if (!settings) return settings.error();
  std::unique_ptr<Shadow> shadow(new Shadow);
  shadow->model_ = std::make_unique<ModelSide>(*shadow);
  auto device = model(*settings, *shadow->model_);
  if (!device) return device.error();
  shadow->model_->device = std::move(*device);
  auto device_judge = Judge::make(registers);
  if (!device_judge) return device_judge.error();
  shadow->device_judge_ = std::move(*device_judge);
  // The model may claim more than it needs to here, such as what it does with changes that are made without breaking.
  auto model_judge = Judge::make(id_registers_of(*shadow->model_->device));
  if (!model_judge) return model_judge.error();
  shadow->model_judge_ = std::move(*model_judge);
  shadow->model_stand_ = std::make_unique<Stand>(*shadow->model_judge_, nullptr, nullptr, true);
  shadow->device_stand_ = std::make_unique<Stand>(*shadow->device_judge_, nullptr, nullptr, true);
  shadow->device_stand_->compare_with(&shadow->model_stand_->answers());
  shadow->memory_.add_observer(*shadow->device_stand_);
  shadow->memory_.add_observer(*shadow->model_stand_);
  shadow->event_log2_max_ = config->event_queue_log2;
  return shadow;
}

ShadowCounts Shadow::counts() const {
  ShadowCounts counts = counts_;
  counts.events = device_judge_->counts().events;
  counts.commands = device_judge_->counts().commands;
  return counts;
}

void Shadow::differ(std::string rule, std::string text) {
  ++counts_.differences;
  ShadowDifference difference{std::move(rule), std::move(text), during_, counts_.accesses};
  if (differences_.size() < kDifferencesKept) differences_.push_back(difference);
  if (on_difference_) on_difference_(difference);
}

void Shadow::take_verdicts() {
  for (; device_failures_ < device_judge_->failures().size(); ++device_failures_) {
    const Failure& failure = device_judge_->failures()[device_failures_];
    differ(failure.rule, failure.text);
  }
  for (; model_failures_ < model_judge_->failures().size(); ++model_failures_) {
    const Failure& failure = model_judge_->failures()[model_failures_];
    const std::string_view rule = failure.rule;
    // What software acknowledges is the device's; a model whose event queue has other contents is not served right.
    if (parted_once_ && !rule.starts_with("answer-") && !rule.starts_with("forward-")) continue;
    differ(std::string("model.") + failure.rule, failure.text);
  }
}

// ---- software

uint64_t Shadow::model_register(uint32_t offset) const {
  uint64_t value = 0;
  model_->device->read_register(offset, 4, value);
  return value;
}

uint64_t Shadow::software_register(uint32_t offset) const {
  const auto found = written_.find(offset);
  return found == written_.end() ? 0 : found->second;
}

uint64_t Shadow::model_value_of_write(uint32_t offset, uint64_t value) const {
  if (offset != at::kEventqCons) return value;
  // Which of the model's records software would have taken is not to be said.
  if (parted_) return model_register(at::kEventqProd);
  return ((value ^ event_overflow_turned_) & ~event_index_mask_) | ((value - event_index_ahead_) & event_index_mask_);
}

void Shadow::write_model(uint32_t offset, unsigned size_bytes, uint64_t value) {
  model_stand_->register_written(offset, size_bytes, value);
  model_->device->write_register(offset, size_bytes, value);
  model_stand_->register_write_done(offset);
}

// Writing a record was answered by a bus error, and software has not said that it knows.
bool Shadow::model_queue_fails() const {
  return ((model_register(at::kGerror) ^ model_register(at::kGerrorN)) & kEventQueueError) != 0;
}

bool Shadow::model_queue_is_full() const {
  const uint64_t used = (model_register(at::kEventqProd) - model_register(at::kEventqCons)) & event_index_mask_;
  return used > event_index_mask_ / 2;
}

// The device's event queue is empty: so is the model's then, and both go on from here.
void Shadow::meet_again(uint64_t events_produced) {
  if (events_produced != software_register(at::kEventqCons)) return;
  const uint64_t model_produced = model_register(at::kEventqProd);
  if (model_queue_fails()) return;
  write_model(at::kEventqCons, 4, model_produced);
  event_index_ahead_ = (events_produced - model_produced) & event_index_mask_;
  event_overflow_turned_ = (events_produced ^ model_produced) & kOverflow;
  parted_ = false;
}

void Shadow::register_written(uint32_t offset, unsigned size_bytes, uint64_t value) {
  during_ = "a write of " + hex(value) + " to " + name_of(offset);
  at_rest_ = false;
  ++counts_.register_writes;
  memory_.catch_up();
  written_[offset] = value;
  // Indices begin where software says, for both.
  if (offset == at::kEventqProd) {
    event_index_ahead_ = event_overflow_turned_ = 0;
    parted_ = parted_once_ = false;
  }
  // What the register takes is for it to say.
  event_index_mask_ = (uint64_t{2} << std::min<uint64_t>(model_register(at::kEventqBase) & 31, event_log2_max_)) - 1;
  device_stand_->register_written(offset, size_bytes, value);
  write_model(offset, size_bytes, model_value_of_write(offset, value));
  take_verdicts();
}

void Shadow::register_write_done(uint32_t offset) {
  device_stand_->register_write_done(offset);
  take_verdicts();
}

void Shadow::register_read(uint32_t offset, unsigned size_bytes, uint64_t value) {
  during_ = "a read of " + name_of(offset);
  ++counts_.register_reads;
  if (parted_ && at_rest_ && offset == at::kEventqProd) meet_again(value & 0xffffffff);
  device_stand_->register_read(offset, size_bytes, value);
  uint64_t model_value = 0;
  model_->device->read_register(offset, size_bytes, model_value);
  model_stand_->register_read(offset, size_bytes, model_value);
  take_verdicts();
  if (at_rest_) compare_register(offset, size_bytes, value, model_value);
}

void Shadow::compare_register(uint32_t offset, unsigned size_bytes, uint64_t value, uint64_t model_value) {
  if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes != 0) return;
  for (unsigned part = 0; part < size_bytes; part += 4) {
    const uint64_t mine = value >> (8 * part) & 0xffffffff, other = model_value >> (8 * part) & 0xffffffff;
    if (differing(offset + part, mine, other) != 0)
      differ("both.register", name_of(offset + part) + " reads as " + hex(mine) + "; the model's: " + hex(other));
  }
}

// The bits of a word that must be alike and are not.
uint64_t Shadow::differing(uint32_t offset, uint64_t value, uint64_t model_value) const {
  // What a register is for is the same; who made it and what is left to the maker may differ. The judge holds ID
  // registers to themselves.
  if (offset < kIdRegistersEnd || offset == kStatusr || offset == kAgbpa || find_register_at(offset) == nullptr)
    return 0;
  const uint64_t control = software_register(at::kCr0);
  uint64_t compared = 0xffffffff;
  switch (offset) {
    case at::kGbpa:
      compared = ~kGbpaUpdate;
      break;
    case at::kCmdqCons: {
      // ERR means something while the error is active.
      if (!(control & kCommandQueueOn)) return 0;
      if (!((model_register(at::kGerror) ^ software_register(at::kGerrorN)) & kCommandError))
        compared = ~kCommandErrorField;
      break;
    }
    case at::kGerror:
      if (parted_once_) compared = ~kEventQueueError;
      break;
    case at::kEventqProd:
      if (parted_ || !(control & kEventQueueOn)) return 0;
      if (parted_once_) compared = ~kOverflow;
      model_value = ((model_value ^ event_overflow_turned_) & ~event_index_mask_) |
                    ((model_value + event_index_ahead_) & event_index_mask_);
      break;
    case at::kEventqCons:
      return 0;
    case at::kPriqProd:
      if (!(control & kPriQueueOn)) return 0;
      break;
    default:
      break;
  }
  return (value ^ model_value) & compared & 0xffffffff;
}

// ---- the device's own accesses

bool Shadow::wrote_record(Stand& stand, uint64_t address, const void* data, size_t size_bytes,
                          const Attributes& attributes, bool failed) {
  const Judge& judge = &stand == device_stand_.get() ? *device_judge_ : *model_judge_;
  const uint64_t before = judge.counts().events;
  stand.device_wrote(address, data, size_bytes, attributes, failed);
  return judge.counts().events != before;
}

void Shadow::device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                         bool failed) {
  memory_.device_read(address, data, size_bytes, failed);
  device_stand_->device_read(address, data, size_bytes, attributes, failed);
  take_verdicts();
}

void Shadow::device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                          bool failed) {
  if (!failed) memory_.device_wrote(address, data, size_bytes);
  if (!wrote_record(*device_stand_, address, data, size_bytes, attributes, failed) && !failed) {
    device_doings_.messages[address] = word_of(data, size_bytes);
    ++counts_.messages;
  }
  take_verdicts();
}

void Shadow::device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes,
                              bool done, bool failed) {
  device_stand_->device_exchanged(address, expected, desired, attributes, done, failed);
  take_verdicts();
}

// ---- requesters

void Shadow::accepted(const ClientAccess& access) {
  during_ = text_of(access);
  at_rest_ = false;
  memory_.catch_up();
  device_stand_->accepted(access);
  model_stand_->accepted(access);
  if (open_.size() < kOpenMax) open_[access.id] = access;
  model_->device->offer(access);
  take_verdicts();
}

void Shadow::forwarded(const ForwardedAccess& access) {
  device_stand_->forwarded(access);
  take_verdicts();
}

void Shadow::answered(uint64_t id, AccessEnd end) {
  ++counts_.accesses;
  if (const auto found = open_.find(id); found != open_.end()) {
    during_ = text_of(found->second);
    open_.erase(found);
  }
  if (const auto found = model_ends_.find(id); found != model_ends_.end()) {
    const bool let_through = found->second == AccessEnd::kDone;
    model_stand_->answered(id, let_through && end == AccessEnd::kFailed ? end : found->second);
    model_ends_.erase(found);
  }
  const uint64_t before = device_judge_->counts().one_outcome;
  device_stand_->answered(id, end);
  counts_.no_choice += device_judge_->counts().one_outcome - before;
  take_verdicts();
  if (device_stand_->difference_rule().empty()) return;
  differ(device_stand_->difference_rule(), device_stand_->difference());
  device_stand_->forget_difference();
}

void Shadow::pulsed(Wire wire) {
  ++counts_.interrupts;
  ++device_doings_.pulses[static_cast<size_t>(wire)];
  device_stand_->pulsed(wire);
  take_verdicts();
}

// ---- all is quiet

void Shadow::quiet() {
  device_stand_->quiet();
  model_stand_->quiet();
  take_verdicts();
  compare_at_rest();
  device_stand_->forget();
  model_stand_->forget();
  device_doings_ = {};
  model_doings_ = {};
  at_rest_ = true;
}

void Shadow::compare_at_rest() {
  const Answers& mine = device_stand_->answers();
  const Answers& other = model_stand_->answers();
  if (mine.any_choice || other.any_choice) {
    parted_ = parted_ || mine.events != other.events || device_doings_.pulses != model_doings_.pulses;
    // Of a full queue nobody sees whose record was lost.
    parted_once_ = parted_once_ || parted_ || model_queue_is_full();
    return;
  }
  // Software that acknowledges the device's errors may leave the model's.
  parted_ = parted_ || (parted_once_ && model_queue_fails());
  if (parted_) return;
  if (mine.events != other.events) {
    device_stand_->compare_events();
    if (!device_stand_->difference_rule().empty())
      differ(device_stand_->difference_rule(), device_stand_->difference());
  }
  // An event wakes whoever waits for one; that it comes more often harms nobody.
  for (size_t wire = 0; wire < static_cast<size_t>(Wire::kSendEvent); ++wire) {
    const bool here = device_doings_.pulses[wire] != 0, there = model_doings_.pulses[wire] != 0;
    if (here == there) continue;
    differ("both.interrupt", std::string("the wire of the ") + name_of(static_cast<Wire>(wire)) +
                                 (here ? " was pulsed; the model's was not" : " was not pulsed; the model's was"));
  }
  if (device_doings_.messages == model_doings_.messages) return;
  for (const auto& [address, data] : device_doings_.messages) {
    const auto found = model_doings_.messages.find(address);
    if (found != model_doings_.messages.end() && found->second == data) continue;
    return differ("both.message", hex(data) + " was written to " + hex(address) + "; by the model: " +
                                      (found == model_doings_.messages.end() ? "nothing" : hex(found->second)));
  }
  for (const auto& [address, data] : model_doings_.messages)
    if (!device_doings_.messages.contains(address))
      return differ("both.message", "the model wrote " + hex(data) + " to " + hex(address) + "; the device nothing");
}

}  // namespace lockstep::smmu_rtl_bridge
