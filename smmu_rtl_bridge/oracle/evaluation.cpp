// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/evaluation.h"

#include <algorithm>
#include <cstring>

#include "smmu_rtl_bridge/model_pins.h"
#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using tlm_models::smmuv3::AccessKind;
using tlm_models::smmuv3::Config;
using tlm_models::smmuv3::EventType;
using tlm_models::smmuv3::ExchangeResult;
using tlm_models::smmuv3::MemoryAttributes;
using tlm_models::smmuv3::ones;
using tlm_models::smmuv3::RegisterId;
using tlm_models::smmuv3::SmmuState;
using tlm_models::smmuv3::StreamWorld;
using tlm_models::smmuv3::TlbSpace;

constexpr unsigned kEventQueueLog2 = 19;
// Reads of one answer whose attributes are remembered: many times what one walk makes.
constexpr size_t kFetchesMax = 4096;
// No hint of a level fits it.
constexpr unsigned kUnknownLevel = 0xff;
// Records that fit the evaluator's own event queue, which nobody reads.
constexpr uint64_t kRecordsMax = (uint64_t{1} << kEventQueueLog2) - 2;

Config evaluator_config(Config config) {
  config.tlb = config.stage1_walk_cache = config.stage2_cache = config.config_cache = config.merge_events = false;
  config.tlb_sets_log2 = 0;
  config.tlb_ways = 1;
  config.config_cache_log2 = 0;
  config.event_queue_log2 = kEventQueueLog2;
  config.deferred_updates = false;
  // One access is evaluated at a time.
  if (config.stall_model != tlm_models::smmuv3::StallModel::kTerminateOnly) config.stalled_transactions_max = 1;
  return config;
}

bool may_be_valid(uint64_t raw) { return (raw & 1) != 0 || (__builtin_bswap64(raw) & 1) != 0; }

}  // namespace

bool Outcome::same_as(const Outcome& other) const {
  if (end != other.end || recorded != other.recorded || updates != other.updates) return false;
  if (recorded && record != other.record) return false;
  if (ats.has_value() != other.ats.has_value()) return false;
  if (ats && (ats->status != other.ats->status || ats->read != other.ats->read || ats->write != other.ats->write ||
              ats->execute != other.ats->execute || ats->privileged != other.ats->privileged ||
              ats->size_log2 != other.ats->size_log2 || ats->address != other.ats->address))
    return false;
  return end != Ends::kPass || (address == other.address && attributes == other.attributes &&
                                privileged == other.privileged && instruction == other.instruction);
}

Evaluator::Evaluator(const Config& config, VersionedMemory& memory, const InvalidationLog& log)
    : config_(evaluator_config(config)), memory_(memory), log_(log), smmu_(config_, *this, *this) {}

void Evaluator::load(const Control& control) {
  if (loaded_ == control.number && records_ < kRecordsMax) return;
  SmmuState state;
  for (size_t i = 0; i < tlm_models::smmuv3::kRegisters; ++i)
    state.registers[i] = tlm_models::smmuv3::reset_value(static_cast<RegisterId>(i), config_);
  const auto set = [&](RegisterId id, uint64_t value) { state.registers[static_cast<size_t>(id)] = value; };
  const uint32_t cr0 = control.cr0 | tlm_models::smmuv3::kCr0EventQueueEnable;
  set(RegisterId::kCr0, cr0);
  set(RegisterId::kCr0Ack, cr0);
  set(RegisterId::kCr1, control.cr1);
  set(RegisterId::kCr2, control.cr2);
  set(RegisterId::kStrtabBase, control.strtab_base);
  set(RegisterId::kStrtabBaseCfg, control.strtab_base_cfg);
  set(RegisterId::kEventqBase, kEventQueueLog2);
  state.bypass_control = control.gbpa;
  smmu_.restore(state);
  loaded_ = control.number;
  records_ = 0;
  e2h_ = control.cr2 & tlm_models::smmuv3::kCr2E2h;
}

void Evaluator::begin() {
  position_ = 0;
  ste_read_ = cd_read_ = decoded_ste_ = decoded_cd_ = false;
  stage1_reads_.clear();
  stage2_reads_.clear();
  structures_until_ = kNever;
  last_read_live_ = true;
  last_was_descriptor_ = false;
  updates_.clear();
  chosen_.clear();
  record_.reset();
  seen_ = 0;
}

// The next combination of choices, counting like an odometer whose last wheel is the last choice that was met.
bool Evaluator::next() {
  while (!choices_.empty() && choices_.back().index + 1 == choices_.back().count) choices_.pop_back();
  if (choices_.empty()) return false;
  ++choices_.back().index;
  return true;
}

unsigned Evaluator::choose(unsigned count) {
  if (count <= 1) return 0;
  if (position_ == choices_.size()) choices_.push_back({count, 0});
  return choices_[position_++].index;
}

template <typename Run>
bool Evaluator::explore(const Control& control, const Window& window, std::vector<Outcome>& out, const Run& run) {
  window_ = window;
  if (explore_all(control, out, run)) return !alike_;
  if (alike_) return false;
  alike_ = true;
  runs_ = 0;
  explore_all(control, out, run);
  return false;
}

template <typename Run>
bool Evaluator::explore_all(const Control& control, std::vector<Outcome>& out, const Run& run) {
  choices_.clear();
  do {
    if (++runs_ > kEvaluationsMax) return false;
    load(control);
    begin();
    ++evaluations_;
    Outcome outcome;
    const EventType type = run(outcome);
    meet();
    if (fault_was_kept(type)) {
      if (!window_.keep_faults) continue;
      seen_ |= kSawFaultCached;
    }
    outcome.recorded = record_.has_value();
    if (record_) outcome.record = *record_;
    outcome.may_merge = record_ && (!ste_read_ || type == EventType::kBadSte ||
                                    tlm_models::smmuv3::decode_ste(ste_words_, config_).merge_events);
    outcome.updates = updates_;
    outcome.seen = seen_;
    const auto same = std::find_if(out.begin(), out.end(), [&](const Outcome& o) { return o.same_as(outcome); });
    if (same == out.end()) {
      out.push_back(std::move(outcome));
    } else if (seen_ < same->seen) {
      same->seen = seen_;
    }
  } while (next());
  return true;
}

void Evaluator::meet() {
  if (!ste_read_ || window_.ste != nullptr || window_.cd != nullptr) return;
  for (const Structures& known : met_)
    if (known.has_cd == cd_read_ && known.ste == ste_words_ && (!cd_read_ || known.cd == cd_words_)) return;
  met_.push_back({cd_read_, structures_until_, ste_words_, cd_words_});
}

bool Evaluator::evaluate(const ClientAccess& access, const Control& control, const Window& window,
                         std::vector<Outcome>& out) {
  tlm_models::smmuv3::Transaction transaction;
  transaction.address = access.address;
  transaction.stream_id = access.stream_id;
  transaction.substream_id = access.substream_id;
  transaction.substream_valid = access.substream_valid;
  transaction.write = access.write;
  transaction.atomic = access.atomic;
  transaction.instruction = access.instruction;
  transaction.privileged = access.privileged;
  transaction.translated = access.translated;
  transaction.attributes = from_pins(access.attributes);
  stream_ = access.stream_id;
  index_ = access.substream_valid ? access.substream_id : 0;
  address_ = access.address;
  return explore(control, window, out, [&](Outcome& outcome) {
    const tlm_models::smmuv3::TranslateResult result = smmu_.translate(transaction);
    switch (result.outcome) {
      case tlm_models::smmuv3::Outcome::kPass:
        outcome.end = Ends::kPass;
        outcome.address = result.address;
        outcome.attributes = to_pins(result.attributes);
        outcome.privileged = result.privileged;
        outcome.instruction = result.instruction;
        break;
      case tlm_models::smmuv3::Outcome::kZeroIgnored:
        outcome.end = Ends::kZero;
        break;
      case tlm_models::smmuv3::Outcome::kStalled:
      case tlm_models::smmuv3::Outcome::kNoRoom:
        outcome.end = Ends::kStall;
        loaded_ = ~uint64_t{0};  // The stall has to go again.
        break;
      case tlm_models::smmuv3::Outcome::kAbort:
        outcome.end = Ends::kAbort;
        break;
    }
    return result.event;
  });
}

bool Evaluator::evaluate(const AtsQuestion& question, const Control& control, const Window& window,
                         std::vector<Outcome>& out) {
  tlm_models::smmuv3::AtsRequest request;
  request.address = question.address;
  request.stream_id = question.stream_id;
  request.substream_id = question.substream_id;
  request.substream_valid = question.substream_valid;
  request.no_write = question.no_write;
  request.execute = question.execute;
  request.privileged = question.privileged;
  stream_ = question.stream_id;
  index_ = question.substream_valid ? question.substream_id : 0;
  address_ = question.address;
  return explore(control, window, out, [&](Outcome& outcome) {
    const tlm_models::smmuv3::AtsCompletion completion = smmu_.translate_for_ats(request);
    AtsAnswer answer;
    answer.status = static_cast<uint8_t>(completion.status);
    answer.read = completion.read;
    answer.write = completion.write;
    answer.execute = completion.execute;
    answer.privileged = completion.privileged;
    answer.size_log2 = completion.size_log2;
    answer.address = completion.address;
    outcome.ats = answer;
    return record_ ? static_cast<EventType>((*record_)[0] & 0xff) : EventType::kNone;
  });
}

// A fault that came from a descriptor which memory no longer held when the access was accepted: the device kept what it
// must not keep. Whether the fault is of that descriptor follows from its being the last read.
bool Evaluator::fault_was_kept(EventType type) const {
  if (last_read_live_ || !last_was_descriptor_) return false;
  return type == EventType::kTranslation || type == EventType::kAddressSize || type == EventType::kAccessFlag;
}

bool Evaluator::read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes& attributes,
                     AccessKind kind) {
  if (fetches_.size() < kFetchesMax) fetches_.push_back({address, attributes});
  const auto count = static_cast<unsigned>(size_bytes / 8);
  uint64_t words[8] = {};
  last_read_live_ = true;
  last_was_descriptor_ = kind == AccessKind::kStage1Descriptor || kind == AccessKind::kStage2Descriptor;
  if (kind == AccessKind::kStreamTableEntry && window_.ste != nullptr) {
    std::copy(window_.ste->begin(), window_.ste->end(), words);
  } else if (kind == AccessKind::kContextDescriptor && window_.cd != nullptr) {
    std::copy(window_.cd->begin(), window_.cd->end(), words);
  } else {
    const bool big_endian = kind == AccessKind::kStage1Descriptor ? cd_words_[0] >> 15 & 1 : ste_words_[2] >> 52 & 1;
    const bool grouped =
        last_was_descriptor_ && memory_.may_have_hint(address, big_endian) && may_be_of_group(address, big_endian);
    if ((grouped || !memory_.read_steady(address, count, words)) && !changing_read(address, words, count, kind))
      return false;
  }
  for (const DescriptorUpdate& update : updates_)
    if (update.address == address) words[0] = update.desired;
  note(address, words, kind);
  std::memcpy(data, words, size_bytes);
  return true;
}

// Quickly, for whatever group the descriptor may be of: whether any hint or any history is near.
bool Evaluator::may_be_of_group(uint64_t address, bool big_endian) {
  constexpr unsigned kLargestGroup = 128;
  const uint64_t first = address & ~uint64_t{kLargestGroup * 8 - 1};
  const uint64_t* words = memory_.steady_words(first, kLargestGroup);
  if (words == nullptr) return true;
  uint64_t any = 0;
  for (unsigned i = 0; i < kLargestGroup; ++i) any |= words[i];
  return tlm_models::smmuv3::to_host(any, big_endian) >> tlm_models::smmuv3::kContiguous & 1;
}

void Evaluator::note(uint64_t address, const uint64_t* words, AccessKind kind) {
  switch (kind) {
    case AccessKind::kStreamTableEntry:
      std::memcpy(ste_words_.data(), words, sizeof ste_words_);
      ste_read_ = true;
      break;
    case AccessKind::kContextDescriptor:
      std::memcpy(cd_words_.data(), words, sizeof cd_words_);
      cd_read_ = true;
      break;
    case AccessKind::kStage1Descriptor:
      stage1_reads_.push_back({address, words[0]});
      break;
    case AccessKind::kStage2Descriptor:
      stage2_reads_.push_back({address, words[0]});
      break;
    default:
      break;
  }
}

bool Evaluator::write(uint64_t, const void* data, size_t size_bytes, const MemoryAttributes&, AccessKind kind) {
  if (kind == AccessKind::kEvent && size_bytes == sizeof(tlm_models::smmuv3::EventRecord)) {
    record_.emplace();
    std::memcpy(record_->data(), data, size_bytes);
    ++records_;
  }
  return true;
}

ExchangeResult Evaluator::exchange(uint64_t address, uint64_t expected, uint64_t desired, const MemoryAttributes&,
                                   AccessKind) {
  if (memory_.broken_now(address)) return ExchangeResult::kBusError;
  updates_.push_back({address, expected, desired});
  return ExchangeResult::kDone;
}

bool Evaluator::changing_read(uint64_t address, uint64_t* words, unsigned count, AccessKind kind) {
  const auto before =
      std::find_if(chosen_.begin(), chosen_.end(), [&](const Chosen& chosen) { return chosen.address == address; });
  Option option;
  if (alike_ && before != chosen_.end()) {
    option = before->option;
  } else {
    options_.clear();
    add_options(address, count, kind);
    if (kind == AccessKind::kStage1Descriptor || kind == AccessKind::kStage2Descriptor) add_neighbours(address, kind);
    option = options_[choose(static_cast<unsigned>(options_.size()))];
    if (alike_ && options_.size() > 1) chosen_.push_back({address, option});
  }
  last_read_live_ = option.live;
  seen_ |= option.seen;
  if (kind == AccessKind::kStreamTableEntry || kind == AccessKind::kContextDescriptor)
    structures_until_ = std::min(structures_until_, option.snapshot.until);
  if (option.snapshot.broken) return false;
  std::copy_n(option.snapshot.words.begin(), count, words);
  return true;
}

// A place is read in one size only, but by a table that lies over a structure: sizes are apart by their low bits.
const std::vector<Snapshot>& Evaluator::snapshots_of(uint64_t address, unsigned count) {
  const auto [known, fresh] = known_.try_emplace(address | (count == 1 ? 0 : 1));
  if (fresh) memory_.snapshots(address, count, known->second);
  return known->second;
}

// The newest first, so that the first evaluation is the likeliest one.
void Evaluator::add_options(uint64_t address, unsigned count, AccessKind kind) {
  const std::vector<Snapshot>& snapshots = snapshots_of(address, count);
  const bool descriptor = kind == AccessKind::kStage1Descriptor || kind == AccessKind::kStage2Descriptor;
  for (size_t i = snapshots.size(); i-- > 0;) {
    const Snapshot& snapshot = snapshots[i];
    if (snapshot.from >= window_.until) continue;
    Option option;
    option.snapshot = snapshot;
    option.live = snapshot.until > window_.accepted;
    option.newest = options_.empty();
    if (option.live) {
      if (!option.newest) option.seen = kSawChange;
      // An access that is still under way when a CMD_SYNC completes must have read again.
      if (window_.completed_before > window_.accepted && snapshot.until < window_.until &&
          !window_.ignore_invalidations && snapshot.until <= gone(snapshot, address, kind))
        continue;
    } else {
      // Neither bus errors nor invalid descriptors are kept.
      if (snapshot.broken) continue;
      if (descriptor && !may_be_valid(snapshot.words[0]) && !window_.keep_faults) continue;
      if (!window_.ignore_invalidations && snapshot.until <= gone(snapshot, address, kind)) continue;
      const bool entry = kind == AccessKind::kStreamTableEntry || kind == AccessKind::kStreamTableLevel1;
      option.seen = descriptor ? kSawOldDescriptor : entry ? kSawOldStreamEntry : kSawOldContext;
    }
    // Two times at which it was the same are one choice.
    const bool known = std::any_of(options_.begin(), options_.end(), [&](const Option& other) {
      return other.snapshot.broken == snapshot.broken && (other.live || !option.live) &&
             std::equal(snapshot.words.begin(), snapshot.words.begin() + count, other.snapshot.words.begin());
    });
    if (!known) options_.push_back(option);
  }
  if (options_.empty()) {
    options_.emplace_back();
    options_.back().snapshot = snapshots.back();
  }
}

// A leaf with the contiguous hint may be used for its whole group, so that what any of them says may be what counts
// here.
void Evaluator::add_neighbours(uint64_t address, AccessKind kind) {
  using tlm_models::smmuv3::DescriptorKind;
  decode();
  const bool address52 = config_.oas_bits == 52;
  unsigned granule = 0, level = 0;
  bool big_endian = false;
  uint64_t input = 0;
  if (kind == AccessKind::kStage1Descriptor) {
    granule = half().granule_log2;
    level = stage1_level(static_cast<unsigned>(stage1_reads_.size()));
    big_endian = cd_.big_endian;
    input = address_;
  } else {
    granule = ste_.stage2.granule_log2;
    const Stage2Place place = stage2_place(address);
    level = place.level;
    input = place.ipa;
    big_endian = ste_.stage2.big_endian;
  }
  if (level > tlm_models::smmuv3::kLastLevel ||
      (level != tlm_models::smmuv3::kLastLevel && !tlm_models::smmuv3::block_allowed(granule, level, address52)))
    return;
  const unsigned group_log2 = tlm_models::smmuv3::contiguous_log2(granule, level);
  const unsigned shift = tlm_models::smmuv3::level_shift(granule, level);
  const unsigned wide = shift + group_log2;
  const uint64_t first = address & ~ones(group_log2 + 3);
  for (uint64_t place = first; group_log2 != 0 && place <= (first | ones(group_log2 + 3)); place += 8) {
    if (place == address) continue;
    if (const uint64_t* steady = memory_.steady_words(place, 1))
      if (!(tlm_models::smmuv3::to_host(*steady, big_endian) >> tlm_models::smmuv3::kContiguous & 1)) continue;
    for (const Snapshot& snapshot : snapshots_of(place, 1)) {
      const uint64_t descriptor = tlm_models::smmuv3::to_host(snapshot.words[0], big_endian);
      if (snapshot.broken || snapshot.from >= window_.until || !(descriptor >> tlm_models::smmuv3::kContiguous & 1) ||
          tlm_models::smmuv3::kind_of(descriptor, granule, level, address52) != DescriptorKind::kLeaf)
        continue;
      const uint64_t other = (place - first) >> 3 << shift;
      const uint64_t output = tlm_models::smmuv3::address_of(descriptor, granule, shift, address52);
      if (((output ^ other) & ones(wide)) != 0) continue;
      // Its output moved to where this address is in the group.
      const uint64_t moved = (descriptor & ~other) | (input & ones(wide) & ~ones(shift));
      Option option;
      option.snapshot = snapshot;
      option.snapshot.words[0] = tlm_models::smmuv3::to_host(moved, big_endian);
      option.live = snapshot.until > window_.accepted;
      option.newest = false;
      option.seen = kSawNeighbour;
      if (!option.live && !window_.ignore_invalidations && snapshot.until <= gone(option.snapshot, address, kind))
        continue;
      const bool known = std::any_of(options_.begin(), options_.end(), [&](const Option& have) {
        return !have.snapshot.broken && have.snapshot.words[0] == option.snapshot.words[0];
      });
      if (!known) options_.push_back(option);
    }
  }
}

void Evaluator::decode() {
  if (ste_read_ && !decoded_ste_) {
    ste_ = tlm_models::smmuv3::decode_ste(ste_words_, config_);
    decoded_ste_ = true;
  }
  if (cd_read_ && !decoded_cd_) {
    cd_ = tlm_models::smmuv3::decode_cd(cd_words_, stream_world(ste_, config_, e2h_), config_);
    decoded_cd_ = true;
  }
}

Sequence Evaluator::gone(const Snapshot& snapshot, uint64_t address, AccessKind kind) {
  const Sequence limit = window_.completed_before;
  switch (kind) {
    case AccessKind::kStreamTableLevel1:
      return log_.stream_entry(stream_, true, limit, log_.stream_entry(stream_, false, limit));
    case AccessKind::kStreamTableEntry:
      return log_.stream_entry(stream_, false, limit);
    case AccessKind::kContextLevel1:
      return log_.context(stream_, index_, true, limit, log_.context(stream_, index_, false, limit));
    case AccessKind::kContextDescriptor:
      return log_.context(stream_, index_, false, limit);
    case AccessKind::kStage1Descriptor:
      decode();
      return stage1_gone(snapshot.words[0]);
    case AccessKind::kStage2Descriptor:
      decode();
      return stage2_gone(snapshot.words[0], address);
    default:
      return window_.accepted;
  }
}

const tlm_models::smmuv3::TableHalf& Evaluator::half() const {
  return cd_.half[cd_.has_two_halves() && (address_ >> 55 & 1) ? 1 : 0];
}

tlm_models::smmuv3::TlbTag Evaluator::virtual_tag() const {
  tlm_models::smmuv3::TlbTag tag;
  tag.world = cd_.world;
  tag.asid = cd_.asid;
  tag.non_shared_asid = cd_.non_shared_asid;
  tag.vmid = config_.stage2 && cd_.world == StreamWorld::kEl1 ? ste_.stage2.vmid : 0;
  return tag;
}

CachedPiece Evaluator::virtual_piece(unsigned shift, unsigned level, bool leaf, bool global) const {
  uint64_t address = address_;
  if (half().top_byte_ignored)
    address = cd_.has_two_halves() && (address >> 55 & 1) ? address | ~ones(56) : address & ones(56);
  CachedPiece piece;
  piece.tag = virtual_tag();
  piece.global = global;
  piece.leaf = leaf;
  piece.granule_log2 = half().granule_log2;
  piece.level = static_cast<uint8_t>(level);
  piece.first = address & ~ones(shift);
  piece.last = piece.first | ones(shift);
  return piece;
}

unsigned Evaluator::stage1_level(unsigned reads) const {
  const unsigned granule = half().granule_log2;
  const unsigned input_bits = 64u - half().size_offset;
  return tlm_models::smmuv3::kLastLevel - (input_bits - 1 - granule) / (granule - 3) + reads;
}

// A whole translation that was kept for the address: what its walk read is of no more concern until the translation
// goes. How large it is, the walk has not shown yet, so the least is assumed.
Sequence Evaluator::whole_translation_gone() const {
  CachedPiece piece = virtual_piece(half().granule_log2, kUnknownLevel, true, false);
  const Sequence own = log_.translation(piece, window_.completed_before);
  piece.global = true;
  return std::min(own, log_.translation(piece, window_.completed_before));
}

Sequence Evaluator::stage1_gone(uint64_t raw) {
  const unsigned granule = half().granule_log2;
  const unsigned level = stage1_level(static_cast<unsigned>(stage1_reads_.size()));
  const uint64_t descriptor = tlm_models::smmuv3::to_host(raw, cd_.big_endian);
  const bool leaf = tlm_models::smmuv3::kind_of(descriptor, granule, level, config_.oas_bits == 52) ==
                    tlm_models::smmuv3::DescriptorKind::kLeaf;
  const bool global = leaf && cd_.has_two_halves() && !(descriptor >> 11 & 1);
  return log_.translation(virtual_piece(tlm_models::smmuv3::level_shift(granule, level), level, leaf, global),
                          window_.completed_before, leaf ? kNever : whole_translation_gone());
}

// The intermediate address that the next stage 2 walk is for, as far as the reads before it tell.
std::optional<uint64_t> Evaluator::intermediate_address() const {
  const bool address52 = config_.oas_bits == 52;
  if (!cd_read_) {
    if (ste_.stage1_translates()) return std::nullopt;  // of a context descriptor
    return address_;
  }
  const unsigned granule = half().granule_log2;
  const unsigned input_bits = 64u - half().size_offset;
  const auto reads = static_cast<unsigned>(stage1_reads_.size());
  const unsigned next = stage1_level(reads);
  uint64_t table = half().table;
  unsigned index_bits = input_bits - tlm_models::smmuv3::level_shift(granule, next);
  if (reads != 0) {
    const uint64_t last = tlm_models::smmuv3::to_host(stage1_reads_.back().value, cd_.big_endian);
    const unsigned shift = tlm_models::smmuv3::level_shift(granule, next - 1);
    if (tlm_models::smmuv3::kind_of(last, granule, next - 1, address52) == tlm_models::smmuv3::DescriptorKind::kLeaf)
      return tlm_models::smmuv3::address_of(last, granule, shift, address52) | (address_ & ones(shift));
    table = tlm_models::smmuv3::address_of(last, granule, granule, address52);
    index_bits = granule - 3;
  } else {
    table &= ~ones(index_bits + 3);
  }
  return table + ((address_ >> tlm_models::smmuv3::level_shift(granule, next) & ones(index_bits)) << 3);
}

// The index of each descriptor tells the intermediate address.
Evaluator::Stage2Place Evaluator::stage2_place(uint64_t address) const {
  const tlm_models::smmuv3::Stage2Config& stage2 = ste_.stage2;
  const unsigned granule = stage2.granule_log2;
  const unsigned start = tlm_models::smmuv3::stage2_start_level(granule, stage2.start_level_code);
  const unsigned start_bits = 64u - stage2.t0sz - tlm_models::smmuv3::level_shift(granule, start);
  Stage2Place place{start, 0};
  const auto descend = [&](uint64_t at) {
    const uint64_t index = at >> 3 & ones(place.level == start ? start_bits : granule - 3);
    place.ipa |= index << tlm_models::smmuv3::level_shift(granule, place.level);
  };
  for (const TableRead& earlier : stage2_reads_) {
    descend(earlier.address);
    const uint64_t descriptor = tlm_models::smmuv3::to_host(earlier.value, stage2.big_endian);
    if (tlm_models::smmuv3::kind_of(descriptor, granule, place.level, config_.oas_bits == 52) ==
        tlm_models::smmuv3::DescriptorKind::kTable) {
      ++place.level;
    } else {
      place = {start, 0};
    }
  }
  descend(address);
  return place;
}

Sequence Evaluator::stage2_gone(uint64_t raw, uint64_t address) {
  using tlm_models::smmuv3::DescriptorKind;
  const tlm_models::smmuv3::Stage2Config& stage2 = ste_.stage2;
  const unsigned granule = stage2.granule_log2;
  const auto [level, ipa] = stage2_place(address);
  const uint64_t descriptor = tlm_models::smmuv3::to_host(raw, stage2.big_endian);
  const Sequence limit = window_.completed_before;
  CachedPiece piece;
  piece.tag.space = TlbSpace::kIntermediate;
  piece.tag.vmid = stage2.vmid;
  piece.leaf = tlm_models::smmuv3::kind_of(descriptor, granule, level, config_.oas_bits == 52) == DescriptorKind::kLeaf;
  piece.granule_log2 = static_cast<uint8_t>(granule);
  piece.level = static_cast<uint8_t>(level);
  piece.first = ipa;
  piece.last = ipa | ones(tlm_models::smmuv3::level_shift(granule, level));
  // From the outermost cache to the innermost. First those of stage 1 that hold what stage 2 said too: context
  // descriptors, whole translations and pointers to tables.
  Sequence filled = kNever;
  if (cd_read_) {
    filled = stage1_holders_gone();
  } else if (ste_.stage1_translates()) {
    filled = log_.context(stream_, index_, false, limit);
  }
  // Then whole translations by stage 2, which hide the tables that they came from.
  if (!piece.leaf) {
    const std::optional<uint64_t> whole = intermediate_address();
    if (!whole) return 0;
    CachedPiece page = piece;
    page.leaf = true;
    page.level = kUnknownLevel;
    page.first = *whole & ~ones(granule);
    page.last = page.first | ones(granule);
    filled = log_.translation(page, limit, filled);
  }
  return log_.translation(piece, limit, filled);
}

tlm_models::smmuv3::TlbTag Evaluator::tag_of(const Structures& structures, bool e2h) const {
  const tlm_models::smmuv3::Ste ste = tlm_models::smmuv3::decode_ste(structures.ste, config_);
  tlm_models::smmuv3::TlbTag tag;
  if (!structures.has_cd) {
    tag.space = TlbSpace::kIntermediate;
    tag.vmid = ste.stage2.vmid;
    return tag;
  }
  const StreamWorld world = stream_world(ste, config_, e2h);
  const auto cd = tlm_models::smmuv3::decode_cd(structures.cd, world, config_);
  tag.world = world;
  tag.asid = cd.asid;
  tag.non_shared_asid = cd.non_shared_asid;
  tag.vmid = config_.stage2 && world == StreamWorld::kEl1 ? ste.stage2.vmid : 0;
  return tag;
}

Sequence Evaluator::translation_gone(const Structures& structures, bool e2h, uint64_t address, Sequence limit) const {
  CachedPiece piece;
  piece.tag = tag_of(structures, e2h);
  piece.leaf = true;
  piece.level = kUnknownLevel;
  piece.first = address & ~ones(12);
  piece.last = address | ones(12);
  const Sequence own = log_.translation(piece, limit);
  piece.global = true;
  return std::min(own, log_.translation(piece, limit));
}

Sequence Evaluator::stage1_holders_gone() const {
  using tlm_models::smmuv3::level_shift;
  const Sequence limit = window_.completed_before;
  const unsigned granule = half().granule_log2;
  const auto reads = static_cast<unsigned>(stage1_reads_.size());
  if (reads == 0) {
    const unsigned all = std::min(64u - half().size_offset, 63u);
    return log_.translation(virtual_piece(all, 0, false, false), limit, whole_translation_gone());
  }
  const unsigned level = stage1_level(reads - 1);
  const uint64_t last = tlm_models::smmuv3::to_host(stage1_reads_.back().value, cd_.big_endian);
  const bool leaf = tlm_models::smmuv3::kind_of(last, granule, level, config_.oas_bits == 52) ==
                    tlm_models::smmuv3::DescriptorKind::kLeaf;
  const bool global = leaf && cd_.has_two_halves() && !(last >> 11 & 1);
  return log_.translation(virtual_piece(level_shift(granule, level), level, leaf, global), limit,
                          leaf ? kNever : whole_translation_gone());
}

}  // namespace lockstep::smmu_rtl_bridge
