// SPDX-License-Identifier: Apache-2.0
// Product of two 144 x 144 matrices of doubles a round, row by row.
#include "../kernel.h"

const Kernel kernel = {"matrix_product", {1, 0x000000000004ff04}, {15, 0x00000000004b5469}, {62, 0x0000000001378298}};

enum { kSize = 144 };
static double a[kSize][kSize], b[kSize][kSize], c[kSize][kSize];

KEEP_CALL static void multiply(void) {
  for (int i = 0; i < kSize; i++) {
    for (int j = 0; j < kSize; j++) c[i][j] = 0;
    for (int k = 0; k < kSize; k++) {
      const double factor = a[i][k];
      for (int j = 0; j < kSize; j++) c[i][j] += factor * b[k][j];
    }
  }
}

uint64_t run(uint32_t rounds) {
  double total = 0;
  for (int i = 0; i < kSize; i++) {
    for (int j = 0; j < kSize; j++) {
      a[i][j] = (i * 3 + j * 5) % 17 / 7.0;
      b[i][j] = (i * 7 + j * 2) % 13 / 3.0;
    }
  }
  for (uint32_t round = 0; round < rounds; round++) {
    a[round % kSize][round * 5 % kSize] += 0.1;
    multiply();
    total += c[round * 3 % kSize][round % kSize];
  }
  // Compilers may fuse multiplication and addition, which rounds once less; what is left of the sum is the same.
  return (uint64_t)(total * 1000);
}
