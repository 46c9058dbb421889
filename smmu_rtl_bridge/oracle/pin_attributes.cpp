// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/pin_attributes.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::Cacheability;
using tlm_models::smmuv3::CacheLevel;

uint8_t nibble_of(const CacheLevel& level) {
  if (level.policy == Cacheability::kNonCacheable) return 4;
  const unsigned hints = (level.read_allocate ? 2u : 0u) | (level.write_allocate ? 1u : 0u);
  const unsigned policy = level.policy == Cacheability::kWriteBack ? 4 : 0;
  const unsigned lasting = level.transient && hints != 0 ? 0 : 8;
  return static_cast<uint8_t>(lasting | policy | hints);
}

}  // namespace

Attributes to_pins(const tlm_models::smmuv3::MemoryAttributes& attributes) {
  Attributes pins;
  pins.type = attributes.device ? static_cast<uint8_t>(static_cast<unsigned>(attributes.device_type) << 2)
                                : static_cast<uint8_t>(nibble_of(attributes.outer) << 4 | nibble_of(attributes.inner));
  pins.shareability = static_cast<uint8_t>(attributes.shareability);
  pins.secure = attributes.secure;
  return pins;
}

tlm_models::smmuv3::MemoryAttributes from_pins(const Attributes& attributes) {
  return tlm_models::smmuv3::in_space(tlm_models::smmuv3::from_mair(attributes.type, attributes.shareability),
                                      attributes.secure);
}

}  // namespace lockstep::smmu_rtl_bridge
