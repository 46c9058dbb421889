// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/memory/bus.h"

namespace lockstep::core {

// Bytes of guest code inside one page.
struct CodeRange {
  uint64_t paddr = 0;
  uint64_t size_bytes = 0;

  uint64_t ppage() const { return paddr & kPageMask; }
  bool touches(uint64_t other, uint64_t other_bytes) const {
    return other < paddr + size_bytes && paddr < other + other_bytes;
  }
};

// Calls `f` with the ranges of `size_bytes` of code at `paddr`, contiguous in virtual addresses; past the first page's
// end they go on at `second_ppage`.
template <typename F>
void each_half(uint64_t paddr, uint64_t size_bytes, bool spans_pages, uint64_t second_ppage, F f) {
  const uint64_t in_first = spans_pages ? kPageSize - (paddr & ~kPageMask) : size_bytes;
  f(CodeRange{paddr, in_first});
  if (spans_pages) f(CodeRange{second_ppage, size_bytes - in_first});
}

// Owns what an engine translated from guest code, and finds it by its address and by the bytes that it was made from.
// `Code` has pc, paddr, code_key, and each_range(f), which calls f with every CodeRange it was made from.
template <typename Code>
class CodeIndex {
 public:
  CodeIndex() { by_address_.reserve(kCommonPieces); }

  size_t size() const { return by_address_.size(); }

  Code* find(uint64_t paddr, uint64_t pc, uint64_t code_key) const {
    const auto it = by_address_.find(Key{paddr, pc, code_key});
    return it == by_address_.end() ? nullptr : it->second.get();
  }

  Code* insert(std::unique_ptr<Code> code) {
    Code* raw = code.get();
    raw->each_range([&](const CodeRange& range) {
      std::vector<Code*>& codes = pages_[range.ppage()];
      if (codes.empty() || codes.back() != raw) codes.push_back(raw);
    });
    by_address_[key_of(*raw)] = std::move(code);
    return raw;
  }

  std::unique_ptr<Code> remove(Code* code) {
    code->each_range([&](const CodeRange& range) {
      const auto page = pages_.find(range.ppage());
      if (page != pages_.end()) std::erase(page->second, code);
    });
    const auto it = by_address_.find(key_of(*code));
    std::unique_ptr<Code> removed = std::move(it->second);
    by_address_.erase(it);
    return removed;
  }

  std::vector<std::unique_ptr<Code>> remove_all() {
    std::vector<std::unique_ptr<Code>> removed;
    removed.reserve(by_address_.size());
    for (auto& [key, code] : by_address_) removed.push_back(std::move(code));
    by_address_.clear();
    pages_.clear();
    return removed;
  }

  // What was made from bytes in [paddr, paddr + size), which lie in one page.
  std::vector<Code*> made_from(uint64_t paddr, uint64_t size_bytes) const {
    std::vector<Code*> found;
    const auto it = pages_.find(paddr & kPageMask);
    if (it == pages_.end()) return found;
    for (Code* code : it->second) {
      bool holds = false;
      code->each_range([&](const CodeRange& range) { holds |= range.touches(paddr, size_bytes); });
      if (holds) found.push_back(code);
    }
    return found;
  }

  // Something made from this page is left.
  bool page_has_code(uint64_t paddr) {
    const auto it = pages_.find(paddr & kPageMask);
    if (it == pages_.end()) return false;
    if (!it->second.empty()) return true;
    pages_.erase(it);
    return false;
  }

 private:
  // Of a guest that does something: growing the table up to there would cost more than its memory.
  static constexpr size_t kCommonPieces = 8192;

  struct Key {
    uint64_t paddr, pc, code_key;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& k) const {
      uint64_t h = k.paddr * 0x9e3779b97f4a7c15u;
      h ^= (k.pc + (h >> 29)) * 0xbf58476d1ce4e5b9u;
      h ^= (k.code_key + (h >> 31)) * 0x94d049bb133111ebu;
      return h ^ (h >> 30);
    }
  };
  static Key key_of(const Code& code) { return {code.paddr, code.pc, code.code_key}; }
  std::unordered_map<Key, std::unique_ptr<Code>, KeyHash> by_address_;
  std::unordered_map<uint64_t, std::vector<Code*>> pages_;
};

// What became of code after a write to its page.
struct CodeWrite {
  bool hit = false;      // some was made from these bytes, and is dropped
  bool remains = false;  // some other of the page is left
};

// An engine's writes to pages with code. A page that is written again and again beside its code loses all of it, so
// that it becomes fast data. All that an engine keeps of a page goes by one count, so that engines with
// the same blocks do so at the same write; one with regions, or without room, may stop watching a page earlier.
class WrittenPages {
 public:
  // `drop(paddr, size_bytes)` drops what was made from these bytes, which lie in one page, and answers a CodeWrite.
  // Whether code of the page remains.
  template <typename F>
  bool written(uint64_t paddr, uint64_t size_bytes, F drop) {
    const uint64_t ppage = paddr & kPageMask;
    const CodeWrite write = drop(paddr, size_bytes);
    if (write.remains) {
      if (write.hit || ++idle_writes_[ppage] <= kMaxIdleWrites) return true;
      drop(ppage, kPageSize);
    }
    idle_writes_.erase(ppage);
    return false;
  }
  void forget_all() { idle_writes_.clear(); }

 private:
  // After so many writes beside its code a page is taken for data.
  static constexpr uint32_t kMaxIdleWrites = 64;

  std::unordered_map<uint64_t, uint32_t> idle_writes_;  // by page: writes since it had code that hit nothing
};

}  // namespace lockstep::core
