// SPDX-License-Identifier: Apache-2.0
// Steps until a point of the plane leaves the circle, on a 128 x 96 grid a round: dependent floating-point chains.
#include "../kernel.h"

const Kernel kernel = {"mandelbrot", {2, 0xc118deaed8e6f957}, {21, 0xfcc8012e6f8b0dfb}, {85, 0x98ea40ffb047bd12}};

enum { kColumns = 128, kRows = 96, kMostSteps = 200 };

KEEP_CALL static int steps_of(double cr, double ci) {
  double zr = 0, zi = 0, zr2 = 0, zi2 = 0;
  int steps = 0;
  while (steps < kMostSteps && zr2 + zi2 <= 4.0) {
    zi = 2 * zr * zi + ci;
    zr = zr2 - zi2 + cr;
    zr2 = zr * zr;
    zi2 = zi * zi;
    steps++;
  }
  return steps;
}

uint64_t run(uint32_t rounds) {
  uint64_t sum = 0;
  for (uint32_t round = 0; round < rounds; round++) {
    // Each round looks at other points, none of them on an axis, where rounding would decide.
    const double left = -2.03 + (round % 16) * 0.0017, top = -1.21 + (round % 16) * 0.0013;
    for (int y = 0; y < kRows; y++) {
      for (int x = 0; x < kColumns; x++) sum = mix(sum, (uint64_t)steps_of(left + x * 0.0213, top + y * 0.0257));
    }
  }
  return sum;
}
