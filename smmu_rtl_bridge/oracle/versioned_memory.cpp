// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/versioned_memory.h"

#include <algorithm>
#include <cstring>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint64_t kHintLittle = uint64_t{1} << 52;
constexpr uint64_t kHintBig = uint64_t{1} << 12;

unsigned word_of(uint64_t address) { return static_cast<unsigned>(address >> 3 & 511); }

}  // namespace

VersionedMemory::Page* VersionedMemory::find(uint64_t address) {
  const uint64_t number = address >> kPageLog2;
  auto& [near_number, near_page] = near_[(number ^ number >> 8) % kNear];
  if (near_page != nullptr && near_number == number) return near_page;
  const auto found = pages_.find(number);
  if (found == pages_.end()) return nullptr;
  near_number = number;
  near_page = found->second.get();
  return near_page;
}

VersionedMemory::Page* VersionedMemory::ask(uint64_t address) {
  Page* page = find(address);
  if (page != nullptr) page->asked = true;
  return page;
}

VersionedMemory::Page& VersionedMemory::make(uint64_t address) {
  if (Page* page = find(address)) return *page;
  auto& place = pages_[address >> kPageLog2];
  place = std::make_unique<Page>();
  return *place;
}

void VersionedMemory::write(uint64_t address, const void* data, size_t size_bytes, Sequence now) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (size_bytes != 0) {
    Page& page = make(address);
    const unsigned word = word_of(address);
    const size_t offset = address & 7;
    const size_t piece = std::min<size_t>(8 - offset, size_bytes);
    const uint64_t before = page.words[word];
    uint64_t after = before;
    std::memcpy(reinterpret_cast<uint8_t*>(&after) + offset, bytes, piece);
    page.written[word / 8] |= static_cast<uint8_t>(1u << word % 8);
    page.hint_little = page.hint_little || (after & kHintLittle);
    page.hint_big = page.hint_big || (after & kHintBig);
    if (after != before) {
      page.words[word] = after;
      changes_ += page.asked;
      std::vector<Change>& changes = page.history[word];
      std::erase_if(changes, [&](const Change& change) { return change.at <= floor_; });
      changes.push_back({now, before});
      page.changed[word / 64] |= uint64_t{1} << word % 64;
    }
    address += piece;
    bytes += piece;
    size_bytes -= piece;
  }
}

void VersionedMemory::set_broken(uint64_t address, bool broken, Sequence now) {
  Page& page = make(address);
  if (page.broken == broken) return;
  page.broken = broken;
  changes_ += page.asked;
  page.breaks.emplace_back(now, broken);
}

void VersionedMemory::learn(uint64_t address, const void* data, size_t size_bytes) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (size_t at = 0; at + 8 <= size_bytes && (address & 7) == 0; at += 8) {
    uint64_t value = 0;
    std::memcpy(&value, bytes + at, 8);
    Page* page = find(address + at);
    if (value == 0 && page == nullptr) continue;
    if (page == nullptr) page = &make(address + at);
    const unsigned word = word_of(address + at);
    if (page->written[word / 8] >> word % 8 & 1) continue;
    page->written[word / 8] |= static_cast<uint8_t>(1u << word % 8);
    page->words[word] = value;
    changes_ += page->asked;
    page->hint_little = page->hint_little || (value & kHintLittle);
    page->hint_big = page->hint_big || (value & kHintBig);
  }
}

bool VersionedMemory::may_have_hint(uint64_t address, bool big_endian) {
  const Page* page = find(address);
  return page != nullptr && (big_endian ? page->hint_big : page->hint_little);
}

void VersionedMemory::forget_history() {
  for (auto& [number, page] : pages_) {
    page->history.clear();
    page->changed.fill(0);
    page->breaks.clear();
  }
}

bool VersionedMemory::has_history(Page& page, unsigned first, unsigned words) {
  for (unsigned word = first; word < first + words; ++word) {
    if (page.changed[word / 64] == 0) {
      word |= 63;
      continue;
    }
    if (!(page.changed[word / 64] >> word % 64 & 1)) continue;
    const auto found = page.history.find(word);
    if (found->second.back().at > floor_) return true;
    page.history.erase(found);
    page.changed[word / 64] &= ~(uint64_t{1} << word % 64);
  }
  return false;
}

const uint64_t* VersionedMemory::steady_words(uint64_t address, unsigned words) {
  Page* page = ask(address);
  if (page == nullptr || page->broken || !page->breaks.empty() || has_history(*page, word_of(address), words))
    return nullptr;
  return &page->words[word_of(address)];
}

bool VersionedMemory::read_steady(uint64_t address, unsigned words, uint64_t* out) {
  Page* page = ask(address);
  if (page == nullptr) {
    std::fill_n(out, words, 0);
    return true;
  }
  const unsigned first = word_of(address);
  if (page->broken || !page->breaks.empty() || has_history(*page, first, words)) return false;
  std::memcpy(out, &page->words[first], size_t{8} * words);
  return true;
}

void VersionedMemory::snapshots(uint64_t address, unsigned words, std::vector<Snapshot>& out) {
  out.clear();
  Page& page = make(address);
  const unsigned first = word_of(address);
  std::vector<Sequence>& times = times_;
  times.clear();
  for (unsigned word = first; word < first + words; ++word) {
    if (!(page.changed[word / 64] >> word % 64 & 1)) continue;
    const auto found = page.history.find(word);
    for (const Change& change : found->second)
      if (change.at > floor_) times.push_back(change.at);
  }
  for (const auto& [at, broken] : page.breaks)
    if (at > floor_) times.push_back(at);
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());

  // From now backwards, undoing each change.
  Snapshot snapshot;
  std::memcpy(snapshot.words.data(), &page.words[first], size_t{8} * words);
  snapshot.broken = page.broken;
  for (size_t i = times.size(); i-- > 0;) {
    snapshot.from = times[i];
    out.push_back(snapshot);
    snapshot.until = times[i];
    for (unsigned word = first; word < first + words; ++word) {
      if (!(page.changed[word / 64] >> word % 64 & 1)) continue;
      const auto found = page.history.find(word);
      // Of several changes at one time, the first has what was before.
      for (auto change = found->second.rbegin(); change != found->second.rend(); ++change)
        if (change->at == times[i]) snapshot.words[word - first] = change->before;
    }
    for (auto change = page.breaks.rbegin(); change != page.breaks.rend(); ++change)
      if (change->first == times[i]) snapshot.broken = !change->second;
  }
  snapshot.from = 0;
  out.push_back(snapshot);
  std::reverse(out.begin(), out.end());
}

uint64_t VersionedMemory::now(uint64_t address) {
  Page* page = find(address);
  return page == nullptr ? 0 : page->words[word_of(address)];
}

bool VersionedMemory::broken_now(uint64_t address) {
  Page* page = find(address);
  return page != nullptr && page->broken;
}

}  // namespace lockstep::smmu_rtl_bridge
