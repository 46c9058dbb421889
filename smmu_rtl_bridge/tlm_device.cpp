// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/tlm_device.h"

#include <charconv>
#include <deque>

#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace smmuv3 = tlm_models::smmuv3;

// One setting: a name and how a number becomes a field.
struct SettingRow {
  const char* name;
  void (*apply)(smmuv3::Config& config, uint64_t value);
  uint64_t largest;
};

// clang-format off
#define LOCKSTEP_FLAG(field) {#field, [](smmuv3::Config& c, uint64_t v) { c.field = v != 0; }, 1}
#define LOCKSTEP_NUMBER(field, most) \
  {#field, [](smmuv3::Config& c, uint64_t v) { c.field = static_cast<decltype(c.field)>(v); }, most}
constexpr SettingRow kSettings[] = {
    LOCKSTEP_FLAG(stage1), LOCKSTEP_FLAG(stage2), LOCKSTEP_FLAG(hypervisor), LOCKSTEP_FLAG(ats),
    LOCKSTEP_FLAG(no_split_stage_ats), LOCKSTEP_FLAG(pri), LOCKSTEP_FLAG(msi), LOCKSTEP_FLAG(send_event),
    LOCKSTEP_FLAG(asid16), LOCKSTEP_FLAG(vmid16), LOCKSTEP_FLAG(vmid_wildcards), LOCKSTEP_FLAG(broadcast),
    LOCKSTEP_FLAG(coherent_access), LOCKSTEP_FLAG(two_level_cd), LOCKSTEP_FLAG(two_level_stream_table),
    LOCKSTEP_FLAG(range_invalidation), LOCKSTEP_FLAG(force_write_back), LOCKSTEP_FLAG(small_translation_tables),
    LOCKSTEP_FLAG(attribute_types_override), LOCKSTEP_FLAG(attribute_perms_override),
    LOCKSTEP_FLAG(ats_record_errors), LOCKSTEP_FLAG(pasid_in_auto_response), LOCKSTEP_FLAG(granule_4k),
    LOCKSTEP_FLAG(granule_16k), LOCKSTEP_FLAG(granule_64k), LOCKSTEP_FLAG(va52),
    LOCKSTEP_FLAG(terminate_abort_only), LOCKSTEP_NUMBER(hardware_update, 2), LOCKSTEP_NUMBER(table_endianness, 3),
    LOCKSTEP_NUMBER(stall_model, 2), LOCKSTEP_NUMBER(oas_bits, 52), LOCKSTEP_NUMBER(stream_id_bits, 32),
    LOCKSTEP_NUMBER(substream_id_bits, 20), LOCKSTEP_NUMBER(command_queue_log2, 19),
    LOCKSTEP_NUMBER(event_queue_log2, 19), LOCKSTEP_NUMBER(pri_queue_log2, 19),
    LOCKSTEP_NUMBER(stalled_transactions_max, 65535), LOCKSTEP_NUMBER(implementer, 0xffffffff),
    LOCKSTEP_NUMBER(gbpa_reset, 0xffffffff), LOCKSTEP_NUMBER(tlb_sets_log2, 16), LOCKSTEP_NUMBER(tlb_ways, 64),
    LOCKSTEP_FLAG(tlb), LOCKSTEP_FLAG(stage1_walk_cache), LOCKSTEP_FLAG(stage2_cache), LOCKSTEP_FLAG(config_cache),
    LOCKSTEP_NUMBER(config_cache_log2, 16), LOCKSTEP_FLAG(merge_events), LOCKSTEP_FLAG(deferred_updates),
};
#undef LOCKSTEP_FLAG
#undef LOCKSTEP_NUMBER
// clang-format on

core::Result<smmuv3::Config> config_of(const DeviceSettings& settings) {
  smmuv3::Config config;
  for (const Setting& setting : settings) {
    const SettingRow* row = nullptr;
    for (const SettingRow& candidate : kSettings)
      if (setting.name == candidate.name) row = &candidate;
    if (!row)
      return core::Error{"device setting '" + setting.name +
                         "' is not known; settings are the fields of tlm_models/smmuv3/config.h."};
    const std::string& text = setting.value;
    const bool hex = text.starts_with("0x");
    uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data() + (hex ? 2 : 0), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size() || value > row->largest)
      return core::Error{"device setting " + setting.name + "=" + text + ": use a number from 0 to " +
                         std::to_string(row->largest) + "."};
    row->apply(config, value);
  }
  if (const core::Status status = smmuv3::check(config); !status) return status.error();
  return config;
}

// One level of a Normal type as MAIR encodes it. Hints of a transient level without hints are gone already, because its
// encoding means something else.
unsigned mair_of(const smmuv3::CacheLevel& level) {
  if (level.policy == smmuv3::Cacheability::kNonCacheable) return 4;
  const unsigned back = level.policy == smmuv3::Cacheability::kWriteBack ? 4 : 0;
  const unsigned hints = (level.read_allocate ? 2 : 0) | (level.write_allocate ? 1 : 0);
  return (level.transient ? 0 : 8) | back | hints;
}

Attributes to_pins(const smmuv3::MemoryAttributes& attributes) {
  Attributes result;
  result.type = static_cast<uint8_t>(attributes.device ? static_cast<unsigned>(attributes.device_type) << 2
                                                       : mair_of(attributes.outer) << 4 | mair_of(attributes.inner));
  result.shareability = static_cast<uint8_t>(attributes.shareability);
  result.secure = attributes.secure;
  return result;
}

smmuv3::MemoryAttributes from_pins(const Attributes& attributes) {
  smmuv3::MemoryAttributes result = smmuv3::from_mair(attributes.type, attributes.shareability);
  result.secure = attributes.secure;
  return result;
}

class CoreDevice : public Device, smmuv3::MemoryPort, smmuv3::Environment {
 public:
  CoreDevice(const smmuv3::Config& config, Surroundings& surroundings)
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
    smmuv3::Transaction transaction;
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
    smmuv3::AtsRequest request;
    request.address = question.address;
    request.stream_id = question.stream_id;
    request.substream_id = question.substream_id;
    request.substream_valid = question.substream_valid;
    request.no_write = question.no_write;
    request.execute = question.execute;
    request.privileged = question.privileged;
    const smmuv3::AtsCompletion completion = smmu_.translate_for_ats(request);
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
    smmuv3::PageRequest request;
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
      atc_answer_ = timed_out ? smmuv3::AtcAnswer::kTimedOut : smmuv3::AtcAnswer::kDone;
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
  // smmuv3::MemoryPort
  bool read(uint64_t address, void* data, size_t size_bytes, const smmuv3::MemoryAttributes& attributes,
            smmuv3::AccessKind) override {
    return surroundings_.read(address, data, size_bytes, to_pins(attributes)) == MemoryAnswer::kDone;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const smmuv3::MemoryAttributes& attributes,
             smmuv3::AccessKind) override {
    return surroundings_.write(address, data, size_bytes, to_pins(attributes)) == MemoryAnswer::kDone;
  }
  smmuv3::ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                  const smmuv3::MemoryAttributes& attributes, smmuv3::AccessKind) override {
    switch (surroundings_.exchange(address, expected, desired, to_pins(attributes))) {
      case MemoryAnswer::kDone:
        return smmuv3::ExchangeResult::kDone;
      case MemoryAnswer::kChanged:
        return smmuv3::ExchangeResult::kChanged;
      case MemoryAnswer::kBusError:
        break;
    }
    return smmuv3::ExchangeResult::kBusError;
  }

  // smmuv3::Environment
  void raise(smmuv3::Interrupt interrupt) override {
    constexpr Wire kWires[] = {Wire::kEventQueue, Wire::kPriQueue, Wire::kCommandSync, Wire::kGlobalError};
    surroundings_.pulse(kWires[static_cast<size_t>(interrupt)]);
  }
  void send_event() override { surroundings_.pulse(Wire::kSendEvent); }
  void resolved(uint64_t token, const smmuv3::TranslateResult& result) override { finish(token, result); }
  smmuv3::AtcAnswer invalidate_atc(const smmuv3::AtcInvalidation& invalidation) override {
    asking_atc_ = true;
    atc_answer_ = smmuv3::AtcAnswer::kPending;
    surroundings_.invalidate_atc({invalidation.stream_id, invalidation.substream_id, invalidation.substream_valid,
                                  invalidation.global, invalidation.address, invalidation.size_log2});
    asking_atc_ = false;
    return atc_answer_;
  }
  void page_response(const smmuv3::PageResponse& response) override {
    surroundings_.page_answered({response.stream_id, response.substream_id, response.substream_valid, response.group,
                                 static_cast<uint8_t>(response.code)});
  }
  // Whatever goes downstream is answered inside the call.
  bool downstream_quiet() override { return true; }

  // False where it must wait for room among the stalled.
  bool try_now(const smmuv3::Transaction& transaction) {
    const smmuv3::TranslateResult result = smmu_.translate(transaction);
    if (result.outcome == smmuv3::Outcome::kNoRoom) return false;
    finish(transaction.token, result);
    return true;
  }

  void finish(uint64_t token, const smmuv3::TranslateResult& result) {
    switch (result.outcome) {
      case smmuv3::Outcome::kPass: {
        const ForwardedAccess access{token, result.address, result.instruction, result.privileged,
                                     to_pins(result.attributes)};
        const bool done = surroundings_.forward(access) == MemoryAnswer::kDone;
        surroundings_.answered(token, done ? AccessEnd::kDone : AccessEnd::kFailed);
        break;
      }
      case smmuv3::Outcome::kAbort:
        surroundings_.answered(token, AccessEnd::kAborted);
        break;
      case smmuv3::Outcome::kZeroIgnored:
        surroundings_.answered(token, AccessEnd::kZero);
        break;
      case smmuv3::Outcome::kStalled:
      case smmuv3::Outcome::kNoRoom:
        break;
    }
  }

  // Whoever was held upstream tries again, in order, whenever software has done something.
  void retry_waiting() {
    for (size_t tries = waiting_.size(); tries != 0 && !waiting_.empty(); --tries) {
      const smmuv3::Transaction transaction = waiting_.front();
      if (!try_now(transaction)) return;
      waiting_.pop_front();
    }
  }

  Surroundings& surroundings_;
  smmuv3::Smmu smmu_;
  std::deque<smmuv3::Transaction> waiting_;
  bool asking_atc_ = false;
  smmuv3::AtcAnswer atc_answer_ = smmuv3::AtcAnswer::kPending;
};

}  // namespace

core::Result<std::unique_ptr<Device>> make_core_device(const DeviceSettings& settings, Surroundings& surroundings) {
  const core::Result<smmuv3::Config> config = config_of(settings);
  if (!config) return config.error();
  return std::unique_ptr<Device>(std::make_unique<CoreDevice>(*config, surroundings));
}

core::Status check_settings(const DeviceSettings& settings) {
  const core::Result<smmuv3::Config> config = config_of(settings);
  if (!config) return config.error();
  return {};
}

}  // namespace lockstep::smmu_rtl_bridge
