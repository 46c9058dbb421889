// SPDX-License-Identifier: Apache-2.0
// Quicksort of 8192 random numbers: data-dependent branches and recursion.
#include "bench.h"

enum { kCount = 8192 };
static uint64_t values[kCount];

static void sort(uint64_t* from, uint64_t* to) {
  while (from < to) {
    uint64_t *left = from, *right = to;
    const uint64_t pivot = from[(to - from) / 2];
    while (left <= right) {
      while (*left < pivot) left++;
      while (*right > pivot) right--;
      if (left <= right) {
        const uint64_t swap = *left;
        *left++ = *right;
        *right-- = swap;
      }
    }
    // The smaller side by recursion, so that the stack stays below the logarithm of the count.
    if (right - from < to - left) {
      sort(from, right);
      from = left;
    } else {
      sort(left, to);
      to = right;
    }
  }
}

static uint64_t run(uint64_t round) {
  uint64_t state = round + 1, sum = 0;
  for (int i = 0; i < kCount; i++) values[i] = next_random(&state);
  sort(values, values + kCount - 1);
  bool ordered = true;
  for (int i = 1; i < kCount; i++) ordered &= values[i - 1] <= values[i];
  CHECK(ordered);
  for (int i = 0; i < kCount; i += 97) sum = mix(sum, values[i]);
  return sum;
}

BENCH_MAIN("bench-quicksort", 100, run)
