// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/result.h"

namespace lockstep::jit {

// Memory for generated code, bounded, mapped twice: what runs is never writable and what is written never runs (W^X).
//
// Code is given out from a few regions in turn. When all are full, the oldest region is emptied as a whole; its owner
// drops the code in it first.
class CodeCache {
 public:
  static constexpr unsigned kRegions = 8;
  static constexpr size_t kMinBytes = size_t{1} << 20;
  static constexpr size_t kMaxBytes = size_t{1} << 30;
  static constexpr size_t kMaxBytesWithData = size_t{1} << 29;

  // `size_bytes`: kMinBytes to kMaxBytes. Fails with the host's reason when the memory cannot be mapped.
  // `data_bytes`: of memory behind the code, zeroed, that one instruction of it reaches; with some, the code has at
  // most kMaxBytesWithData.
  static core::Result<std::unique_ptr<CodeCache>> create(size_t size_bytes, size_t data_bytes = 0);
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;
  ~CodeCache();

  // Where the next piece of code will run. It must have at most space_left() bytes.
  const uint8_t* base() const { return code_; }
  const uint8_t* next_address() const { return code_ + used_; }
  size_t space_left() const { return region_end_ - used_; }
  unsigned current_region() const { return region_; }
  size_t region_bytes() const { return region_bytes_; }
  size_t size_bytes() const { return code_bytes_; }
  std::span<uint64_t> data() const { return data_; }

  // Puts code at next_address() and answers its address.
  const uint8_t* add(std::span<const uint8_t> bytes);
  // Goes on in the next region, whose code must not be used any more.
  void begin_next_region();
  unsigned next_region() const { return (region_ + 1) % kRegions; }

  // Rewrites bytes of code: the displacement of a jump, the constant of a compare, an address.
  void patch32(const uint8_t* address, uint32_t value) { patch(address, &value, sizeof value); }
  void patch64(const uint8_t* address, uint64_t value) { patch(address, &value, sizeof value); }

  // Keeps everything given out so far for good: the regions begin behind it.
  void seal_fixed_part();

 private:
  CodeCache() = default;
  // Pages are mapped so many bytes at a time, a power of two.
  static constexpr size_t kTouchedBytes = size_t{128} << 10;
  void touch(size_t end);
  void set_region(unsigned region);
  void patch(const uint8_t* address, const void* value, size_t size_bytes);

  const uint8_t* code_ = nullptr;
  uint8_t* writable_ = nullptr;  // the same bytes
  std::span<uint64_t> data_;
  size_t code_bytes_ = 0;
  size_t fixed_bytes_ = 0;
  size_t region_bytes_ = 0;
  unsigned region_ = 0;
  size_t touched_ = 0;  // up to here all pages of the writable view are mapped
  size_t used_ = 0;
  size_t region_end_ = 0;
};

}  // namespace lockstep::jit
