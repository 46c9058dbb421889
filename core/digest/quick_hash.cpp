// SPDX-License-Identifier: Apache-2.0
#include "core/digest/quick_hash.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/memory/backed_pages.h"

namespace lockstep::core {
namespace {

uint64_t step(uint64_t lane, uint64_t word) {
  lane = (lane ^ word) * 0x9e3779b97f4a7c15u;
  return lane ^ lane >> 32;
}

}  // namespace

uint64_t quick_hash(const void* bytes, size_t size_bytes, uint64_t seed) {
  if (size_bytes <= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, size_bytes);
    return step(step(seed, size_bytes), word);
  }
  // Several lanes, because one would wait for each multiplication.
  constexpr unsigned kLanes = 4;
  uint64_t lanes[kLanes];
  for (unsigned k = 0; k < kLanes; ++k) lanes[k] = seed + k;
  const auto* at = static_cast<const uint8_t*>(bytes);
  size_t left = size_bytes;
  for (; left >= sizeof lanes; left -= sizeof lanes, at += sizeof lanes) {
    uint64_t words[kLanes];
    std::memcpy(words, at, sizeof words);
#pragma GCC unroll 4
    for (unsigned k = 0; k < kLanes; ++k) lanes[k] = step(lanes[k], words[k]);
  }
  for (unsigned k = 0; left > 0; ++k) {
    uint64_t word = 0;
    const size_t length = std::min<size_t>(left, 8);
    std::memcpy(&word, at, length);
    lanes[k] = step(lanes[k], word);
    at += length;
    left -= length;
  }
  uint64_t hash = size_bytes;
  for (const uint64_t lane : lanes) hash = step(hash, lane);
  return hash;
}

StateHash::StateHash(const StateLayout& layout) {
  for (const StateField& field : layout.fields) {
    if (field.architectural) stretches_.push_back({field.offset, field.size_bytes});
  }
  std::sort(stretches_.begin(), stretches_.end(),
            [](const Stretch& a, const Stretch& b) { return a.offset < b.offset; });
  size_t last = 0;
  for (size_t i = 1; i < stretches_.size(); ++i) {
    Stretch& open = stretches_[last];
    if (open.offset + open.size_bytes == stretches_[i].offset) {
      open.size_bytes += stretches_[i].size_bytes;
    } else {
      stretches_[++last] = stretches_[i];
    }
  }
  stretches_.resize(std::min(stretches_.size(), last + 1));
}

uint64_t StateHash::operator()(const Hart& hart) const {
  const StateHeader& state = hart.state();
  const auto* base = reinterpret_cast<const uint8_t*>(&state);
  uint64_t hash = hart.instruction_count();
  for (const Stretch& stretch : stretches_) hash = quick_hash(base + stretch.offset, stretch.size_bytes, hash);
  return state.reservation_valid == 0 ? hash : step(step(hash, state.reservation_valid), state.reservation_address);
}

uint64_t quick_tlb_hash(Tlb& tlb) {
  uint64_t hash = 0;
  for (const TlbContext* context : {&tlb.data(), &tlb.fetch()}) {
    hash = quick_hash(&context->key, sizeof context->key, hash);
    for (const Access access : {Access::kLoad, Access::kFetch}) {
      const auto& tags = context->tags[static_cast<size_t>(access)];
      hash = quick_hash(tags.data(), sizeof tags, hash);
    }
    hash = quick_hash(context->pages, sizeof context->pages, hash);
    hash = quick_hash(context->victims, sizeof context->victims, hash);
  }
  return hash;
}

std::vector<PageHash> quick_page_hashes(const GuestRam& ram) {
  static const std::array<uint8_t, kPageSize> kZeros{};
  const uint64_t zero_hash = quick_hash(kZeros.data(), kPageSize);
  std::vector<PageHash> hashes;
  const std::vector<bool> backed = backed_pages(ram);
  for (uint64_t page = 0; page < backed.size(); ++page) {
    if (!backed[page]) continue;
    const uint64_t hash = quick_hash(ram.host() + page * kPageSize, kPageSize);
    if (hash != zero_hash) hashes.push_back({page, hash});
  }
  return hashes;
}

}  // namespace lockstep::core
