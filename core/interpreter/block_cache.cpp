// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/block_cache.h"

#include <algorithm>
#include <utility>

namespace lockstep::core {

namespace {
// After so many writes beside its code a page is taken for data.
constexpr uint32_t kMaxIdleWrites = 64;
}  // namespace

BlockCache::BlockCache() { jumps_.fill(&none_); }

CodeBlock* BlockCache::find(uint64_t paddr, uint64_t pc, uint64_t code_key) const {
  const auto it = blocks_.find(Key{paddr, pc, code_key});
  return it == blocks_.end() ? nullptr : it->second.get();
}

CodeBlock* BlockCache::insert(std::unique_ptr<CodeBlock> block) {
  if (blocks_.size() >= kMaxBlocks) invalidate_all();
  CodeBlock* raw = block.get();
  raw->entry = raw->cells.data();
  for (Link& link : raw->links) {
    link.target = &none_;
    link.source = raw;
    link.check_page = raw->spans_pages || (link.pc & kPageMask) != (raw->pc & kPageMask);
  }
  pages_[raw->paddr & kPageMask].blocks.push_back(raw);
  if (raw->spans_pages) pages_[raw->second_ppage].blocks.push_back(raw);
  blocks_[Key{raw->paddr, raw->pc, raw->code_key}] = std::move(block);
  return raw;
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
  const auto remove_from = [this, block](uint64_t ppage) {
    const auto page = pages_.find(ppage);
    if (page != pages_.end()) std::erase(page->second.blocks, block);
  };
  remove_from(block->paddr & kPageMask);
  if (block->spans_pages) remove_from(block->second_ppage);
  const auto it = blocks_.find(Key{block->paddr, block->pc, block->code_key});
  graveyard_.push_back(std::move(it->second));
  blocks_.erase(it);
  ++invalidated_;
}

bool BlockCache::invalidate(uint64_t paddr, uint64_t size_bytes) {
  const auto it = pages_.find(paddr & kPageMask);
  if (it == pages_.end()) return false;
  Page& page = it->second;
  std::vector<CodeBlock*> hit;
  const bool all = page.idle_writes >= kMaxIdleWrites;
  for (CodeBlock* block : page.blocks) {
    // A block that spans two pages is contiguous in virtual addresses only: its second half begins at second_ppage.
    const bool in_second = block->spans_pages && (paddr & kPageMask) == block->second_ppage;
    const uint64_t first_bytes = block->spans_pages ? kPageSize - (block->paddr & ~kPageMask) : block->size_bytes;
    const uint64_t begin = in_second ? block->second_ppage : block->paddr;
    const uint64_t length = in_second ? block->size_bytes - first_bytes : first_bytes;
    if (all || (paddr < begin + length && begin < paddr + size_bytes)) hit.push_back(block);
  }
  if (hit.empty()) ++page.idle_writes;
  for (CodeBlock* block : hit) drop(block);
  const bool remain = !page.blocks.empty();
  if (!remain) pages_.erase(paddr & kPageMask);
  return remain;
}

void BlockCache::invalidate_all() {
  for (auto& [key, block] : blocks_) {
    block->count = CodeBlock::kCannotEnter;
    for (Link& link : block->links) link.target = &none_;
    block->incoming.clear();
    graveyard_.push_back(std::move(block));
    ++invalidated_;
  }
  blocks_.clear();
  pages_.clear();
  jumps_.fill(&none_);
}

}  // namespace lockstep::core
