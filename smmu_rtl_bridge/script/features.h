// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lockstep::smmu_rtl_bridge {

// What a device says of itself in its ID registers, as software reads them; sections "SMMU_IDR0", "SMMU_IDR1",
// "SMMU_IDR3" and "SMMU_IDR5".
struct Features {
  uint32_t idr0 = 0, idr1 = 0, idr3 = 0, idr5 = 0;

  bool flag0(unsigned bit) const { return idr0 >> bit & 1; }
  bool stage2() const { return flag0(0); }
  bool stage1() const { return flag0(1); }
  bool broadcast() const { return flag0(5); }
  unsigned hardware_update() const { return idr0 >> 6 & 3; }  // 0 none, 1 access flag, 2 dirty state too
  bool hypervisor() const { return flag0(9); }
  bool ats() const { return flag0(10); }
  bool no_split_stage_ats() const { return flag0(11); }
  bool asid16() const { return flag0(12); }
  bool msi() const { return flag0(13); }
  bool send_event() const { return flag0(14); }
  bool pri() const { return flag0(16); }
  bool vmid_wildcards() const { return flag0(17); }
  bool vmid16() const { return flag0(18); }
  bool two_level_cd() const { return flag0(19); }
  unsigned endianness() const { return idr0 >> 21 & 3; }  // 0 mixed, 2 little, 3 big
  bool ats_records() const { return flag0(23); }
  unsigned stall_model() const { return idr0 >> 24 & 3; }  // 0 both, 1 terminate only, 2 stalls forced
  bool terminate_abort_only() const { return flag0(26); }
  bool two_level_stream_table() const { return (idr0 >> 27 & 3) == 1; }

  unsigned stream_bits() const { return idr1 & 63; }
  unsigned substream_bits() const { return idr1 >> 6 & 31; }
  unsigned priq_log2() const { return idr1 >> 11 & 31; }
  unsigned evtq_log2() const { return idr1 >> 16 & 31; }
  unsigned cmdq_log2() const { return idr1 >> 21 & 31; }
  bool permissions_override() const { return idr1 >> 26 & 1; }
  bool types_override() const { return idr1 >> 27 & 1; }

  bool hierarchy_disable() const { return idr3 >> 2 & 1; }
  bool force_write_back() const { return idr3 >> 8 & 1; }
  bool small_tables() const { return idr3 >> 9 & 1; }
  bool ranges() const { return idr3 >> 10 & 1; }

  unsigned output_code() const { return idr5 & 7; }
  unsigned output_bits() const {
    constexpr unsigned kBits[] = {32, 36, 40, 42, 44, 48, 52, 52};
    return kBits[output_code()];
  }
  bool granule(unsigned log2) const {
    return (log2 == 12 && (idr5 >> 4 & 1)) || (log2 == 14 && (idr5 >> 5 & 1)) || (log2 == 16 && (idr5 >> 6 & 1));
  }
  unsigned smallest_granule() const { return granule(12) ? 12 : granule(14) ? 14 : 16; }
  bool va52() const { return (idr5 >> 10 & 3) == 1; }
  unsigned stalls_max() const { return idr5 >> 16; }
  unsigned asid_bits() const { return asid16() ? 16 : 8; }
  unsigned vmid_bits() const { return vmid16() ? 16 : 8; }
};

}  // namespace lockstep::smmu_rtl_bridge
