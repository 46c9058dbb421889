// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <random>

#include "tests/smmu_rtl_bridge/oracle/watched_model.h"
#include "tests/smmuv3_reference/world.h"

namespace lockstep::smmu_rtl_bridge {

// A random world for an SMMU with this configuration: one that caches may keep, or one whose structures are damaged.
inline smmuv3_reference::World draw_world(const core_smmu::Config& config, std::mt19937_64& random, bool cacheable) {
  smmuv3_reference::WorldOptions options;
  options.seed = random();
  const IdRegisters ids = id_registers(config);
  options.idr0 = ids.idr0;
  options.idr1 = ids.idr1;
  options.idr3 = ids.idr3;
  options.idr5 = ids.idr5;
  options.cacheable = cacheable;
  options.damage = !cacheable;
  return smmuv3_reference::make_world(options);
}

// Calls use(address, bytes, broken) for each page of the world; a broken one answers bus errors, and has bytes all the
// same.
template <typename Use>
void for_each_page(const smmuv3_reference::World& world, const Use& use) {
  std::array<uint8_t, 4096> bytes;
  for (const uint64_t page : world.memory.page_addresses()) {
    const bool broken = !world.memory.read(page, bytes.data(), bytes.size());
    if (broken) {
      smmuv3_reference::SparseMemory mended = world.memory;
      mended.mend_page(page);
      mended.read(page, bytes.data(), bytes.size());
    }
    use(page, bytes, broken);
  }
}

}  // namespace lockstep::smmu_rtl_bridge
