// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace lockstep::test {

// A number that the environment may give in place of the usual one: for tests whose seeds stay the same otherwise.
inline uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 0) : otherwise;
}

// The seed of a random test: LOCKSTEP_SEED when it is set, else a fresh one. It is printed, so that a failure can be
// had again: LOCKSTEP_SEED=<seed> ./the_test
inline uint64_t seed() {
  static const uint64_t kSeed = [] {
    const uint64_t value = from_environment("LOCKSTEP_SEED", std::random_device{}());
    std::cout << "LOCKSTEP_SEED=" << value << "\n";
    return value;
  }();
  return kSeed;
}

}  // namespace lockstep::test
