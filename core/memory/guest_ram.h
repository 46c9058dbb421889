// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/memory/bus.h"
#include "core/result.h"

namespace lockstep::core {

// One mmap-backed region of guest RAM. Pages come zeroed and are backed by the host on first use.
class GuestRam {
 public:
  enum class Numa { kDefault, kInterleave };  // kInterleave spreads pages over the host's nodes where it has several

  // Called with a physical range inside one page that holds translated code, after its bytes were written. Answers
  // whether the listener still has code from that page (Engine::invalidate_code); when none has, the page is written
  // fast again.
  using CodeWriteListener = std::function<bool(uint64_t paddr, uint64_t size_bytes)>;

  // `base` and `size_bytes` are page aligned. Fails with the host's reason when the memory cannot be mapped.
  static Result<GuestRam> create(uint64_t base, uint64_t size_bytes, Numa numa = Numa::kDefault);
  GuestRam(GuestRam&&) noexcept;
  GuestRam& operator=(GuestRam&&) = delete;
  ~GuestRam();

  const RamWindow& window() const { return window_; }
  uint8_t* host() { return window_.host; }
  const uint8_t* host() const { return window_.host; }
  uint64_t base() const { return window_.base; }
  uint64_t size_bytes() const { return window_.size_bytes; }

  // The bytes [paddr, paddr + length), or an empty span when they are not all inside.
  std::span<uint8_t> bytes(uint64_t paddr, uint64_t length);

  // Copies into RAM as a device or a loader would: marks pages dirty and tells the listeners about code pages. The
  // range must be inside.
  void write(uint64_t paddr, std::span<const uint8_t> data);
  // The same bookkeeping for bytes that the caller has written through bytes().
  void note_write(uint64_t paddr, uint64_t length);

  void add_code_write_listener(CodeWriteListener listener) { listeners_.push_back(std::move(listener)); }
  // What is done about a write to code, listeners and flags, is handed to this function, which does it at once: harts
  // that run beside the caller stand still meanwhile.
  using Guard = std::function<void(const std::function<void()>& work)>;
  void set_code_write_guard(Guard guard) { guard_ = std::move(guard); }

  // Dirty tracking, page by page. start_tracking() makes every page clean; harts must drop their store TLBs after it.
  void start_tracking();
  bool tracking() const { return tracking_; }
  bool page_dirty(uint64_t page_index) const { return !(flags_[page_index] & kPageTracked); }

  // The host's NUMA nodes over which the pages were interleaved; 1 where the policy had nothing to do.
  unsigned numa_nodes() const { return numa_nodes_; }

 private:
  GuestRam() = default;

  RamWindow window_;
  std::vector<uint8_t> flags_;
  void note_code_write(uint8_t& flags, uint64_t paddr, uint64_t length);

  std::vector<CodeWriteListener> listeners_;
  Guard guard_;
  bool tracking_ = false;
  unsigned numa_nodes_ = 1;
};

}  // namespace lockstep::core
