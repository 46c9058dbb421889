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

constexpr unsigned kEventQueueLog2 = 19;
// Reads of one answer whose attributes are remembered: many times what one walk makes.
constexpr size_t kFetchesMax = 4096;
// Descriptors of the largest contiguous group.
constexpr unsigned kLargestGroup = 128;
// Records that fit the evaluator's own event queue, which nobody reads.
constexpr uint64_t kRecordsMax = (uint64_t{1} << kEventQueueLog2) - 2;

uint64_t largest_group_of(uint64_t address) { return address & ~uint64_t{kLargestGroup * 8 - 1}; }

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
  last_descriptor_ = 0;
  structures_until_ = kNever;
  stage1_updated_ = false;
  steady_ = true;
  kept_level_ = 0;
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
    outcome.recorded = record_.has_value();
    outcome.lacks_permission = type == EventType::kPermission;
    if (record_) outcome.record = *record_;
    outcome.may_merge = record_ && (!ste_read_ || type == EventType::kBadSte ||
                                    tlm_models::smmuv3::decode_ste(ste_words_, config_).merge_events);
    outcome.updates = updates_;
    outcome.seen = seen_;
    outcome.last_descriptor = last_descriptor_;
    outcome.two_stages = !stage1_reads_.empty() && !stage2_reads_.empty();
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
  met_.push_back({cd_read_, structures_until_, ste_words_, cd_words_, {}});
  met_.back().tag = tag_of(met_.back());
}

bool Evaluator::answer_as_before(const ClientAccess& access, const Control& control, std::vector<Outcome>& out) {
  const SteadyAnswers::Answer* before = steady_answers_.find(access, control.number, memory_.changes());
  if (before == nullptr) return false;
  if (before->has_structures) met_.push_back(before->structures);
  fetches_.insert(fetches_.end(), before->fetches.begin(), before->fetches.end());
  out.push_back(before->outcome);
  out.back().address |= access.address & SteadyAnswers::kOffset;
  return true;
}

void Evaluator::remember(const ClientAccess& access, const Control& control, const Outcome& outcome) {
  SteadyAnswers::Answer answer{access, control.number, memory_.changes(), outcome, ste_read_, {}, fetches_};
  if (ste_read_) answer.structures = met_.back();
  steady_answers_.keep(std::move(answer));
}

bool Evaluator::evaluate(const ClientAccess& access, const Control& control, const Window& window,
                         std::vector<Outcome>& out) {
  const bool ordinary =
      out.empty() && met_.empty() && fetches_.empty() && window.ste == nullptr && window.cd == nullptr;
  if (ordinary && answer_as_before(access, control, out)) return true;
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
  has_substream_ = access.substream_valid;
  may_mark_dirty_ = access.write || access.atomic;
  const unsigned runs = runs_;
  const bool decided = explore(control, window, out, [&](Outcome& outcome) {
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
  // What took several runs is not worth its reads, and `steady_` speaks of the last one.
  if (ordinary && steady_ && decided && runs_ == runs + 1 && out.size() == 1 && out.front().end == Ends::kPass &&
      !out.front().recorded)
    remember(access, control, out.front());
  return decided;
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
  has_substream_ = question.substream_valid;
  may_mark_dirty_ = !question.no_write;
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

// Whether a walk ends at this descriptor with a translation, address size or access flag fault: no cache may keep it.
bool Evaluator::gives_fault(uint64_t raw, uint64_t address, AccessKind kind) {
  using tlm_models::smmuv3::DescriptorKind;
  decode();
  const bool stage1 = kind == AccessKind::kStage1Descriptor;
  const unsigned granule = stage1 ? half().granule_log2 : ste_.stage2.granule_log2;
  const unsigned level =
      stage1 ? stage1_level(static_cast<unsigned>(stage1_reads_.size())) : stage2_place(address).level;
  if (level > tlm_models::smmuv3::kLastLevel) return false;
  const uint64_t descriptor = tlm_models::smmuv3::to_host(raw, stage1 ? cd_.big_endian : ste_.stage2.big_endian);
  const bool address52 = config_.oas_bits == 52;
  const DescriptorKind what = tlm_models::smmuv3::kind_of(descriptor, granule, level, address52);
  if (what == DescriptorKind::kInvalid) return true;
  const bool leaf = what == DescriptorKind::kLeaf;
  const unsigned low = leaf ? tlm_models::smmuv3::level_shift(granule, level) : granule;
  const unsigned output_bits = stage1 ? cd_.output_bits : ste_.stage2.output_bits;
  if (tlm_models::smmuv3::address_of(descriptor, granule, low, address52) > ones(output_bits)) return true;
  if (!leaf || (descriptor & tlm_models::smmuv3::kAccessFlagBit)) return false;
  return stage1 ? !cd_.update_access && !cd_.access_fault_disabled
                : !ste_.stage2.update_access && !ste_.stage2.access_fault_disabled;
}

// A context descriptor that is kept is not looked for: neither the tables of stage 2 nor a first level are read. The
// core asks for them all the same, and is told what lets it pass.
bool Evaluator::leads_to_kept_context(AccessKind kind) {
  if (window_.cd == nullptr || cd_read_ || !ste_read_) return false;
  if (kind == AccessKind::kContextLevel1) return true;
  if (kind != AccessKind::kStage2Descriptor) return false;
  decode();
  constexpr unsigned kSubstreamBypass = 1;
  const bool skips_stage1 = config_.substream_id_bits != 0 && ste_.cd_max != 0 && !has_substream_ &&
                            ste_.default_substream == kSubstreamBypass;
  return ste_.stage1_translates() && !skips_stage1;
}

uint64_t Evaluator::towards_kept_context(AccessKind kind) {
  if (kind == AccessKind::kContextLevel1) return 1;
  const tlm_models::smmuv3::Stage2Config& stage2 = ste_.stage2;
  kept_level_ =
      std::max(kept_level_, tlm_models::smmuv3::stage2_start_level(stage2.granule_log2, stage2.start_level_code));
  constexpr uint64_t kLeaf = tlm_models::smmuv3::kAccessFlagBit | 3 << 8 | 3 << 6 | 0xf << 2 | 1;
  uint64_t descriptor = 3;
  if (kept_level_ == tlm_models::smmuv3::kLastLevel) {
    descriptor = kLeaf | 2;
  } else if (tlm_models::smmuv3::block_allowed(stage2.granule_log2, kept_level_, config_.oas_bits == 52)) {
    descriptor = kLeaf;
  }
  kept_level_ = descriptor == 3 ? kept_level_ + 1 : 0;
  // With forced write-back, 6 is what 15 is without.
  if (descriptor != 3 && stage2.force_write_back) descriptor = (descriptor & ~uint64_t{0xf << 2}) | 6 << 2;
  return tlm_models::smmuv3::to_host(descriptor, stage2.big_endian);
}

bool Evaluator::read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes& attributes,
                     AccessKind kind) {
  if (leads_to_kept_context(kind)) {
    const uint64_t value = towards_kept_context(kind);
    std::memcpy(data, &value, sizeof value);
    return true;
  }
  const bool kept = (kind == AccessKind::kStreamTableEntry && window_.ste != nullptr) ||
                    (kind == AccessKind::kContextDescriptor && window_.cd != nullptr);
  if (!kept && fetches_.size() < kFetchesMax) fetches_.push_back({address, attributes});
  const auto count = static_cast<unsigned>(size_bytes / 8);
  uint64_t words[8] = {};
  const bool descriptor = kind == AccessKind::kStage1Descriptor || kind == AccessKind::kStage2Descriptor;
  if (kind == AccessKind::kStreamTableEntry && window_.ste != nullptr) {
    std::copy(window_.ste->begin(), window_.ste->end(), words);
  } else if (kind == AccessKind::kContextDescriptor && window_.cd != nullptr) {
    std::copy(window_.cd->begin(), window_.cd->end(), words);
  } else {
    const bool big_endian = big_endian_tables(kind);
    const bool grouped =
        descriptor && memory_.may_have_hint(address, big_endian) && may_be_of_group(address, big_endian);
    if ((grouped || !memory_.read_steady(address, count, words)) && !changing_read(address, words, count, kind))
      return false;
  }
  for (const DescriptorUpdate& update : updates_)
    if (update.address == address) words[0] = update.desired;
  note(address, words, kind);
  std::memcpy(data, words, size_bytes);
  return true;
}

// ENDI or S2ENDI, as the structure was read.
bool Evaluator::big_endian_tables(AccessKind kind) const {
  return kind == AccessKind::kStage1Descriptor ? cd_words_[0] >> 15 & 1 : ste_words_[2] >> 52 & 1;
}

// Quickly, for whatever group the descriptor may be of: whether any hint or any history is near.
bool Evaluator::may_be_of_group(uint64_t address, bool big_endian) {
  const uint64_t* words = memory_.steady_words(largest_group_of(address), kLargestGroup);
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
      last_descriptor_ = address;
      break;
    case AccessKind::kStage2Descriptor:
      last_descriptor_ = address;
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
                                   AccessKind kind) {
  steady_ = false;
  if (kind == AccessKind::kStage1Update) stage1_updated_ = true;
  if (memory_.broken_now(address)) return ExchangeResult::kBusError;
  updates_.push_back({address, expected, desired});
  return ExchangeResult::kDone;
}

bool Evaluator::changing_read(uint64_t address, uint64_t* words, unsigned count, AccessKind kind) {
  // What a group allows depends on no time while none of its descriptors has a history.
  if (memory_.steady_words(largest_group_of(address), kLargestGroup) == nullptr) steady_ = false;
  const auto before =
      std::find_if(chosen_.begin(), chosen_.end(), [&](const Chosen& chosen) { return chosen.address == address; });
  Option option;
  if (alike_ && before != chosen_.end()) {
    option = before->option;
  } else {
    options_.clear();
    add_options(address, count, kind);
    // A group lies in one page, so that one that never had a hint has none.
    const bool descriptor = kind == AccessKind::kStage1Descriptor || kind == AccessKind::kStage2Descriptor;
    if (descriptor && memory_.may_have_hint(address, big_endian_tables(kind))) add_neighbours(address, kind);
    option = options_[choose(static_cast<unsigned>(options_.size()))];
    if (alike_ && options_.size() > 1) chosen_.push_back({address, option});
  }
  seen_ |= option.seen;
  if (kind == AccessKind::kStreamTableEntry || kind == AccessKind::kContextDescriptor)
    structures_until_ = std::min(structures_until_, option.snapshot.until);
  if (option.snapshot.broken) return false;
  std::copy_n(option.snapshot.words.begin(), count, words);
  return true;
}

// A place is read in one size only, but by a table that lies over a structure: sizes are apart by their low bits.
const std::vector<Snapshot>& Evaluator::snapshots_of(uint64_t address, unsigned count) {
  Known& known = known_[address | (count == 1 ? 0 : 1)];
  if (known.answer != answer_) memory_.snapshots(address, count, known.snapshots);
  known.answer = answer_;
  return known.snapshots;
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
      // Neither bus errors nor descriptors that fault are kept.
      if (snapshot.broken) continue;
      const bool faults = descriptor && gives_fault(snapshot.words[0], address, kind);
      if (faults && !window_.keep_faults) continue;
      if (!window_.ignore_invalidations && snapshot.until <= gone(snapshot, address, kind)) continue;
      const bool entry = kind == AccessKind::kStreamTableEntry || kind == AccessKind::kStreamTableLevel1;
      option.seen = descriptor ? kSawOldDescriptor : entry ? kSawOldStreamEntry : kSawOldContext;
      if (faults) option.seen |= kSawFaultCached;
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
  unsigned granule = 0, level = 0, start = 0, input_bits = 0;
  bool big_endian = false;
  uint64_t input = 0;
  if (kind == AccessKind::kStage1Descriptor) {
    granule = half().granule_log2;
    level = stage1_level(static_cast<unsigned>(stage1_reads_.size()));
    start = stage1_level(0);
    input_bits = 64u - half().size_offset;
    big_endian = cd_.big_endian;
    input = address_;
  } else {
    granule = ste_.stage2.granule_log2;
    const Stage2Place place = stage2_place(address);
    level = place.level;
    start = tlm_models::smmuv3::stage2_start_level(granule, ste_.stage2.start_level_code);
    input_bits = 64u - ste_.stage2.t0sz;
    input = place.ipa;
    big_endian = ste_.stage2.big_endian;
  }
  if (level > tlm_models::smmuv3::kLastLevel ||
      (level != tlm_models::smmuv3::kLastLevel && !tlm_models::smmuv3::block_allowed(granule, level, address52)))
    return;
  const unsigned group_log2 = tlm_models::smmuv3::contiguous_log2(granule, level);
  const unsigned shift = tlm_models::smmuv3::level_shift(granule, level);
  const unsigned wide = shift + group_log2;
  // A first table may be smaller than a group: what lies beside it is none of its descriptors.
  const unsigned within_log2 = level == start ? std::min(group_log2, input_bits - shift) : group_log2;
  const uint64_t first = address & ~ones(within_log2 + 3);
  if (group_log2 == 0) return;
  const auto consider = [&](uint64_t place, const Snapshot& snapshot) {
    const uint64_t descriptor = tlm_models::smmuv3::to_host(snapshot.words[0], big_endian);
    if (snapshot.broken || snapshot.from >= window_.until || !(descriptor >> tlm_models::smmuv3::kContiguous & 1) ||
        tlm_models::smmuv3::kind_of(descriptor, granule, level, address52) != DescriptorKind::kLeaf)
      return;
    const uint64_t other = (input & ones(wide) & ~ones(shift + within_log2)) | (place - first) >> 3 << shift;
    const uint64_t output = tlm_models::smmuv3::address_of(descriptor, granule, shift, address52);
    if (((output ^ other) & ones(wide)) != 0) return;
    // Its output moved to where this address is in the group.
    const uint64_t moved =
        tlm_models::smmuv3::to_host((descriptor & ~other) | (input & ones(wide) & ~ones(shift)), big_endian);
    const bool known = std::any_of(options_.begin(), options_.end(), [&](const Option& have) {
      return !have.snapshot.broken && have.snapshot.words[0] == moved;
    });
    // It stands for the group only where it was kept.
    if (known || gives_fault(moved, address, kind)) return;
    Option option;
    option.snapshot = snapshot;
    option.snapshot.words[0] = moved;
    option.live = snapshot.until > window_.accepted;
    option.newest = false;
    option.seen = kSawNeighbour;
    if (option.live || window_.ignore_invalidations || snapshot.until > gone(option.snapshot, address, kind))
      options_.push_back(option);
  };
  const unsigned count = 1u << within_log2;
  const uint64_t* all_steady = memory_.steady_words(first, count);
  for (unsigned i = 0; i < count; ++i) {
    const uint64_t place = first + i * uint64_t{8};
    if (place == address) continue;
    const uint64_t* steady = all_steady != nullptr ? all_steady + i : memory_.steady_words(place, 1);
    if (steady != nullptr) {
      Snapshot snapshot;
      snapshot.words[0] = *steady;
      consider(place, snapshot);
    } else {
      for (const Snapshot& snapshot : snapshots_of(place, 1)) consider(place, snapshot);
    }
  }
}

}  // namespace lockstep::smmu_rtl_bridge
