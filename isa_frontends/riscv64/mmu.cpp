// SPDX-License-Identifier: Apache-2.0
// Sv39 and Sv48 (privileged specification 1.12, sections 4.3 to 4.5).
#include <atomic>
#include <cstring>

#include "core/memory/host_access.h"
#include "isa_frontends/riscv64/hart64.h"

namespace lockstep::isa::riscv64 {

using core::Access;
using core::Fault;
using core::Translation;

namespace {

enum Pte : uint64_t {
  kPteValid = 1u << 0,
  kPteRead = 1u << 1,
  kPteWrite = 1u << 2,
  kPteExecute = 1u << 3,
  kPteUser = 1u << 4,
  kPteAccessed = 1u << 6,
  kPteDirty = 1u << 7,
};
constexpr uint64_t kPteReserved = uint64_t{0x3ff} << 54;  // N, PBMT and the bits between: none of them is implemented
constexpr unsigned kPteBits = 3;                          // log2 of an entry's bytes
constexpr uint64_t kPpnMask = (uint64_t{1} << 44) - 1;

constexpr uint64_t kModeBare = 0;
constexpr uint64_t kModeSv39 = 8;

Translation refused(Fault fault) {
  Translation result;
  result.fault = fault;
  return result;
}

}  // namespace

uint64_t Hart64::data_privilege() const {
  const uint64_t status = s().mstatus;
  if (s().privilege == kMachine && (status & kStatusMprv)) return (status & kStatusMpp) >> kStatusMppShift;
  return s().privilege;
}

void Hart64::select_contexts() {
  const uint64_t satp = s().satp;
  const uint64_t mode = satp >> 60;
  const uint64_t status = s().mstatus;
  // Sixteen kinds of context in the key's top bits; translated ones carry ASID and root below. Contexts without paging
  // have an ASID that no fence can name.
  constexpr uint64_t kMachineKind = 12, kBareKind = 13;
  constexpr uint64_t kNoAsid = uint64_t{1} << 16;
  const auto key = [&](uint64_t privilege, bool sum, bool mxr) {
    if (privilege == kMachine) return kMachineKind << 60;
    if (mode == kModeBare) return kBareKind << 60;
    uint64_t kind = privilege == kUser ? (mxr ? 1 : 0) : 2 + (sum ? 1 : 0) + (mxr ? 2 : 0);
    if (mode != kModeSv39) kind += 6;
    return kind << 60 | (satp & ((uint64_t{1} << 60) - 1));
  };
  const uint64_t data = data_privilege();
  const uint64_t data_key = key(data, status & kStatusSum, status & kStatusMxr);
  const uint64_t fetch_key = key(s().privilege, false, false);
  const bool paged = mode != kModeBare && (data != kMachine || s().privilege != kMachine);
  tlb_.select(data_key, fetch_key, paged ? satp >> 44 & 0xffff : kNoAsid);
}

Translation Hart64::translate(uint64_t vaddr, Access access, bool debug) {
  const uint64_t privilege = access == Access::kFetch ? s().privilege : data_privilege();
  Translation result;
  if (privilege == kMachine || s().satp >> 60 == kModeBare) {
    result.paddr = vaddr;
  } else {
    result = walk(vaddr, access, privilege, debug);
    if (result.fault != Fault::kNone) return result;
  }
  if (pmp_active_ && !debug) {
    uint8_t block_bits = core::kPageBits;
    if (!pmp_allows(result.paddr, access, privilege, block_bits)) return refused(Fault::kAccess);
    if (block_bits < core::kPageBits) result.block_bits = block_bits;
  } else if (!pmp_active_ && !debug && privilege != kMachine) {
    return refused(Fault::kAccess);  // without any entry only M-mode has access
  }
  return result;
}

Translation Hart64::walk(uint64_t vaddr, Access access, uint64_t privilege, bool debug) {
  const unsigned levels = s().satp >> 60 == kModeSv39 ? 3 : 4;
  const unsigned width = core::kPageBits + 9 * levels;
  if (static_cast<uint64_t>(static_cast<int64_t>(vaddr << (64 - width)) >> (64 - width)) != vaddr) {
    return refused(Fault::kPage);
  }

  uint64_t table = (s().satp & kPpnMask) << core::kPageBits;
  for (unsigned level = levels; level-- > 0;) {
    const unsigned shift = core::kPageBits + 9 * level;
    const uint64_t pte_address = table + (vaddr >> shift & 511) * 8;
    uint8_t pmp_bits = core::kPageBits;
    // An entry that ends inside the eight bytes refuses them, whatever it allows.
    if (!debug && (!pmp_allows(pte_address, Access::kLoad, kSupervisor, pmp_bits) || pmp_bits < kPteBits)) {
      return refused(Fault::kAccess);
    }
    const core::RamWindow* window = bus_->window(pte_address);
    // Page tables in device memory are an access fault: a walk must have no side effects.
    if (window == nullptr || !window->contains(pte_address, 8)) return refused(Fault::kAccess);
    auto* host = reinterpret_cast<uint64_t*>(window->host + (pte_address - window->base));

    for (;;) {
      uint64_t pte = std::atomic_ref<uint64_t>(*host).load(std::memory_order_relaxed);
      if (!(pte & kPteValid) || (pte & (kPteRead | kPteWrite)) == kPteWrite || (pte & kPteReserved)) {
        return refused(Fault::kPage);
      }
      const uint64_t ppn = pte >> 10 & kPpnMask;
      if (!(pte & (kPteRead | kPteWrite | kPteExecute))) {
        // In a pointer to the next level, U, A and D are reserved.
        if (pte & (kPteUser | kPteAccessed | kPteDirty)) return refused(Fault::kPage);
        table = ppn << core::kPageBits;
        break;
      }

      const uint64_t offset_mask = (uint64_t{1} << shift) - 1;
      if ((ppn << core::kPageBits) & offset_mask) return refused(Fault::kPage);  // misaligned superpage
      if (!debug) {
        const uint64_t status = s().mstatus;
        bool allowed = false;
        switch (access) {
          case Access::kLoad:
            allowed = (pte & kPteRead) || ((status & kStatusMxr) && (pte & kPteExecute));
            break;
          case Access::kStore:
            allowed = pte & kPteWrite;
            break;
          case Access::kFetch:
            allowed = pte & kPteExecute;
            break;
        }
        if (pte & kPteUser) {
          allowed = allowed && (privilege == kUser || (access != Access::kFetch && (status & kStatusSum)));
        } else {
          allowed = allowed && privilege != kUser;
        }
        if (!allowed) return refused(Fault::kPage);

        const uint64_t wanted = pte | kPteAccessed | (access == Access::kStore ? uint64_t{kPteDirty} : 0);
        if (wanted != pte) {
          if (!(s().menvcfg & kEnvAdue)) return refused(Fault::kPage);
          pmp_bits = core::kPageBits;
          if (!window->writable || !pmp_allows(pte_address, Access::kStore, kSupervisor, pmp_bits)) {
            return refused(Fault::kAccess);
          }
          // Another hart may have changed the entry since it was read: then all of it is looked at again.
          if (!std::atomic_ref<uint64_t>(*host).compare_exchange_strong(pte, wanted)) continue;
          if (window->page_flags != nullptr &&
              core::host_access::flags(&window->page_flags[(pte_address - window->base) >> core::kPageBits]) != 0) {
            bus_->ram_written(pte_address, 8);
          }
        }
      }
      Translation result;
      result.paddr = (ppn << core::kPageBits) | (vaddr & offset_mask);
      result.block_bits = static_cast<uint8_t>(shift);
      return result;
    }
  }
  return refused(Fault::kPage);
}

}  // namespace lockstep::isa::riscv64
