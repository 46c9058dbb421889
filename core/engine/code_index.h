// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/memory/bus.h"

namespace lockstep::core {

// Owns what an engine translated from guest code, and finds it by its address and by the bytes that it was made from.
// `Code` has pc, paddr, code_key, size_bytes, spans_pages and second_ppage; one that spans two pages is contiguous in
// virtual addresses only: its second half begins at second_ppage.
template <typename Code>
class CodeIndex {
 public:
  size_t size() const { return by_address_.size(); }

  Code* find(uint64_t paddr, uint64_t pc, uint64_t code_key) const {
    const auto it = by_address_.find(Key{paddr, pc, code_key});
    return it == by_address_.end() ? nullptr : it->second.get();
  }

  Code* insert(std::unique_ptr<Code> code) {
    Code* raw = code.get();
    pages_[raw->paddr & kPageMask].codes.push_back(raw);
    if (raw->spans_pages) pages_[raw->second_ppage].codes.push_back(raw);
    by_address_[key_of(*raw)] = std::move(code);
    return raw;
  }

  std::unique_ptr<Code> remove(Code* code) {
    remove_from(code->paddr & kPageMask, code);
    if (code->spans_pages) remove_from(code->second_ppage, code);
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

  // What a write to [paddr, paddr + size), inside one page, makes stale. A page that is written again and again beside
  // its code loses all of it, so that it becomes fast data.
  std::vector<Code*> written(uint64_t paddr, uint64_t size_bytes) {
    std::vector<Code*> hit;
    const auto it = pages_.find(paddr & kPageMask);
    if (it == pages_.end()) return hit;
    Page& page = it->second;
    const bool all = page.idle_writes >= kMaxIdleWrites;
    for (Code* code : page.codes) {
      const bool in_second = code->spans_pages && (paddr & kPageMask) == code->second_ppage;
      const uint64_t first_bytes = code->spans_pages ? kPageSize - (code->paddr & ~kPageMask) : code->size_bytes;
      const uint64_t begin = in_second ? code->second_ppage : code->paddr;
      const uint64_t length = in_second ? code->size_bytes - first_bytes : first_bytes;
      if (all || (paddr < begin + length && begin < paddr + size_bytes)) hit.push_back(code);
    }
    if (hit.empty()) ++page.idle_writes;
    return hit;
  }

  // Something made from this page is left.
  bool page_has_code(uint64_t paddr) {
    const auto it = pages_.find(paddr & kPageMask);
    if (it == pages_.end()) return false;
    if (!it->second.codes.empty()) return true;
    pages_.erase(it);
    return false;
  }

 private:
  // After so many writes beside its code a page is taken for data.
  static constexpr uint32_t kMaxIdleWrites = 64;

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
  struct Page {
    std::vector<Code*> codes;
    uint32_t idle_writes = 0;  // writes that hit nothing
  };

  static Key key_of(const Code& code) { return {code.paddr, code.pc, code.code_key}; }
  void remove_from(uint64_t ppage, Code* code) {
    const auto page = pages_.find(ppage);
    if (page != pages_.end()) std::erase(page->second.codes, code);
  }

  std::unordered_map<Key, std::unique_ptr<Code>, KeyHash> by_address_;
  std::unordered_map<uint64_t, Page> pages_;
};

}  // namespace lockstep::core
