// SPDX-License-Identifier: Apache-2.0
// Product of two 64 x 64 matrices of doubles: loads, multiplications and additions in strict order.
#include "bench.h"

enum { kSize = 64 };
static double a[kSize][kSize], b[kSize][kSize], c[kSize][kSize];

static uint64_t run(uint64_t round) {
  for (int i = 0; i < kSize; i++) {
    for (int j = 0; j < kSize; j++) {
      a[i][j] = (double)((i * 3 + j * 5 + (int)round) % 17) / 8.0;
      b[i][j] = (double)((i * 7 + j * 2) % 13) / 3.0;
    }
  }
  for (int i = 0; i < kSize; i++) {
    for (int j = 0; j < kSize; j++) {
      double sum = 0;
      for (int k = 0; k < kSize; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  }
  uint64_t sum = 0, bits;
  for (int i = 0; i < kSize; i++) {
    memcpy(&bits, &c[i][(i * 5) % kSize], sizeof bits);
    sum = mix(sum, bits);
  }
  return sum;
}

BENCH_MAIN("bench-matrix", 50, run)
