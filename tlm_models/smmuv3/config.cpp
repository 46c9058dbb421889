// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/config.h"

#include <array>
#include <string>

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr std::array<unsigned, 7> kAddressBits = {32, 36, 40, 42, 44, 48, 52};
constexpr unsigned kQueueLog2Max = 19;  // section "SMMU circular queues"

core::Error wrong(const std::string& what) { return core::Error{"SMMU configuration: " + what + "."}; }

}  // namespace

unsigned address_bits(unsigned encoding) {
  return kAddressBits[encoding < kAddressBits.size() ? encoding : kAddressBits.size() - 1];
}

unsigned address_encoding(unsigned bits) {
  for (unsigned i = 0; i < kAddressBits.size(); ++i)
    if (kAddressBits[i] == bits) return i;
  return kAddressBits.size() - 1;
}

Config secure_side(const Config& non_secure) {
  Config config = non_secure;
  config.secure = true;
  config.ats_beside = non_secure.ats;
  config.stage2 = config.hypervisor = config.ats = config.pri = config.broadcast = false;
  return config;
}

core::Status check(const Config& config) {
  // With neither stage there is bypass and abort; what translation alone needs must be off too.
  if (!config.stage1 && !config.stage2 &&
      (config.hypervisor || config.ats || config.substream_id_bits != 0 ||
       config.stall_model != StallModel::kTerminateOnly))
    return wrong(
        "stage1 and stage2 are both off, so hypervisor, ats, substreams and stalls must be too; switch a stage on");
  if (!config.granule_4k && !config.granule_16k && !config.granule_64k)
    return wrong("no granule is on; switch granule_4k, granule_16k or granule_64k on");
  if (address_bits(address_encoding(config.oas_bits)) != config.oas_bits)
    return wrong("oas_bits is " + std::to_string(config.oas_bits) + "; use 32, 36, 40, 42, 44, 48 or 52");
  if (config.oas_bits == 52 && !config.granule_64k)
    return wrong("oas_bits 52 needs granule_64k; use oas_bits 48 or switch granule_64k on");
  if (config.va52 && !config.granule_64k) return wrong("va52 needs granule_64k; switch va52 off or granule_64k on");
  if (config.stream_id_bits > 32) return wrong("stream_id_bits is above 32");
  if (config.substream_id_bits > 20) return wrong("substream_id_bits is above 20");
  if (config.stream_id_bits >= 7 && !config.two_level_stream_table)
    return wrong("stream_id_bits of 7 and more needs two_level_stream_table");
  if (config.command_queue_log2 > kQueueLog2Max || config.event_queue_log2 > kQueueLog2Max ||
      config.pri_queue_log2 > kQueueLog2Max)
    return wrong("a queue's log2 is above 19");
  if (config.secure && (!config.stage1 || config.stage2 || config.hypervisor || config.ats))
    return wrong("secure needs stage1 and goes without stage2, hypervisor and ats; use secure_side()");
  if (config.pri && !config.ats) return wrong("pri needs ats");
  if (config.stalled_transactions_max > 0xffff) return wrong("stalled_transactions_max is above 65535");
  if (config.stall_model != StallModel::kTerminateOnly && config.stalled_transactions_max == 0)
    return wrong("a stall model needs stalled_transactions_max above 0");
  if (config.tlb_ways == 0 || config.tlb_ways > 64) return wrong("tlb_ways is not 1 to 64");
  if (config.tlb_sets_log2 > 16) return wrong("tlb_sets_log2 is above 16");
  if (config.config_cache_log2 > 16) return wrong("config_cache_log2 is above 16");
  return {};
}

}  // namespace lockstep::tlm_models::smmuv3
