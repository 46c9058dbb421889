// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <random>
#include <span>
#include <vector>

namespace lockstep::smmu_rtl_bridge {

// Random choices. Only what the standard fixes is used, so that a seed means the same everywhere.
class Drawing {
 public:
  explicit Drawing(uint64_t seed) : random_(seed) {}

  uint64_t any() { return random_(); }
  uint64_t below(uint64_t n) { return n == 0 ? 0 : random_() % n; }
  uint64_t between(uint64_t first, uint64_t last) { return first + below(last - first + 1); }
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  // So many percent of so many percent.
  bool chance(unsigned percent, unsigned of_percent) { return random_() % 10'000 < uint64_t{percent} * of_percent; }
  // An index, by weight; the weights must not all be zero.
  size_t weighted(std::span<const unsigned> weights) {
    uint64_t total = 0;
    for (const unsigned weight : weights) total += weight;
    uint64_t drawn = below(total);
    size_t index = 0;
    while (drawn >= weights[index]) drawn -= weights[index++];
    return index;
  }
  template <typename T>
  T pick(std::initializer_list<T> from) {
    return *(from.begin() + static_cast<std::ptrdiff_t>(below(from.size())));
  }
  template <typename T>
  T& pick(std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace lockstep::smmu_rtl_bridge
