// SPDX-License-Identifier: Apache-2.0
// A second opinion on what a device does with each access of a script: the reference walker, which shares no code with
// the model or the judge. The device has no caches here, so that each access has one outcome.
#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "smmu_rtl_bridge/player/player.h"
#include "smmu_rtl_bridge/stimulus/generator.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tests/core/seed.h"
#include "tests/smmuv3_reference/reference.h"
#include "tests/smmuv3_reference/reference_attributes.h"
#include "tests/smmuv3_reference/test_memory.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace ref = smmuv3_reference;

class Comparison : public Observer {
 public:
  void set_device(Device& device) { device_ = &device; }

  uint64_t compared = 0, passed = 0, recorded = 0, updates = 0;
  std::vector<std::string> differences;

  void software_wrote(uint64_t address, const void* data, size_t size_bytes) override {
    close();
    memory_.write(address, data, size_bytes);
  }
  void page_broken(uint64_t page, bool broken) override {
    close();
    if (broken) {
      memory_.break_page(page);
    } else {
      memory_.mend_page(page);
    }
  }
  void register_written(uint32_t, unsigned, uint64_t) override { close(); }
  void register_read(uint32_t, unsigned, uint64_t) override { close(); }
  void quiet() override { close(); }
  void ats_asked(const AtsQuestion&) override { close(); }
  void page_asked(const PageQuestion&) override { close(); }

  void device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes&, bool failed) override {
    if (failed) return;
    memory_.write(address, data, size_bytes);
    if (size_bytes != 32) return;
    std::array<uint64_t, 4> record;
    std::memcpy(record.data(), data, sizeof record);
    if (record[1] >> 31 & 1) record[1] &= ~uint64_t{0xffff};
    seen_events_.push_back(record);
  }
  void device_exchanged(uint64_t address, uint64_t, uint64_t desired, const Attributes&, bool done, bool) override {
    if (!done) return;
    memory_.put64(address, desired);
    seen_updates_.emplace_back(address, desired);
  }

  void accepted(const ClientAccess& access) override {
    close();
    if (access.translated) return;
    ref::Registers registers;
    registers.idr0 = get(0x00);
    registers.idr1 = get(0x04);
    registers.idr3 = get(0x0c);
    registers.idr5 = get(0x14);
    registers.cr0 = get(0x24);
    registers.cr2 = get(0x2c);
    registers.gbpa = get(0x44);
    registers.strtab_base = get(0x80) | uint64_t{get(0x84)} << 32;
    registers.strtab_base_cfg = get(0x88);
    ref::Request request;
    request.address = access.address;
    request.stream = access.stream_id;
    request.substream = access.substream_id;
    request.has_substream = access.substream_valid;
    request.write = access.write;
    request.atomic = access.atomic;
    request.instruction = access.instruction;
    request.privileged = access.privileged;
    request.attributes = ref::of_mair(access.attributes.type, access.attributes.shareability);
    // What the reference writes is a copy's.
    ref::SparseMemory copy = memory_;
    expected_updates_.clear();
    const ref::Memory memory = {
        [&](uint64_t address, unsigned bytes, uint8_t* data) { return copy.read(address, data, bytes); },
        [&](uint64_t address, uint64_t value) {
          uint8_t probe;
          if (!copy.read(address, &probe, 1)) return false;
          copy.put64(address, value);
          expected_updates_.emplace_back(address, value);
          return true;
        }};
    expected_ = ref::translate(registers, memory, request);
    open_ = access;
    seen_updates_.clear();
    seen_events_.clear();
    forwarded_.reset();
    end_.reset();
    const uint32_t produced = get(0x100a8), consumed = get(0x100ac);
    const unsigned log2 = std::min(get(0xa0) & 31u, registers.idr1 >> 16 & 31u);
    const uint32_t used = (produced - consumed) & ((2u << log2) - 1);
    uint8_t probe;
    const uint64_t base = (get(0xa0) | uint64_t{get(0xa4)} << 32) & 0xfffffffffffe0;
    const uint64_t entry = base + (produced & ((1u << log2) - 1)) * 32;
    writable_ =
        (registers.cr0 & 4) && memory_.read(entry, &probe, 1) && !((get(0x60) ^ get(0x64)) & 4) && used < 1u << log2;
  }
  void forwarded(const ForwardedAccess& access) override {
    if (open_ && access.id == open_->id) forwarded_ = access;
  }
  void answered(uint64_t id, AccessEnd end) override {
    if (open_ && id == open_->id) end_ = end;
  }

 private:
  uint32_t get(uint32_t offset) const {
    uint64_t value = 0;
    device_->read_register(offset, 4, value);
    return static_cast<uint32_t>(value);
  }

  void close() {
    if (!open_) return;
    const ClientAccess access = *open_;
    open_.reset();
    ++compared;
    std::string what;
    switch (expected_.verdict) {
      case ref::Verdict::kPass:
        ++passed;
        if (!forwarded_ || !end_ || (*end_ != AccessEnd::kDone && *end_ != AccessEnd::kFailed)) {
          what = "passes";
        } else if (forwarded_->address != expected_.address) {
          what = "address";
        } else if (ref::of_mair(forwarded_->attributes.type, forwarded_->attributes.shareability) !=
                   expected_.attributes) {
          what = "attributes";
        } else if (forwarded_->privileged != expected_.privileged || forwarded_->instruction != expected_.instruction) {
          what = "privilege";
        }
        break;
      case ref::Verdict::kAbort:
        if (end_ != AccessEnd::kAborted) what = "aborts";
        break;
      case ref::Verdict::kZero:
        if (end_ != AccessEnd::kZero) what = "zero";
        break;
      case ref::Verdict::kStall:
        if (end_) what = "stalls";
        break;
    }
    if (what.empty() && seen_updates_ != expected_updates_) what = "updates of descriptors";
    const bool wants_record = expected_.recorded && writable_;
    if (what.empty() && seen_events_.size() != (wants_record ? 1u : 0u))
      what = std::to_string(seen_events_.size()) + " records, recorded " + std::to_string(expected_.recorded) +
             ", queue writable " + std::to_string(writable_);
    if (what.empty() && wants_record && seen_events_[0] != expected_.event) what = "record";
    recorded += wants_record;
    updates += expected_updates_.size();
    if (what.empty()) return;
    char text[256];
    std::snprintf(text, sizeof text, "access %llu of 0x%llx by stream 0x%x: %s",
                  static_cast<unsigned long long>(access.id), static_cast<unsigned long long>(access.address),
                  access.stream_id, what.c_str());
    differences.push_back(text);
  }

  Device* device_ = nullptr;
  ref::SparseMemory memory_;
  std::optional<ClientAccess> open_;
  ref::Answer expected_;
  std::optional<ForwardedAccess> forwarded_;
  std::optional<AccessEnd> end_;
  bool writable_ = false;
  std::vector<std::array<uint64_t, 4>> seen_events_;
  std::vector<std::pair<uint64_t, uint64_t>> seen_updates_, expected_updates_;
};

TEST(CosimReference, EachAccessOfAScriptIsWhatTheReferenceSays) {
  const uint64_t first = test::seed();
  const uint64_t seeds = test::from_environment("LOCKSTEP_WORLDS", 12);
  for (const char* name : {"default", "nested", "faults", "invalidation", "stall"}) {
    auto mix = load_mix(name);
    ASSERT_TRUE(mix);
    mix->accesses = std::min(mix->accesses, 300u);
    uint64_t compared = 0, passed = 0, recorded = 0, updates = 0;
    for (uint64_t seed = first; seed < first + seeds; ++seed) {
      std::vector<Setting> settings = draw_device(seed, *mix);
      // No caches, no merging, no stall that waits for room.
      const std::vector<Setting> plain = {{"tlb", "0"},          {"stage1_walk_cache", "0"},
                                          {"stage2_cache", "0"}, {"config_cache", "0"},
                                          {"merge_events", "0"}, {"stalled_transactions_max", "1000"}};
      for (const Setting& setting : plain) {
        std::erase_if(settings, [&](const Setting& drawn) { return drawn.name == setting.name; });
        settings.push_back(setting);
      }
      Comparison comparison;
      Player player({&comparison});
      const auto device = make_core_device(settings, player);
      ASSERT_TRUE(device) << device.message();
      comparison.set_device(**device);
      const Script script = generate(seed, *mix, Player::read_features(**device));
      const PlayResult result = player.play(**device, script);
      ASSERT_TRUE(result.ok()) << seed << ": " << result.text;
      ASSERT_TRUE(comparison.differences.empty())
          << "mix " << name << " LOCKSTEP_SEED=" << seed << ": " << comparison.differences[0];
      compared += comparison.compared;
      passed += comparison.passed;
      recorded += comparison.recorded;
      updates += comparison.updates;
    }
    std::printf("  %-14s %llu accesses, %llu passed, %llu records, %llu updates\n", name,
                static_cast<unsigned long long>(compared), static_cast<unsigned long long>(passed),
                static_cast<unsigned long long>(recorded), static_cast<unsigned long long>(updates));
    EXPECT_GT(compared, seeds * 150);
    EXPECT_GT(passed, 0u);
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
