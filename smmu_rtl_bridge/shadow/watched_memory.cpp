// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/shadow/watched_memory.h"

#include <algorithm>
#include <cstring>

namespace lockstep::smmu_rtl_bridge {
namespace {

// Memory keeps its history by words of this size.
constexpr size_t kWordBytes = 8;

}  // namespace

WatchedMemory::Page& WatchedMemory::page_at(uint64_t address) {
  const uint64_t number = address / kPageBytes;
  const auto found = pages_.find(number);
  if (found != pages_.end()) return found->second;
  overflowed_ = overflowed_ || pages_.size() >= kPagesMax;
  Page& page = overflowed_ ? beyond_ : pages_[number];
  page.broken = !read_page_(number * kPageBytes, page.bytes.data());
  for (Observer* observer : observers_)
    observer->memory_was(number * kPageBytes, page.broken ? nullptr : page.bytes.data(), kPageBytes);
  return page;
}

bool WatchedMemory::read(uint64_t address, void* data, size_t size_bytes) {
  const Page& page = page_at(address);
  if (page.broken) return false;
  const size_t at = address % kPageBytes;
  std::memcpy(data, page.bytes.data() + at, std::min(size_bytes, kPageBytes - at));
  return true;
}

void WatchedMemory::take_over(uint64_t number, Page& page, const uint8_t* now, bool broken) {
  const uint64_t base = number * kPageBytes;
  if (broken != page.broken) {
    page.broken = broken;
    for (Observer* observer : observers_) observer->page_broken(base, broken);
  }
  if (broken || std::memcmp(page.bytes.data(), now, kPageBytes) == 0) return;
  for (size_t at = 0; at < kPageBytes;) {
    if (std::memcmp(page.bytes.data() + at, now + at, kWordBytes) == 0) {
      at += kWordBytes;
      continue;
    }
    size_t end = at;
    while (end < kPageBytes && std::memcmp(page.bytes.data() + end, now + end, kWordBytes) != 0) end += kWordBytes;
    for (Observer* observer : observers_) observer->software_wrote(base + at, now + at, end - at);
    std::memcpy(page.bytes.data() + at, now + at, end - at);
    at = end;
  }
}

void WatchedMemory::catch_up() {
  std::array<uint8_t, kPageBytes> now;
  for (auto& [number, page] : pages_) {
    const bool broken = !read_page_(number * kPageBytes, now.data());
    take_over(number, page, now.data(), broken);
  }
}

void WatchedMemory::device_read(uint64_t address, const void* data, size_t size_bytes, bool failed) {
  Page& page = page_at(address);
  if (failed == page.broken && (failed || std::memcmp(page.bytes.data() + address % kPageBytes, data, size_bytes) == 0))
    return;
  // Somebody writes while the device works: harts that run beside it.
  std::array<uint8_t, kPageBytes> now = page.bytes;
  if (!failed) std::memcpy(now.data() + address % kPageBytes, data, size_bytes);
  take_over(address / kPageBytes, page, now.data(), failed);
}

void WatchedMemory::device_wrote(uint64_t address, const void* data, size_t size_bytes) {
  const auto found = pages_.find(address / kPageBytes);
  if (found == pages_.end()) return;
  const size_t at = address % kPageBytes;
  std::memcpy(found->second.bytes.data() + at, data, std::min(size_bytes, kPageBytes - at));
}

}  // namespace lockstep::smmu_rtl_bridge
