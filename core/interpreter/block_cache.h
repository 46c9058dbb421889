// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/engine/code_index.h"
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

  CodeBlock* find(uint64_t paddr, uint64_t pc, uint64_t code_key) const { return blocks_.find(paddr, pc, code_key); }
  // Takes a freshly lowered block in; its links become unlinked.
  CodeBlock* insert(std::unique_ptr<CodeBlock> block);

  void link(Link& link, CodeBlock* target);

  // Drops the blocks made from bytes in [paddr, paddr + size), which lie in one page.
  CodeWrite invalidate(uint64_t paddr, uint64_t size_bytes);
  void invalidate_all();
  uint64_t invalidated() const { return invalidated_; }

  // Frees dropped blocks; only while none of them is being run.
  void collect() { graveyard_.clear(); }

  // Direct-mapped by virtual address; entries are checked by the reader and may be stale but never dangle while
  // dropped blocks are not collected.
  CodeBlock*& jump_cache(uint64_t pc) { return jumps_[(pc >> 1) & (jumps_.size() - 1)]; }

 private:
  void drop(CodeBlock* block);

  CodeBlock none_;
  CodeIndex<CodeBlock> blocks_;
  std::vector<std::unique_ptr<CodeBlock>> graveyard_;
  std::array<CodeBlock*, 1u << kJumpCacheBits> jumps_;
  uint64_t invalidated_ = 0;
};

}  // namespace lockstep::core
