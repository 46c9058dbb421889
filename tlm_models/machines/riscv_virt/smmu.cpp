// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/machines/riscv_virt/smmu.h"

namespace lockstep::tlm_models::riscv_virt {

smmuv3::SmmuModuleConfig smmu_config(const SmmuOptions& options) {
  smmuv3::SmmuModuleConfig module;
  smmuv3::Config& core = module.core;
  core.oas_bits = 48;
  core.va52 = false;
  // RISC-V harts neither broadcast invalidations nor take events.
  core.broadcast = core.send_event = false;
  if (!options.mmu) {
    core.stage1 = core.stage2 = core.hypervisor = false;
    core.two_level_cd = core.vmid_wildcards = core.asid16 = core.vmid16 = false;
    core.hardware_update = smmuv3::HardwareUpdate::kNone;
    core.stall_model = smmuv3::StallModel::kTerminateOnly;
    core.substream_id_bits = 0;
    core.force_write_back = core.small_translation_tables = false;
  }
  if (!options.mmu || !options.atsu) core.ats = core.pri = core.ats_record_errors = false;
  if (!options.mmu || !options.tlb)
    core.tlb = core.stage1_walk_cache = core.stage2_cache = core.config_cache = core.range_invalidation = false;
  if (!options.interrupt) {
    core.msi = false;
    module.wired_interrupts = false;
  }
  return module;
}

}  // namespace lockstep::tlm_models::riscv_virt
