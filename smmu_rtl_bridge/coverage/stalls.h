// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "smmu_rtl_bridge/coverage/watched.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// Transactions that wait for software, and what ends them.
class StallChapter {
 public:
  explicit StallChapter(Watched& watched) : watched_(watched) {}
  void accepted(const ClientAccess& access, const Look& look);
  void recorded(const smmuv3::EventRecord& record);
  void command(const smmuv3::CommandWords& command);
  void control_written(bool enabled) { disabled_ = !enabled; }
  void answered(uint64_t id, AccessEnd end);
  // The device rests: stalls without a record are held back.
  void quiet(bool queue_full);

 private:
  enum class Wish : uint8_t { kNone, kTerminate, kRetry, kAbort, kTerm };
  struct Stall {
    uint32_t stream = 0;
    uint64_t address = 0;
    bool stage2 = false;
    bool recorded = false;
    std::string held_back;  // why its record had to wait
    uint16_t tag = 0;
    Wish wish = Wish::kNone;
  };
  Watched& watched_;
  std::map<uint64_t, Stall> stalls_;  // by the access
  bool disabled_ = false;
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
