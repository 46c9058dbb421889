// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "smmu_rtl_bridge/coverage/watched.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::smmu_rtl_bridge::coverage {

class InterruptChapter {
 public:
  explicit InterruptChapter(Watched& watched) : watched_(watched) {}
  void pulsed(Wire wire);
  void command(const smmuv3::CommandWords& command);
  // A write of four bytes; false where no source has the address.
  bool message(uint64_t address, bool failed);

 private:
  Watched& watched_;
  uint64_t sync_address_ = 0;
  uint64_t sync_attributes_ = 0;
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
