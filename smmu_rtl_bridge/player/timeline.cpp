// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/player/timeline.h"

#include <algorithm>
#include <cstring>

#include "smmu_rtl_bridge/names.h"
#include "smmu_rtl_bridge/script/vocabulary.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

std::string words(const void* data, size_t size_bytes) {
  std::string text;
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (size_t at = 0; at < size_bytes; at += 8) {
    uint64_t value = 0;
    std::memcpy(&value, bytes + at, std::min<size_t>(8, size_bytes - at));
    text += " " + hex(value);
  }
  return text;
}

std::string told(const Attributes& attributes) {
  return " type " + hex(attributes.type) + " sh " + std::to_string(attributes.shareability) +
         (attributes.secure ? " secure" : "");
}

std::string register_at(uint32_t offset) {
  const RegisterName* row = find_register_at(offset);
  if (!row) return hex(offset);
  return std::string(row->name) + (offset != row->offset ? "+4" : "");
}

std::string stream(uint32_t stream_id, uint32_t substream_id, bool substream_valid) {
  return " stream " + hex(stream_id) + (substream_valid ? "." + hex(substream_id) : "");
}

}  // namespace

void Timeline::script_line(size_t number, const std::string& text) { out_ << "== " << number << ": " << text << "\n"; }

void Timeline::software_wrote(uint64_t address, const void* data, size_t size_bytes) {
  out_ << "software writes " << hex(address) << ":" << words(data, size_bytes) << "\n";
}
void Timeline::page_broken(uint64_t page, bool broken) {
  out_ << "page " << hex(page) << (broken ? " answers bus errors" : " answers again") << "\n";
}
void Timeline::register_written(uint32_t offset, unsigned size_bytes, uint64_t value) {
  out_ << "register " << register_at(offset) << " <- " << hex(value) << (size_bytes == 8 ? " (64 bits)" : "") << "\n";
}
void Timeline::register_read(uint32_t offset, unsigned, uint64_t value) {
  out_ << "register " << register_at(offset) << " = " << hex(value) << "\n";
}
void Timeline::device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                           bool failed) {
  out_ << "  device reads " << hex(address) << ":" << (failed ? " bus error" : words(data, size_bytes))
       << told(attributes) << "\n";
}
void Timeline::device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                            bool failed) {
  out_ << "  device writes " << hex(address) << ":" << words(data, size_bytes) << (failed ? " bus error" : "")
       << told(attributes) << "\n";
}
void Timeline::device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes,
                                bool done, bool failed) {
  out_ << "  device exchanges " << hex(address) << ": " << hex(expected) << " -> " << hex(desired)
       << (failed ? " bus error"
           : done ? ""
                  : " found another value")
       << told(attributes) << "\n";
}
void Timeline::accepted(const ClientAccess& access) {
  out_ << "client " << access.id << stream(access.stream_id, access.substream_id, access.substream_valid)
       << (access.atomic  ? " atomic "
           : access.write ? " write "
                          : " read ")
       << hex(access.address) << " size " << access.size_bytes << (access.privileged ? " privileged" : "")
       << (access.instruction ? " instruction" : "") << (access.translated ? " translated" : "")
       << told(access.attributes) << "\n";
}
void Timeline::forwarded(const ForwardedAccess& access) {
  out_ << "  client " << access.id << " goes on to " << hex(access.address) << (access.privileged ? " privileged" : "")
       << (access.instruction ? " instruction" : "") << told(access.attributes) << "\n";
}
void Timeline::finished_downstream(uint64_t id) { out_ << "  client " << id << " is done downstream\n"; }
void Timeline::answered(uint64_t id, AccessEnd end) { out_ << "  client " << id << " ends: " << name_of(end) << "\n"; }
void Timeline::ats_asked(const AtsQuestion& question) {
  out_ << "translation request " << question.id
       << stream(question.stream_id, question.substream_id, question.substream_valid) << " " << hex(question.address)
       << (question.no_write ? " no-write" : "") << (question.execute ? " execute" : "")
       << (question.privileged ? " privileged" : "") << "\n";
}
void Timeline::ats_answered(const AtsAnswer& answer) {
  out_ << "  translation request " << answer.id << " status " << unsigned{answer.status} << " " << hex(answer.address)
       << " size 2^" << unsigned{answer.size_log2} << (answer.read ? " r" : "") << (answer.write ? " w" : "")
       << (answer.execute ? " x" : "") << (answer.privileged ? " privileged" : "") << "\n";
}
void Timeline::atc_invalidated(const AtcInvalidation& invalidation) {
  out_ << "  ATC invalidation"
       << stream(invalidation.stream_id, invalidation.substream_id, invalidation.substream_valid) << " "
       << hex(invalidation.address) << " size 2^" << unsigned{invalidation.size_log2}
       << (invalidation.global ? " global" : "") << "\n";
}
void Timeline::atc_invalidation_done(bool timed_out) {
  out_ << "  ATC invalidation " << (timed_out ? "times out" : "done") << "\n";
}
void Timeline::page_asked(const PageQuestion& question) {
  out_ << "page request" << stream(question.stream_id, question.substream_id, question.substream_valid) << " "
       << hex(question.address) << " group " << question.group << (question.last ? " last" : "") << "\n";
}
void Timeline::page_answered(const PageAnswer& answer) {
  out_ << "  page response" << stream(answer.stream_id, answer.substream_id, answer.substream_valid) << " group "
       << answer.group << " code " << unsigned{answer.code} << "\n";
}
void Timeline::pulsed(Wire wire) { out_ << "  wire: " << name_of(wire) << "\n"; }
void Timeline::quiet() { out_ << "quiet\n"; }

}  // namespace lockstep::smmu_rtl_bridge
