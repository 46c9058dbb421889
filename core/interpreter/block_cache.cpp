// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/block_cache.h"

#include <algorithm>
#include <utility>

namespace lockstep::core {

BlockCache::BlockCache() { jumps_.fill(&none_); }

CodeBlock* BlockCache::insert(std::unique_ptr<CodeBlock> block) {
  if (blocks_.size() >= kMaxBlocks) invalidate_all();
  CodeBlock* raw = block.get();
  raw->entry = raw->cells.data();
  for (Link& link : raw->links) {
    link.target = &none_;
    link.source = raw;
    link.check_page = raw->spans_pages || (link.pc & kPageMask) != (raw->pc & kPageMask);
  }
  return blocks_.insert(std::move(block));
}

void BlockCache::link(Link& link, CodeBlock* target) {
  link.target = target;
  target->incoming.push_back(&link);
}

void BlockCache::drop(CodeBlock* block) {
  block->count = CodeBlock::kCannotEnter;
  for (Link* link : std::exchange(block->incoming, {})) link->target = &none_;
  for (Link& link : block->links) {
    if (link.target != &none_) std::erase(link.target->incoming, &link);
    link.target = &none_;
  }
  CodeBlock*& cached = jump_cache(block->pc);
  if (cached == block) cached = &none_;
  graveyard_.push_back(blocks_.remove(block));
  ++invalidated_;
}

CodeWrite BlockCache::invalidate(uint64_t paddr, uint64_t size_bytes) {
  const std::vector<CodeBlock*> stale = blocks_.made_from(paddr, size_bytes);
  for (CodeBlock* block : stale) drop(block);
  return {!stale.empty(), blocks_.page_has_code(paddr)};
}

void BlockCache::invalidate_all() {
  for (std::unique_ptr<CodeBlock>& block : blocks_.remove_all()) {
    block->count = CodeBlock::kCannotEnter;
    for (Link& link : block->links) link.target = &none_;
    block->incoming.clear();
    graveyard_.push_back(std::move(block));
    ++invalidated_;
  }
  jumps_.fill(&none_);
}

}  // namespace lockstep::core
