// SPDX-License-Identifier: Apache-2.0
// Mandelbrot set on a 64 x 48 grid: dependent floating-point chains with an unpredictable exit.
#include "bench.h"

static uint64_t run(uint64_t round) {
  const int limit = 100 + (int)(round & 7);
  uint64_t sum = 0;
  for (int y = 0; y < 48; y++) {
    for (int x = 0; x < 64; x++) {
      const double cr = x / 24.0 - 2.0, ci = y / 20.0 - 1.2;
      double zr = 0, zi = 0;
      int count = 0;
      while (count < limit && zr * zr + zi * zi <= 4.0) {
        const double next = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = next;
        count++;
      }
      sum = mix(sum, (uint64_t)count);
    }
  }
  return sum;
}

BENCH_MAIN("bench-mandelbrot", 100, run)
