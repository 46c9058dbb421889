// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace lockstep::smmu_rtl_bridge {

// All of the address space, which reads as zero where nothing was written, in pages of 4 KiB that may answer bus
// errors. Accesses do not cross a page.
class SparseMemory {
 public:
  static constexpr unsigned kPageLog2 = 12;
  static constexpr uint64_t kOffsets = (uint64_t{1} << kPageLog2) - 1;

  void read(uint64_t address, void* data, size_t size_bytes) {
    const Page* page = find(address >> kPageLog2);
    if (page) {
      std::memcpy(data, page->data() + (address & kOffsets), size_bytes);
    } else {
      std::memset(data, 0, size_bytes);
    }
  }
  void write(uint64_t address, const void* data, size_t size_bytes) {
    Page* page = find(address >> kPageLog2);
    if (!page) {
      auto fresh = std::make_unique<Page>();
      fresh->fill(0);
      page = fresh.get();
      pages_[address >> kPageLog2] = std::move(fresh);
      last_number_ = address >> kPageLog2;
      last_ = page;
    }
    std::memcpy(page->data() + (address & kOffsets), data, size_bytes);
  }
  uint64_t get64(uint64_t address) {
    uint64_t value;
    read(address, &value, sizeof value);
    return value;
  }

  bool broken(uint64_t address) const { return !broken_.empty() && broken_.count(address >> kPageLog2); }
  void set_broken(uint64_t address, bool broken) {
    if (broken) {
      broken_.insert(address >> kPageLog2);
    } else {
      broken_.erase(address >> kPageLog2);
    }
  }

 private:
  using Page = std::array<uint8_t, size_t{1} << kPageLog2>;

  Page* find(uint64_t number) {
    if (last_ && number == last_number_) return last_;
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    last_number_ = number;
    last_ = found->second.get();
    return last_;
  }

  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  std::unordered_set<uint64_t> broken_;
  uint64_t last_number_ = 0;
  Page* last_ = nullptr;
};

}  // namespace lockstep::smmu_rtl_bridge
