// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "smmu_rtl_bridge/rtl_device/pin_checker.h"
#include "smmu_rtl_bridge/rtl_device/pins.h"
#include "smmu_rtl_bridge/rtl_device/timing.h"

namespace lockstep::smmu_rtl_bridge {

// One burst on its way through a port. Words are as the data lanes have them: eight bytes at a multiple of eight.
struct AxiBurst {
  AxiAddress address;
  bool write = false;
  uint64_t ready_at = 0;  // cycle
  uint64_t owner = 0;     // the handler's
  unsigned beats = 1;
  unsigned done = 0;
  bool slow = false;   // others may overtake it
  bool early = false;  // carried out when it is taken
  bool fetched = false;
  bool failed = false;  // the handler's answer
  uint8_t response = kAxiOkay;
  std::vector<uint64_t> data;   // a word for each beat
  std::vector<uint8_t> strobe;  // of writes

  AxiBurst() = default;
  AxiBurst(const AxiAddress& asked, bool writes)
      : address(asked), write(writes), beats(asked.length + 1u), data(beats), strobe(writes ? beats : 0) {}

  // The address whose data lanes a beat uses, and the first byte and number of bytes that it has.
  uint64_t word(unsigned beat) const { return first_byte(beat) & ~uint64_t{7}; }
  uint64_t first_byte(unsigned beat) const {
    const uint64_t aligned = address.address & ~((uint64_t{1} << address.size) - 1);
    return beat == 0 ? address.address : aligned + (uint64_t{beat} << address.size);
  }
  unsigned bytes(unsigned beat) const {
    const unsigned all = 1u << address.size;
    return beat == 0 ? all - static_cast<unsigned>(address.address & (all - 1)) : all;
  }
};

// The subordinate of an AXI4 port: takes bursts, and answers them after a while, in order or not.
class AxiMemory {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // The address of a burst was taken; may put off ready_at.
    virtual void taken(AxiBurst& burst) = 0;
    // Fills `data` and `failed` of a read whose time has come; carries out a write.
    virtual void read(AxiBurst& burst) = 0;
    virtual void write(AxiBurst& burst) = 0;
  };
  struct Timing {
    uint64_t base = 0, latency = 0, stall = 0;
    bool disorder = false;
    uint64_t decode_errors = 0;
    uint64_t early = 0;  // percent of reads that are carried out when they are taken, and answered later
    uint64_t room = 0;   // bursts of a direction under way at most; 0: kBurstsMax
  };
  static constexpr size_t kBurstsMax = 64;  // more than any device has; a device that has more waits

  AxiMemory(Handler& handler, const Timing& timing, uint64_t seed, unsigned channel);

  void reset();
  // After a cycle in which these pins stood: what has come of them, and what to drive in the next.
  void update(uint64_t cycle, const AxiManagerPins& manager, AxiSubordinatePins& pins) {
    // Most cycles have nothing here but the dice.
    if (manager.ar.valid || manager.aw.valid || manager.w.valid || pins.r.valid || pins.b.valid || !idle())
      return update_busy(cycle, manager, pins);
    pins.ar_ready = !stall_.chance(timing_.stall, cycle * kChannels);
    pins.aw_ready = !stall_.chance(timing_.stall, cycle * kChannels + 1);
    pins.w_ready = !stall_.chance(timing_.stall, cycle * kChannels + 2);
  }
  bool idle() const { return reads_.empty() && writes_.empty() && write_data_.empty(); }

 private:
  static constexpr uint64_t kChannels = 4;  // of the stall dice: AR, AW, W

  void update_busy(uint64_t cycle, const AxiManagerPins& manager, AxiSubordinatePins& pins);
  size_t room() const { return timing_.room != 0 ? timing_.room : kBurstsMax; }
  uint64_t due(uint64_t cycle) { return cycle + timing_.base + latency_.up_to(timing_.latency, ++count_); }
  void fetch(AxiBurst& burst);
  void answer_reads(uint64_t cycle, const AxiManagerPins& manager, AxiSubordinatePins& pins);
  void answer_writes(uint64_t cycle, const AxiManagerPins& manager, AxiSubordinatePins& pins);
  // The burst whose answer goes next, or none.
  template <typename Usable>
  AxiBurst* pick(uint64_t cycle, std::deque<AxiBurst>& bursts, Usable usable);
  uint8_t response_of(const AxiBurst& burst);

  Handler& handler_;
  Timing timing_;
  ChannelDice latency_, order_, stall_, early_;
  uint64_t count_ = 0;
  std::deque<AxiBurst> reads_, writes_;
  std::deque<AxiWriteData> write_data_;
};

}  // namespace lockstep::smmu_rtl_bridge
