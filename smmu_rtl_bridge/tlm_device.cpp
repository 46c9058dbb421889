// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/tlm_device.h"

#include <deque>

#include "smmu_rtl_bridge/model_pins.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace pins = smmu_rtl_bridge::smmuv3;
namespace model = tlm_models::smmuv3;
using pins::from_pins;
using pins::to_pins;

class CoreDevice : public Device, model::MemoryPort, model::Environment {
 public:
  CoreDevice(const model::Config& config, Surroundings& surroundings)
      : surroundings_(surroundings), smmu_(config, *this, *this) {}

  void reset() override {
    smmu_.reset();
    waiting_.clear();
  }

  bool read_register(uint32_t offset, unsigned size_bytes, uint64_t& value) override {
    value = smmu_.read_register(offset, size_bytes);
    return true;
  }

  bool write_register(uint32_t offset, unsigned size_bytes, uint64_t value) override {
    smmu_.write_register(offset, size_bytes, value);
    retry_waiting();
    return true;
  }

  bool offer(const ClientAccess& access) override {
    model::Transaction transaction;
    transaction.address = access.address;
    transaction.stream_id = access.stream_id;
    transaction.substream_id = access.substream_id;
    transaction.substream_valid = access.substream_valid;
    transaction.write = access.write;
    transaction.atomic = access.atomic;
    transaction.instruction = access.instruction;
    transaction.privileged = access.privileged;
    transaction.translated = access.translated;
    transaction.attributes = from_pins(access.attributes);
    transaction.token = access.id;
    if (!try_now(transaction)) waiting_.push_back(transaction);
    return true;
  }

  bool ask_ats(const AtsQuestion& question) override {
    model::AtsRequest request;
    request.address = question.address;
    request.stream_id = question.stream_id;
    request.substream_id = question.substream_id;
    request.substream_valid = question.substream_valid;
    request.no_write = question.no_write;
    request.execute = question.execute;
    request.privileged = question.privileged;
    const model::AtsCompletion completion = smmu_.translate_for_ats(request);
    AtsAnswer answer;
    answer.id = question.id;
    answer.status = static_cast<uint8_t>(completion.status);
    answer.read = completion.read;
    answer.write = completion.write;
    answer.execute = completion.execute;
    answer.privileged = completion.privileged;
    answer.size_log2 = completion.size_log2;
    answer.address = completion.address;
    surroundings_.ats_answered(answer);
    return true;
  }

  bool ask_page(const PageQuestion& question) override {
    model::PageRequest request;
    request.address = question.address & ~uint64_t{0xfff};
    request.stream_id = question.stream_id;
    request.substream_id = question.substream_id;
    request.substream_valid = question.substream_valid;
    request.group = question.group;
    request.last = question.last;
    request.read = question.read;
    request.write = question.write;
    request.execute = question.execute;
    request.privileged = question.privileged;
    smmu_.page_request(request);
    return true;
  }

  void atc_invalidation_done(bool timed_out) override {
    if (asking_atc_) {
      atc_answer_ = timed_out ? model::AtcAnswer::kTimedOut : model::AtcAnswer::kDone;
      asking_atc_ = false;
      return;
    }
    smmu_.atc_invalidated(timed_out);
    retry_waiting();
  }

  void tick(unsigned) override {
    if (!smmu_.config().deferred_updates) return;
    smmu_.complete_updates();
    retry_waiting();
  }

  bool idle() const override { return true; }

 private:
  // model::MemoryPort
  bool read(uint64_t address, void* data, size_t size_bytes, const model::MemoryAttributes& attributes,
            model::AccessKind) override {
    return surroundings_.read(address, data, size_bytes, to_pins(attributes)) == MemoryAnswer::kDone;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const model::MemoryAttributes& attributes,
             model::AccessKind) override {
    return surroundings_.write(address, data, size_bytes, to_pins(attributes)) == MemoryAnswer::kDone;
  }
  model::ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                 const model::MemoryAttributes& attributes, model::AccessKind) override {
    switch (surroundings_.exchange(address, expected, desired, to_pins(attributes))) {
      case MemoryAnswer::kDone:
        return model::ExchangeResult::kDone;
      case MemoryAnswer::kChanged:
        return model::ExchangeResult::kChanged;
      case MemoryAnswer::kBusError:
        break;
    }
    return model::ExchangeResult::kBusError;
  }

  // model::Environment
  void raise(model::Interrupt interrupt) override {
    constexpr Wire kWires[] = {Wire::kEventQueue, Wire::kPriQueue, Wire::kCommandSync, Wire::kGlobalError};
    surroundings_.pulse(kWires[static_cast<size_t>(interrupt)]);
  }
  void send_event() override { surroundings_.pulse(Wire::kSendEvent); }
  void resolved(uint64_t token, const model::TranslateResult& result) override { finish(token, result); }
  model::AtcAnswer invalidate_atc(const model::AtcInvalidation& invalidation) override {
    asking_atc_ = true;
    atc_answer_ = model::AtcAnswer::kPending;
    surroundings_.invalidate_atc({invalidation.stream_id, invalidation.substream_id, invalidation.substream_valid,
                                  invalidation.global, invalidation.address, invalidation.size_log2});
    asking_atc_ = false;
    return atc_answer_;
  }
  void page_response(const model::PageResponse& response) override {
    surroundings_.page_answered({response.stream_id, response.substream_id, response.substream_valid, response.group,
                                 static_cast<uint8_t>(response.code)});
  }
  // Whatever goes downstream is answered inside the call.
  bool downstream_quiet() override { return true; }

  // False where it must wait for room among the stalled.
  bool try_now(const model::Transaction& transaction) {
    const model::TranslateResult result = smmu_.translate(transaction);
    if (result.outcome == model::Outcome::kNoRoom) return false;
    finish(transaction.token, result);
    return true;
  }

  void finish(uint64_t token, const model::TranslateResult& result) {
    switch (result.outcome) {
      case model::Outcome::kPass: {
        const ForwardedAccess access{token, result.address, result.instruction, result.privileged,
                                     to_pins(result.attributes)};
        const bool done = surroundings_.forward(access) == MemoryAnswer::kDone;
        surroundings_.answered(token, done ? AccessEnd::kDone : AccessEnd::kFailed);
        break;
      }
      case model::Outcome::kAbort:
        surroundings_.answered(token, AccessEnd::kAborted);
        break;
      case model::Outcome::kZeroIgnored:
        surroundings_.answered(token, AccessEnd::kZero);
        break;
      case model::Outcome::kStalled:
      case model::Outcome::kNoRoom:
        break;
    }
  }

  // Whoever was held upstream tries again whenever software has done something: not only room may have come, but also a
  // configuration that does not make it stall.
  void retry_waiting() {
    for (size_t tries = waiting_.size(); tries != 0 && !waiting_.empty(); --tries) {
      const model::Transaction transaction = waiting_.front();
      waiting_.pop_front();
      if (!try_now(transaction)) waiting_.push_back(transaction);
    }
  }

  Surroundings& surroundings_;
  model::Smmu smmu_;
  std::deque<model::Transaction> waiting_;
  bool asking_atc_ = false;
  model::AtcAnswer atc_answer_ = model::AtcAnswer::kPending;
};

}  // namespace

core::Result<std::unique_ptr<Device>> make_core_device(const DeviceSettings& settings, Surroundings& surroundings) {
  const core::Result<model::Config> config = pins::config_of(settings);
  if (!config) return config.error();
  return std::unique_ptr<Device>(std::make_unique<CoreDevice>(*config, surroundings));
}

bool is_model_setting(const std::string& name) {
  for (const pins::SettingRow& row : pins::kSettings)
    if (name == row.name) return true;
  return false;
}

core::Status check_settings(const DeviceSettings& settings) {
  const core::Result<model::Config> config = pins::config_of(settings);
  if (!config) return config.error();
  return {};
}

}  // namespace lockstep::smmu_rtl_bridge
