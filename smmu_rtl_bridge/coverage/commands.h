// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "smmu_rtl_bridge/coverage/watched.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// Commands as the device fetches them.
class CommandChapter {
 public:
  explicit CommandChapter(Watched& watched) : watched_(watched) {}
  // An entry of the queue at an index.
  void fetched(const smmuv3::CommandWords& command, uint64_t index, unsigned log2, bool failed);
  // ATC invalidations that devices have not answered yet.
  unsigned pending_atc = 0;

 private:
  void illegal(const smmuv3::CommandWords& command);
  void fields(const smmuv3::CommandRow& row, const smmuv3::CommandWords& command);

  Watched& watched_;
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
