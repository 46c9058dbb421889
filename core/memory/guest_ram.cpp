// SPDX-License-Identifier: Apache-2.0
#include "core/memory/guest_ram.h"

#include <fmt/format.h>
#include <numa.h>
#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "core/memory/host_access.h"

namespace lockstep::core {

Result<GuestRam> GuestRam::create(uint64_t base, uint64_t size_bytes, Numa numa) {
  if (size_bytes == 0 || (base | size_bytes) % kPageSize != 0) {
    return Error{
        fmt::format("guest RAM at {:#x} of {:#x} bytes is not a whole number of 4 KiB pages", base, size_bytes)};
  }
  void* memory = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Error{fmt::format("cannot map {} MiB of guest RAM: {}; ask for less with --memory", size_bytes >> 20,
                             std::strerror(errno))};
  }
  madvise(memory, size_bytes, MADV_HUGEPAGE);
  GuestRam ram;
  if (numa == Numa::kInterleave && numa_available() >= 0 && numa_num_configured_nodes() > 1) {
    numa_interleave_memory(memory, size_bytes, numa_all_nodes_ptr);
    ram.numa_nodes_ = static_cast<unsigned>(numa_num_configured_nodes());
  }
  ram.flags_.assign(size_bytes / kPageSize, 0);
  ram.window_ = RamWindow{base, size_bytes, static_cast<uint8_t*>(memory), ram.flags_.data(), true};
  return ram;
}

GuestRam::GuestRam(GuestRam&& other) noexcept
    : window_(other.window_),
      flags_(std::move(other.flags_)),
      listeners_(std::move(other.listeners_)),
      guard_(std::move(other.guard_)),
      tracking_(other.tracking_),
      numa_nodes_(other.numa_nodes_) {
  window_.page_flags = flags_.data();
  other.window_ = RamWindow{};
}

GuestRam::~GuestRam() {
  if (window_.host != nullptr) munmap(window_.host, window_.size_bytes);
}

std::span<uint8_t> GuestRam::bytes(uint64_t paddr, uint64_t length) {
  if (!window_.contains(paddr, length)) return {};
  return {window_.host + (paddr - window_.base), length};
}

void GuestRam::write(uint64_t paddr, std::span<const uint8_t> data) {
  if (data.empty()) return;
  assert(window_.contains(paddr, data.size()));
  host_access::store(window_.host + (paddr - window_.base), data.size(), data.data());
  note_write(paddr, data.size());
}

void GuestRam::note_write(uint64_t paddr, uint64_t length) {
  if (length == 0) return;
  assert(window_.contains(paddr, length));
  for (uint64_t end = paddr + length; paddr < end;) {
    const uint64_t chunk = std::min(end - paddr, kPageSize - paddr % kPageSize);
    uint8_t& flags = flags_[(paddr - window_.base) / kPageSize];
    if (flags & kPageTracked) host_access::set_flags(&flags, flags & ~kPageTracked);
    if (flags & kPageHasCode) {
      const auto work = [&] { note_code_write(flags, paddr, chunk); };
      guard_ ? guard_(work) : work();
    }
    paddr += chunk;
  }
}

void GuestRam::note_code_write(uint8_t& flags, uint64_t paddr, uint64_t length) {
  bool code = false;
  for (const CodeWriteListener& listener : listeners_) code |= listener(paddr, length);
  if (!code) flags &= static_cast<uint8_t>(~kPageHasCode);
}

void GuestRam::start_tracking() {
  tracking_ = true;
  for (uint8_t& flags : flags_) flags |= kPageTracked;
}

}  // namespace lockstep::core
