// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/player/sparse_memory.h"
#include "smmu_rtl_bridge/player/world.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

// How long a device may take before it counts as hanging.
struct PlayLimits {
  uint64_t ticks_per_wait = 100'000;            // for an answer, a handshake, a CMD_SYNC
  uint64_t device_accesses_per_line = 200'000;  // a walk has some dozens, an event one
};

// How a script ended. `rule` is empty where the player itself found nothing wrong; otherwise the device broke a promise
// of its pins: it hangs, or answers what nobody asked.
struct PlayResult {
  std::string rule;
  std::string text;
  size_t line = 0;  // of the script's lines, from 0
  uint64_t accesses = 0;
  uint64_t faults = 0;  // accesses that did not get through
  uint64_t events = 0;  // records that software took from the event queue
  uint64_t commands = 0;
  uint64_t ticks = 0;
  uint64_t cycle = 0;  // of the device's clock, when it broke the promise
  bool ok() const { return rule.empty(); }
};

// Plays scripts on one device: is its memory, its clients and its software, without any randomness. Whatever happens is
// told to the observers in order.
class Player : public Surroundings {
 public:
  explicit Player(std::vector<Observer*> observers, PlayLimits limits = {});
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // Before play().
  void add_observer(Observer& observer) { observers_.push_back(&observer); }
  // Called before each line, with its number from 0; false ends the script there, without Observer::finished().
  void set_before_line(std::function<bool(size_t, const Line&)> before_line) { before_line_ = std::move(before_line); }

  // Resets the device first. It must have been made with this player as its surroundings, and one player plays once.
  PlayResult play(Device& device, const Script& script);
  // The device's ID registers, which need no script.
  static Features read_features(Device& device);
  // The line that is being played, from 0: for observers that tell of it.
  size_t current_line() const { return line_number_; }
  SparseMemory& memory() { return memory_; }

  MemoryAnswer read(uint64_t address, void* data, size_t size_bytes, const Attributes& attributes) override;
  MemoryAnswer write(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes) override;
  MemoryAnswer exchange(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes) override;
  uint64_t extra_cycles(uint64_t address) override;
  MemoryAnswer forward(const ForwardedAccess& access) override;
  void finished_downstream(uint64_t id) override;
  void answered(uint64_t id, AccessEnd end) override;
  void ats_answered(const AtsAnswer& answer) override;
  void page_answered(const PageAnswer& answer) override;
  void invalidate_atc(const AtcInvalidation& invalidation) override;
  void pulse(Wire wire) override;
  void broke_promise(const std::string& rule, const std::string& text) override;

  // Whether the device has broken a promise of its pins in the script that is being played.
  bool failed() const { return !result_.rule.empty(); }

 private:
  struct Queue {
    uint64_t base = 0;
    unsigned log2 = 0;
    uint32_t software = 0;  // software's index with its wrap bit
    uint64_t entry(uint64_t index, unsigned entry_log2) const;
    uint64_t indices() const { return (uint64_t{2} << log2) - 1; }
  };
  struct Stall {
    uint32_t stream = 0;
    uint16_t tag = 0;
  };

  template <typename Call>
  void tell(Call call) {
    if (promise_broken_) return;
    for (Observer* observer : observers_) call(*observer);
  }
  void fail(std::string rule, std::string text);
  // Too many accesses in one line: the device will not come to an end by itself.
  bool runs_wild();

  void play_line(const Line& line);
  void begin();
  void note_register(uint32_t offset, uint64_t value);
  uint64_t setup_value(uint32_t offset, uint64_t otherwise) const;
  void setup_register(uint32_t offset, uint64_t otherwise);
  uint32_t read_register(uint32_t offset);
  void write_register(uint32_t offset, unsigned size_bytes, uint64_t value);
  void await_acknowledge(uint32_t offset);
  void pass_time(uint64_t ticks);
  // Ticks until it holds; false after the limit.
  template <typename Condition>
  bool wait_until(Condition condition);

  void send_command(const CommandWords& words, bool hold);
  bool command_error_active();
  void sync(const CommandWords& words);
  void access(const Line& line);
  void ats(const Line& line);
  void page(const Line& line);
  void resume(const Line& line);
  // The page that a line of "break", "mend" or "slow" means.
  std::optional<uint64_t> page_of(const Line& line);
  void set_broken(const Line& line, bool broken);
  void set_slow(const Line& line);
  void take_events();
  void take_page_requests();
  void recover();
  void quiet();
  void finish_pending_atc();
  bool close(uint64_t id);

  std::vector<Observer*> observers_;
  std::function<bool(size_t, const Line&)> before_line_;
  PlayLimits limits_;
  Device* device_ = nullptr;
  SparseMemory memory_;
  World world_;
  PlayResult result_;
  size_t line_number_ = 0;
  bool begun_ = false;
  bool promise_broken_ = false;  // what the device does since then is told to nobody
  uint64_t accesses_in_line_ = 0;
  std::unordered_map<uint64_t, uint64_t> slow_;  // page -> more cycles
  std::map<uint32_t, uint64_t> setup_;           // offset -> value
  Queue commands_, events_, pages_;
  bool has_page_queue_ = false;
  uint32_t control_ = 0;  // CR0 as it was written last
  bool held_commands_ = false;
  std::vector<uint64_t> open_;  // accesses and questions without an answer, in the order of their numbers
  std::vector<Stall> stalls_;
  uint64_t pending_atc_ = 0;
  enum class AtcMode : uint8_t { kDone, kTimeout, kLater } atc_mode_ = AtcMode::kDone;
  uint64_t next_id_ = 0;
};

}  // namespace lockstep::smmu_rtl_bridge
