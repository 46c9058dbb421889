// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/memory_access.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "core/ir/fold.h"

namespace lockstep::core {

namespace {

constexpr unsigned kMaxAccessBytes = 32;

void reverse(uint8_t* bytes, unsigned size_bytes) { std::reverse(bytes, bytes + size_bytes); }

uint64_t apply(ir::RmwOp op, ir::Type type, uint64_t old, uint64_t operand) {
  switch (op) {
    case ir::RmwOp::kSwap:
      return operand;
    case ir::RmwOp::kAdd:
      return old + operand;
    case ir::RmwOp::kAnd:
      return old & operand;
    case ir::RmwOp::kOr:
      return old | operand;
    case ir::RmwOp::kXor:
      return old ^ operand;
    case ir::RmwOp::kMinS:
      return *ir::fold_binary(ir::Op::kMinS, type, old, operand);
    case ir::RmwOp::kMaxS:
      return *ir::fold_binary(ir::Op::kMaxS, type, old, operand);
    case ir::RmwOp::kMinU:
      return *ir::fold_binary(ir::Op::kMinU, type, old, operand);
    case ir::RmwOp::kMaxU:
      return *ir::fold_binary(ir::Op::kMaxU, type, old, operand);
  }
  return old;
}

}  // namespace

bool MemoryAccess::resolve(uint64_t vaddr, Access access, Location& location) {
  const unsigned kind = static_cast<unsigned>(access);
  TlbContext& context = hart_->tlb().data();
  const TlbPage& page = context.pages[kind][tlb_index(vaddr)];
  Translation translation;
  if (page.vpage == (vaddr & kPageMask)) {
    translation.paddr = page.ppage | (vaddr & ~kPageMask);
    translation.block_bits = 0;  // already kept; filled again below only to become fast
  } else {
    translation = hart_->translate(vaddr, access);
    if (translation.fault != Fault::kNone) {
      hart_->raise_fault(translation.fault, access, vaddr);
      return false;
    }
  }
  location.paddr = translation.paddr;
  const RamWindow* window = hart_->bus().window(translation.paddr);
  bool fast = false;
  uint8_t* host_page = nullptr;
  if (window != nullptr && (access == Access::kLoad || window->writable)) {
    const uint64_t page_offset = (translation.paddr - window->base) & kPageMask;
    host_page = window->host + page_offset;
    location.host = host_page + (vaddr & ~kPageMask);
    location.page_flags = window->page_flags ? window->page_flags[page_offset / kPageSize] : 0;
    fast = (access == Access::kLoad || location.page_flags == 0) && !watched_page(vaddr);
  }
  if (translation.block_bits >= kPageBits || (translation.block_bits == 0 && fast)) {
    hart_->tlb().fill(context, kind, vaddr, translation.paddr, translation.block_bits, host_page, fast);
  }
  return true;
}

bool MemoryAccess::aligned(uint64_t vaddr, unsigned size_bytes, uint64_t flags, Access access) {
  if (!(flags & ir::kMemAligned) || vaddr % size_bytes == 0) return true;
  hart_->raise_fault(Fault::kMisaligned, access, vaddr);
  return false;
}

bool MemoryAccess::read_at(const Location& location, uint64_t vaddr, Access access, unsigned size_bytes, void* value) {
  if (location.host != nullptr) {
    std::memcpy(value, location.host, size_bytes);
    return true;
  }
  auto* bytes = static_cast<uint8_t*>(value);
  // Devices see naturally aligned pieces of at most eight bytes.
  for (unsigned done = 0; done < size_bytes;) {
    unsigned piece = std::min(size_bytes - done, 8u);
    while (!std::has_single_bit(piece) || (location.paddr + done) % piece != 0) --piece;
    uint64_t part = 0;
    if (!hart_->bus().read(location.paddr + done, piece, part)) {
      hart_->raise_fault(Fault::kAccess, access, vaddr);
      return false;
    }
    std::memcpy(bytes + done, &part, piece);
    done += piece;
  }
  return true;
}

bool MemoryAccess::write_at(const Location& location, uint64_t vaddr, unsigned size_bytes, const void* value) {
  if (location.host != nullptr) {
    std::memcpy(location.host, value, size_bytes);
    if (location.page_flags != 0) hart_->bus().ram_written(location.paddr, size_bytes);
    return true;
  }
  const auto* bytes = static_cast<const uint8_t*>(value);
  for (unsigned done = 0; done < size_bytes;) {
    unsigned piece = std::min(size_bytes - done, 8u);
    while (!std::has_single_bit(piece) || (location.paddr + done) % piece != 0) --piece;
    uint64_t part = 0;
    std::memcpy(&part, bytes + done, piece);
    if (!hart_->bus().write(location.paddr + done, piece, part)) {
      hart_->raise_fault(Fault::kAccess, Access::kStore, vaddr);
      return false;
    }
    done += piece;
  }
  return true;
}

bool MemoryAccess::load(uint64_t vaddr, unsigned size_bytes, uint64_t flags, void* value) {
  assert(size_bytes <= kMaxAccessBytes);
  if (!aligned(vaddr, size_bytes, flags, Access::kLoad)) return false;
  auto* bytes = static_cast<uint8_t*>(value);
  const uint64_t to_page_end = kPageSize - (vaddr & ~kPageMask);
  const unsigned first = static_cast<unsigned>(std::min<uint64_t>(size_bytes, to_page_end));
  Location location;
  if (!resolve(vaddr, Access::kLoad, location)) return false;
  if (first < size_bytes) {
    Location rest;
    if (!resolve(vaddr + first, Access::kLoad, rest)) return false;
    if (!read_at(rest, vaddr + first, Access::kLoad, size_bytes - first, bytes + first)) return false;
  }
  if (!read_at(location, vaddr, Access::kLoad, first, bytes)) return false;
  if (flags & ir::kMemBigEndian) reverse(bytes, size_bytes);
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, false);
  return true;
}

bool MemoryAccess::store(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* value) {
  assert(size_bytes <= kMaxAccessBytes);
  if (!aligned(vaddr, size_bytes, flags, Access::kStore)) return false;
  uint8_t bytes[kMaxAccessBytes];
  std::memcpy(bytes, value, size_bytes);
  if (flags & ir::kMemBigEndian) reverse(bytes, size_bytes);
  const uint64_t to_page_end = kPageSize - (vaddr & ~kPageMask);
  const unsigned first = static_cast<unsigned>(std::min<uint64_t>(size_bytes, to_page_end));
  Location location;
  Location rest;
  // Both pages are translated before either is written, so that a fault leaves memory as it was.
  if (!resolve(vaddr, Access::kStore, location)) return false;
  if (first < size_bytes && !resolve(vaddr + first, Access::kStore, rest)) return false;
  if (!write_at(location, vaddr, first, bytes)) return false;
  if (first < size_bytes && !write_at(rest, vaddr + first, size_bytes - first, bytes + first)) return false;
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, true);
  return true;
}

bool MemoryAccess::load_reserved(uint64_t vaddr, unsigned size_bytes, uint64_t flags, void* value) {
  if (!aligned(vaddr, size_bytes, flags | ir::kMemAligned, Access::kLoad)) return false;
  Location location;
  if (!resolve(vaddr, Access::kLoad, location)) return false;
  if (!read_at(location, vaddr, Access::kLoad, size_bytes, value)) return false;
  if (flags & ir::kMemBigEndian) reverse(static_cast<uint8_t*>(value), size_bytes);
  hart_->state().reservation_valid = size_bytes;
  hart_->state().reservation_address = location.paddr;
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, false);
  return true;
}

bool MemoryAccess::store_conditional(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* value,
                                     uint64_t& failed) {
  assert(size_bytes <= 16);
  if (!aligned(vaddr, size_bytes, flags | ir::kMemAligned, Access::kStore)) return false;
  Location location;
  if (!resolve(vaddr, Access::kStore, location)) return false;
  StateHeader& state = hart_->state();
  failed = state.reservation_valid != size_bytes || state.reservation_address != location.paddr;
  state.reservation_valid = 0;
  if (failed) return true;
  uint8_t bytes[16];
  std::memcpy(bytes, value, size_bytes);
  if (flags & ir::kMemBigEndian) reverse(bytes, size_bytes);
  if (!write_at(location, vaddr, size_bytes, bytes)) return false;
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, true);
  return true;
}

bool MemoryAccess::rmw(ir::RmwOp op, uint64_t vaddr, ir::Type type, uint64_t flags, uint64_t operand, uint64_t& old) {
  const unsigned size_bytes = ir::type_bytes(type);
  if (!aligned(vaddr, size_bytes, flags, Access::kStore)) return false;
  const bool crosses = (vaddr & ~kPageMask) + size_bytes > kPageSize;
  uint64_t before = 0;
  if (crosses) {
    if (!load(vaddr, size_bytes, flags, &before)) return false;
    const uint64_t after = apply(op, type, before, operand);
    if (!store(vaddr, size_bytes, flags, &after)) return false;
    old = before;
    return true;
  }
  Location location;
  if (!resolve(vaddr, Access::kStore, location)) return false;
  if (!read_at(location, vaddr, Access::kStore, size_bytes, &before)) return false;
  const uint64_t after = apply(op, type, before, operand);
  if (!write_at(location, vaddr, size_bytes, &after)) return false;
  old = before;
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, true);
  return true;
}

bool MemoryAccess::compare_and_swap(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* expected,
                                    const void* desired, void* old) {
  uint8_t before[16];
  uint8_t want[16];
  std::memcpy(want, expected, size_bytes);
  if (!aligned(vaddr, size_bytes, flags, Access::kStore)) return false;
  if (!load(vaddr, size_bytes, flags, before)) return false;
  // The location is written either way, as hardware may, so that permissions are always those of a store.
  const bool equal = std::memcmp(before, want, size_bytes) == 0;
  if (!store(vaddr, size_bytes, flags, equal ? desired : before)) return false;
  std::memcpy(old, before, size_bytes);
  return true;
}

MemoryAccess::Fetch MemoryAccess::fetch(uint64_t vaddr) {
  constexpr unsigned kFetch = static_cast<unsigned>(Access::kFetch);
  TlbContext& context = hart_->tlb().fetch();
  const unsigned index = tlb_index(vaddr);
  Fetch result;
  const TlbEntry& entry = context.fast[kFetch][index];
  if (entry.tag == (vaddr & kPageMask)) {
    result.paddr = context.pages[kFetch][index].ppage | (vaddr & ~kPageMask);
    result.host = reinterpret_cast<const uint8_t*>(vaddr + entry.addend);
    return result;
  }
  const Translation translation = hart_->translate(vaddr, Access::kFetch);
  result.fault = translation.fault;
  if (translation.fault != Fault::kNone) return result;
  result.paddr = translation.paddr;
  const RamWindow* window = hart_->bus().window(translation.paddr);
  if (window == nullptr) {
    result.fault = Fault::kAccess;
    return result;
  }
  uint8_t* host_page = window->host + ((translation.paddr - window->base) & kPageMask);
  result.host = host_page + (vaddr & ~kPageMask);
  result.cacheable = translation.block_bits >= kPageBits;
  if (result.cacheable) {
    hart_->tlb().fill(context, kFetch, vaddr, translation.paddr, translation.block_bits, host_page, true);
  }
  return result;
}

void MemoryAccess::set_watchpoint(const Watchpoint& watchpoint, bool on) {
  if (on) {
    watchpoints_.push_back(watchpoint);
  } else {
    std::erase_if(watchpoints_, [&](const Watchpoint& w) {
      return w.vaddr == watchpoint.vaddr && w.size_bytes == watchpoint.size_bytes && w.on_read == watchpoint.on_read &&
             w.on_write == watchpoint.on_write;
    });
  }
  hart_->tlb().flush_all();
}

bool MemoryAccess::watched_page(uint64_t vaddr) const {
  return std::any_of(watchpoints_.begin(), watchpoints_.end(), [vaddr](const Watchpoint& w) {
    return (w.vaddr & kPageMask) <= vaddr && vaddr <= ((w.vaddr + w.size_bytes - 1) | ~kPageMask);
  });
}

void MemoryAccess::watch(uint64_t vaddr, unsigned size_bytes, bool write) {
  for (const Watchpoint& w : watchpoints_) {
    if (!(write ? w.on_write : w.on_read)) continue;
    if (vaddr + size_bytes <= w.vaddr || w.vaddr + w.size_bytes <= vaddr) continue;
    watch_hit_ = true;
    watch_address_ = w.vaddr;
  }
}

}  // namespace lockstep::core
