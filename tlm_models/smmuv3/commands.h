// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "tlm_models/smmuv3/config.h"

namespace lockstep::tlm_models::smmuv3 {

// Opcodes; section "Command opcodes".
enum class Opcode : uint8_t {
  kPrefetchConfig = 0x01,
  kPrefetchAddress = 0x02,
  kCfgiSte = 0x03,
  kCfgiSteRange = 0x04,
  kCfgiCd = 0x05,
  kCfgiCdAll = 0x06,
  kTlbiNhAll = 0x10,
  kTlbiNhAsid = 0x11,
  kTlbiNhVa = 0x12,
  kTlbiNhVaa = 0x13,
  kTlbiEl3All = 0x18,
  kTlbiEl3Va = 0x1a,
  kTlbiEl2All = 0x20,
  kTlbiEl2Asid = 0x21,
  kTlbiEl2Va = 0x22,
  kTlbiEl2Vaa = 0x23,
  kTlbiS12Vmall = 0x28,
  kTlbiS2Ipa = 0x2a,
  kTlbiNsnhAll = 0x30,
  kAtcInv = 0x40,
  kPriResp = 0x41,
  kResume = 0x44,
  kStallTerm = 0x45,
  kSync = 0x46,
};

using CommandWords = std::array<uint64_t, 2>;

// CMDQ_CONS.ERR; section "Command queue errors".
inline constexpr unsigned kErrorNone = 0;
inline constexpr unsigned kErrorIllegal = 1;
inline constexpr unsigned kErrorAbort = 2;
inline constexpr unsigned kErrorAtcSync = 3;

// One command. Opcodes without a row, among them those of secure EL2, are illegal.
struct CommandRow {
  Opcode opcode;
  const char* name;
  const char* section;
  bool has_ssec;  // a set SSec names a secure stream, which is illegal on the non-secure queue
  bool (*supported)(const Config& config);
  // Field values that make it illegal beyond its opcode; null: none.
  bool (*bad_fields)(const CommandWords& command, const Config& config);
};
std::span<const CommandRow> command_rows();
// The row of a command that may be executed, or null for CERROR_ILL. Reserved fields are ignored.
const CommandRow* legal_command(const CommandWords& command, const Config& config);

}  // namespace lockstep::tlm_models::smmuv3
