// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "smmu_rtl_bridge/coverage/watched.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// What software does to registers. A write is told before the device has it, and so before Watched has it.
class RegisterChapter {
 public:
  explicit RegisterChapter(Watched& watched) : watched_(watched) {}
  // Carries the write out in `watched` as well.
  void written(uint32_t offset, unsigned size_bytes, uint64_t value);
  void read(uint32_t offset, unsigned size_bytes, uint64_t value);

 private:
  void judge(const smmuv3::RegisterRow& row, uint64_t before, uint64_t value, uint64_t mask, uint64_t after);

  Watched& watched_;
  uint64_t acknowledged_errors_ = 0;  // GERRORN
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
