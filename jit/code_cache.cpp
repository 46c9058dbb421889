// SPDX-License-Identifier: Apache-2.0
#include "jit/code_cache.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace lockstep::jit {

core::Result<std::unique_ptr<CodeCache>> CodeCache::create(size_t size_bytes, size_t data_bytes) {
  const auto failed = [](const char* what) {
    return core::Error{
        fmt::format("cannot map memory for generated code ({}: {}): allow executable mappings of shared "
                    "memory, or use the interpreter engine",
                    what, std::strerror(errno))};
  };
  std::unique_ptr<CodeCache> cache(new CodeCache);
  cache->code_bytes_ =
      std::clamp(size_bytes, kMinBytes, data_bytes > 0 ? kMaxBytesWithData : kMaxBytes) & ~size_t{0xffff};
  // Anonymous, so that perf looks into the map that describes the code. A second view of the same pages is what mremap
  // makes of a length of zero.
  void* writable = mmap(nullptr, cache->code_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (writable == MAP_FAILED) return failed("mmap");
  void* code = MAP_FAILED;
  if (data_bytes == 0) {
    code = mremap(writable, 0, cache->code_bytes_, MREMAP_MAYMOVE);
  } else {
    // One range of addresses for both, of which the code then takes the first part.
    data_bytes &= ~size_t{0xffff};
    void* both = mmap(nullptr, cache->code_bytes_ + data_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (both != MAP_FAILED) {
      cache->data_ = {reinterpret_cast<uint64_t*>(static_cast<uint8_t*>(both) + cache->code_bytes_),
                      data_bytes / sizeof(uint64_t)};
      code = mremap(writable, 0, cache->code_bytes_, MREMAP_MAYMOVE | MREMAP_FIXED, both);
    }
  }
  if (writable != MAP_FAILED) cache->writable_ = static_cast<uint8_t*>(writable);
  if (code != MAP_FAILED) cache->code_ = static_cast<const uint8_t*>(code);
  if (code == MAP_FAILED) return failed("mremap");
  if (mprotect(code, cache->code_bytes_, PROT_READ | PROT_EXEC) != 0) return failed("mprotect");
  cache->region_end_ = cache->code_bytes_;
  return cache;
}

CodeCache::~CodeCache() {
  if (writable_ != nullptr) munmap(writable_, code_bytes_);
  if (code_ != nullptr) munmap(const_cast<uint8_t*>(code_), code_bytes_);
  if (!data_.empty()) munmap(data_.data(), data_.size_bytes());
}

const uint8_t* CodeCache::add(std::span<const uint8_t> bytes) {
  assert(bytes.size() <= space_left());
  if (used_ + bytes.size() > touched_) touch(used_ + bytes.size());
  std::memcpy(writable_ + used_, bytes.data(), bytes.size());
  const uint8_t* address = code_ + used_;
  used_ = std::min((used_ + bytes.size() + 15) & ~size_t{15}, region_end_);
  return address;
}

// Maps many pages at once: one fault a page would cost more than writing the code into it.
void CodeCache::touch(size_t end) {
  const size_t begin = touched_;
  touched_ = std::min((end + kTouchedBytes) & ~(kTouchedBytes - 1), code_bytes_);
  // A kernel that cannot do it maps them one by one.
  madvise(writable_ + begin, touched_ - begin, MADV_POPULATE_WRITE);
}

void CodeCache::seal_fixed_part() {
  fixed_bytes_ = (used_ + 4095) & ~size_t{4095};
  region_bytes_ = (code_bytes_ - fixed_bytes_) / kRegions & ~size_t{63};
  set_region(0);
}

void CodeCache::begin_next_region() { set_region(next_region()); }

void CodeCache::set_region(unsigned region) {
  region_ = region;
  used_ = fixed_bytes_ + region * region_bytes_;
  region_end_ = used_ + region_bytes_;
}

void CodeCache::patch(const uint8_t* address, const void* value, size_t size_bytes) {
  const auto offset = static_cast<size_t>(address - code_);
  assert(offset + size_bytes <= code_bytes_);
  std::memcpy(writable_ + offset, value, size_bytes);
}

}  // namespace lockstep::jit
