// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace lockstep::test {

// The seed of a random test: LOCKSTEP_SEED when it is set, else a fresh one. It is printed, so that a failure can be
// had again: LOCKSTEP_SEED=<seed> ./the_test
inline uint64_t seed() {
  static const uint64_t kSeed = [] {
    const char* given = std::getenv("LOCKSTEP_SEED");
    const uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    std::cout << "LOCKSTEP_SEED=" << value << "\n";
    return value;
  }();
  return kSeed;
}

}  // namespace lockstep::test
