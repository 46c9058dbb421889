// SPDX-License-Identifier: Apache-2.0
// Quicksort of 65536 random integers a round: data-dependent branches and recursion.
#include "../kernel.h"

const Kernel kernel = {"quicksort", {2, 0xf92de67775834c77}, {47, 0x7ce0e0a13026af92}, {190, 0x3a94fb53a4897569}};

enum { kCount = 65536, kInsertionLimit = 12 };
static int32_t values[kCount];

static void sort(int32_t* from, int32_t* to) {
  while (to - from > kInsertionLimit) {
    int32_t *left = from, *right = to;
    const int32_t pivot = from[(to - from) / 2];
    do {
      while (*left < pivot) left++;
      while (*right > pivot) right--;
      if (left <= right) {
        const int32_t swap = *left;
        *left++ = *right;
        *right-- = swap;
      }
    } while (left <= right);
    // The smaller side by recursion, so that the stack stays below the logarithm of the count.
    if (right - from < to - left) {
      sort(from, right);
      from = left;
    } else {
      sort(left, to);
      to = right;
    }
  }
  for (int32_t* at = from + 1; at <= to; at++) {
    const int32_t value = *at;
    int32_t* hole = at;
    for (; hole > from && hole[-1] > value; hole--) *hole = hole[-1];
    *hole = value;
  }
}

uint64_t run(uint32_t rounds) {
  uint64_t state = 11, sum = 0;
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kCount; i++) values[i] = (int32_t)(draw_random(&state) >> 33);
    sort(values, values + kCount - 1);
    for (int i = 1; i < kCount; i++) sum += values[i - 1] > values[i];
    for (int i = 0; i < kCount; i += 97) sum = mix(sum, (uint64_t)values[i]);
  }
  return sum;
}
