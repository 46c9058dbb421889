// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "smmu_rtl_bridge/rtl_device/pins.h"

namespace lockstep::smmu_rtl_bridge {

// Longer bursts than any SMMU or client here makes are refused, so that buffers have a bound.
inline constexpr unsigned kBeatsMax = 16;

// A promise of a bus that was broken. `rule` is one of
//   pins.unstable  a request or answer changed, or went away, before it was taken
//   pins.burst     a burst that AXI does not have, crosses 4 KiB, or is longer than kBeatsMax
//   pins.unasked   an answer to nothing: none was asked with its ID, or it was answered already
//   pins.last      RLAST or WLAST on the wrong beat
//   pins.apb       APB's phases
struct PinBreach {
  const char* rule = nullptr;
  std::string text;
};

// Watches both sides of one AXI4 port (AMBA AXI4, chapters "Single interface requirements", "Transaction identifiers").
class AxiChecker {
 public:
  explicit AxiChecker(const char* port) : port_(port) {}

  void reset();
  // One cycle; the first breach is kept.
  void watch(const AxiManagerPins& manager, const AxiSubordinatePins& subordinate, PinBreach& breach);
  // Requests without their whole answer.
  size_t outstanding() const { return outstanding_; }

 private:
  struct Write {
    uint32_t id = 0;
    unsigned beats = 0;
  };

  void fail(PinBreach& breach, const char* rule, std::string text) const;
  void check_burst(const AxiAddress& address, const char* channel, PinBreach& breach) const;

  const char* port_;
  bool was_busy_ = false;
  AxiManagerPins manager_;  // of the cycle before
  AxiSubordinatePins subordinate_;
  std::unordered_map<uint32_t, std::deque<unsigned>> reads_;  // beats to come, by ID
  std::deque<Write> write_addresses_;                         // whose data is not complete
  std::deque<unsigned> early_data_;                           // beats of bursts whose address is still to come
  unsigned beats_ = 0;                                        // of the burst of write data that is under way
  std::unordered_map<uint32_t, unsigned> writes_;             // complete, by ID
  size_t outstanding_ = 0;
};

// Watches the APB port (AMBA APB, chapter "Transfers").
class ApbChecker {
 public:
  void watch(const ApbRequest& request, const ApbAnswer& answer, PinBreach& breach);

 private:
  ApbRequest before_;
  bool was_ready_ = false;
};

}  // namespace lockstep::smmu_rtl_bridge
