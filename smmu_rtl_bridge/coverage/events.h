// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "smmu_rtl_bridge/coverage/watched.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// Event records at the pins, and what became of each event that the core says there is.
class EventChapter {
 public:
  explicit EventChapter(Watched& watched) : watched_(watched) {}

  void expected(uint64_t id, bool ats, const Look& look);
  void recorded(const smmuv3::EventRecord& record, uint64_t index, unsigned log2);
  void record_failed() { queue_aborted_ = true; }
  void errors_acknowledged(uint64_t before, uint64_t after);
  void answered(uint64_t id, AccessEnd end);
  void ats_answered(uint64_t id);
  bool queue_full() const;

 private:
  struct Pending {
    smmuv3::Event event;
    bool suppressed = false;
    bool recorded = false;
    bool stalled = false;
  };
  void fate(const Pending& pending);

  Watched& watched_;
  std::map<uint64_t, Pending> pending_;
  std::map<uint64_t, Pending> pending_ats_;
  uint64_t produced_ = 0;
  bool queue_aborted_ = false;
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
