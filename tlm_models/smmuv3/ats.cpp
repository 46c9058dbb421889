// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint8_t kAtsOff = 0;
constexpr uint8_t kAtsFull = 1;
constexpr uint8_t kAtsSplit = 2;

// EATS as it counts: 3 belongs to device permission tables, which SMMU_IDR3 says this SMMU does not have, and
// split-stage needs ATSCHK.
uint8_t effective_ats(const Ste& ste, const Config& config, bool check) {
  if (!config.ats || ste.config == 4) return kAtsOff;
  if (ste.ats == kAtsSplit && !check) return kAtsOff;
  return ste.ats == 3 ? kAtsOff : ste.ats;
}

// Smallest translation unit: the smallest granule there is.
uint8_t smallest_unit(const Config& config) { return config.granule_4k ? 12 : config.granule_16k ? 14 : 16; }

}  // namespace

AtsCompletion Smmu::translate_for_ats(const AtsRequest& request) {
  AtsCompletion completion;
  completion.size_log2 = smallest_unit(config_);
  completion.privileged = request.substream_valid && request.privileged;

  Transaction transaction;
  transaction.address = request.address;
  transaction.stream_id = request.stream_id;
  transaction.substream_valid = request.substream_valid;
  transaction.substream_id = request.substream_id;
  transaction.privileged = completion.privileged;
  const bool asks_execute = request.substream_valid && request.execute;
  const CachedSte* entry = nullptr;

  const auto refuse = [&] {
    Event event = event_of(transaction);
    event.type = EventType::kBadAtsRequest;
    event.asks_read = true;
    event.asks_write = !request.no_write;
    event.asks_execute = asks_execute;
    event.asks_privileged = completion.privileged;
    event.span = 1;
    abort_with(transaction, event, entry);
    completion.status = AtsStatus::kUnsupportedRequest;
    return completion;
  };
  const auto broken = [&](EventType type, uint64_t fetch_address, const Fault* fault) {
    Event event = event_of(transaction);
    event.type = type;
    event.fetch_address = fetch_address;
    if (fault) {
      event.stage2 = fault->stage2;
      event.fault_class = fault->fault_class;
    }
    last_event_ = event;
    if (registers_.get32(RegisterId::kCr2) & kCr2RecordAtsErrors) abort_with(transaction, event, entry);
    completion.status = AtsStatus::kCompleterAbort;
    return completion;
  };
  if (!config_.ats || !enabled(kCr0SmmuEnable)) return refuse();

  ConfigError error;
  entry = lookup_.find_ste(stream_table_, request.stream_id, error);
  if (!entry) return broken(error.type, error.fetch_address, nullptr);
  if (entry->broken) return broken(EventType::kBadSte, 0, nullptr);
  const Ste& ste = entry->ste;
  if (!(ste.config & 4)) return completion;
  const uint8_t ats = effective_ats(ste, config_, enabled(kCr0AtsCheck));
  if (ats == kAtsOff) return refuse();

  Context context;
  Fault fault;
  const Found found = find_context(transaction, context, error, fault);
  if (found == Found::kEvent) return broken(error.type, error.fetch_address, nullptr);
  if (found == Found::kFault && !is_translation_related(fault.type))
    return broken(fault.type, fault.fetch_address, &fault);
  completion.status = AtsStatus::kSuccess;
  if (found != Found::kYes) return completion;
  if (!context.cd && request.address > ones(config_.ias_bits())) return completion;
  completion.address = request.address;
  if (context.passes) {
    completion.read = completion.write = true;
    completion.address &= ~ones(completion.size_log2);
    return completion;
  }

  // INSTCFG turns reads into fetches, and then execute permission is what counts.
  const bool as_instruction = ste.instruction_override == 3;
  AccessNeed need;
  need.gather = true;
  need.read = !as_instruction;
  need.execute = as_instruction;
  need.write = !request.no_write;
  need.privileged = context.privileged;
  const Regime regime{&ste, context.cd ? &context.cd->cd : nullptr, context.stage2, tag_of(context)};
  const Translation translation = walker_.translate(regime, request.address, need);
  completion.address = 0;
  if (translation.fault) {
    if (is_translation_related(translation.fault.type)) return completion;
    return broken(translation.fault.type, translation.fault.fetch_address, &translation.fault);
  }
  if (translation.no_access_at_stage1) return completion;
  const unsigned shift = context.privileged ? kPrivilegedShift : 0;
  const unsigned allowed = translation.entry.allowed >> shift;
  const bool readable = allowed & kRead;
  const bool executable = allowed & kExecute;
  completion.read = as_instruction ? executable : readable;
  completion.write = allowed & kWrite;
  if (ste.instruction_override == 2) {
    completion.execute = asks_execute && readable;
  } else {
    completion.execute = asks_execute && executable && (as_instruction || readable);
  }
  if (!completion.read && !completion.write) return completion;
  completion.size_log2 = translation.entry.size_log2;
  completion.address = (ats == kAtsSplit ? translation.ipa : translation.output) & ~ones(completion.size_log2);
  if (config_.tlb) {
    tlb_.drop(regime.tag, translation.entry.input);
    tlb_.insert(translation.entry);
  }
  return completion;
}

TranslateResult Smmu::translated_by_ats(const Transaction& original) {
  // Translated transactions carry no substream, privilege or instruction marking here; section "Handling of ATS
  // Translated transactions".
  Transaction transaction = original;
  transaction.substream_valid = false;
  transaction.privileged = transaction.instruction = false;
  TranslateResult result;
  if (!config_.ats) return result;
  const auto pass = [&] {
    if (transaction.address > ones(config_.oas_bits)) return;
    result.outcome = Outcome::kPass;
    result.address = transaction.address;
    result.attributes = consistent(transaction.attributes);
  };
  if (!enabled(kCr0AtsCheck)) {
    pass();
    return result;
  }
  const auto broken = [&](EventType type, uint64_t fetch_address) {
    Event event = event_of(transaction);
    event.type = type;
    event.fetch_address = fetch_address;
    last_event_ = event;
    result.event = type;
    // Unlike those of ordinary transactions, these do not depend on RECINVSID.
    if ((registers_.get32(RegisterId::kCr2) & kCr2RecordAtsErrors) && !transaction.speculative) record(event, true);
    return result;
  };
  ConfigError error;
  Context context;
  context.ste = lookup_.find_ste(stream_table_, transaction.stream_id, error);
  if (!context.ste) return broken(error.type, error.fetch_address);
  if (context.ste->broken) return broken(EventType::kBadSte, 0);
  const Ste& ste = context.ste->ste;
  if (!(ste.config & 4)) return result;
  switch (effective_ats(ste, config_, true)) {
    case kAtsFull:
      pass();
      return result;
    case kAtsSplit:
      break;
    default: {
      Event event = event_of(transaction);
      event.type = EventType::kTranslationForbidden;
      return abort_with(transaction, event, context.ste);
    }
  }
  // Split-stage: the address is an intermediate one, and stage 2 is left to do.
  context.stage2 = true;
  context.privileged = ste.privilege_override == 3;
  context.instruction = !transaction.write && !transaction.atomic && ste.instruction_override == 3;
  return translate_in(transaction, context);
}

}  // namespace lockstep::tlm_models::smmuv3
