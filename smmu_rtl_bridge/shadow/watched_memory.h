// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "smmu_rtl_bridge/observer.h"

namespace lockstep::smmu_rtl_bridge {

// The pages that an SMMU's structures lie in, of a machine whose software writes them unheard. Each page is copied when
// somebody first looks at it; what has changed since is found by comparing, before it can be seen at the pins, and told
// to the observers as writes of software.
class WatchedMemory {
 public:
  static constexpr size_t kPageBytes = 4096;
  // 128 MiB of tables: more than any driver makes, and comparing them all takes longer than anybody waits.
  static constexpr size_t kPagesMax = 32768;
  // A whole page; false is a bus error.
  using ReadPage = std::function<bool(uint64_t page, void* data)>;

  void set_source(ReadPage read_page) { read_page_ = std::move(read_page); }
  void add_observer(Observer& observer) { observers_.push_back(&observer); }

  // As of now; false is a bus error. Within one page.
  bool read(uint64_t address, void* data, size_t size_bytes);
  bool broken(uint64_t address) { return page_at(address).broken; }
  // Finds what software has changed.
  void catch_up();
  // What the device was seen to read and to write.
  void device_read(uint64_t address, const void* data, size_t size_bytes, bool failed);
  void device_wrote(uint64_t address, const void* data, size_t size_bytes);

 private:
  struct Page {
    bool broken = false;
    std::array<uint8_t, kPageBytes> bytes{};
  };
  Page& page_at(uint64_t address);
  void take_over(uint64_t number, Page& page, const uint8_t* now, bool broken);

  ReadPage read_page_;
  std::vector<Observer*> observers_;
  std::map<uint64_t, Page> pages_;  // by page number: in order, so that a run repeats itself
  // Where there were more pages than kPagesMax: what lies beyond is read anew each time.
  Page beyond_;
  bool overflowed_ = false;
};

}  // namespace lockstep::smmu_rtl_bridge
