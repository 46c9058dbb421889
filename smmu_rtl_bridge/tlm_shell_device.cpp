// SPDX-License-Identifier: Apache-2.0
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <systemc>
#include <tlm>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/model_settings.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tlm_models/smmuv3/smmu_module.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace model = tlm_models::smmuv3;

constexpr size_t kAccessBytesMax = 64;

// Everything around the module: software's port, one client, memory. Time does not pass: the module's calls return when
// their work is done.
class TlmDevice : public sc_core::sc_module, public Device, public model::RequesterListener {
 public:
  TlmDevice(sc_core::sc_module_name name, const model::SmmuModuleConfig& config, Surroundings& surroundings)
      : sc_module(name), surroundings_(surroundings), deferred_(config.core.deferred_updates), smmu_("smmu", config) {
    smmu_.set_listener(0, this);
    registers_.bind(smmu_.socket);
    client_.bind(smmu_.upstream(0));
    smmu_.downstream.bind(memory_);
    memory_.register_b_transport(this, &TlmDevice::b_transport);
    const auto wire = [this](tlm_models::IrqLine& line, Wire wire) {
      line.connect([this, wire](bool level) {
        if (level) surroundings_.pulse(wire);
      });
    };
    wire(smmu_.eventq_irq, Wire::kEventQueue);
    wire(smmu_.priq_irq, Wire::kPriQueue);
    wire(smmu_.cmdq_sync_irq, Wire::kCommandSync);
    wire(smmu_.gerror_irq, Wire::kGlobalError);
    smmu_.set_event_sink([this] { surroundings_.pulse(Wire::kSendEvent); });
  }

  void reset() override {
    smmu_.reset();
    waiting_.clear();
    stalled_.clear();
  }

  bool read_register(uint32_t offset, unsigned size_bytes, uint64_t& value) override {
    value = 0;
    return register_access(tlm::TLM_READ_COMMAND, offset, size_bytes, value);
  }

  bool write_register(uint32_t offset, unsigned size_bytes, uint64_t value) override {
    const bool done = register_access(tlm::TLM_WRITE_COMMAND, offset, size_bytes, value);
    retry_waiting();
    return done;
  }

  bool offer(const ClientAccess& access) override {
    if (!try_now(access)) waiting_.push_back(access);
    return true;
  }

  bool ask_ats(const AtsQuestion& question) override {
    surroundings_.ats_answered(to_pins(smmu_.ats(0).translate(from_pins(question)), question.id));
    return true;
  }

  bool ask_page(const PageQuestion& question) override {
    smmu_.ats(0).page_request(from_pins(question));
    return true;
  }

  void atc_invalidation_done(bool timed_out) override {
    if (asking_atc_) {
      atc_answer_ = timed_out ? model::AtcAnswer::kTimedOut : model::AtcAnswer::kDone;
      asking_atc_ = false;
      return;
    }
    smmu_.ats(0).invalidated(timed_out);
    retry_waiting();
  }

  void tick(unsigned) override {
    if (deferred_) smmu_.complete_updates();
    retry_waiting();
  }

  bool idle() const override { return true; }

  // model::RequesterListener
  void stall_ended(const model::StallEnd& end) override {
    if (end.outcome == model::Outcome::kPass) {
      const auto access = stalled_.find(end.token);
      if (access == stalled_.end()) return;
      const ClientAccess repeated = access->second;
      stalled_.erase(access);
      try_now(repeated);
      return;
    }
    stalled_.erase(end.token);
    surroundings_.answered(end.token,
                           end.outcome == model::Outcome::kZeroIgnored ? AccessEnd::kZero : AccessEnd::kAborted);
  }
  model::AtcAnswer invalidate_atc(const model::AtcInvalidation& invalidation) override {
    asking_atc_ = true;
    atc_answer_ = model::AtcAnswer::kPending;
    surroundings_.invalidate_atc(to_pins(invalidation));
    asking_atc_ = false;
    return atc_answer_;
  }
  void page_response(const model::PageResponse& response) override { surroundings_.page_answered(to_pins(response)); }

 private:
  static void prepare(tlm::tlm_generic_payload& payload, tlm::tlm_command command, uint64_t address, void* data,
                      size_t size_bytes) {
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(static_cast<unsigned>(size_bytes));
    payload.set_streaming_width(static_cast<unsigned>(size_bytes));
    payload.set_byte_enable_ptr(nullptr);
    payload.set_dmi_allowed(false);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }

  bool register_access(tlm::tlm_command command, uint32_t offset, unsigned size_bytes, uint64_t& value) {
    tlm::tlm_generic_payload payload;
    prepare(payload, command, offset, &value, size_bytes);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    registers_->b_transport(payload, delay);
    return payload.is_response_ok();
  }

  // False where it must be tried again when a stall is free.
  bool try_now(const ClientAccess& access) {
    std::array<unsigned char, kAccessBytesMax> data{};
    tlm::tlm_generic_payload payload;
    prepare(payload, access.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, access.address, data.data(),
            std::min<size_t>(access.size_bytes, kAccessBytesMax));
    model::RequesterExtension requester;
    requester.transaction = from_pins(access);
    requester.token = access.id;
    payload.set_extension(&requester);
    client_id_ = access.id;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    client_->b_transport(payload, delay);
    payload.clear_extension(&requester);
    switch (requester.verdict) {
      case model::Verdict::kPassed:
        surroundings_.answered(access.id, payload.is_response_ok() ? AccessEnd::kDone : AccessEnd::kFailed);
        break;
      case model::Verdict::kAborted:
        surroundings_.answered(access.id, AccessEnd::kAborted);
        break;
      case model::Verdict::kIgnored:
        surroundings_.answered(access.id, AccessEnd::kZero);
        break;
      case model::Verdict::kStalled:
        stalled_[access.id] = access;
        break;
      case model::Verdict::kHeld:
        return false;
    }
    return true;
  }

  // Whenever software has done something: not only room may have come, but also a configuration that does not make an
  // access stall.
  void retry_waiting() {
    for (size_t tries = waiting_.size(); tries != 0 && !waiting_.empty(); --tries) {
      const ClientAccess access = waiting_.front();
      waiting_.pop_front();
      if (!try_now(access)) waiting_.push_back(access);
    }
  }

  // Memory, where everything that leaves the SMMU arrives.
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    const auto* extension = payload.get_extension<model::DownstreamExtension>();
    const Attributes attributes = to_pins(extension->attributes);
    MemoryAnswer answer = MemoryAnswer::kDone;
    const uint64_t address = payload.get_address();
    const size_t size_bytes = payload.get_data_length();
    if (extension->origin == model::DownstreamExtension::Origin::kRequester) {
      answer = surroundings_.forward({client_id_, address, extension->instruction, extension->privileged, attributes});
    } else if (payload.is_read()) {
      answer = surroundings_.read(address, payload.get_data_ptr(), size_bytes, attributes);
      if (is_update(extension->kind)) std::memcpy(&expected_, payload.get_data_ptr(), sizeof expected_);
    } else if (is_update(extension->kind)) {
      // A change in one piece comes as a read and a write with nothing between them.
      uint64_t desired = 0;
      std::memcpy(&desired, payload.get_data_ptr(), sizeof desired);
      answer = surroundings_.exchange(address, expected_, desired, attributes);
    } else {
      answer = surroundings_.write(address, payload.get_data_ptr(), size_bytes, attributes);
    }
    payload.set_response_status(answer == MemoryAnswer::kDone ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  static bool is_update(model::AccessKind kind) {
    return kind == model::AccessKind::kStage1Update || kind == model::AccessKind::kStage2Update;
  }

  Surroundings& surroundings_;
  bool deferred_;
  model::SmmuModule smmu_;
  tlm_utils::simple_initiator_socket<TlmDevice> registers_{"registers"};
  tlm_utils::simple_initiator_socket<TlmDevice> client_{"client"};
  tlm_utils::simple_target_socket<TlmDevice> memory_{"memory"};
  uint64_t client_id_ = 0;
  uint64_t expected_ = 0;
  std::deque<ClientAccess> waiting_;
  std::map<uint64_t, ClientAccess> stalled_;
  bool asking_atc_ = false;
  model::AtcAnswer atc_answer_ = model::AtcAnswer::kPending;
};

}  // namespace

core::Result<std::unique_ptr<Device>> make_tlm_device(const DeviceSettings& settings, Surroundings& surroundings) {
  model::SmmuModuleConfig config;
  auto core = model_side::smmuv3::config_of(settings);
  if (!core) return core.error();
  config.core = *core;
  if (sc_core::sc_get_status() != sc_core::SC_ELABORATION)
    return core::Error{"SystemC has been started in this process already: one TLM device a process."};
  auto device = std::make_unique<TlmDevice>("bench", config, surroundings);
  // Sockets are bound when the simulation begins.
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace lockstep::smmu_rtl_bridge
