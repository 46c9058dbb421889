// SPDX-License-Identifier: Apache-2.0
#include "core/memory/tlb.h"

#include <algorithm>
#include <utility>

namespace lockstep::core {

namespace {
constexpr unsigned kStore = 1;  // Access::kStore
constexpr unsigned kFetch = 2;
}  // namespace

Tlb::Tlb() {
  for (auto& context : contexts_) {
    context = std::make_unique_for_overwrite<TlbContext>();
    clear(*context);
  }
  data_ = contexts_[0].get();
  fetch_ = contexts_[0].get();
}

TlbContext& Tlb::find(uint64_t key, uint64_t asid) {
  ++use_clock_;
  TlbContext* oldest = nullptr;
  for (auto& context : contexts_) {
    if (context->key == key) {
      context->last_use = use_clock_;
      return *context;
    }
    const bool in_use = context.get() == data_ && data_->last_use == use_clock_ - 1;
    if (!in_use && (oldest == nullptr || context->last_use < oldest->last_use)) oldest = context.get();
  }
  // There are more contexts than can be in use, so one was found.
  clear(*oldest);  // NOLINT(clang-analyzer-core.NonNullParamChecker)
  oldest->key = key;
  oldest->asid = asid;
  oldest->last_use = use_clock_;
  return *oldest;
}

void Tlb::select(uint64_t data_key, uint64_t fetch_key, uint64_t asid) {
  if (data_->key == data_key && fetch_->key == fetch_key) return;
  if (!tagged_) flush_all();
  data_ = &find(data_key, asid);
  fetch_ = &find(fetch_key, asid);
}

void Tlb::clear(TlbContext& context) {
  ++losses_;
  if (context.empty) return;
  for (unsigned access = 0; access < 3; ++access) {
    context.tags[access].fill(kNoTag);
    context.pages[access].fill(TlbPage{});
    context.victims[access].fill(TlbPage{});
    context.next_victim[access] = 0;
  }
  context.mappings.fill(kNoMapping);
  context.large_first = ~uint64_t{0};
  context.large_last = 0;
  context.empty = true;
}

void Tlb::drop_fast(TlbContext& context, unsigned access, unsigned index) {
  ++losses_;
  context.tags[access][index] = kNoTag;
  if (access == kFetch) context.mappings[index] = kNoMapping;
}

uint32_t Tlb::mapping_number(uint64_t vpage, uint64_t addend) {
  if (mappings_.size() >= kMaxMappings) mappings_.clear();
  uint32_t& number = mappings_[{vpage, addend}];
  if (number == kNoMapping) number = ++last_mapping_;
  return number;
}

void Tlb::fill(TlbContext& context, unsigned access, uint64_t vaddr, uint64_t paddr, unsigned block_bits,
               uint8_t* host_page, bool fast) {
  const unsigned index = tlb_index(vaddr);
  const uint64_t vpage = vaddr & kPageMask;
  TlbPage& page = context.pages[access][index];
  if (page.vpage != vpage && page.vpage != kNoTag) {
    uint8_t& next = context.next_victim[access];
    context.victims[access][next] = page;
    next = static_cast<uint8_t>((next + 1) % kTlbVictims);
  }
  page = TlbPage{vpage, paddr & kPageMask};
  const uint64_t addend = reinterpret_cast<uint64_t>(host_page) - vpage;
  if (context.tags[access][index] != kNoTag && (!fast || context.tags[access][index] != vpage)) ++losses_;
  context.tags[access][index] = fast ? vpage : kNoTag;
  context.addends[access][index] = addend;
  if (access == kFetch) context.mappings[index] = fast ? mapping_number(vpage, addend) : kNoMapping;
  context.empty = false;
  if (block_bits > kPageBits) {
    const uint64_t block_mask = block_bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << block_bits) - 1;
    context.large_first = std::min(context.large_first, vaddr & ~block_mask);
    context.large_last = std::max(context.large_last, vaddr | block_mask);
  }
}

bool Tlb::recall(TlbContext& context, unsigned access, uint64_t vaddr) {
  const uint64_t vpage = vaddr & kPageMask;
  for (TlbPage& victim : context.victims[access]) {
    if (victim.vpage != vpage) continue;
    const unsigned index = tlb_index(vaddr);
    std::swap(victim, context.pages[access][index]);
    drop_fast(context, access, index);
    return true;
  }
  return false;
}

void Tlb::flush_all() {
  for (auto& context : contexts_) clear(*context);
}

void Tlb::flush_asid(uint64_t asid) {
  for (auto& context : contexts_) {
    if (context->asid == asid) clear(*context);
  }
}

void Tlb::flush_page_in(TlbContext& context, uint64_t vaddr) {
  if (context.empty) return;
  if (vaddr >= context.large_first && vaddr <= context.large_last) {
    clear(context);
    return;
  }
  const unsigned index = tlb_index(vaddr);
  const uint64_t vpage = vaddr & kPageMask;
  for (unsigned access = 0; access < 3; ++access) {
    for (TlbPage& victim : context.victims[access]) {
      if (victim.vpage == vpage) victim = TlbPage{};
    }
    if (context.pages[access][index].vpage != vpage) continue;
    context.pages[access][index] = TlbPage{};
    drop_fast(context, access, index);
  }
}

void Tlb::flush_page(uint64_t vaddr) {
  for (auto& context : contexts_) flush_page_in(*context, vaddr);
}

void Tlb::flush_page(uint64_t vaddr, uint64_t asid) {
  for (auto& context : contexts_) {
    if (context->asid == asid) flush_page_in(*context, vaddr);
  }
}

void Tlb::drop_fast_stores(uint64_t ppage) {
  ppage &= kPageMask;
  for (auto& context : contexts_) {
    if (context->empty) continue;
    for (unsigned i = 0; i < kTlbEntries; ++i) {
      if (context->pages[kStore][i].ppage == ppage) drop_fast(*context, kStore, i);
    }
  }
}

void Tlb::drop_all_fast_stores() {
  ++losses_;
  for (auto& context : contexts_) context->tags[kStore].fill(kNoTag);
}

}  // namespace lockstep::core
