// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <unordered_map>
#include <vector>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/oracle/judge.h"
#include "tests/smmuv3_reference/test_memory.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::smmu_rtl_bridge {

namespace core_smmu = tlm_models::smmuv3;

// The model with its caches as a device under test, with a judge at its pins. Hooks make a wrong device of it: each may
// change what the pins show, and the judge must find it.
class WatchedModel : private core_smmu::MemoryPort, private core_smmu::Environment {
 public:
  explicit WatchedModel(const core_smmu::Config& config, const JudgeProfile& profile = {})
      : judge(*config_from_id_registers(id_registers(config)), profile), smmu(config, *this, *this) {}

  // What software does.
  void write(uint64_t address, const void* data, size_t size_bytes) {
    judge.software_wrote(address, data, size_bytes);
    memory.write(address, data, size_bytes);
  }
  void put64(uint64_t address, uint64_t value) { write(address, &value, sizeof value); }
  void put_words(uint64_t address, const std::vector<uint64_t>& words) {
    write(address, words.data(), words.size() * 8);
  }
  void break_page(uint64_t address, bool broken) {
    judge.page_broken(address & ~uint64_t{0xfff}, broken);
    if (broken) {
      memory.break_page(address);
    } else {
      memory.mend_page(address);
    }
  }
  void set(core_smmu::RegisterId id, uint64_t value) {
    for (const core_smmu::RegisterRow& row : core_smmu::register_rows())
      if (row.id == id) {
        judge.register_written(row.offset, row.size_bytes, value);
        smmu.write_register(row.offset, row.size_bytes, value);
        judge.register_write_done(row.offset);
        retry_waiting();
      }
  }
  // As CR1 gives them after reset.
  static Attributes queue_attributes() { return to_pins(core_smmu::register_attributes(0, 0, 0)); }
  uint64_t get(core_smmu::RegisterId id) {
    for (const core_smmu::RegisterRow& row : core_smmu::register_rows())
      if (row.id == id) {
        uint64_t value = smmu.read_register(row.offset, row.size_bytes);
        if (change_register) change_register(id, value);
        judge.register_read(row.offset, row.size_bytes, value);
        return value;
      }
    return 0;
  }

  // What a client does. The answer may be held back: then finish() gives it.
  uint64_t access(ClientAccess access) {
    access.id = ++last_id;
    judge.accepted(access);
    if (hold_accesses) {
      held.push_back(access);
    } else {
      perform(access);
    }
    return access.id;
  }
  void release() {
    hold_accesses = false;
    const std::vector<ClientAccess> all = std::move(held);
    held.clear();
    for (const ClientAccess& one : all) perform(one);
  }
  void perform(const ClientAccess& access) {
    under_way = access;
    finish(access.id, smmu.translate(from_pins(access)));
  }
  void finish(uint64_t id, core_smmu::TranslateResult result) {
    if (change_result) change_result(result);
    last_outcome = result.outcome;
    switch (result.outcome) {
      case core_smmu::Outcome::kPass: {
        ForwardedAccess forwarded;
        forwarded.id = id;
        forwarded.address = result.address;
        forwarded.instruction = result.instruction;
        forwarded.privileged = result.privileged;
        forwarded.attributes = to_pins(result.attributes);
        if (hold_downstream) {
          downstream.push_back(forwarded);
          break;
        }
        judge.forwarded(forwarded);
        judge.answered(id, AccessEnd::kDone);
        break;
      }
      case core_smmu::Outcome::kAbort:
        judge.answered(id, AccessEnd::kAborted);
        break;
      case core_smmu::Outcome::kZeroIgnored:
        judge.answered(id, AccessEnd::kZero);
        break;
      case core_smmu::Outcome::kNoRoom:
        waiting.push_back(under_way);
        break;
      case core_smmu::Outcome::kStalled:
        break;
    }
  }
  // Accesses that would have stalled while no stall was free.
  void retry_waiting() {
    if (waiting.empty() || smmu.stalled_transactions() >= smmu.config().stalled_transactions_max) return;
    const std::vector<ClientAccess> all = std::move(waiting);
    waiting.clear();
    for (const ClientAccess& one : all) perform(one);
  }
  void release_downstream() {
    hold_downstream = false;
    for (const ForwardedAccess& forwarded : downstream) {
      judge.forwarded(forwarded);
      judge.answered(forwarded.id, AccessEnd::kDone);
    }
    downstream.clear();
  }
  void ask_ats(AtsQuestion question) {
    question.id = ++last_id;
    judge.ats_asked(question);
    AtsAnswer answer = to_pins(smmu.translate_for_ats(from_pins(question)), question.id);
    if (change_ats) change_ats(answer);
    judge.ats_answered(answer);
  }

  void ask_page(const PageQuestion& question) {
    judge.page_asked(question);
    smmu.page_request(from_pins(question));
  }

  smmuv3_reference::SparseMemory memory;
  Judge judge;
  core_smmu::Smmu smmu;
  bool hold_accesses = false;
  bool hold_downstream = false;
  bool quiet_downstream = true;
  bool lose_pulses = false;
  bool lose_events = false;  // that processors wait for
  std::vector<ClientAccess> held;
  std::vector<ClientAccess> waiting;
  ClientAccess under_way;
  std::vector<ForwardedAccess> downstream;
  uint64_t last_id = 0;
  core_smmu::Outcome last_outcome = core_smmu::Outcome::kAbort;

  // Hooks of a wrong device.
  std::function<void(core_smmu::TranslateResult&)> change_result;
  std::function<void(core_smmu::RegisterId, uint64_t&)> change_register;
  std::function<void(AtsAnswer&)> change_ats;
  // A write of the device's own: returns how often it happens.
  std::function<unsigned(uint64_t& address, std::array<uint8_t, 64>& data, size_t size_bytes, core_smmu::AccessKind)>
      change_write;
  std::function<bool(const core_smmu::CommandWords&)> forget_command;  // true: it is read as a command without effect
  std::function<void(uint64_t& desired)> change_exchange;
  core_smmu::AccessKind wrong_attributes = core_smmu::AccessKind::kCount;           // accesses of this kind have others
  std::function<bool(uint64_t address, void* data, size_t size_bytes)> stale_read;  // true: `data` is what it reads

 private:
  Attributes seen(const core_smmu::MemoryAttributes& attributes, core_smmu::AccessKind kind) const {
    Attributes pins = to_pins(attributes);
    if (kind == wrong_attributes) pins.type ^= 0x0b;
    return pins;
  }
  bool read(uint64_t address, void* data, size_t size_bytes, const core_smmu::MemoryAttributes& attributes,
            core_smmu::AccessKind kind) override {
    const bool ok = memory.read(address, data, size_bytes);
    judge.device_read(address, data, size_bytes, seen(attributes, kind), !ok);
    if (ok && kind == core_smmu::AccessKind::kCommand && forget_command) {
      core_smmu::CommandWords words;
      std::memcpy(words.data(), data, sizeof words);
      if (forget_command(words)) {
        words = {0x02, 0};
        std::memcpy(data, words.data(), sizeof words);
      }
    }
    if (ok && stale_read) stale_read(address, data, size_bytes);
    return ok;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const core_smmu::MemoryAttributes& attributes,
             core_smmu::AccessKind kind) override {
    std::array<uint8_t, 64> bytes{};
    std::memcpy(bytes.data(), data, size_bytes);
    unsigned times = 1;
    if (change_write) times = change_write(address, bytes, size_bytes, kind);
    bool ok = true;
    for (unsigned i = 0; i < times; ++i) {
      ok = memory.write(address, bytes.data(), size_bytes);
      judge.device_wrote(address, bytes.data(), size_bytes, seen(attributes, kind), !ok);
    }
    return ok;
  }
  core_smmu::ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                     const core_smmu::MemoryAttributes& attributes, core_smmu::AccessKind) override {
    uint64_t now = 0;
    if (!memory.read(address, &now, sizeof now)) {
      judge.device_exchanged(address, expected, desired, to_pins(attributes), false, true);
      return core_smmu::ExchangeResult::kBusError;
    }
    const bool done = now == expected;
    if (change_exchange) change_exchange(desired);
    if (done && desired == expected) return core_smmu::ExchangeResult::kDone;
    if (done) memory.put64(address, desired);
    judge.device_exchanged(address, expected, desired, to_pins(attributes), done, false);
    return done ? core_smmu::ExchangeResult::kDone : core_smmu::ExchangeResult::kChanged;
  }
  void raise(core_smmu::Interrupt interrupt) override {
    if (lose_pulses) return;
    static constexpr Wire kWires[] = {Wire::kEventQueue, Wire::kPriQueue, Wire::kCommandSync, Wire::kGlobalError};
    judge.pulsed(kWires[static_cast<size_t>(interrupt)]);
  }
  void send_event() override {
    if (!lose_events) judge.pulsed(Wire::kSendEvent);
  }
  void resolved(uint64_t token, const core_smmu::TranslateResult& result) override { finish(token, result); }
  core_smmu::AtcAnswer invalidate_atc(const core_smmu::AtcInvalidation& invalidation) override {
    AtcInvalidation at_pins;
    at_pins.stream_id = invalidation.stream_id;
    at_pins.substream_id = invalidation.substream_id;
    at_pins.substream_valid = invalidation.substream_valid;
    at_pins.global = invalidation.global;
    at_pins.address = invalidation.address;
    at_pins.size_log2 = invalidation.size_log2;
    judge.atc_invalidated(at_pins);
    judge.atc_invalidation_done(false);
    return core_smmu::AtcAnswer::kDone;
  }
  void page_response(const core_smmu::PageResponse& response) override {
    PageAnswer answer;
    answer.stream_id = response.stream_id;
    answer.substream_id = response.substream_id;
    answer.substream_valid = response.substream_valid;
    answer.group = response.group;
    answer.code = static_cast<uint8_t>(response.code);
    judge.page_answered(answer);
  }
  bool downstream_quiet() override { return downstream.empty() || !quiet_downstream; }
};

// Software's side: queues, and a world of known shape.
inline constexpr uint64_t kCommandQueue = 0x10000;
inline constexpr uint64_t kEventQueue = 0x20000;
inline constexpr uint64_t kPriQueue = 0x30000;
inline constexpr unsigned kQueueLog2 = 6;

class Software : public WatchedModel {
 public:
  using Id = core_smmu::RegisterId;
  using WatchedModel::WatchedModel;

  void start_queues() {
    set(Id::kCmdqBase, kCommandQueue | kQueueLog2);
    set(Id::kEventqBase, kEventQueue | kQueueLog2);
    set(Id::kPriqBase, kPriQueue | kQueueLog2);
    set(Id::kIrqCtrl, 7);
    set(Id::kCr0, core_smmu::kCr0EventQueueEnable | core_smmu::kCr0CommandQueueEnable);
    get(Id::kCr0Ack);
  }
  void enable(uint32_t more = 0) {
    set(Id::kCr0,
        core_smmu::kCr0SmmuEnable | core_smmu::kCr0EventQueueEnable | core_smmu::kCr0CommandQueueEnable | more);
    get(Id::kCr0Ack);
  }
  bool command(uint64_t low, uint64_t high = 0) {
    const uint64_t index = smmu.read_register(0x98, 4);
    put_words(kCommandQueue + (index & 63) * 16, {low, high});
    set(Id::kCmdqProd, (index + 1) & 127);
    return ((index + 1) & 127) == (get(Id::kCmdqCons) & 0xfffff);
  }
  bool sync() { return command(0x46); }
  std::vector<core_smmu::EventRecord> take_events() {
    std::vector<core_smmu::EventRecord> result;
    const uint64_t produced = get(Id::kEventqProd);
    uint64_t consumed = smmu.read_register(0x100ac, 4) & 127;
    if (consumed == (produced & 127)) return result;
    for (; consumed != (produced & 127); consumed = (consumed + 1) & 127) {
      core_smmu::EventRecord record;
      memory.read(kEventQueue + (consumed & 63) * 32, record.data(), sizeof record);
      result.push_back(record);
    }
    set(Id::kEventqCons, consumed | (produced & core_smmu::kQueueOverflow));
    return result;
  }
};

}  // namespace lockstep::smmu_rtl_bridge
