// SPDX-License-Identifier: Apache-2.0
// memcpy, memset, memcmp and strlen over blocks of many sizes and alignments.
#include "bench.h"

static uint8_t source[65536 + 64], target[65536 + 64];

static uint64_t run(uint64_t round) {
  uint64_t sum = 0;
  if (round == 0) {
    uint64_t state = 3;
    for (unsigned i = 0; i < sizeof source; i++) source[i] = (uint8_t)(next_random(&state) >> 32) | 1;
  }
  for (unsigned size = 8; size <= 32768; size = size * 3 / 2) {
    const unsigned skew = (unsigned)(round + size) & 7;
    memcpy(target, source, size & ~7u);
    memcpy(target + skew, source + 1, size);
    target[skew + size] = 0;
    sum += strlen((const char*)target + skew);
    sum += (uint64_t)(memcmp(target + skew, source + 1, size) == 0);
    memset(target, (int)size, size);
    sum = mix(sum, target[size - 1]);
  }
  return sum;
}

BENCH_MAIN("bench-strings", 100, run)
