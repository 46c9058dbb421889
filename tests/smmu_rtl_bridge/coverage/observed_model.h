// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "smmu_rtl_bridge/observer.h"
#include "tests/smmuv3_reference/test_memory.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::smmu_rtl_bridge {

// The model's core with an observer at what would be its pins: enough of a device for tests of observers.
class ObservedModel : private tlm_models::smmuv3::MemoryPort, private tlm_models::smmuv3::Environment {
 public:
  ObservedModel(const tlm_models::smmuv3::Config& config, Observer& observer)
      : observer_(observer), smmu_(config, *this, *this) {}

  tlm_models::smmuv3::Smmu& core() { return smmu_; }
  smmuv3_reference::SparseMemory memory;
  tlm_models::smmuv3::AtcAnswer atc_answer = tlm_models::smmuv3::AtcAnswer::kDone;

  void poke(uint64_t address, const void* data, size_t size_bytes) {
    memory.write(address, data, size_bytes);
    observer_.software_wrote(address, data, size_bytes);
  }
  void break_page(uint64_t page, bool broken) {
    if (broken) {
      memory.break_page(page);
    } else {
      memory.mend_page(page);
    }
    observer_.page_broken(page, broken);
  }
  // What a test put into `memory` by itself.
  void show_memory() {
    for (const uint64_t page : memory.page_addresses()) {
      std::array<uint8_t, 4096> bytes;
      if (memory.read(page, bytes.data(), bytes.size())) observer_.software_wrote(page, bytes.data(), bytes.size());
    }
  }
  void write(uint32_t offset, unsigned size_bytes, uint64_t value) {
    observer_.register_written(offset, size_bytes, value);
    smmu_.write_register(offset, size_bytes, value);
    observer_.register_write_done(offset);
  }
  uint64_t read(uint32_t offset, unsigned size_bytes) {
    const uint64_t value = smmu_.read_register(offset, size_bytes);
    observer_.register_read(offset, size_bytes, value);
    return value;
  }
  void access(const ClientAccess& access) {
    observer_.accepted(access);
    tlm_models::smmuv3::Transaction t;
    t.address = access.address;
    t.stream_id = access.stream_id;
    t.substream_id = access.substream_id;
    t.substream_valid = access.substream_valid;
    t.write = access.write;
    t.atomic = access.atomic;
    t.instruction = access.instruction;
    t.privileged = access.privileged;
    t.translated = access.translated;
    t.attributes = tlm_models::smmuv3::from_mair(access.attributes.type, access.attributes.shareability);
    t.token = access.id;
    resolved(access.id, smmu_.translate(t));
  }
  void ask_ats(const AtsQuestion& q) {
    observer_.ats_asked(q);
    const auto c = smmu_.translate_for_ats(
        {q.address, q.stream_id, q.substream_id, q.substream_valid, q.no_write, q.execute, q.privileged});
    observer_.ats_answered(
        {q.id, static_cast<uint8_t>(c.status), c.read, c.write, c.execute, c.privileged, c.size_log2, c.address});
  }
  void ask_page(const PageQuestion& q) {
    observer_.page_asked(q);
    smmu_.page_request({q.address, q.stream_id, q.substream_id, q.substream_valid, q.group, q.last, q.read, q.write,
                        q.execute, q.privileged});
  }
  void atc_done(bool timed_out) {
    observer_.atc_invalidation_done(timed_out);
    smmu_.atc_invalidated(timed_out);
  }

 private:
  bool read(uint64_t address, void* data, size_t size_bytes, const tlm_models::smmuv3::MemoryAttributes&,
            tlm_models::smmuv3::AccessKind) override {
    const bool done = memory.read(address, data, size_bytes);
    observer_.device_read(address, data, size_bytes, {}, !done);
    return done;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const tlm_models::smmuv3::MemoryAttributes&,
             tlm_models::smmuv3::AccessKind) override {
    const bool done = memory.write(address, data, size_bytes);
    observer_.device_wrote(address, data, size_bytes, {}, !done);
    return done;
  }
  tlm_models::smmuv3::ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                              const tlm_models::smmuv3::MemoryAttributes&,
                                              tlm_models::smmuv3::AccessKind) override {
    using tlm_models::smmuv3::ExchangeResult;
    uint64_t now = 0;
    const bool there = memory.read(address, &now, sizeof now);
    const bool done = there && now == expected;
    if (done) memory.put64(address, desired);
    observer_.device_exchanged(address, expected, desired, {}, done, !there);
    return !there ? ExchangeResult::kBusError : done ? ExchangeResult::kDone : ExchangeResult::kChanged;
  }
  void raise(tlm_models::smmuv3::Interrupt interrupt) override { observer_.pulsed(static_cast<Wire>(interrupt)); }
  void send_event() override { observer_.pulsed(Wire::kSendEvent); }
  void resolved(uint64_t token, const tlm_models::smmuv3::TranslateResult& result) override {
    using tlm_models::smmuv3::Outcome;
    if (result.outcome == Outcome::kStalled || result.outcome == Outcome::kNoRoom) return;
    if (result.outcome == Outcome::kPass) observer_.forwarded({token, result.address, false, false, {}});
    observer_.answered(token, result.outcome == Outcome::kPass          ? AccessEnd::kDone
                              : result.outcome == Outcome::kZeroIgnored ? AccessEnd::kZero
                                                                        : AccessEnd::kAborted);
  }
  tlm_models::smmuv3::AtcAnswer invalidate_atc(const tlm_models::smmuv3::AtcInvalidation& i) override {
    observer_.atc_invalidated({i.stream_id, i.substream_id, i.substream_valid, i.global, i.address, i.size_log2});
    if (atc_answer != tlm_models::smmuv3::AtcAnswer::kPending)
      observer_.atc_invalidation_done(atc_answer == tlm_models::smmuv3::AtcAnswer::kTimedOut);
    return atc_answer;
  }
  void page_response(const tlm_models::smmuv3::PageResponse& r) override {
    observer_.page_answered({r.stream_id, r.substream_id, r.substream_valid, r.group, static_cast<uint8_t>(r.code)});
  }
  bool downstream_quiet() override { return true; }

  Observer& observer_;
  tlm_models::smmuv3::Smmu smmu_;
};

}  // namespace lockstep::smmu_rtl_bridge
