// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "smmu_rtl_bridge/rtl_device/pins.h"

namespace lockstep::smmu_rtl_bridge {

// The longest burst of AXI4.
inline constexpr unsigned kBeatsMax = 256;

// A promise of a bus that was broken. `rule` is one of
//   pins.unstable  a request or answer changed, or went away, before it was taken
//   pins.burst     a burst that AXI does not have, or that crosses 4 KiB
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
  void watch(const AxiManagerPins& manager, const AxiSubordinatePins& subordinate, PinBreach& breach) {
    // Most cycles have nothing at most ports.
    const bool busy =
        manager.ar.valid || manager.aw.valid || manager.w.valid || subordinate.r.valid || subordinate.b.valid;
    if (busy || was_busy_) watch_busy(manager, subordinate, breach);
    was_busy_ = busy;
  }
  // Requests without their whole answer.
  size_t outstanding() const { return outstanding_; }

 private:
  struct Burst {
    uint32_t id = 0;
    unsigned beats = 0;
  };

  void watch_busy(const AxiManagerPins& manager, const AxiSubordinatePins& subordinate, PinBreach& breach);
  void fail(PinBreach& breach, const char* rule, std::string text) const;
  void check_burst(const AxiAddress& address, const char* channel, PinBreach& breach) const;

  const char* port_;
  bool was_busy_ = false;
  // What the cycle before left waiting.
  AxiAddress ar_, aw_;
  AxiWriteData w_;
  AxiReadData r_;
  AxiWriteResponse b_;
  // Few are under way at a time, so that looking through them is quicker than any index.
  std::vector<Burst> reads_;           // beats to come, the oldest first
  std::deque<Burst> write_addresses_;  // whose data is not complete
  std::deque<unsigned> early_data_;    // beats of bursts whose address is still to come
  unsigned beats_ = 0;                 // of the burst of write data that is under way
  std::vector<uint32_t> writes_;       // IDs of those that are complete
  size_t outstanding_ = 0;
};

// Watches the APB port (AMBA APB, chapter "Transfers").
class ApbChecker {
 public:
  void watch(const ApbRequest& request, const ApbAnswer& answer, PinBreach& breach) {
    if (request.select || request.enable || before_.select) watch_busy(request, answer, breach);
  }

 private:
  void watch_busy(const ApbRequest& request, const ApbAnswer& answer, PinBreach& breach);

  ApbRequest before_;
  bool was_ready_ = false;
};

}  // namespace lockstep::smmu_rtl_bridge
