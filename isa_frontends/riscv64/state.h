// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/hart/state.h"

namespace lockstep::isa::riscv64 {

enum Privilege : uint64_t { kUser = 0, kSupervisor = 1, kMachine = 3 };

inline constexpr unsigned kPmpEntries = 16;

// What an RV64 hart remembers. pc, fflags (fp_flags) and frm (fp_rounding) are in the header. Plain data, valid when
// zeroed; Hart64::reset() gives it the values after reset.
struct State64 : core::StateHeader {
  uint64_t x[32];
  uint64_t f[32];  // singles are NaN-boxed
  uint64_t privilege;
  uint64_t mstatus;  // without SD, UXL and SXL, which are derived
  uint64_t medeleg, mideleg, mie;
  uint64_t mip_software;     // the bits of mip that software set: SSIP, STIP, SEIP
  uint64_t interrupt_lines;  // the bits of mip that devices drive
  uint64_t mtvec, mcounteren, mcountinhibit, mscratch, mepc, mcause, mtval, menvcfg;
  uint64_t stvec, scounteren, sscratch, sepc, scause, stval, senvcfg, satp;
  uint64_t pmpcfg[2];  // eight entries each, as in the CSRs pmpcfg0 and pmpcfg2
  uint64_t pmpaddr[kPmpEntries];
  // mcycle = instruction count + offset, minstret = instruction count - not_retired + offset; while mcountinhibit stops
  // a counter, its offset holds the value itself.
  uint64_t mcycle_offset, minstret_offset;
  uint64_t not_retired;  // instructions that trapped instead of retiring
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
inline constexpr uint32_t kOffsetX = offsetof(State64, x);
inline constexpr uint32_t kOffsetF = offsetof(State64, f);
#pragma GCC diagnostic pop

constexpr uint32_t x_offset(unsigned index) { return kOffsetX + 8 * index; }
constexpr uint32_t f_offset(unsigned index) { return kOffsetF + 8 * index; }

const core::StateLayout& state_layout();

// mstatus
inline constexpr uint64_t kStatusSie = 1u << 1;
inline constexpr uint64_t kStatusMie = 1u << 3;
inline constexpr uint64_t kStatusSpie = 1u << 5;
inline constexpr uint64_t kStatusMpie = 1u << 7;
inline constexpr uint64_t kStatusSpp = 1u << 8;
inline constexpr unsigned kStatusMppShift = 11;
inline constexpr uint64_t kStatusMpp = 3u << kStatusMppShift;
inline constexpr unsigned kStatusFsShift = 13;
inline constexpr uint64_t kStatusFs = 3u << kStatusFsShift;
inline constexpr uint64_t kStatusMprv = 1u << 17;
inline constexpr uint64_t kStatusSum = 1u << 18;
inline constexpr uint64_t kStatusMxr = 1u << 19;
inline constexpr uint64_t kStatusTvm = 1u << 20;
inline constexpr uint64_t kStatusTw = 1u << 21;
inline constexpr uint64_t kStatusTsr = 1u << 22;
inline constexpr uint64_t kStatusUxl = uint64_t{2} << 32;
inline constexpr uint64_t kStatusSxl = uint64_t{2} << 34;
inline constexpr uint64_t kStatusSd = uint64_t{1} << 63;
inline constexpr uint64_t kFsDirty = 3;

// menvcfg
inline constexpr uint64_t kEnvFiom = 1;
inline constexpr uint64_t kEnvAdue = uint64_t{1} << 61;

// Synchronous causes.
enum Cause : uint64_t {
  kFetchMisaligned = 0,
  kFetchAccess = 1,
  kIllegalInstruction = 2,
  kBreakpoint = 3,
  kLoadMisaligned = 4,
  kLoadAccess = 5,
  kStoreMisaligned = 6,
  kStoreAccess = 7,
  kEcallUser = 8,
  kFetchPage = 12,
  kLoadPage = 13,
  kStorePage = 15,
};
inline constexpr uint64_t kCauseInterrupt = uint64_t{1} << 63;

}  // namespace lockstep::isa::riscv64
