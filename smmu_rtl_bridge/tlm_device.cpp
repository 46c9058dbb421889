// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/tlm_device.h"

#include <deque>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/model_settings.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace model = tlm_models::smmuv3;

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
    const model::Transaction transaction = from_pins(access);
    if (!try_now(transaction)) waiting_.push_back(transaction);
    return true;
  }

  bool ask_ats(const AtsQuestion& question) override {
    surroundings_.ats_answered(to_pins(smmu_.translate_for_ats(from_pins(question)), question.id));
    return true;
  }

  bool ask_page(const PageQuestion& question) override {
    smmu_.page_request(from_pins(question));
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
    surroundings_.invalidate_atc(to_pins(invalidation));
    asking_atc_ = false;
    return atc_answer_;
  }
  void page_response(const model::PageResponse& response) override { surroundings_.page_answered(to_pins(response)); }
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
  const core::Result<model::Config> config = model_side::smmuv3::config_of(settings);
  if (!config) return config.error();
  return std::unique_ptr<Device>(std::make_unique<CoreDevice>(*config, surroundings));
}

bool is_model_setting(const std::string& name) {
  for (const model_side::smmuv3::SettingRow& row : model_side::smmuv3::kSettings)
    if (name == row.name) return true;
  return false;
}

core::Status check_settings(const DeviceSettings& settings) {
  const core::Result<model::Config> config = model_side::smmuv3::config_of(settings);
  if (!config) return config.error();
  return {};
}

}  // namespace lockstep::smmu_rtl_bridge
