// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/commands.h"

#include "tlm_models/smmuv3/queue.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr unsigned kCommandLog2 = 4;

bool always(const Config&) { return true; }
bool with_stage1(const Config& c) { return c.stage1; }
bool with_stage2(const Config& c) { return c.stage2; }
bool with_el2(const Config& c) { return c.stage1 && c.hypervisor; }
bool on_secure(const Config& c) { return c.secure; }
bool with_ats(const Config& c) { return c.ats; }
bool with_pri(const Config& c) { return c.pri; }
bool with_stall(const Config& c) { return c.stall_model != StallModel::kTerminateOnly; }

// Granule information without a level and without a range is a reserved encoding.
bool empty_range(const CommandWords& words, const Config& config) {
  if (!config.range_invalidation) return false;
  const uint64_t granule = bits(words[1], 11, 10);
  uint64_t level = bits(words[1], 9, 8);
  if (granule == 2 && level == 1) level = 0;  // 16 KiB tables have no leaves there
  return granule != 0 && level == 0 && bits(words[0], 16, 12) == 0 && bits(words[0], 24, 20) == 0;
}
bool bad_response(const CommandWords& words, const Config&) { return bits(words[1], 13, 12) == 3; }
bool bad_span(const CommandWords& words, const Config&) { return bits(words[1], 5, 0) > 52; }
bool bad_signal(const CommandWords& words, const Config&) { return bits(words[0], 13, 12) == 3; }

// clang-format off
constexpr CommandRow kRows[] = {
    {Opcode::kPrefetchConfig, "CMD_PREFETCH_CONFIG", "CMD_PREFETCH_CONFIG", true, always, nullptr},
    {Opcode::kPrefetchAddress, "CMD_PREFETCH_ADDR", "CMD_PREFETCH_ADDR", true, always, nullptr},
    {Opcode::kCfgiSte, "CMD_CFGI_STE", "CMD_CFGI_STE", true, always, nullptr},
    {Opcode::kCfgiSteRange, "CMD_CFGI_STE_RANGE", "CMD_CFGI_STE_RANGE", true, always, nullptr},
    {Opcode::kCfgiCd, "CMD_CFGI_CD", "CMD_CFGI_CD", true, with_stage1, nullptr},
    {Opcode::kCfgiCdAll, "CMD_CFGI_CD_ALL", "CMD_CFGI_CD_ALL", true, with_stage1, nullptr},
    {Opcode::kTlbiNhAll, "CMD_TLBI_NH_ALL", "TLB invalidation of stage 1", false, with_stage1, nullptr},
    {Opcode::kTlbiNhAsid, "CMD_TLBI_NH_ASID", "TLB invalidation of stage 1", false, with_stage1, nullptr},
    {Opcode::kTlbiNhVa, "CMD_TLBI_NH_VA", "TLB invalidation of stage 1", false, with_stage1, empty_range},
    {Opcode::kTlbiNhVaa, "CMD_TLBI_NH_VAA", "TLB invalidation of stage 1", false, with_stage1, empty_range},
    {Opcode::kTlbiEl3All, "CMD_TLBI_EL3_ALL", "TLB invalidation of stage 1", false, on_secure, nullptr},
    {Opcode::kTlbiEl3Va, "CMD_TLBI_EL3_VA", "TLB invalidation of stage 1", false, on_secure, empty_range},
    {Opcode::kTlbiEl2All, "CMD_TLBI_EL2_ALL", "TLB invalidation of stage 1", false, with_el2, nullptr},
    {Opcode::kTlbiEl2Asid, "CMD_TLBI_EL2_ASID", "TLB invalidation of stage 1", false, with_el2, nullptr},
    {Opcode::kTlbiEl2Va, "CMD_TLBI_EL2_VA", "TLB invalidation of stage 1", false, with_el2, empty_range},
    {Opcode::kTlbiEl2Vaa, "CMD_TLBI_EL2_VAA", "TLB invalidation of stage 1", false, with_el2, empty_range},
    {Opcode::kTlbiS12Vmall, "CMD_TLBI_S12_VMALL", "TLB invalidation of stage 2", false, with_stage2, nullptr},
    {Opcode::kTlbiS2Ipa, "CMD_TLBI_S2_IPA", "TLB invalidation of stage 2", false, with_stage2, empty_range},
    {Opcode::kTlbiNsnhAll, "CMD_TLBI_NSNH_ALL", "Common TLB invalidation", false, always, nullptr},
    {Opcode::kAtcInv, "CMD_ATC_INV", "CMD_ATC_INV", false, with_ats, bad_span},
    {Opcode::kPriResp, "CMD_PRI_RESP", "CMD_PRI_RESP", false, with_pri, bad_response},
    {Opcode::kResume, "CMD_RESUME", "CMD_RESUME", true, with_stall, nullptr},
    {Opcode::kStallTerm, "CMD_STALL_TERM", "CMD_STALL_TERM", true, with_stall, nullptr},
    {Opcode::kSync, "CMD_SYNC", "CMD_SYNC", false, always, bad_signal},
};
// clang-format on

QueueView command_queue(const RegisterFile& registers) {
  return {registers.get(Id::kCmdqBase), registers.get(Id::kCmdqProd), registers.get(Id::kCmdqCons),
          registers.config().command_queue_log2, kCommandLog2};
}

uint32_t stream_of(const CommandWords& words) { return static_cast<uint32_t>(words[0] >> 32); }
uint32_t substream_of(const CommandWords& words) { return static_cast<uint32_t>(bits(words[0], 31, 12)); }

}  // namespace

std::span<const CommandRow> command_rows() { return kRows; }

const CommandRow* legal_command(const CommandWords& command, const Config& config) {
  const auto opcode = static_cast<Opcode>(command[0] & 0xff);
  for (const CommandRow& row : kRows) {
    if (row.opcode != opcode) continue;
    if (!row.supported(config) || (row.has_ssec && bit(command[0], 10) && !config.secure)) return nullptr;
    return row.bad_fields && row.bad_fields(command, config) ? nullptr : &row;
  }
  return nullptr;
}

void Smmu::command_error(unsigned code) {
  registers_.set(Id::kCmdqCons, (registers_.get(Id::kCmdqCons) & 0xfffff) | static_cast<uint64_t>(code) << 24);
  raise_global_error(kGerrorCommand);
}

// Section "Secure commands, events and configuration": commands of the secure queue that name non-secure streams or
// regimes.
bool Smmu::goes_to_non_secure_side(const CommandWords& command) const {
  if (!non_secure_side_) return false;
  switch (static_cast<Opcode>(command[0] & 0xff)) {
    case Opcode::kTlbiEl2All:
    case Opcode::kTlbiEl2Asid:
    case Opcode::kTlbiEl2Va:
    case Opcode::kTlbiEl2Vaa:
    case Opcode::kTlbiS12Vmall:
    case Opcode::kTlbiS2Ipa:
    case Opcode::kTlbiNsnhAll:
      return true;
    case Opcode::kPrefetchConfig:
    case Opcode::kPrefetchAddress:
    case Opcode::kCfgiSte:
    case Opcode::kCfgiSteRange:
    case Opcode::kCfgiCd:
    case Opcode::kCfgiCdAll:
    case Opcode::kResume:
    case Opcode::kStallTerm:
      return !bit(command[0], 10);
    default:
      return false;
  }
}

void Smmu::process_commands() {
  // A message or a resolved stall may lead back here.
  if (processing_commands_) return;
  processing_commands_ = true;
  for (;;) {
    if (!enabled(kCr0CommandQueueEnable) || error_active(kGerrorCommand)) break;
    const QueueView queue = command_queue(registers_);
    if (queue.empty() || !queue.consistent()) break;
    CommandWords command;
    if (!memory_.read(queue.consume_address(), command.data(), sizeof command, queue_attributes(registers_),
                      AccessKind::kCommand)) {
      command_error(kErrorAbort);
      break;
    }
    unsigned error = kErrorNone;
    Smmu& target = goes_to_non_secure_side(command) ? *non_secure_side_ : *this;
    const CommandRow* row = legal_command(command, target.config_);
    if (!row) {
      error = kErrorIllegal;
    } else if (row->opcode == Opcode::kSync) {
      if (!synchronise(command, error) && error == kErrorNone) break;
    } else {
      target.execute(command);
    }
    if (error != kErrorNone) {
      command_error(error);
      break;
    }
    registers_.set(Id::kCmdqCons, queue.after_consume());
    if (queue.full() && config_.send_event) environment_.send_event();
    if (row->opcode == Opcode::kSync) signal_sync(command);
  }
  processing_commands_ = false;
}

// Whether all earlier commands have had their effect. The completion signal follows the index; see signal_sync().
bool Smmu::synchronise(const CommandWords&, unsigned& error) {
  if (pending_atc_ != 0) return false;
  if (atc_timed_out_) {
    atc_timed_out_ = false;
    error = kErrorAtcSync;
    return false;
  }
  return environment_.downstream_quiet();
}

void Smmu::signal_sync(const CommandWords& command) {
  // Records from before and after are of different configurations, however alike they look.
  last_record_mergeable_ = false;
  switch (bits(command[0], 13, 12)) {
    case 1: {
      environment_.raise(Interrupt::kCommandSync);
      const uint64_t address = field_in_place(command[1], 51, 2);
      if (!config_.msi || address == 0) break;
      const auto data = static_cast<uint32_t>(command[0] >> 32);
      const MemoryAttributes attributes =
          in_space(consistent(from_stage2_encoding(static_cast<unsigned>(bits(command[0], 27, 24)),
                                                   static_cast<unsigned>(bits(command[0], 23, 22)))),
                   config_.secure);
      if (!memory_.write(address & ones(config_.oas_bits), &data, sizeof data, attributes, AccessKind::kMsi))
        raise_global_error(kGerrorMsiCommand);
      break;
    }
    case 2:
      if (config_.send_event) environment_.send_event();
      break;
    default:
      break;
  }
}

void Smmu::atc_invalidated(bool timed_out) {
  if (pending_atc_ == 0) return;
  --pending_atc_;
  atc_timed_out_ = atc_timed_out_ || timed_out;
  process_commands();
}

void Smmu::execute(const CommandWords& command) {
  const bool translating = enabled(kCr0SmmuEnable);
  // Almost every command makes something old.
  ++generation_;
  switch (static_cast<Opcode>(command[0] & 0xff)) {
    case Opcode::kPrefetchConfig:
    case Opcode::kPrefetchAddress: {
      // Only configuration is fetched; failures stay silent.
      if (!translating) break;
      Transaction transaction;
      transaction.stream_id = stream_of(command);
      transaction.substream_valid = bit(command[0], 11);
      transaction.substream_id = transaction.substream_valid ? substream_of(command) : 0;
      Context context;
      ConfigError error;
      Fault fault;
      find_context(transaction, context, error, fault);
      break;
    }
    case Opcode::kCfgiSte:
      lookup_.invalidate_ste(stream_of(command), stream_of(command));
      break;
    case Opcode::kCfgiSteRange: {
      const auto below = static_cast<uint32_t>(ones(static_cast<unsigned>(bits(command[1], 4, 0)) + 1));
      lookup_.invalidate_ste(stream_of(command) & ~below, stream_of(command) | below);
      break;
    }
    case Opcode::kCfgiCd:
      lookup_.invalidate_cd(stream_of(command), substream_of(command));
      break;
    case Opcode::kCfgiCdAll:
      lookup_.invalidate_cds(stream_of(command));
      break;
    case Opcode::kAtcInv: {
      if (!translating) break;
      AtcInvalidation invalidation;
      invalidation.stream_id = stream_of(command);
      invalidation.substream_valid = bit(command[0], 11) && config_.substream_id_bits != 0;
      invalidation.substream_id = invalidation.substream_valid ? substream_of(command) : 0;
      invalidation.global = invalidation.substream_valid && bit(command[0], 9);
      invalidation.size_log2 = static_cast<uint8_t>(12 + bits(command[1], 5, 0));
      invalidation.address = field_in_place(command[1], 63, 12) & ~ones(invalidation.size_log2);
      switch (environment_.invalidate_atc(invalidation)) {
        case AtcAnswer::kDone:
          break;
        case AtcAnswer::kPending:
          ++pending_atc_;
          break;
        case AtcAnswer::kTimedOut:
          atc_timed_out_ = true;
          break;
      }
      break;
    }
    case Opcode::kPriResp: {
      if (!translating) break;
      PageResponse response;
      response.stream_id = stream_of(command);
      response.substream_valid = bit(command[0], 11) && config_.substream_id_bits != 0;
      response.substream_id = response.substream_valid ? substream_of(command) : 0;
      response.group = static_cast<uint16_t>(bits(command[1], 8, 0));
      constexpr PageResponseCode kCodes[] = {PageResponseCode::kFailure, PageResponseCode::kInvalidRequest,
                                             PageResponseCode::kSuccess};
      response.code = kCodes[bits(command[1], 13, 12)];
      environment_.page_response(response);
      break;
    }
    case Opcode::kResume: {
      const uint64_t tag = bits(command[1], 15, 0);
      if (tag >= stalled_.size()) break;
      StalledTransaction& stalled = stalled_[tag];
      if (!stalled.used || !stalled.recorded || stalled.transaction.stream_id != stream_of(command)) break;
      if (bit(command[0], 12)) {
        retry(stalled);
      } else {
        terminate(stalled, bit(command[0], 13));
      }
      break;
    }
    case Opcode::kStallTerm:
      for (StalledTransaction& stalled : stalled_)
        if (stalled.used && stalled.transaction.stream_id == stream_of(command)) terminate(stalled, true);
      break;
    default:
      execute_tlb_invalidation(command);
      break;
  }
}

}  // namespace lockstep::tlm_models::smmuv3
