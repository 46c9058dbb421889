// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/commands.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bit;
using smmuv3::bits;
using smmuv3::CommandWords;
using smmuv3::Opcode;

// Opcodes that the architecture has and the non-secure queue of an SMMUv3.2 without secure EL2 has not.
struct Foreign {
  unsigned opcode;
  const char* name;
};
constexpr Foreign kForeign[] = {{0x07, "CFGI_VMS_PIDM"}, {0x50, "TLBI_S_EL2_ALL"}, {0x51, "TLBI_S_EL2_ASID"},
                                {0x52, "TLBI_S_EL2_VA"}, {0x53, "TLBI_S_EL2_VAA"}, {0x58, "TLBI_S_S12_VMALL"},
                                {0x5a, "TLBI_S_S2_IPA"}, {0x60, "TLBI_SNH_ALL"},   {0x70, "DPTI_ALL"},
                                {0x73, "DPTI_PA"}};

bool by_address(Opcode opcode) {
  return opcode == Opcode::kTlbiNhVa || opcode == Opcode::kTlbiNhVaa || opcode == Opcode::kTlbiEl2Va ||
         opcode == Opcode::kTlbiEl2Vaa || opcode == Opcode::kTlbiS2Ipa;
}

bool secure_only(Opcode opcode) { return opcode == Opcode::kTlbiEl3All || opcode == Opcode::kTlbiEl3Va; }

// Whether a device can be without the command.
bool may_be_absent(const smmuv3::CommandRow& row) {
  smmuv3::Config poor;
  poor.stage2 = poor.hypervisor = poor.ats = poor.pri = false;
  poor.stall_model = smmuv3::StallModel::kTerminateOnly;
  smmuv3::Config without_stage1;
  without_stage1.stage1 = false;
  return !row.supported(poor) || !row.supported(without_stage1);
}

std::string short_name(const smmuv3::CommandRow& row) { return row.name + 4; }

const char* size_class(uint64_t value, uint64_t largest) {
  return value == 0 ? "none" : value == largest ? "largest" : "some";
}

}  // namespace

void plan_commands(Planner& planner) {
  for (const smmuv3::CommandRow& row : smmuv3::command_rows()) {
    const std::string name = short_name(row);
    if (secure_only(row.opcode)) {
      planner.add("commands/illegal/secure-only/" + name);
      continue;
    }
    planner.cross("commands/legal/" + name, {{"alone", "followed", "queue-full", "at-the-wrap"}});
    planner.cross("commands/legal/" + name, {{"SMMUEN-0", "SMMUEN-1"}});
    if (row.has_ssec) planner.add("commands/illegal/SSec/" + name);
    if (may_be_absent(row)) planner.add("commands/illegal/absent/" + name);
    if (row.bad_fields) planner.add("commands/illegal/fields/" + name);
    if (by_address(row.opcode)) {
      planner.cross("commands/fields/" + name,
                    {{"all-levels", "leaf"}, {"no-range", "4K", "16K", "64K"}, {"TTL-0", "TTL-1", "TTL-2", "TTL-3"}},
                    [](const Axis& v) { return v[1] != "no-range" || v[2] == "TTL-0"; });
      planner.cross("commands/fields/" + name,
                    {{"NUM-none", "NUM-some", "NUM-largest"}, {"SCALE-none", "SCALE-some", "SCALE-largest"}});
    }
  }
  for (const Foreign& foreign : kForeign) planner.add(std::string("commands/illegal/foreign/") + foreign.name);
  planner.cross("commands/illegal/opcode", {{"00", "implementation-defined", "other"}});
  planner.add("commands/illegal/fetch-abort");
  planner.cross("commands/fields", {{"CFGI_STE", "CFGI_CD"}, {"leaf", "all-levels"}});
  planner.cross("commands/fields/CFGI_STE_RANGE", {{"two", "some", "all"}});
  planner.cross("commands/fields", {{"PREFETCH_CONFIG", "PREFETCH_ADDR"}, {"no-substream", "substream"}});
  planner.cross("commands/fields/SYNC", {{"CS-none", "CS-IRQ", "CS-SEV"}});
  planner.cross("commands/fields/SYNC/message", {{"no-address", "address"}});
  planner.add("commands/fields/SYNC/waits-for-ATC");
  planner.cross("commands/fields/RESUME", {{"terminate", "retry", "abort", "abort-and-retry"}});
  planner.cross("commands/fields/ATC_INV",
                {{"no-substream", "substream", "global"}, {"size-none", "size-some", "size-largest"}});
  planner.cross("commands/fields/PRI_RESP", {{"failure", "invalid", "success"}, {"no-substream", "substream"}});
}

void CommandChapter::fetched(const CommandWords& command, uint64_t index, unsigned log2, bool failed) {
  if (failed) {
    watched_.hit("commands/illegal/fetch-abort");
    return;
  }
  const smmuv3::CommandRow* row = smmuv3::legal_command(command, watched_.config());
  if (!row) {
    illegal(command);
    return;
  }
  const std::string name = short_name(*row);
  // Both indices count modulo twice the queue; the fetched one lies less than a queue behind.
  const uint64_t more = (watched_.command_produced - index) & smmuv3::ones(log2);
  const uint64_t waiting = more == 0 ? uint64_t{1} << log2 : more;
  if (waiting == 1) {
    watched_.hit("commands/legal", name, "alone");
  } else {
    watched_.hit("commands/legal", name, "followed");
  }
  if (waiting == uint64_t{1} << log2) watched_.hit("commands/legal", name, "queue-full");
  if (index == smmuv3::ones(log2)) watched_.hit("commands/legal", name, "at-the-wrap");
  watched_.hit("commands/legal", name, watched_.enabled(smmuv3::kCr0SmmuEnable) ? "SMMUEN-1" : "SMMUEN-0");
  fields(*row, command);
}

void CommandChapter::illegal(const CommandWords& command) {
  const unsigned opcode = command[0] & 0xff;
  for (const smmuv3::CommandRow& row : smmuv3::command_rows()) {
    if (static_cast<unsigned>(row.opcode) != opcode) continue;
    if (secure_only(row.opcode)) {
      watched_.hit("commands/illegal/secure-only", short_name(row));
    } else if (!row.supported(watched_.config())) {
      watched_.hit("commands/illegal/absent", short_name(row));
    } else if (row.has_ssec && bit(command[0], 10)) {
      watched_.hit("commands/illegal/SSec", short_name(row));
    } else {
      watched_.hit("commands/illegal/fields", short_name(row));
    }
    return;
  }
  for (const Foreign& foreign : kForeign)
    if (foreign.opcode == opcode) watched_.hit("commands/illegal/foreign", foreign.name);
  watched_.hit("commands/illegal/opcode", opcode == 0 ? "00" : opcode >= 0x80 ? "implementation-defined" : "other");
}

void CommandChapter::fields(const smmuv3::CommandRow& row, const CommandWords& command) {
  const std::string name = short_name(row);
  const bool substream = bit(command[0], 11);
  if (by_address(row.opcode)) {
    const uint64_t granule = watched_.config().range_invalidation ? bits(command[1], 11, 10) : 0;
    static constexpr const char* kGranules[] = {"no-range", "4K", "16K", "64K"};
    static constexpr const char* kLevels[] = {"TTL-0", "TTL-1", "TTL-2", "TTL-3"};
    watched_.hit("commands/fields", name, bit(command[1], 0) ? "leaf" : "all-levels", kGranules[granule],
                 kLevels[granule == 0 ? 0 : bits(command[1], 9, 8)]);
    if (granule != 0)
      watched_.hit("commands/fields", name, std::string("NUM-") + size_class(bits(command[0], 16, 12), 31),
                   std::string("SCALE-") + size_class(bits(command[0], 24, 20), 31));
    return;
  }
  switch (row.opcode) {
    case Opcode::kCfgiSte:
    case Opcode::kCfgiCd:
      watched_.hit("commands/fields", name, bit(command[1], 0) ? "leaf" : "all-levels");
      break;
    case Opcode::kCfgiSteRange: {
      const uint64_t range = bits(command[1], 4, 0);
      watched_.hit("commands/fields", name, range == 0 ? "two" : range == 31 ? "all" : "some");
      break;
    }
    case Opcode::kPrefetchConfig:
    case Opcode::kPrefetchAddress:
      watched_.hit("commands/fields", name, substream ? "substream" : "no-substream");
      break;
    case Opcode::kSync: {
      static constexpr const char* kSignals[] = {"CS-none", "CS-IRQ", "CS-SEV"};
      watched_.hit("commands/fields/SYNC", kSignals[bits(command[0], 13, 12)]);
      if (bits(command[0], 13, 12) == 1)
        watched_.hit("commands/fields/SYNC/message", bits(command[1], 51, 2) ? "address" : "no-address");
      if (pending_atc != 0) watched_.hit("commands/fields/SYNC/waits-for-ATC");
      break;
    }
    case Opcode::kResume: {
      static constexpr const char* kResponses[] = {"terminate", "retry", "abort", "abort-and-retry"};
      watched_.hit("commands/fields/RESUME", kResponses[bits(command[0], 13, 12)]);
      break;
    }
    case Opcode::kAtcInv: {
      const uint64_t size = bits(command[1], 5, 0);
      watched_.hit("commands/fields/ATC_INV",
                   !substream           ? "no-substream"
                   : bit(command[0], 9) ? "global"
                                        : "substream",
                   size == 0    ? "size-none"
                   : size == 52 ? "size-largest"
                                : "size-some");
      break;
    }
    case Opcode::kPriResp: {
      static constexpr const char* kCodes[] = {"failure", "invalid", "success"};
      watched_.hit("commands/fields/PRI_RESP", kCodes[bits(command[1], 13, 12)],
                   substream ? "substream" : "no-substream");
      break;
    }
    default:
      break;
  }
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
