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

// Sparse memory of 4 KiB pages that reads as zero where nothing was written, with pages that answer bus errors.
class SparseMemory {
 public:
  bool read(uint64_t address, void* data, size_t size_bytes) const {
    if (broken_.count(address >> 12)) return false;
    auto* out = static_cast<uint8_t*>(data);
    for (size_t i = 0; i < size_bytes; ++i) {
      const auto page = pages_.find((address + i) >> 12);
      out[i] = page == pages_.end() ? 0 : page->second[(address + i) & 0xfff];
    }
    return true;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes) {
    if (broken_.count(address >> 12)) return false;
    const auto* in = static_cast<const uint8_t*>(data);
    for (size_t i = 0; i < size_bytes; ++i) pages_[(address + i) >> 12][(address + i) & 0xfff] = in[i];
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

 private:
  std::unordered_map<uint64_t, std::array<uint8_t, 4096>> pages_;
  std::set<uint64_t> broken_;
};

}  // namespace lockstep::smmuv3_reference
