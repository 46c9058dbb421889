// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <tuple>

#include "smmu_rtl_bridge/coverage/watched.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// Invalidations, by what had been used before them and so may have been cached.
class InvalidationChapter {
 public:
  explicit InvalidationChapter(Watched& watched) : watched_(watched) {}
  void used(const Look& look, const ClientAccess& access);
  void command(const smmuv3::CommandWords& command);

 private:
  // A page that a stream used.
  struct Use {
    smmuv3::StreamWorld world = smmuv3::StreamWorld::kEl1;
    bool stage1 = false;
    bool stage2 = false;
    bool global = false;
    uint16_t vmid = 0;
    uint16_t asid = 0;
    uint32_t stream = 0;
    uint32_t context = 0;  // index of the context descriptor
    uint64_t input = 0;
    unsigned size_log2 = 12;
    unsigned granule_log2 = 12;
    unsigned level = 3;
    uint64_t output = 0;
    std::string invalidated_by;
  };
  using Key = std::tuple<uint32_t, uint32_t, uint64_t>;
  // How many uses are remembered; the oldest streams' go first.
  static constexpr size_t kUses = 512;

  void command_of_configuration(const smmuv3::CommandRow& row, const smmuv3::CommandWords& command);
  void command_of_tlb(const smmuv3::CommandRow& row, const smmuv3::CommandWords& command);

  Watched& watched_;
  std::map<Key, Use> uses_;
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
