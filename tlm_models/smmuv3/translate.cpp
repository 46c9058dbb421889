// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <type_traits>

#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr unsigned kSubstreamTerminate = 0;
constexpr unsigned kSubstreamBypass = 1;
constexpr unsigned kSubstreamZero = 2;

// PRIVCFG and INSTCFG share their encoding: 2 clears, 3 sets, the rest leaves what came in.
bool overridden(bool incoming, unsigned code) { return code == 3 || (code != 2 && incoming); }
// NSCFG: 2 secure, 3 non-secure.
bool overridden_space(bool secure, unsigned code) { return code == 2 || (code != 3 && secure); }

AccessNeed need_of(const Transaction& transaction, bool privileged, bool instruction) {
  AccessNeed need;
  need.privileged = privileged;
  need.write = transaction.write || transaction.atomic;
  need.execute = instruction;
  need.read = !instruction && (!transaction.write || transaction.atomic);
  return need;
}

// Every page and block is made of these.
constexpr unsigned kQuickPageLog2 = 12;
static_assert(std::has_unique_object_representations_v<MemoryAttributes>);

uint64_t source_of(const Transaction& transaction) {
  // Translated transactions have an identity of their own, which nothing remembers.
  const uint64_t substream = transaction.substream_valid ? uint64_t{1} << 31 | transaction.substream_id : 0;
  return transaction.stream_id | substream << 32 | static_cast<uint64_t>(transaction.translated) << 62;
}

// The address as the TLB keeps it: an ignored top byte is a copy of bit 55.
uint64_t canonical(bool two_halves, const bool (&top_byte_ignored)[2], uint64_t address) {
  const unsigned which = two_halves && bit(address, 55) ? 1 : 0;
  if (!top_byte_ignored[which]) return address;
  return which ? address | ~ones(56) : address & ones(56);
}

uint64_t canonical(const ContextDescriptor& cd, uint64_t address) {
  return canonical(cd.has_two_halves(), {cd.half[0].top_byte_ignored, cd.half[1].top_byte_ignored}, address);
}

bool change_nothing(const AttributeOverrides& overrides) {
  return !overrides.replace_type && overrides.shareability == 1 && !bit(overrides.allocation, 3);
}

}  // namespace

TranslateResult Smmu::translate(const Transaction& transaction) {
  // One object on all paths, so that the result is made where the caller wants it.
  TranslateResult result;
  if (!quick(transaction, result) && !hit(transaction, result)) [[unlikely]]
    result = translate_slowly(transaction);
  return result;
}

TranslateResult Smmu::translate_slowly(const Transaction& transaction) {
  // ATS is not for secure streams.
  if (!enabled(kCr0SmmuEnable) || (config_.secure && transaction.translated)) [[unlikely]] {
    if (!transaction.translated) return pass_disabled(transaction);
    Event event = event_of(transaction);
    event.substream_valid = false;
    event.type = EventType::kTranslationForbidden;
    return abort_with(transaction, event);
  }
  if (transaction.translated) [[unlikely]]
    return translated_by_ats(transaction);

  Context context;
  ConfigError error;
  Fault fault;
  switch (find_context(transaction, context, error, fault)) {
    case Found::kYes:
      break;
    case Found::kSilentAbort:
      return {};
    case Found::kFault:
      return fail(transaction, context, fault);
    case Found::kEvent: {
      Event event = event_of(transaction);
      event.privileged = context.privileged;
      event.instruction = context.instruction;
      event.type = error.type;
      event.fetch_address = error.fetch_address;
      return abort_with(transaction, event, context.ste);
    }
  }
  if (context.passes) return pass_through(transaction, context);
  return translate_in(transaction, context);
}

Smmu::Found Smmu::find_context(const Transaction& transaction, Context& context, ConfigError& error, Fault& fault) {
  context.ste = lookup_.find_ste(stream_table_, transaction.stream_id, error);
  if (!context.ste) return Found::kEvent;
  if (context.ste->broken) {
    error.type = EventType::kBadSte;
    return Found::kEvent;
  }
  const Ste& ste = context.ste->ste;
  if (!(ste.config & 4)) return Found::kSilentAbort;
  context.privileged = overridden(transaction.privileged, ste.privilege_override);
  // Writes are data, whatever they are marked as; section "Attribute support".
  const bool is_read = !transaction.write && !transaction.atomic;
  context.instruction = is_read && overridden(transaction.instruction, ste.instruction_override);
  context.stage2 = ste.stage2_translates();

  const unsigned substreams_log2 = ste.stage1_translates() && config_.substream_id_bits != 0 ? ste.cd_max : 0;
  if (transaction.substream_valid) {
    if (substreams_log2 == 0 || (transaction.substream_id >> substreams_log2) != 0) {
      error.type = EventType::kBadSubstreamId;
      return Found::kEvent;
    }
    if (ste.default_substream == kSubstreamZero && transaction.substream_id == 0) {
      error.type = EventType::kStreamDisabled;
      return Found::kEvent;
    }
  } else if (substreams_log2 != 0) {
    if (ste.default_substream == kSubstreamTerminate || ste.default_substream == 3) {
      error.type = EventType::kStreamDisabled;
      return Found::kEvent;
    }
  }
  const bool skips_stage1 =
      substreams_log2 != 0 && !transaction.substream_valid && ste.default_substream == kSubstreamBypass;
  if (!ste.stage1_translates() || skips_stage1) {
    context.passes = !context.stage2;
    return Found::kYes;
  }
  const uint32_t index = transaction.substream_valid ? transaction.substream_id : 0;
  context.cd = lookup_.find_cd(*context.ste, index, registers_.get32(RegisterId::kCr2) & kCr2E2h, error, fault);
  if (!context.cd) return fault ? Found::kFault : Found::kEvent;
  if (context.cd->broken) {
    error.type = EventType::kBadCd;
    return Found::kEvent;
  }
  return Found::kYes;
}

bool Smmu::quick(const Transaction& transaction, TranslateResult& result) const {
  const uint64_t page = transaction.address >> kQuickPageLog2;
  const QuickEntry& entry = quick_[quick_place(page, transaction.stream_id)];
  if (entry.generation != generation_ || entry.page != page || entry.source != source_of(transaction)) return false;
  result.privileged = overridden(transaction.privileged, entry.privilege_override);
  const bool is_read = !transaction.write && !transaction.atomic;
  result.instruction = is_read && overridden(transaction.instruction, entry.instruction_override);
  const AccessNeed need = need_of(transaction, result.privileged, result.instruction);
  if ((need.mask() & ~entry.allowed) != 0 ||
      std::memcmp(&transaction.attributes, &entry.input_attributes, sizeof(MemoryAttributes)) != 0)
    return false;
  result.outcome = Outcome::kPass;
  result.address = entry.output | (transaction.address & ones(kQuickPageLog2));
  result.attributes = entry.output_attributes;
  return true;
}

bool Smmu::hit(const Transaction& transaction, TranslateResult& result) {
  const uint64_t source = source_of(transaction);
  const StreamShortcut& stream = shortcuts_[shortcut_place(source)];
  if (stream.generation != generation_ || stream.source != source) return false;
  uint64_t address = transaction.address;
  if (stream.stage1) {
    address = canonical(stream.two_halves, stream.top_byte_ignored, address);
  } else if (address > ones(config_.ias_bits())) {
    return false;
  }
  result.privileged = overridden(transaction.privileged, stream.privilege_override);
  const bool is_read = !transaction.write && !transaction.atomic;
  result.instruction = is_read && overridden(transaction.instruction, stream.instruction_override);
  const AccessNeed need = need_of(transaction, result.privileged, result.instruction);
  const TlbEntry* entry = tlb_.find(stream.tag, address);
  if (!entry || (need.mask() & ~entry->allowed) != 0) return false;
  result.outcome = Outcome::kPass;
  result.address = entry->output | (transaction.address & ones(entry->size_log2));
  result.attributes = entry->output_attributes(
      stream.overrides_attributes ? replace(transaction.attributes, stream.overrides) : transaction.attributes);
  if (++tlb_hits_ % kHitsARememberedPage == 0) remember_page(transaction, stream, *entry, result);
  return true;
}

void Smmu::remember_stream(const Transaction& transaction, const Context& context, const TlbTag& tag) {
  // Translated transactions do not come this way, and without a cache of configuration nothing may stand for it.
  if (transaction.translated || !config_.config_cache) return;
  const uint64_t source = source_of(transaction);
  StreamShortcut& stream = shortcuts_[shortcut_place(source)];
  stream.generation = generation_;
  stream.source = source;
  stream.tag = tag;
  stream.privilege_override = context.ste->ste.privilege_override;
  stream.instruction_override = context.ste->ste.instruction_override;
  stream.stage1 = context.cd != nullptr;
  stream.two_halves = context.cd && context.cd->cd.has_two_halves();
  for (unsigned half = 0; half < 2; ++half)
    stream.top_byte_ignored[half] = context.cd && context.cd->cd.half[half].top_byte_ignored;
  stream.overrides = context.ste->ste.overrides;
  stream.overrides_attributes = !change_nothing(stream.overrides);
}

void Smmu::remember_page(const Transaction& transaction, const StreamShortcut& stream, const TlbEntry& entry,
                         const TranslateResult& result) {
  const uint64_t page = transaction.address >> kQuickPageLog2;
  QuickEntry& quick = quick_[quick_place(page, transaction.stream_id)];
  quick.generation = generation_;
  quick.page = page;
  quick.output = result.address & ~ones(kQuickPageLog2);
  quick.source = stream.source;
  quick.allowed = entry.allowed;
  quick.privilege_override = stream.privilege_override;
  quick.instruction_override = stream.instruction_override;
  quick.input_attributes = transaction.attributes;
  quick.output_attributes = result.attributes;
}

TranslateResult Smmu::pass_disabled(const Transaction& transaction) {
  TranslateResult result;
  if ((bypass_control_ & kGbpaAbort) || transaction.address > ones(config_.oas_bits)) return result;
  result.outcome = Outcome::kPass;
  result.address = transaction.address;
  const bool perms = config_.attribute_perms_override;
  const bool is_read = !transaction.write && !transaction.atomic;
  result.privileged =
      overridden(transaction.privileged, perms ? static_cast<unsigned>(bits(bypass_control_, 17, 16)) : 0);
  result.instruction =
      is_read && overridden(transaction.instruction, perms ? static_cast<unsigned>(bits(bypass_control_, 19, 18)) : 0);
  const bool secure =
      config_.secure &&
      overridden_space(transaction.attributes.secure, perms ? static_cast<unsigned>(bits(bypass_control_, 15, 14)) : 0);
  result.attributes = in_space(consistent(replace(transaction.attributes, bypass_overrides_)), secure);
  if (result.instruction && !secure && secure_fetch_only()) result = {};
  return result;
}

MemoryAttributes Smmu::input_attributes(const Transaction& transaction, const Context& context) const {
  const AttributeOverrides& overrides = context.ste->ste.overrides;
  if (change_nothing(overrides)) return transaction.attributes;
  return replace(transaction.attributes, overrides);
}

TranslateResult Smmu::pass_through(const Transaction& transaction, const Context& context) {
  if (transaction.address > ones(config_.ias_bits())) {
    Fault fault;
    fault.type = EventType::kAddressSize;
    return fail(transaction, context, fault);
  }
  TranslateResult result;
  result.outcome = Outcome::kPass;
  result.address = transaction.address;
  result.privileged = context.privileged;
  result.instruction = context.instruction;
  const bool secure =
      config_.secure && overridden_space(transaction.attributes.secure, context.ste->ste.space_override);
  if (result.instruction && !secure && secure_fetch_only()) {
    Fault fault;
    fault.type = EventType::kPermission;
    return fail(transaction, context, fault);
  }
  result.attributes = in_space(consistent(input_attributes(transaction, context)), secure);
  return result;
}

TlbTag Smmu::tag_of(const Context& context) const {
  TlbTag tag;
  const Ste& ste = context.ste->ste;
  if (context.cd) {
    const ContextDescriptor& cd = context.cd->cd;
    tag.world = cd.world;
    tag.asid = cd.asid;
    tag.non_shared_asid = cd.non_shared_asid;
    tag.vmid = config_.stage2 && cd.world == StreamWorld::kEl1 ? ste.stage2.vmid : 0;
  } else {
    tag.space = TlbSpace::kIntermediate;
    tag.vmid = ste.stage2.vmid;
  }
  return tag;
}

TranslateResult Smmu::output(const Transaction& transaction, const Context& context, const TlbEntry& entry) const {
  TranslateResult result;
  result.outcome = Outcome::kPass;
  result.address = entry.output | (transaction.address & ones(entry.size_log2));
  result.privileged = context.privileged;
  result.instruction = context.instruction;
  result.attributes = entry.output_attributes(input_attributes(transaction, context));
  return result;
}

TranslateResult Smmu::translate_in(const Transaction& transaction, const Context& context) {
  uint64_t address = transaction.address;
  if (context.cd) {
    address = canonical(context.cd->cd, address);
  } else if (address > ones(config_.ias_bits())) {
    Fault fault;
    fault.type = EventType::kAddressSize;
    return fail(transaction, context, fault);
  }
  const AccessNeed need = need_of(transaction, context.privileged, context.instruction);
  const Regime regime{&context.ste->ste, context.cd ? &context.cd->cd : nullptr, context.stage2, tag_of(context),
                      secure_fetch_only()};
  if (config_.tlb) {
    const TlbEntry* entry = tlb_.find(regime.tag, address);
    // A hit that does not suffice is walked again: the tables may say more now, and a page may have to be marked dirty.
    if (entry && (need.mask() & ~entry->allowed) == 0) [[likely]] {
      remember_stream(transaction, context, regime.tag);
      return output(transaction, context, *entry);
    }
  }
  Translation translation = walker_.translate(regime, address, need);
  if (translation.fault) return fail(transaction, context, translation.fault);
  translation.entry.apply_for(input_attributes(transaction, context));
  if (config_.tlb) {
    remember_stream(transaction, context, regime.tag);
    tlb_.drop(regime.tag, address);
    tlb_.insert(translation.entry);
  }
  return output(transaction, context, translation.entry);
}

Event Smmu::event_of(const Transaction& transaction) const {
  Event event;
  event.stream_id = transaction.stream_id;
  event.substream_valid = transaction.substream_valid;
  event.substream_id = transaction.substream_valid ? transaction.substream_id : 0;
  event.input_address = transaction.address;
  event.read = !transaction.write && !transaction.atomic;
  event.privileged = transaction.privileged;
  event.instruction = event.read && transaction.instruction;
  return event;
}

TranslateResult Smmu::abort_with(const Transaction& transaction, Event event, const CachedSte* found) {
  TranslateResult result;
  result.event = event.type;
  last_event_ = event;
  if (transaction.speculative) return result;
  if (event.type == EventType::kBadStreamId && !(registers_.get32(RegisterId::kCr2) & kCr2RecordInvalidStream))
    return result;
  // Without a valid entry, nothing forbids merging; section "Event record merging".
  record(event, !found || found->broken || found->ste.merge_events);
  return result;
}

TranslateResult Smmu::fail(const Transaction& transaction, const Context& context, const Fault& fault) {
  const Ste& ste = context.ste->ste;
  Event event = event_of(transaction);
  event.type = fault.type;
  event.fault_class = fault.fault_class;
  event.stage2 = fault.stage2;
  event.privileged = context.privileged;
  event.instruction = context.instruction;
  event.table_read = fault.table_read;
  event.ipa = fault.ipa & ones(config_.oas_bits);
  event.fetch_address = fault.fetch_address;
  if (transaction.atomic && fault.type == EventType::kPermission && fault.fault_class == FaultClass::kInput)
    event.read = fault.lacks_only_read;

  TranslateResult result;
  result.event = fault.type;
  // A, R and S count for faults of a stage that translates; the rest aborts and is recorded.
  bool aborts = true;
  bool recorded = true;
  bool stalls = false;
  if (is_translation_related(fault.type)) {
    if (fault.stage2) {
      recorded = ste.stage2_record;
      stalls = ste.stage2_stall;
    } else if (context.cd) {
      aborts = context.cd->cd.abort;
      recorded = context.cd->cd.record;
      stalls = context.cd->cd.stall;
    }
  }
  last_event_ = event;
  if (transaction.speculative) return result;
  if (stalls) {
    event.stall = true;
    result.outcome = stall(transaction, event, result.stall_tag) ? Outcome::kStalled : Outcome::kNoRoom;
    return result;
  }
  if (recorded) record(event, ste.merge_events);
  if (!aborts) result.outcome = Outcome::kZeroIgnored;
  return result;
}

TranslateResult Smmu::unsupported(const Transaction& transaction, uint16_t reason) {
  Event event = event_of(transaction);
  event.type = EventType::kUut;
  event.reason = reason;
  event.instruction = transaction.instruction;
  return abort_with(transaction, event);
}

}  // namespace lockstep::tlm_models::smmuv3
