// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/watch.h"

#include "smmu_rtl_bridge/coverage/collector.h"
#include "smmu_rtl_bridge/oracle/config_from_registers.h"

namespace lockstep::smmu_rtl_bridge::coverage {

std::function<std::unique_ptr<Observer>(const Features& features)> watch(Database& database) {
  return [&database](const Features& features) -> std::unique_ptr<Observer> {
    IdRegisters registers;
    registers.idr0 = features.idr0;
    registers.idr1 = features.idr1;
    registers.idr3 = features.idr3;
    registers.idr5 = features.idr5;
    auto config = config_from_id_registers(registers);
    if (!config) return std::make_unique<Observer>();
    return std::make_unique<Collector>(*config, database);
  };
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
