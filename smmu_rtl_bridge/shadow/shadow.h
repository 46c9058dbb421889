// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/campaign/stand.h"
#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/oracle/config_from_registers.h"
#include "smmu_rtl_bridge/shadow/watched_memory.h"

namespace lockstep::smmu_rtl_bridge {

// Something that a device does and may not, or does otherwise than the model where neither has a choice.
struct ShadowDifference {
  // A rule of the judge; "model." and a rule, where the model breaks it; "both.answer", "both.events",
  // "both.register", "both.interrupt" or "both.message".
  std::string rule;
  std::string text;     // both values
  std::string during;   // the access or register that was under way: "access 17, a read of 8 bytes at 0x1008 ..."
  uint64_t access = 0;  // accesses so far
};

struct ShadowCounts {
  uint64_t accesses = 0;   // answered by both
  uint64_t no_choice = 0;  // of those, compared bit by bit: the architecture leaves neither of them another answer
  uint64_t register_reads = 0;
  uint64_t register_writes = 0;
  uint64_t events = 0;
  uint64_t commands = 0;  // taken from the queue
  uint64_t interrupts = 0;
  uint64_t messages = 0;
  uint64_t differences = 0;
};

// The model beside a device that works: it makes each access and is written each register that it sees at the device's
// pins, reads the same memory and writes none. Both are judged, and compared where the judge leaves neither a choice:
// each answer at once; records, messages and interrupts when the device is at rest; each register that is read then.
// Where there was a choice and they recorded different events, what follows from the event queue (its indices,
// interrupts, what is lost) is not compared until software has emptied it. It must be told of everything that happens
// at the pins but what software does to memory, which it finds itself. Devices with ATS, page requests or hardware
// updates cannot be shadowed; the error says so.
class Shadow : public Observer {
 public:
  // Answers that are open at one time: of what a machine's requesters do before it counts as a hang.
  static constexpr size_t kOpenMax = 4096;
  // Differences whose texts are kept.
  static constexpr size_t kDifferencesKept = 16;

  // `model`: with the settings that fit the ID registers (beside.h).
  static core::Result<std::unique_ptr<Shadow>> make(const IdRegisters& registers, const DeviceFactory& model);
  ~Shadow() override;

  // Before anything is told: how to look into memory. Must have no effect there.
  void set_memory(WatchedMemory::ReadPage read_page) { memory_.set_source(std::move(read_page)); }
  // Called at each difference, the first time before anything else follows from it.
  void on_difference(std::function<void(const ShadowDifference&)> call) { on_difference_ = std::move(call); }

  ShadowCounts counts() const;
  // The first ones.
  const std::vector<ShadowDifference>& differences() const { return differences_; }
  // The access or register that is or was under way.
  const std::string& during() const { return during_; }
  // Of the device; and what the model answered since all was quiet, for a timeline.
  const Judge& judge() const { return *device_judge_; }
  const Answers& model_answers() const { return model_stand_->answers(); }

  void register_written(uint32_t offset, unsigned size_bytes, uint64_t value) override;
  void register_write_done(uint32_t offset) override;
  void register_read(uint32_t offset, unsigned size_bytes, uint64_t value) override;
  void device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                   bool failed) override;
  void device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                    bool failed) override;
  void device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes, bool done,
                        bool failed) override;
  void accepted(const ClientAccess& access) override;
  void forwarded(const ForwardedAccess& access) override;
  void answered(uint64_t id, AccessEnd end) override;
  void pulsed(Wire wire) override;
  void quiet() override;
  void finished() override { quiet(); }

 private:
  static constexpr size_t kWires = static_cast<size_t>(Wire::kSendEvent) + 1;
  class ModelSide;

  // What one of the two did since all was quiet, beside answers and records.
  struct Doings {
    std::array<uint64_t, kWires> pulses{};
    std::map<uint64_t, uint64_t> messages;  // address -> data
  };

  Shadow() = default;
  void take_verdicts();
  void compare_register(uint32_t offset, unsigned size_bytes, uint64_t value, uint64_t model_value);
  uint64_t differing(uint32_t offset, uint64_t value, uint64_t model_value) const;
  void compare_at_rest();
  uint64_t model_register(uint32_t offset) const;
  uint64_t software_register(uint32_t offset) const;
  uint64_t model_value_of_write(uint32_t offset, uint64_t value) const;
  void write_model(uint32_t offset, unsigned size_bytes, uint64_t value);
  bool model_queue_fails() const;
  bool model_queue_is_full() const;
  void meet_again(uint64_t events_produced);
  void differ(std::string rule, std::string text);
  bool wrote_record(Stand& stand, uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                    bool failed);

  std::unique_ptr<Judge> device_judge_, model_judge_;
  std::unique_ptr<Stand> device_stand_, model_stand_;
  std::unique_ptr<ModelSide> model_;
  WatchedMemory memory_;
  Doings device_doings_, model_doings_;
  uint64_t event_log2_max_ = 0;
  uint64_t event_index_mask_ = 1;  // with the bit that tells of a round
  // What a choice has left between the device's event queue and the model's: how far EVENTQ_PROD is ahead, and whether
  // OVFLG has turned once more. While they are parted their contents differ as well.
  uint64_t event_index_ahead_ = 0;
  uint64_t event_overflow_turned_ = 0;
  bool parted_ = false;
  bool parted_once_ = false;  // since software set the queue up: whether records were lost since may differ
  std::map<uint64_t, ClientAccess> open_;
  std::map<uint64_t, AccessEnd> model_ends_;  // of open accesses
  std::map<uint32_t, uint64_t> written_;      // registers as software wrote them last
  bool at_rest_ = true;
  size_t device_failures_ = 0, model_failures_ = 0;
  std::string during_;
  ShadowCounts counts_;
  std::vector<ShadowDifference> differences_;
  std::function<void(const ShadowDifference&)> on_difference_;
};

}  // namespace lockstep::smmu_rtl_bridge
