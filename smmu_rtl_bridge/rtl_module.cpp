// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_module.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/rtl_device/pin_bench.h"
#include "smmu_rtl_bridge/script/vocabulary.h"
#include "tlm_models/kernel/memory_access.h"
#include "tlm_models/smmuv3/smmu_device.h"
#include "tlm_models/smmuv3/tlm_extensions.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace model = tlm_models::smmuv3;

// A design that takes longer for one call hangs.
constexpr uint64_t kCyclesPerCallMax = 10'000'000;
constexpr uint64_t kPieceBytes = 64;
constexpr uint64_t kPageBytes = 4096;
// What says how far the queues are, and what is wrong with them.
constexpr uint32_t kTellingRegisters[] = {register_offset::kCmdqCons, register_offset::kEventqProd,
                                          register_offset::kGerror};

class RtlSmmuModule : public model::SmmuDevice,
                      public tlm::tlm_fw_transport_if<>,
                      public tlm::tlm_bw_transport_if<>,
                      Surroundings,
                      ClientData {
 public:
  RtlSmmuModule(sc_core::sc_module_name name, std::unique_ptr<Design> design, const RtlModuleOptions& options)
      : SmmuDevice(name, {4, 8}),
        complain_(options.complain),
        watcher_(options.watcher),
        records_(!options.design.waveform.empty()),
        upstream_("upstream0"),
        bench_(std::move(design), PinTiming(), *this) {
    bench_.set_data(this);
    bench_.set_log(options.design.pins);
    if (records_) bench_.set_waveform_window(options.design.waveform_from, options.design.waveform_to);
    if (watcher_)
      watcher_->connected([this](uint64_t page, void* data) { return read_page(page, data); },
                          [this] { return bench_.cycles(); });
    upstream_.bind(static_cast<tlm::tlm_fw_transport_if<>&>(*this));
    downstream.bind(static_cast<tlm::tlm_bw_transport_if<>&>(*this));
  }

  tlm::tlm_target_socket<>& upstream(unsigned) override { return upstream_; }
  // A design here has no stalls and no ATS, of which a listener would hear.
  void set_listener(unsigned, model::RequesterListener*) override {}

  void reset() override {
    Device::reset();
    bench_.reset();
  }

  // ---- registers

 protected:
  bool read_other(uint64_t offset, unsigned size_bytes, uint64_t, uint64_t& value) override {
    if (out_of_reach()) return false;
    const Inside inside(*this);
    return read_register(static_cast<uint32_t>(offset), size_bytes, value);
  }
  bool write_other(uint64_t offset, unsigned size_bytes, uint64_t, uint64_t value) override {
    if (out_of_reach()) return false;
    const Inside inside(*this);
    const auto place = static_cast<uint32_t>(offset);
    tell([&](Observer& o) { o.register_written(place, size_bytes, value); });
    const bool good = bench_.access_register(place, true, size_bytes, value);
    tell([&](Observer& o) { o.register_write_done(place); });
    run_until([&] { return bench_.idle(); }, "does not come to rest after a register was written");
    if (watcher_ && !broken()) {
      tell([](Observer& o) { o.quiet(); });
      for (const uint32_t telling : kTellingRegisters) {
        uint64_t told = 0;
        read_register(telling, 4, told);
      }
      end_waveform();
    }
    return good && !broken();
  }

 private:
  // Calls of the design come out of calls into it; what they reach must not lead back.
  struct Inside {
    explicit Inside(RtlSmmuModule& module) : module_(module) { module_.inside_ = true; }
    ~Inside() { module_.inside_ = false; }
    RtlSmmuModule& module_;
  };
  template <typename Call>
  void tell(Call call) {
    if (!watcher_ || watcher_->over()) return;
    for (Observer* observer : watcher_->observers()) call(*observer);
  }
  // A waveform shows what comes after, too.
  void end_waveform() {
    if (!records_ || !watcher_->over()) return;
    for (uint64_t cycles = 0; cycles < kCyclesAfter && !broken(); ++cycles) bench_.cycle();
    records_ = false;
  }
  bool read_register(uint32_t offset, unsigned size_bytes, uint64_t& value) {
    const bool good = bench_.access_register(offset, false, size_bytes, value) && !broken();
    if (good) tell([&](Observer& o) { o.register_read(offset, size_bytes, value); });
    return good;
  }
  bool out_of_reach() const { return inside_ || bench_.broken(); }
  bool broken() const { return bench_.broken() || hangs_; }

  template <typename Condition>
  bool run_until(Condition condition, const char* otherwise) {
    for (uint64_t cycles = 0; cycles < kCyclesPerCallMax; ++cycles) {
      if (condition()) return true;
      if (broken()) return false;
      bench_.cycle();
    }
    if (!hangs_) complain_("hang", std::string("the SMMU's design ") + otherwise);
    hangs_ = true;
    return false;
  }

  // ---- requesters

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override {
    auto* given = payload.get_extension<model::RequesterExtension>();
    model::RequesterExtension none;
    model::RequesterExtension& requester = given ? *given : none;
    requester.bytes_done = 0;
    requester.event = model::EventType::kNone;
    payload.set_dmi_allowed(false);
    if (payload.get_byte_enable_ptr() || payload.get_streaming_width() < payload.get_data_length()) {
      payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
      return;
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    requester.verdict = model::Verdict::kPassed;
    delay_ = &delay;
    const Inside inside(*this);
    while (requester.bytes_done < payload.get_data_length()) {
      const uint64_t address = payload.get_address() + requester.bytes_done;
      const uint64_t left = payload.get_data_length() - requester.bytes_done;
      const uint64_t size = std::min({left, kPieceBytes - address % kPieceBytes, kPageBytes - address % kPageBytes});
      if (!access_piece(payload, requester, address, static_cast<uint32_t>(size))) return;
      requester.bytes_done += static_cast<uint32_t>(size);
    }
  }

  bool access_piece(tlm::tlm_generic_payload& payload, model::RequesterExtension& requester, uint64_t address,
                    uint32_t size_bytes) {
    const model::Transaction& from = requester.transaction;
    ClientAccess access;
    access.id = ++last_id_;
    access.address = address;
    access.size_bytes = size_bytes;
    access.stream_id = from.stream_id;
    access.substream_id = from.substream_id;
    access.substream_valid = from.substream_valid;
    access.write = payload.is_write();
    access.atomic = from.atomic;
    access.instruction = from.instruction;
    access.privileged = from.privileged;
    access.translated = from.translated;
    access.attributes = model_side::smmuv3::to_pins(from.attributes);
    uint8_t* bytes = payload.get_data_ptr() + requester.bytes_done;
    piece_ = bytes;
    answer_.reset();
    bench_.set_write_data(access.write ? bytes : nullptr);
    tell([&](Observer& o) { o.accepted(access); });
    const bool answered = run_until([&] { return bench_.offer(access); }, "takes no access of a requester") &&
                          run_until([&] { return answer_.has_value(); }, "does not answer a requester");
    bench_.set_write_data(nullptr);
    // What it tells of a fault, it may tell after the answer; software that hears of the end looks for it.
    if (answered && (watcher_ || *answer_ != AccessEnd::kDone)) {
      run_until([&] { return bench_.idle(); }, "does not come to rest after an access");
      if (watcher_ && !broken()) {
        tell([](Observer& o) { o.quiet(); });
        end_waveform();
      }
    }
    if (!answered || *answer_ == AccessEnd::kAborted) {
      requester.verdict = model::Verdict::kAborted;
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return false;
    }
    // A failure downstream stays what the target made of it.
    if (*answer_ == AccessEnd::kFailed) {
      payload.set_response_status(downstream_status_);
      return false;
    }
    if (*answer_ == AccessEnd::kZero) {
      requester.verdict = model::Verdict::kIgnored;
      if (payload.is_read()) std::memset(bytes, 0, size_bytes);
    }
    return true;
  }

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    if (phase == tlm::BEGIN_REQ) b_transport(payload, delay);
    return tlm::TLM_COMPLETED;
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }
  unsigned transport_dbg(tlm::tlm_generic_payload&) override { return 0; }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

  // ---- what the design reaches

  bool transfer(tlm::tlm_command command, uint64_t address, void* data, size_t size_bytes,
                model::DownstreamExtension& extension, bool memory_only) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(static_cast<unsigned>(size_bytes));
    payload.set_streaming_width(static_cast<unsigned>(size_bytes));
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    payload.set_extension(&extension);
    // The SMMU's own accesses never reach registers.
    tlm_models::DmaExtension own;
    if (memory_only) payload.set_extension(&own);
    sc_core::sc_time none = sc_core::SC_ZERO_TIME;
    downstream->b_transport(payload, memory_only || !delay_ ? none : *delay_);
    payload.clear_extension(&extension);
    if (memory_only) payload.clear_extension(&own);
    if (!memory_only) downstream_status_ = payload.get_response_status();
    return payload.is_response_ok();
  }
  bool own_transfer(tlm::tlm_command command, uint64_t address, void* data, size_t size_bytes,
                    const Attributes& attributes) {
    model::DownstreamExtension extension;
    extension.origin = model::DownstreamExtension::Origin::kSmmu;
    extension.privileged = true;
    extension.attributes = model_side::smmuv3::from_pins(attributes);
    return transfer(command, address, data, size_bytes, extension, true);
  }

  bool read_page(uint64_t page, void* data) {
    return own_transfer(tlm::TLM_READ_COMMAND, page, data, kPageBytes, Attributes());
  }

  MemoryAnswer read(uint64_t address, void* data, size_t size_bytes, const Attributes& attributes) override {
    const bool done = own_transfer(tlm::TLM_READ_COMMAND, address, data, size_bytes, attributes);
    tell([&](Observer& o) { o.device_read(address, data, size_bytes, attributes, !done); });
    return done ? MemoryAnswer::kDone : MemoryAnswer::kBusError;
  }
  MemoryAnswer write(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes) override {
    const bool done = own_transfer(tlm::TLM_WRITE_COMMAND, address, const_cast<void*>(data), size_bytes, attributes);
    tell([&](Observer& o) { o.device_wrote(address, data, size_bytes, attributes, !done); });
    return done ? MemoryAnswer::kDone : MemoryAnswer::kBusError;
  }
  MemoryAnswer exchange(uint64_t, uint64_t, uint64_t, const Attributes&) override { return MemoryAnswer::kBusError; }

  MemoryAnswer forward(const ForwardedAccess& access) override {
    forwarded_ = access;
    tell([&](Observer& o) { o.forwarded(access); });
    return MemoryAnswer::kDone;
  }
  bool client_transfer(tlm::tlm_command command, uint64_t address, uint8_t* bytes, size_t size_bytes) {
    model::DownstreamExtension extension;
    extension.privileged = forwarded_.privileged;
    extension.instruction = forwarded_.instruction;
    extension.attributes = model_side::smmuv3::from_pins(forwarded_.attributes);
    return transfer(command, address, bytes, size_bytes, extension, false);
  }
  bool read(uint64_t, uint64_t address, uint8_t* bytes, size_t size_bytes) override {
    return client_transfer(tlm::TLM_READ_COMMAND, address, bytes, size_bytes);
  }
  bool write(uint64_t, uint64_t address, const uint8_t* bytes, size_t size_bytes) override {
    return client_transfer(tlm::TLM_WRITE_COMMAND, address, const_cast<uint8_t*>(bytes), size_bytes);
  }
  void arrived(uint64_t, const uint8_t* bytes, size_t size_bytes) override { std::memcpy(piece_, bytes, size_bytes); }

  void answered(uint64_t id, AccessEnd end) override {
    answer_ = end;
    tell([&](Observer& o) { o.answered(id, end); });
  }
  void ats_answered(const AtsAnswer&) override {}
  void page_answered(const PageAnswer&) override {}
  void invalidate_atc(const AtcInvalidation&) override {}

  void pulse(Wire wire) override {
    tell([&](Observer& o) { o.pulsed(wire); });
    tlm_models::IrqLine* lines[] = {&eventq_irq, &priq_irq, &cmdq_sync_irq, &gerror_irq};
    const auto index = static_cast<size_t>(wire);
    if (index >= std::size(lines)) return;
    lines[index]->set(true);
    lines[index]->set(false);
  }
  void broke_promise(const std::string& rule, const std::string& text) override { complain_(rule, text); }

  std::function<void(const std::string& rule, const std::string& text)> complain_;
  const std::shared_ptr<RtlModuleWatcher> watcher_;
  bool records_;
  tlm::tlm_target_socket<> upstream_;
  PinBench bench_;
  bool inside_ = false;
  bool hangs_ = false;
  sc_core::sc_time* delay_ = nullptr;  // of the requester's access that is under way
  uint64_t last_id_ = 0;
  uint8_t* piece_ = nullptr;
  std::optional<AccessEnd> answer_;
  ForwardedAccess forwarded_;
  tlm::tlm_response_status downstream_status_ = tlm::TLM_OK_RESPONSE;
};

}  // namespace

core::Result<RtlModuleFactory> make_rtl_module_factory(const RtlModuleOptions& options) {
  const auto make = design_maker(options.design);
  if (!make) return make.error();
  // Made here, where a file that cannot be written is still an error of the command.
  auto design = std::make_shared<std::unique_ptr<Design>>((*make)());
  if (!options.design.waveform.empty())
    if (const auto opened = open_waveform(**design, options.design.waveform); !opened) return opened.error();
  return RtlModuleFactory([design, options](const char* name) -> std::unique_ptr<model::SmmuDevice> {
    return std::make_unique<RtlSmmuModule>(name, std::move(*design), options);
  });
}

}  // namespace lockstep::smmu_rtl_bridge
