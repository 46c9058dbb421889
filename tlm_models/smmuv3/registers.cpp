// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/registers.h"

#include <string>
#include <vector>

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr uint64_t kMsiAddress = ones(52) & ~uint64_t{3};
constexpr uint64_t kQueueBase = uint64_t{1} << 62 | (ones(52) & ~uint64_t{0x1f}) | 0x1f;
constexpr uint64_t kIndex = 0xfffff;
constexpr uint64_t kIndexWithOverflow = kIndex | kQueueOverflow;

// clang-format off
constexpr RegisterRow kRows[] = {
    {Id::kIdr0, 0x00000, 4, "SMMU_IDR0", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "features"},
    {Id::kIdr1, 0x00004, 4, "SMMU_IDR1", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "sizes of streams and queues"},
    {Id::kIdr2, 0x00008, 4, "SMMU_IDR2", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "no VATOS page"},
    {Id::kIdr3, 0x0000c, 4, "SMMU_IDR3", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "features"},
    {Id::kIdr4, 0x00010, 4, "SMMU_IDR4", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "implementation defined: zero"},
    {Id::kIdr5, 0x00014, 4, "SMMU_IDR5", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kNonSecure, "address sizes and granules"},
    {Id::kIidr, 0x00018, 4, "SMMU_IIDR", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kNonSecure, "implementer"},
    {Id::kAidr, 0x0001c, 4, "SMMU_AIDR", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kNonSecure, "architecture SMMUv3.2"},
    {Id::kCr0, 0x00020, 4, "SMMU_CR0", 0x3ff, Guard::kNone, WriteEffect::kControl, Feature::kAlways, "enables; shown in CR0ACK once in effect"},
    {Id::kCr0Ack, 0x00024, 4, "SMMU_CR0ACK", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "CR0 as it is in effect"},
    {Id::kCr1, 0x00028, 4, "SMMU_CR1", 0xfff, Guard::kNone, WriteEffect::kNone, Feature::kAlways, "attributes of table and queue accesses; each half guarded by its enables"},
    {Id::kCr2, 0x0002c, 4, "SMMU_CR2", 0xf, Guard::kSmmuEnable, WriteEffect::kNone, Feature::kAlways, "E2H, RECINVSID, PTM, REC_CFG_ATS"},
    {Id::kStatusr, 0x00040, 4, "SMMU_STATUSR", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kNonSecure, "dormant hint: never"},
    {Id::kGbpa, 0x00044, 4, "SMMU_GBPA", 0x801fff1f, Guard::kNone, WriteEffect::kBypassUpdate, Feature::kAlways, "attributes of bypassing transactions; a write counts only with Update"},
    {Id::kAgbpa, 0x00048, 4, "SMMU_AGBPA", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "implementation defined: zero"},
    {Id::kIrqCtrl, 0x00050, 4, "SMMU_IRQ_CTRL", 0x7, Guard::kNone, WriteEffect::kInterruptControl, Feature::kAlways, "interrupt enables"},
    {Id::kIrqCtrlAck, 0x00054, 4, "SMMU_IRQ_CTRLACK", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "interrupt enables in effect"},
    {Id::kGerror, 0x00060, 4, "SMMU_GERROR", 0, Guard::kReadOnly, WriteEffect::kNone, Feature::kAlways, "global errors; active where different from GERRORN"},
    {Id::kGerrorN, 0x00064, 4, "SMMU_GERRORN", 0x1fd, Guard::kNone, WriteEffect::kErrorAcknowledge, Feature::kAlways, "acknowledged global errors"},
    {Id::kGerrorIrqCfg0, 0x00068, 8, "SMMU_GERROR_IRQ_CFG0", kMsiAddress, Guard::kGerrorInterrupt, WriteEffect::kNone, Feature::kMsi, "address of the message"},
    {Id::kGerrorIrqCfg1, 0x00070, 4, "SMMU_GERROR_IRQ_CFG1", 0xffffffff, Guard::kGerrorInterrupt, WriteEffect::kNone, Feature::kMsi, "data of the message"},
    {Id::kGerrorIrqCfg2, 0x00074, 4, "SMMU_GERROR_IRQ_CFG2", 0x3f, Guard::kGerrorInterrupt, WriteEffect::kNone, Feature::kMsi, "attributes of the message"},
    {Id::kStrtabBase, 0x00080, 8, "SMMU_STRTAB_BASE", uint64_t{1} << 62 | (ones(52) & ~uint64_t{0x3f}), Guard::kSmmuEnable, WriteEffect::kNone, Feature::kAlways, "stream table"},
    {Id::kStrtabBaseCfg, 0x00088, 4, "SMMU_STRTAB_BASE_CFG", 0x307ff, Guard::kSmmuEnable, WriteEffect::kNone, Feature::kAlways, "format and size of the stream table"},
    {Id::kCmdqBase, 0x00090, 8, "SMMU_CMDQ_BASE", kQueueBase, Guard::kCommandQueue, WriteEffect::kNone, Feature::kAlways, "command queue and log2 of its entries"},
    {Id::kCmdqProd, 0x00098, 4, "SMMU_CMDQ_PROD", kIndex, Guard::kNone, WriteEffect::kCommandsAdded, Feature::kAlways, "where software writes the next command"},
    {Id::kCmdqCons, 0x0009c, 4, "SMMU_CMDQ_CONS", kIndex, Guard::kCommandQueue, WriteEffect::kNone, Feature::kAlways, "next command to consume; ERR in bits 30:24"},
    {Id::kEventqBase, 0x000a0, 8, "SMMU_EVENTQ_BASE", kQueueBase, Guard::kEventQueue, WriteEffect::kNone, Feature::kAlways, "event queue and log2 of its entries"},
    {Id::kEventqIrqCfg0, 0x000b0, 8, "SMMU_EVENTQ_IRQ_CFG0", kMsiAddress, Guard::kEventInterrupt, WriteEffect::kNone, Feature::kMsi, "address of the message"},
    {Id::kEventqIrqCfg1, 0x000b8, 4, "SMMU_EVENTQ_IRQ_CFG1", 0xffffffff, Guard::kEventInterrupt, WriteEffect::kNone, Feature::kMsi, "data of the message"},
    {Id::kEventqIrqCfg2, 0x000bc, 4, "SMMU_EVENTQ_IRQ_CFG2", 0x3f, Guard::kEventInterrupt, WriteEffect::kNone, Feature::kMsi, "attributes of the message"},
    {Id::kPriqBase, 0x000c0, 8, "SMMU_PRIQ_BASE", kQueueBase, Guard::kPriQueue, WriteEffect::kNone, Feature::kPri, "page request queue and log2 of its entries"},
    {Id::kPriqIrqCfg0, 0x000d0, 8, "SMMU_PRIQ_IRQ_CFG0", kMsiAddress, Guard::kPriInterrupt, WriteEffect::kNone, Feature::kPriAndMsi, "address of the message"},
    {Id::kPriqIrqCfg1, 0x000d8, 4, "SMMU_PRIQ_IRQ_CFG1", 0xffffffff, Guard::kPriInterrupt, WriteEffect::kNone, Feature::kPriAndMsi, "data of the message"},
    {Id::kPriqIrqCfg2, 0x000dc, 4, "SMMU_PRIQ_IRQ_CFG2", 0x8000003f, Guard::kPriInterrupt, WriteEffect::kNone, Feature::kPri, "attributes of the message; LO: only for the last of a group"},
    {Id::kEventqProd, 0x100a8, 4, "SMMU_EVENTQ_PROD", kIndexWithOverflow, Guard::kEventQueue, WriteEffect::kNone, Feature::kAlways, "where the next event goes; OVFLG in bit 31"},
    {Id::kEventqCons, 0x100ac, 4, "SMMU_EVENTQ_CONS", kIndexWithOverflow, Guard::kNone, WriteEffect::kEventsConsumed, Feature::kAlways, "what software consumed; OVACKFLG in bit 31"},
    {Id::kPriqProd, 0x100c8, 4, "SMMU_PRIQ_PROD", kIndexWithOverflow, Guard::kPriQueue, WriteEffect::kNone, Feature::kPri, "where the next page request goes; OVFLG in bit 31"},
    {Id::kPriqCons, 0x100cc, 4, "SMMU_PRIQ_CONS", kIndexWithOverflow, Guard::kNone, WriteEffect::kNone, Feature::kPri, "what software consumed; OVACKFLG in bit 31"},
    {Id::kInit, 0x0003c, 4, "SMMU_INIT", 0x1, Guard::kNone, WriteEffect::kInvalidateAll, Feature::kSecure, "invalidates all caches of both sides"},
};
// clang-format on

uint64_t flag(bool on, unsigned position) { return static_cast<uint64_t>(on) << position; }

uint64_t idr0(const Config& c) {
  if (c.secure) return flag(c.msi, 13) | static_cast<uint64_t>(c.stall_model) << 24;
  constexpr uint64_t kAarch64Tables = 2;
  const bool two_level = c.two_level_stream_table;
  return flag(c.stage2, 0) | flag(c.stage1, 1) | kAarch64Tables << 2 | flag(c.coherent_access, 4) |
         flag(c.broadcast, 5) | static_cast<uint64_t>(c.hardware_update) << 6 | flag(c.hypervisor && c.stage1, 9) |
         flag(c.ats, 10) | flag(c.ats && c.no_split_stage_ats, 11) | flag(c.asid16, 12) | flag(c.msi, 13) |
         flag(c.send_event, 14) | flag(c.pri, 16) | flag(c.vmid_wildcards, 17) | flag(c.vmid16, 18) |
         flag(c.two_level_cd, 19) | static_cast<uint64_t>(c.table_endianness) << 21 |
         flag(c.ats && c.ats_record_errors, 23) | static_cast<uint64_t>(c.stall_model) << 24 |
         flag(c.terminate_abort_only, 26) | flag(two_level, 27);
}

uint64_t idr1(const Config& c) {
  if (c.secure) return c.stream_id_bits | flag(true, 31);
  return c.stream_id_bits | static_cast<uint64_t>(c.substream_id_bits) << 6 |
         static_cast<uint64_t>(c.pri ? c.pri_queue_log2 : 0) << 11 | static_cast<uint64_t>(c.event_queue_log2) << 16 |
         static_cast<uint64_t>(c.command_queue_log2) << 21 | flag(c.attribute_perms_override, 26) |
         flag(c.attribute_types_override, 27);
}

uint64_t idr3(const Config& c) {
  // Walks see a changed table without break-before-make as either version, which is level 2.
  constexpr uint64_t kBreakBeforeMakeLevel = 2;
  if (c.secure) return flag(c.ats_beside, 6);
  return flag(c.stage1, 2) | flag(c.stage2, 4) | flag(c.pri && c.pasid_in_auto_response, 5) |
         flag(c.force_write_back, 8) | flag(c.small_translation_tables, 9) | flag(c.range_invalidation, 10) |
         kBreakBeforeMakeLevel << 11;
}

uint64_t idr5(const Config& c) {
  const unsigned stalls = c.stall_model == StallModel::kTerminateOnly ? 0 : c.stalled_transactions_max;
  return address_encoding(c.oas_bits) | flag(c.granule_4k, 4) | flag(c.granule_16k, 5) | flag(c.granule_64k, 6) |
         flag(c.va52, 10) | static_cast<uint64_t>(stalls) << 16;
}

}  // namespace

std::span<const RegisterRow> register_rows(bool secure) {
  // The secure interface has the same registers, without those of features that it lacks; page 1's lie in its page.
  struct Secure {
    Secure() {
      names.reserve(std::size(kRows));
      for (const RegisterRow& row : kRows) {
        if (row.feature == Feature::kNonSecure || row.feature == Feature::kPri || row.feature == Feature::kPriAndMsi)
          continue;
        names.push_back(std::string("SMMU_S_") + (row.name + 5));
        rows.push_back(row);
        rows.back().offset = 0x8000 + (row.offset & 0xffff);
        rows.back().name = names.back().c_str();
      }
    }
    std::vector<std::string> names;
    std::vector<RegisterRow> rows;
  };
  static const Secure kSecureTable;
  if (secure) return kSecureTable.rows;
  return kRows;
}

bool present(const RegisterRow& row, const Config& config) {
  switch (row.feature) {
    case Feature::kAlways:
      return true;
    case Feature::kNonSecure:
      return !config.secure;
    case Feature::kSecure:
      return config.secure;
    case Feature::kMsi:
      return config.msi;
    case Feature::kPri:
      return config.pri;
    case Feature::kPriAndMsi:
      return config.pri && config.msi;
  }
  return false;
}

uint64_t writable_bits(const RegisterRow& row, const Config& config) {
  uint64_t mask = row.writable;
  switch (row.id) {
    case Id::kCr0:
      mask &= config.secure ? 0x3ed : 0x1df;
      if (config.stall_model != StallModel::kStallAndTerminate) mask &= ~uint64_t{kCr0NonSecureStallDisable};
      if (!config.pri) mask &= ~uint64_t{kCr0PriQueueEnable};
      if (!config.ats) mask &= ~uint64_t{kCr0AtsCheck};
      if (!config.vmid_wildcards) mask &= ~uint64_t{0x1c0};
      break;
    case Id::kCr2:
      if (!config.broadcast) mask &= ~uint64_t{kCr2PrivateTlb};
      if (!config.hypervisor || !config.stage1) mask &= ~uint64_t{kCr2E2h};
      if (!config.ats || !config.ats_record_errors) mask &= ~uint64_t{kCr2RecordAtsErrors};
      break;
    case Id::kIrqCtrl:
      if (!config.pri) mask &= ~uint64_t{kIrqPri};
      break;
    case Id::kGerrorN:
      if (!config.pri) mask &= ~uint64_t{kGerrorPriAbort | kGerrorMsiPri};
      if (!config.msi) mask &= ~uint64_t{0xf0};
      break;
    case Id::kGbpa:
      if (!config.attribute_types_override) mask &= ~uint64_t{0x3f1f};
      if (!config.attribute_perms_override) mask &= ~uint64_t{0xfc000};
      if (!config.secure) mask &= ~uint64_t{0xc000};
      break;
    case Id::kStrtabBaseCfg:
      if (!config.two_level_stream_table) mask &= 0x3f;
      break;
    case Id::kStrtabBase:
    case Id::kCmdqBase:
    case Id::kEventqBase:
    case Id::kPriqBase:
      mask &= ones(config.oas_bits) | uint64_t{1} << 62;
      break;
    case Id::kGerrorIrqCfg0:
    case Id::kEventqIrqCfg0:
    case Id::kPriqIrqCfg0:
      mask &= ones(config.oas_bits);
      break;
    default:
      break;
  }
  return mask;
}

uint64_t reset_value(RegisterId id, const Config& config) {
  switch (id) {
    case Id::kIdr0:
      return idr0(config);
    case Id::kIdr1:
      return idr1(config);
    case Id::kIdr3:
      return idr3(config);
    case Id::kIdr5:
      return idr5(config);
    case Id::kIidr:
      return config.implementer;
    case Id::kAidr:
      return 2;
    case Id::kCr2:
      return config.broadcast ? kCr2PrivateTlb : 0;
    case Id::kGbpa:
      return config.gbpa_reset & ~kGbpaUpdate;
    default:
      return 0;
  }
}

RegisterFile::RegisterFile(const Config& config) : config_(config) { reset(); }

void RegisterFile::reset() {
  for (const RegisterRow& row : register_rows(config_.secure)) set(row.id, reset_value(row.id, config_));
}

const RegisterRow* RegisterFile::find(uint32_t offset) const {
  for (const RegisterRow& row : register_rows(config_.secure))
    if (offset >= row.offset && offset < row.offset + row.size_bytes) return present(row, config_) ? &row : nullptr;
  return nullptr;
}

uint32_t RegisterFile::read_word(uint32_t offset) const {
  const RegisterRow* row = find(offset);
  if (!row) return 0;
  return static_cast<uint32_t>(get(row->id) >> (8 * (offset - row->offset)));
}

bool RegisterFile::unlocked(Guard guard) const {
  const uint32_t control = get32(Id::kCr0) | get32(Id::kCr0Ack);
  const uint32_t interrupts = get32(Id::kIrqCtrl) | get32(Id::kIrqCtrlAck);
  switch (guard) {
    case Guard::kNone:
      return true;
    case Guard::kReadOnly:
      return false;
    case Guard::kSmmuEnable:
      return !(control & kCr0SmmuEnable);
    case Guard::kCommandQueue:
      return !(control & kCr0CommandQueueEnable);
    case Guard::kEventQueue:
      return !(control & kCr0EventQueueEnable);
    case Guard::kPriQueue:
      return !(control & kCr0PriQueueEnable);
    case Guard::kGerrorInterrupt:
      return !(interrupts & kIrqGerror);
    case Guard::kEventInterrupt:
      return !(interrupts & kIrqEvent);
    case Guard::kPriInterrupt:
      return !(interrupts & kIrqPri);
  }
  return false;
}

}  // namespace lockstep::tlm_models::smmuv3
