// SPDX-License-Identifier: Apache-2.0
#include "tests/smmu_rtl_bridge/campaign/reference_opinion.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/smmuv3_reference/reference_attributes.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace ref = smmuv3_reference;
using nlohmann::json;

constexpr uint64_t kPageMask = 0xfff;

// Whether two outcomes are the same at the pins, updates of descriptors apart: who saw a flag set already need not set
// it, and does the same.
bool alike(const Outcome& first, const Outcome& second) {
  Outcome changed = first;
  changed.updates = second.updates;
  return changed.same_as(second);
}

bool agrees(const Outcome& outcome, const ref::Answer& answer,
            const std::vector<std::pair<uint64_t, uint64_t>>& updates) {
  static constexpr ref::Verdict kVerdicts[] = {ref::Verdict::kPass, ref::Verdict::kAbort, ref::Verdict::kZero,
                                               ref::Verdict::kStall};
  if (kVerdicts[static_cast<size_t>(outcome.end)] != answer.verdict || outcome.recorded != answer.recorded ||
      (outcome.recorded && outcome.record != answer.event) || outcome.updates.size() != updates.size())
    return false;
  for (size_t i = 0; i < updates.size(); ++i)
    if (outcome.updates[i].address != updates[i].first || outcome.updates[i].desired != updates[i].second) return false;
  return outcome.end != Ends::kPass ||
         (outcome.address == answer.address && outcome.privileged == answer.privileged &&
          outcome.instruction == answer.instruction &&
          ref::of_mair(outcome.attributes.type, outcome.attributes.shareability) == answer.attributes);
}

const char* name(ref::Verdict verdict) {
  static constexpr const char* kNames[] = {"pass", "abort", "zero", "stall"};
  return kNames[static_cast<size_t>(verdict)];
}

const char* name(Ends end) {
  static constexpr const char* kNames[] = {"pass", "abort", "zero", "stall"};
  return kNames[static_cast<size_t>(end)];
}

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[320];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

unsigned long long wide(uint64_t value) { return value; }

std::string text_of(const std::array<uint64_t, 4>& record) {
  return format(" %016llx %016llx %016llx %016llx", wide(record[0]), wide(record[1]), wide(record[2]), wide(record[3]));
}

}  // namespace

void ReferenceCounts::add(const ReferenceCounts& other) {
  one += other.one;
  several += other.several;
  undecided += other.undecided;
  translated += other.translated;
  ended += other.ended;
  held += other.held;
  again += other.again;
  passed += other.passed;
  updated += other.updated;
  for (const auto& [type, count] : other.faults) faults[type] += count;
}

std::string ReferenceCounts::to_text() const {
  json told = {one, several, undecided, translated, ended, held, again, passed, updated, json::array()};
  for (const auto& [type, count] : faults) told.back().push_back({type, count});
  return told.dump();
}

bool ReferenceCounts::add_text(const std::string& text) {
  const json told = json::parse(text, nullptr, false);
  if (!told.is_array() || told.size() != 10) return false;
  ReferenceCounts other{told[0], told[1], told[2], told[3], told[4], told[5], told[6], told[7], told[8], {}};
  for (const json& fault : told[9]) other.faults[fault[0]] = fault[1];
  add(other);
  return true;
}

ReferenceOpinion::ReferenceOpinion(Device& device, Judge& judge, ReferenceCounts& counts)
    : device_(device), counts_(counts) {
  memory_ = {[this](uint64_t address, unsigned size, uint8_t* data) { return read(address, size, data); },
             [this](uint64_t address, uint64_t value) {
               if (page(address).broken) return false;
               updates_->emplace_back(address, value);
               return true;
             }};
  judge.watch_outcomes(
      [this](uint64_t id, const std::vector<Outcome>& outcomes, bool decided) { told(id, outcomes, decided); });
}

ReferenceOpinion::~ReferenceOpinion() {
  for (const auto& [id, one] : open_) counts_.held += !one.told;
}

uint32_t ReferenceOpinion::get(uint32_t offset) const {
  uint64_t value = 0;
  device_.read_register(offset, 4, value);
  return static_cast<uint32_t>(value);
}

ReferenceOpinion::Page& ReferenceOpinion::page(uint64_t address) {
  auto& place = pages_[address & ~kPageMask];
  if (!place) place = std::make_unique<Page>();
  return *place;
}

void ReferenceOpinion::write(uint64_t address, const void* data, size_t size_bytes) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (size_bytes != 0) {
    const size_t piece = std::min<size_t>(size_bytes, 4096 - (address & kPageMask));
    std::memcpy(page(address).bytes.data() + (address & kPageMask), bytes, piece);
    address += piece;
    bytes += piece;
    size_bytes -= piece;
  }
}

// What the reference has updated for the access that it is asked for, it reads as it has updated it.
bool ReferenceOpinion::read(uint64_t address, unsigned size_bytes, uint8_t* data) {
  for (unsigned i = 0; i < size_bytes;) {
    const Page& from = page(address + i);
    if (from.broken) return false;
    const unsigned piece =
        std::min<unsigned>(size_bytes - i, static_cast<unsigned>(4096 - ((address + i) & kPageMask)));
    std::memcpy(data + i, from.bytes.data() + ((address + i) & kPageMask), piece);
    i += piece;
  }
  for (const auto& [place, value] : *updates_)
    if (place >= address && place + 8 <= address + size_bytes) std::memcpy(data + (place - address), &value, 8);
  return true;
}

void ReferenceOpinion::software_wrote(uint64_t address, const void* data, size_t size_bytes) {
  ++software_did_;
  write(address, data, size_bytes);
}

void ReferenceOpinion::page_broken(uint64_t address, bool broken) {
  ++software_did_;
  page(address).broken = broken;
}

void ReferenceOpinion::register_written(uint32_t, unsigned, uint64_t) {
  ++software_did_;
  registers_known_ = false;
}

void ReferenceOpinion::register_write_done(uint32_t) { registers_known_ = false; }

void ReferenceOpinion::device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes&,
                                    bool failed) {
  if (!failed) write(address, data, size_bytes);
}

void ReferenceOpinion::device_exchanged(uint64_t address, uint64_t, uint64_t desired, const Attributes&, bool done,
                                        bool failed) {
  if (done && !failed) write(address, &desired, sizeof desired);
}

void ReferenceOpinion::ask(Access& one) {
  if (!registers_known_) {
    registers_.idr0 = get(0x00);
    registers_.idr1 = get(0x04);
    registers_.idr3 = get(0x0c);
    registers_.idr5 = get(0x14);
    registers_.cr0 = get(0x24);
    registers_.cr2 = get(0x2c);
    registers_.gbpa = get(0x44);
    registers_.strtab_base = get(0x80) | uint64_t{get(0x84)} << 32;
    registers_.strtab_base_cfg = get(0x88);
    registers_known_ = true;
  }
  const ClientAccess& access = one.access;
  ref::Request request;
  request.address = access.address;
  request.stream = access.stream_id;
  request.substream = access.substream_id;
  request.has_substream = access.substream_valid;
  request.write = access.write;
  request.atomic = access.atomic;
  request.instruction = access.instruction;
  request.privileged = access.privileged;
  request.attributes = ref::of_mair(access.attributes.type, access.attributes.shareability);
  one.asked_at = software_did_;
  one.updates.clear();
  updates_ = &one.updates;
  one.answer = ref::translate(registers_, memory_, request);
}

void ReferenceOpinion::accepted(const ClientAccess& access) {
  if (access.translated) {
    ++counts_.translated;
    return;
  }
  Access& one = open_[access.id];
  one = {};
  one.access = access;
  ask(one);
}

void ReferenceOpinion::forwarded(const ForwardedAccess& access) {
  const auto found = open_.find(access.id);
  if (found == open_.end()) return;
  Access& one = found->second;
  one.forwarded = true;
  one.seen = access;
  // Software has ended its stall: what counts is what memory is now.
  if (one.stalled) {
    one.told = one.stalled = false;
    ++counts_.again;
    ask(one);
  }
}

void ReferenceOpinion::differ(const Access& one, const std::string& what) {
  if (!difference_.empty()) return;
  const ClientAccess& access = one.access;
  difference_ = format("access %llu: %s%s%s of %#llx by stream %#x", wide(access.id),
                       access.privileged ? "privileged " : "", access.instruction ? "instruction " : "",
                       access.atomic  ? "atomic"
                       : access.write ? "write"
                                      : "read",
                       wide(access.address), access.stream_id);
  if (access.substream_valid) difference_ += format(" substream %#x", access.substream_id);
  difference_ += format("; reference: %s", name(one.answer.verdict));
  if (one.answer.verdict == ref::Verdict::kPass) difference_ += format(" to %#llx", wide(one.answer.address));
  if (one.answer.recorded) difference_ += text_of(one.answer.event);
  for (const auto& [place, value] : one.updates)
    difference_ += format(" updating %#llx to %#llx", wide(place), wide(value));
  difference_ += "; " + what;
}

void ReferenceOpinion::told(uint64_t id, const std::vector<Outcome>& outcomes, bool decided) {
  const auto found = open_.find(id);
  if (found == open_.end() || found->second.told) return;
  Access& one = found->second;
  one.told = true;
  if (one.asked_at != software_did_) ask(one);
  if (!decided) {
    ++counts_.undecided;
    return;
  }
  one.stalled = !one.forwarded && one.answer.verdict == ref::Verdict::kStall;
  one.one = std::all_of(outcomes.begin(), outcomes.end(),
                        [&](const Outcome& outcome) { return alike(outcome, outcomes.front()); });
  ++(one.one ? counts_.one : counts_.several);
  if (one.one) {
    counts_.passed += one.answer.verdict == ref::Verdict::kPass;
    counts_.updated += !one.updates.empty();
    if (one.answer.event[0] & 0xff) ++counts_.faults[static_cast<unsigned>(one.answer.event[0] & 0xff)];
  }
  if (std::any_of(outcomes.begin(), outcomes.end(),
                  [&](const Outcome& outcome) { return agrees(outcome, one.answer, one.updates); }))
    return;
  std::string what = format("judge (%zu):", outcomes.size());
  for (size_t i = 0; i < outcomes.size() && i < 4; ++i) {
    what += format(" %s", name(outcomes[i].end));
    if (outcomes[i].end == Ends::kPass)
      what +=
          format(" to %#llx type %02x share %u priv %d inst %d", wide(outcomes[i].address), outcomes[i].attributes.type,
                 outcomes[i].attributes.shareability, outcomes[i].privileged, outcomes[i].instruction);
    if (outcomes[i].recorded) what += text_of(outcomes[i].record);
    for (const DescriptorUpdate& update : outcomes[i].updates)
      what += format(" updating %#llx to %#llx", wide(update.address), wide(update.desired));
    what += i + 1 < outcomes.size() ? " |" : "";
  }
  differ(one, what);
}

// The device itself beside the reference, where there is one outcome.
void ReferenceOpinion::check_device(const Access& one, AccessEnd end) {
  const bool went = end == AccessEnd::kDone || end == AccessEnd::kFailed;
  const ref::Answer& answer = one.answer;
  switch (answer.verdict) {
    case ref::Verdict::kPass:
      if (!went || !one.forwarded) {
        differ(one, "the device does not let it pass");
      } else if (one.seen.address != answer.address) {
        differ(one, format("device: %#llx", wide(one.seen.address)));
      } else if (ref::of_mair(one.seen.attributes.type, one.seen.attributes.shareability) != answer.attributes) {
        differ(one, format("device: type %02x share %u", one.seen.attributes.type, one.seen.attributes.shareability));
      } else if (one.seen.privileged != answer.privileged || one.seen.instruction != answer.instruction) {
        differ(one, format("device: privileged %d instruction %d", one.seen.privileged, one.seen.instruction));
      }
      break;
    case ref::Verdict::kAbort:
      if (end != AccessEnd::kAborted) differ(one, "the device does not abort it");
      break;
    case ref::Verdict::kZero:
      if (end != AccessEnd::kZero) differ(one, "the device does not read it as zero");
      break;
    case ref::Verdict::kStall:
      break;  // and software has ended it
  }
}

void ReferenceOpinion::answered(uint64_t id, AccessEnd end) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  if (!found->second.told) ++counts_.ended;
  if (found->second.told && found->second.one) check_device(found->second, end);
  open_.erase(found);
}

}  // namespace lockstep::smmu_rtl_bridge
