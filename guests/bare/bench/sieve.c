// SPDX-License-Identifier: Apache-2.0
// Sieve of Eratosthenes below 65536: byte stores with growing strides.
#include "bench.h"

enum { kLimit = 65536 };
static uint8_t composite[kLimit];

static uint64_t run(uint64_t round) {
  memset(composite, 0, sizeof composite);
  uint64_t primes = 0, last = 0;
  for (unsigned i = 2; i < kLimit; i++) {
    if (composite[i]) continue;
    primes++;
    last = i;
    for (unsigned j = i + i; j < kLimit; j += i) composite[j] = 1;
  }
  CHECK_EQ(primes, 6542);
  CHECK_EQ(last, 65521);
  return primes * 65536 + last + round;
}

BENCH_MAIN("bench-sieve", 100, run)
