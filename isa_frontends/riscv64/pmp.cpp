// SPDX-License-Identifier: Apache-2.0
// Physical memory protection (privileged specification 1.12, section 3.7). Granularity is four bytes.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "isa_frontends/riscv64/hart64.h"

namespace lockstep::isa::riscv64 {
namespace {

enum PmpConfig : uint8_t {
  kPmpRead = 1u << 0,
  kPmpWrite = 1u << 1,
  kPmpExecute = 1u << 2,
  kPmpMatchShift = 3,
  kPmpLocked = 1u << 7,
};
enum PmpMatch : uint8_t { kOff, kTopOfRange, kFourBytes, kPowerOfTwo };

uint8_t config(const State64& state, unsigned index) {
  return static_cast<uint8_t>(state.pmpcfg[index / 8] >> (index % 8 * 8));
}

// log2 of the granularity.
constexpr uint8_t kSmallestBlockBits = 2;

PmpMatch match(uint8_t cfg) { return static_cast<PmpMatch>(cfg >> kPmpMatchShift & 3); }

}  // namespace

void Hart64::pmp_changed() {
  pmp_active_ = false;
  pmp_ranges_.clear();
  for (unsigned i = 0; i < kPmpEntries; ++i) {
    const uint8_t cfg = config(s(), i);
    const uint64_t address = s().pmpaddr[i];
    pmp_active_ = pmp_active_ || match(cfg) != kOff;
    switch (match(cfg)) {
      case kOff:
        break;
      case kTopOfRange: {
        const uint64_t first = i == 0 ? 0 : s().pmpaddr[i - 1] << 2, top = address << 2;
        if (first < top) pmp_ranges_.push_back({first, top - 1, cfg});
        break;
      }
      case kFourBytes:
        pmp_ranges_.push_back({address << 2, (address << 2) + 3, cfg});
        break;
      case kPowerOfTwo: {
        const unsigned bits = std::countr_one(address) + 3;
        const uint64_t first = bits >= 57 ? 0 : address << 2 >> bits << bits;
        pmp_ranges_.push_back({first, bits >= 57 ? ~uint64_t{0} : first | ((uint64_t{1} << bits) - 1), cfg});
        break;
      }
    }
  }
  tlb_.flush_all();
}

bool Hart64::pmp_allows(uint64_t paddr, core::Access access, uint64_t privilege, uint8_t& block_bits) const {
  for (const auto& [first, last, cfg] : pmp_ranges_) {
    // Where an entry covers a part of the block, the answer holds for a smaller block only: one without the nearest
    // addresses at which it is another.
    const auto leave_out = [&](uint64_t other) {
      const auto largest = static_cast<uint8_t>(std::bit_width(paddr ^ other) - 1);
      block_bits = std::min(block_bits, std::max(largest, kSmallestBlockBits));
    };
    if (paddr < first) {
      leave_out(first);
      continue;
    }
    if (paddr > last) {
      leave_out(last);
      continue;
    }
    if (first != 0) leave_out(first - 1);
    if (last != ~uint64_t{0}) leave_out(last + 1);
    if (privilege == kMachine && !(cfg & kPmpLocked)) return true;
    switch (access) {
      case core::Access::kLoad:
        return cfg & kPmpRead;
      case core::Access::kStore:
        return cfg & kPmpWrite;
      case core::Access::kFetch:
        return cfg & kPmpExecute;
    }
  }
  return privilege == kMachine;
}

}  // namespace lockstep::isa::riscv64
