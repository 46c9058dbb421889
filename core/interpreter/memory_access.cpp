// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/memory_access.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstring>

#include "core/engine/instrumentation.h"
#include "core/ir/fold.h"
#include "core/memory/host_access.h"

namespace lockstep::core {

namespace {

constexpr unsigned kMaxAccessBytes = 32;
constexpr unsigned kMaxSwapBytes = 16;

void reverse(void* value, unsigned size_bytes) {
  auto* bytes = static_cast<uint8_t*>(value);
  std::reverse(bytes, bytes + size_bytes);
}

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

MemoryAccess::MemoryAccess(Hart& hart, HartInstrumentation* instrumentation)
    : hart_(&hart),
      traced_(instrumentation != nullptr && instrumentation->traces_memory() ? instrumentation : nullptr) {}

void MemoryAccess::tell(uint64_t vaddr, unsigned size_bytes, bool is_store, const void* value) {
  if (traced_ != nullptr) traced_->add(*hart_, vaddr, size_bytes, is_store, value);
}

bool MemoryAccess::locate(uint64_t vaddr, unsigned size_bytes, Access access, Place& place) {
  const uint64_t to_page_end = kPageSize - (vaddr & ~kPageMask);
  place.vaddr = vaddr;
  place.access = access;
  place.size_bytes = size_bytes;
  place.first_bytes = static_cast<unsigned>(std::min<uint64_t>(size_bytes, to_page_end));
  if (!resolve(vaddr, place.first_bytes, access, place.location[0])) return false;
  const unsigned rest_bytes = size_bytes - place.first_bytes;
  return rest_bytes == 0 || resolve(vaddr + place.first_bytes, rest_bytes, access, place.location[1]);
}

// An access that reaches beyond the block for which its translation holds (RISC-V: a PMP entry covers a part of a
// page). One that is naturally aligned would lie inside a block of its own size if nothing ended in the middle of it,
// so it fails as a whole; a misaligned one is done in pieces, each of which must be allowed.
bool MemoryAccess::allowed_in_pieces(uint64_t vaddr, unsigned size_bytes, Access access, unsigned block_bits) {
  const uint64_t end = vaddr + size_bytes;
  if (std::has_single_bit(size_bytes) && vaddr % size_bytes == 0) {
    hart_->raise_fault(Fault::kAccess, access, vaddr);
    return false;
  }
  for (uint64_t at = vaddr;;) {
    at = ((at >> block_bits) + 1) << block_bits;
    if (at >= end) return true;
    const Translation translation = hart_->translate(at, access);
    if (translation.fault != Fault::kNone) {
      hart_->raise_fault(translation.fault, access, at);
      return false;
    }
    block_bits = std::min<unsigned>(translation.block_bits, kPageBits);
  }
}

bool MemoryAccess::resolve(uint64_t vaddr, unsigned size_bytes, Access access, Location& location) {
  const unsigned kind = static_cast<unsigned>(access);
  TlbContext& context = hart_->tlb().data();
  Translation translation;
  if (const TlbPage* page = hart_->tlb().known(context, kind, vaddr); page != nullptr) {
    translation.paddr = page->paddr(vaddr);
    translation.block_bits = 0;  // already kept; filled again below only to become fast
  } else {
    translation = hart_->translate(vaddr, access);
    if (translation.fault != Fault::kNone) {
      hart_->raise_fault(translation.fault, access, vaddr);
      return false;
    }
    const unsigned bits = translation.block_bits;
    if (bits < kPageBits && (vaddr ^ (vaddr + size_bytes - 1)) >> bits != 0 &&
        !allowed_in_pieces(vaddr, size_bytes, access, bits)) {
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
    location.page_flags = window->page_flags ? &window->page_flags[page_offset / kPageSize] : nullptr;
    const bool plain =
        access == Access::kLoad || location.page_flags == nullptr || host_access::flags(location.page_flags) == 0;
    fast = plain && !watched_page(vaddr);
  }
  if (translation.block_bits >= kPageBits || (translation.block_bits == 0 && fast)) {
    hart_->tlb().fill(context, kind, vaddr, translation.paddr, translation.block_bits, host_page, fast);
  }
  return true;
}

uint8_t* MemoryAccess::probe(uint64_t vaddr, unsigned size_bytes, Access access) {
  const unsigned kind = static_cast<unsigned>(access);
  TlbContext& context = hart_->tlb().data();
  if (context.hits(kind, vaddr, size_bytes)) {
    return reinterpret_cast<uint8_t*>(vaddr + context.addends[kind][tlb_index(vaddr)]);
  }
  if ((vaddr ^ (vaddr + size_bytes - 1)) & kPageMask) return nullptr;
  Translation translation;
  if (const TlbPage* page = hart_->tlb().known(context, kind, vaddr); page != nullptr) {
    translation.paddr = page->paddr(vaddr);
  } else {
    translation = hart_->translate(vaddr, access);
    if (translation.fault != Fault::kNone || translation.block_bits < kPageBits) return nullptr;
  }
  const RamWindow* window = hart_->bus().window(translation.paddr);
  if (window == nullptr || (access == Access::kStore && !window->writable) || watched_page(vaddr)) return nullptr;
  const uint64_t page_offset = (translation.paddr - window->base) & kPageMask;
  if (access == Access::kStore && window->page_flags &&
      host_access::flags(&window->page_flags[page_offset / kPageSize]) != 0) {
    return nullptr;
  }
  hart_->tlb().fill(context, kind, vaddr, translation.paddr, translation.block_bits, window->host + page_offset, true);
  return window->host + page_offset + (vaddr & ~kPageMask);
}

bool MemoryAccess::aligned(uint64_t vaddr, unsigned size_bytes, uint64_t flags, Access access) {
  if (!(flags & ir::kMemAligned) || vaddr % size_bytes == 0) return true;
  hart_->raise_fault(Fault::kMisaligned, access, vaddr);
  return false;
}

bool MemoryAccess::read_at(const Location& location, uint64_t vaddr, Access access, unsigned size_bytes, void* value) {
  if (location.host != nullptr) {
    host_access::load(location.host, size_bytes, value);
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
    host_access::store(location.host, size_bytes, value);
    written(location, size_bytes);
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

void MemoryAccess::written(const Location& location, unsigned size_bytes) {
  if (location.page_flags == nullptr || host_access::flags(location.page_flags) == 0) return;
  hart_->bus().ram_written(location.paddr, size_bytes);
}

bool MemoryAccess::read(const Place& place, void* value) {
  auto* bytes = static_cast<uint8_t*>(value);
  const unsigned first = place.first_bytes;
  if (!read_at(place.location[0], place.vaddr, place.access, first, bytes)) return false;
  return first == place.size_bytes ||
         read_at(place.location[1], place.vaddr + first, place.access, place.size_bytes - first, bytes + first);
}

bool MemoryAccess::write(const Place& place, const void* value) {
  const auto* bytes = static_cast<const uint8_t*>(value);
  const unsigned first = place.first_bytes;
  if (!write_at(place.location[0], place.vaddr, first, bytes)) return false;
  return first == place.size_bytes ||
         write_at(place.location[1], place.vaddr + first, place.size_bytes - first, bytes + first);
}

bool MemoryAccess::load(uint64_t vaddr, unsigned size_bytes, uint64_t flags, void* value) {
  assert(size_bytes <= kMaxAccessBytes);
  if (!aligned(vaddr, size_bytes, flags, Access::kLoad)) return false;
  Place place;
  if (!locate(vaddr, size_bytes, Access::kLoad, place) || !read(place, value)) return false;
  if (flags & ir::kMemBigEndian) reverse(value, size_bytes);
  tell(vaddr, size_bytes, false, value);
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, false);
  return true;
}

bool MemoryAccess::store(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* value) {
  assert(size_bytes <= kMaxAccessBytes);
  if (!aligned(vaddr, size_bytes, flags, Access::kStore)) return false;
  uint8_t bytes[kMaxAccessBytes];
  std::memcpy(bytes, value, size_bytes);
  if (flags & ir::kMemBigEndian) reverse(bytes, size_bytes);
  Place place;
  if (!locate(vaddr, size_bytes, Access::kStore, place) || !write(place, bytes)) return false;
  tell(vaddr, size_bytes, true, value);
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, true);
  return true;
}

bool MemoryAccess::load_reserved(uint64_t vaddr, unsigned size_bytes, uint64_t flags, void* value) {
  if (!aligned(vaddr, size_bytes, flags | ir::kMemAligned, Access::kLoad)) return false;
  Place place;
  // One that releases stands behind the hart's earlier stores, whose release the host's plain stores are already.
  if (hart_->concurrent() && (flags & ir::kMemRelease)) std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!locate(vaddr, size_bytes, Access::kLoad, place) || !read(place, value)) return false;
  if (hart_->concurrent() && size_bytes <= sizeof(uint64_t)) {
    uint64_t seen = 0;
    std::memcpy(&seen, value, size_bytes);
    hart_->set_reserved_value(seen);
  }
  if (flags & ir::kMemBigEndian) reverse(value, size_bytes);
  tell(vaddr, size_bytes, false, value);
  hart_->state().reservation_valid = size_bytes;
  hart_->state().reservation_address = place.location[0].paddr;
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, false);
  return true;
}

bool MemoryAccess::store_conditional(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* value,
                                     uint64_t& failed) {
  assert(size_bytes <= 16);
  if (!aligned(vaddr, size_bytes, flags | ir::kMemAligned, Access::kStore)) return false;
  Place place;
  if (!locate(vaddr, size_bytes, Access::kStore, place)) return false;
  StateHeader& state = hart_->state();
  failed = state.reservation_valid != size_bytes || state.reservation_address != place.location[0].paddr;
  state.reservation_valid = 0;
  if (failed) return true;
  uint8_t bytes[16];
  std::memcpy(bytes, value, size_bytes);
  if (flags & ir::kMemBigEndian) reverse(bytes, size_bytes);
  if (hart_->concurrent() && is_ram(place) && size_bytes <= sizeof(uint64_t)) {
    // What another hart wrote in between is seen, unless it wrote what was there.
    uint64_t expected = hart_->reserved_value();
    uint64_t desired = 0;
    std::memcpy(&desired, bytes, size_bytes);
    failed = !host_access::compare_exchange(place.location[0].host, size_bytes, expected, desired);
    if (failed) return true;
    written(place.location[0], size_bytes);
  } else if (!write(place, bytes)) {
    return false;
  }
  tell(vaddr, size_bytes, true, value);
  if (!watchpoints_.empty()) watch(vaddr, size_bytes, true);
  return true;
}

bool MemoryAccess::rmw(ir::RmwOp op, uint64_t vaddr, ir::Type type, uint64_t flags, uint64_t operand, uint64_t& old) {
  const unsigned size_bytes = ir::type_bytes(type);
  if (!aligned(vaddr, size_bytes, flags, Access::kStore)) return false;
  Place place;
  uint64_t before = 0;
  if (!locate(vaddr, size_bytes, Access::kStore, place) || !read(place, &before)) return false;
  const bool swapped = flags & ir::kMemBigEndian;
  const auto result = [&](uint64_t found) {
    if (swapped) reverse(&found, size_bytes);
    uint64_t after = apply(op, type, found, operand);
    if (swapped) reverse(&after, size_bytes);
    return after;
  };
  if (hart_->concurrent() && is_ram(place) && vaddr % size_bytes == 0) {
    while (!host_access::compare_exchange(place.location[0].host, size_bytes, before, result(before))) {
    }
    written(place.location[0], size_bytes);
  } else {
    const uint64_t after = result(before);
    if (!write(place, &after)) return false;
  }
  if (swapped) reverse(&before, size_bytes);
  if (traced_ != nullptr) {
    const uint64_t stored = apply(op, type, before, operand);
    tell(vaddr, size_bytes, false, &before);
    tell(vaddr, size_bytes, true, &stored);
  }
  old = before;
  watch_both(vaddr, size_bytes);
  return true;
}

bool MemoryAccess::compare_and_swap(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* expected,
                                    const void* desired, void* old) {
  assert(size_bytes <= kMaxSwapBytes);
  if (!aligned(vaddr, size_bytes, flags, Access::kStore)) return false;
  uint8_t before[kMaxSwapBytes];
  uint8_t after[kMaxSwapBytes];
  Place place;
  if (!locate(vaddr, size_bytes, Access::kStore, place)) return false;
  if (hart_->concurrent() && is_ram(place) && size_bytes <= sizeof(uint64_t) && vaddr % size_bytes == 0) {
    uint64_t found = 0;
    uint64_t wanted = 0;
    std::memcpy(&found, expected, size_bytes);
    std::memcpy(&wanted, desired, size_bytes);
    if (flags & ir::kMemBigEndian) {
      reverse(&found, size_bytes);
      reverse(&wanted, size_bytes);
    }
    const bool swapped = host_access::compare_exchange(place.location[0].host, size_bytes, found, wanted);
    written(place.location[0], size_bytes);
    if (flags & ir::kMemBigEndian) reverse(&found, size_bytes);
    std::memcpy(old, &found, size_bytes);
    tell(vaddr, size_bytes, false, old);
    tell(vaddr, size_bytes, true, swapped ? desired : old);
    watch_both(vaddr, size_bytes);
    return true;
  }
  if (!read(place, before)) return false;
  if (flags & ir::kMemBigEndian) reverse(before, size_bytes);
  // The location is written either way, as hardware may, so that permissions are always those of a store.
  std::memcpy(after, std::memcmp(before, expected, size_bytes) == 0 ? desired : before, size_bytes);
  uint8_t result[kMaxSwapBytes];
  std::memcpy(result, after, size_bytes);
  if (flags & ir::kMemBigEndian) reverse(after, size_bytes);
  if (!write(place, after)) return false;
  tell(vaddr, size_bytes, false, before);
  tell(vaddr, size_bytes, true, result);
  std::memcpy(old, before, size_bytes);
  watch_both(vaddr, size_bytes);
  return true;
}

MemoryAccess::Fetch MemoryAccess::fetch(uint64_t vaddr) {
  constexpr unsigned kFetch = static_cast<unsigned>(Access::kFetch);
  TlbContext& context = hart_->tlb().fetch();
  const unsigned index = tlb_index(vaddr);
  Fetch result;
  if (context.tags[kFetch][index] == (vaddr & kPageMask)) {
    result.paddr = context.pages[kFetch][index].paddr(vaddr);
    result.host = reinterpret_cast<const uint8_t*>(vaddr + context.addends[kFetch][index]);
    return result;
  }
  Translation translation;
  if (const TlbPage* page = hart_->tlb().known(context, kFetch, vaddr); page != nullptr) {
    translation.paddr = page->paddr(vaddr);
    translation.block_bits = kPageBits;
  } else {
    translation = hart_->translate(vaddr, Access::kFetch);
  }
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

void MemoryAccess::watch_both(uint64_t vaddr, unsigned size_bytes) {
  if (watchpoints_.empty()) return;
  watch(vaddr, size_bytes, false);
  watch(vaddr, size_bytes, true);
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
