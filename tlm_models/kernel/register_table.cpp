// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/register_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace lockstep::tlm_models {

RegisterId RegisterTable::add(RegisterSpec spec) {
  const auto id = static_cast<RegisterId>(rows_.size());
  if (spec.stride_bytes == 0) spec.stride_bytes = spec.size_bytes;
  assert(spec.offset == kNoAddress || spec.offset % spec.size_bytes == 0);
  const auto first = static_cast<unsigned>(values_.size());
  for (unsigned i = 0; i < spec.count; ++i) {
    values_.push_back(spec.reset);
    if (spec.offset == kNoAddress) continue;
    const Place place{spec.offset + i * spec.stride_bytes, id, i};
    const auto at = std::lower_bound(places_.begin(), places_.end(), place.offset,
                                     [](const Place& a, uint64_t offset) { return a.offset < offset; });
    assert(at == places_.end() || at->offset >= place.offset + spec.size_bytes);
    places_.insert(at, place);
  }
  rows_.push_back(Row{std::move(spec), first});
  return id;
}

void RegisterTable::reset() {
  for (const Row& row : rows_) std::fill_n(values_.begin() + row.first, row.spec.count, row.spec.reset);
}

const RegisterTable::Place* RegisterTable::find(uint64_t offset) const {
  auto at = std::upper_bound(places_.begin(), places_.end(), offset,
                             [](uint64_t value, const Place& place) { return value < place.offset; });
  if (at == places_.begin()) return nullptr;
  --at;
  return offset < at->offset + rows_[at->id].spec.size_bytes ? &*at : nullptr;
}

bool RegisterTable::read(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t& value) {
  value = 0;
  bool found = false;
  for (unsigned done = 0; done < size_bytes;) {
    const Place* place = find(offset + done);
    if (place == nullptr) {
      ++done;
      continue;
    }
    found = true;
    const Row& row = rows_[place->id];
    const auto inside = static_cast<unsigned>(offset + done - place->offset);
    const unsigned bytes = std::min(row.spec.size_bytes - inside, size_bytes - done);
    uint64_t all = values_[row.first + place->index] & row.spec.read_mask;
    if (row.spec.on_read) all = row.spec.on_read(place->index, all, now_ns);
    value |= ((all >> (inside * 8)) & ones(bytes)) << (done * 8);
    done += bytes;
  }
  return found;
}

bool RegisterTable::peek(uint64_t offset, unsigned size_bytes, uint64_t& value) const {
  value = 0;
  bool found = false;
  for (unsigned done = 0; done < size_bytes; ++done) {
    const Place* place = find(offset + done);
    if (place == nullptr) continue;
    found = true;
    const Row& row = rows_[place->id];
    const uint64_t all = values_[row.first + place->index] & row.spec.read_mask;
    value |= ((all >> ((offset + done - place->offset) * 8)) & 0xff) << (done * 8);
  }
  return found;
}

bool RegisterTable::write(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t value) {
  bool found = false;
  for (unsigned done = 0; done < size_bytes;) {
    const Place* place = find(offset + done);
    if (place == nullptr) {
      ++done;
      continue;
    }
    found = true;
    const Row& row = rows_[place->id];
    const auto inside = static_cast<unsigned>(offset + done - place->offset);
    const unsigned bytes = std::min(row.spec.size_bytes - inside, size_bytes - done);
    uint64_t& stored = values_[row.first + place->index];
    const uint64_t lanes = ones(bytes) << (inside * 8);
    const uint64_t shifted = ((value >> (done * 8)) & ones(bytes)) << (inside * 8);
    const uint64_t writable = row.spec.write_mask & lanes;
    // Bytes that the access does not name keep their value; for write-one-to-clear bits that means a zero.
    const uint64_t written = (stored & ~lanes & ~row.spec.w1c_mask & ones(row.spec.size_bytes)) | shifted;
    stored = (stored & ~writable) | (shifted & writable);
    stored &= ~(shifted & row.spec.w1c_mask);
    if (row.spec.on_write) row.spec.on_write(place->index, written, now_ns);
    done += bytes;
  }
  return found;
}

std::string RegisterTable::name_at(uint64_t offset) const {
  const Place* place = find(offset);
  if (place == nullptr) return {};
  const RegisterSpec& spec = rows_[place->id].spec;
  return spec.count == 1 ? spec.name : fmt::format("{}[{}]", spec.name, place->index);
}

void RegisterTable::save(SnapshotSection& section) const {
  for (const Row& row : rows_) {
    put_words(section, "reg." + row.spec.name, std::span(values_).subspan(row.first, row.spec.count));
  }
}

void RegisterTable::restore(StateReader& reader) {
  for (const Row& row : rows_) {
    const auto saved = reader.words("reg." + row.spec.name, row.spec.count);
    std::copy(saved.begin(), saved.end(), values_.begin() + row.first);
  }
}

std::string RegisterTable::describe() const {
  std::string text =
      "| Offset | Bytes | Name | Reset | Writable bits | Meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const Row& row : rows_) {
    const RegisterSpec& spec = row.spec;
    const std::string place = spec.offset == kNoAddress ? "(none)" : fmt::format("{:#x}", spec.offset);
    const std::string repeat = spec.count == 1 ? "" : fmt::format(" [{}], every {:#x}", spec.count, spec.stride_bytes);
    const uint64_t all = ones(spec.size_bytes);
    const uint64_t writable = spec.write_mask & all;
    const std::string bits = writable == 0 ? (spec.on_write ? "by effect" : "none")
                                           : (writable == all ? "all" : fmt::format("{:#x}", writable));
    text += fmt::format("| {} | {} | {}{} | {:#x} | {} | {} |\n", place, spec.size_bytes, spec.name, repeat,
                        spec.reset & all, bits, spec.doc);
  }
  return text;
}

}  // namespace lockstep::tlm_models
