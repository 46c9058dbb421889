// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lockstep::smmuv3_reference {

// Sparse memory of 4 KiB pages that reads as zero or as noise where nothing was written, with pages that answer bus
// errors.
class SparseMemory {
 public:
  bool read(uint64_t address, void* data, size_t size_bytes) const {
    if (broken_.count(address >> 12)) return false;
    auto* out = static_cast<uint8_t*>(data);
    for (size_t i = 0; i < size_bytes; ++i) {
      const auto page = pages_.find((address + i) >> 12);
      out[i] = page == pages_.end() ? noise_at(address + i) : page->second[(address + i) & 0xfff];
    }
    return true;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes) {
    if (broken_.count(address >> 12)) return false;
    const auto* in = static_cast<const uint8_t*>(data);
    for (size_t i = 0; i < size_bytes; ++i) {
      auto [page, fresh] = pages_.try_emplace((address + i) >> 12);
      if (fresh)
        for (size_t at = 0; at < 4096; ++at) page->second[at] = noise_at(((address + i) & ~uint64_t{0xfff}) + at);
      page->second[(address + i) & 0xfff] = in[i];
    }
    return true;
  }
  uint64_t get64(uint64_t address) const {
    uint64_t value = 0;
    read(address, &value, sizeof value);
    return value;
  }
  void put64(uint64_t address, uint64_t value) { write(address, &value, sizeof value); }
  void break_page(uint64_t address) { broken_.insert(address >> 12); }
  void mend_page(uint64_t address) { broken_.erase(address >> 12); }
  std::vector<uint64_t> page_addresses() const {
    std::vector<uint64_t> result;
    for (const auto& [page, bytes] : pages_) result.push_back(page << 12);
    return result;
  }

  // Not zero: memory that nobody wrote holds bytes that follow from this and their address.
  uint64_t noise = 0;

 private:
  uint8_t noise_at(uint64_t address) const {
    if (noise == 0) return 0;
    uint64_t mixed = (address >> 3 ^ noise) * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9;
    return static_cast<uint8_t>((mixed ^ mixed >> 32) >> (8 * (address & 7)));
  }

  std::unordered_map<uint64_t, std::array<uint8_t, 4096>> pages_;
  std::set<uint64_t> broken_;
};

}  // namespace lockstep::smmuv3_reference
