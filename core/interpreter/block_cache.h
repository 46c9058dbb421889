// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/interpreter/code_block.h"

namespace lockstep::core {

// Owns a hart's translated blocks: finds them by address, links them, and drops them when their bytes change.
class BlockCache {
 public:
  // Past this many blocks everything is dropped and translated anew: a bound on memory of about 300 MiB.
  static constexpr size_t kMaxBlocks = 200'000;
  static constexpr unsigned kJumpCacheBits = 12;

  BlockCache();

  // The block that cannot be entered; unlinked links point to it.
  CodeBlock* none() { return &none_; }

  CodeBlock* find(uint64_t paddr, uint64_t pc, uint64_t code_key) const;
  // Takes a freshly lowered block in; its links become unlinked.
  CodeBlock* insert(std::unique_ptr<CodeBlock> block);

  void link(Link& link, CodeBlock* target);

  // Drops the blocks made from bytes in [paddr, paddr + size), which lie in one page. Answers whether blocks of that
  // page remain. A page that is written again and again beside its code loses all of it, so that it becomes fast data.
  bool invalidate(uint64_t paddr, uint64_t size_bytes);
  void invalidate_all();
  uint64_t invalidated() const { return invalidated_; }

  // Frees dropped blocks; only while none of them is being run.
  void collect() { graveyard_.clear(); }

  // Direct-mapped by virtual address; entries are checked by the reader and may be stale but never dangle while
  // dropped blocks are not collected.
  CodeBlock*& jump_cache(uint64_t pc) { return jumps_[(pc >> 1) & (jumps_.size() - 1)]; }

 private:
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
    std::vector<CodeBlock*> blocks;
    uint32_t idle_writes = 0;  // writes that hit no block
  };

  void drop(CodeBlock* block);

  CodeBlock none_;
  std::unordered_map<Key, std::unique_ptr<CodeBlock>, KeyHash> blocks_;
  std::unordered_map<uint64_t, Page> pages_;
  std::vector<std::unique_ptr<CodeBlock>> graveyard_;
  std::array<CodeBlock*, 1u << kJumpCacheBits> jumps_;
  uint64_t invalidated_ = 0;
};

}  // namespace lockstep::core
