// SPDX-License-Identifier: Apache-2.0
// A matrix raised to a power: every hart does its share of the rows of each product, and then all wait for one another.
#include "shared.h"

const Kernel kernel = {"matrix_rows", {4, 0x6bcf13f408967ea3}, {100, 0xa09ad12f9b99ae64}, {1200, 0x0a20e901e900b8a6}};

enum { kSize = 96 };
static uint64_t base[kSize][kSize], power[2][kSize][kSize];

KEEP_CALL static void row(uint64_t* to, const uint64_t* from) {
  for (unsigned j = 0; j < kSize; j++) to[j] = 0;
  for (unsigned k = 0; k < kSize; k++) {
    const uint64_t factor = from[k];
    for (unsigned j = 0; j < kSize; j++) to[j] += factor * base[k][j];
  }
}

void work(uint64_t hart, uint32_t rounds) {
  if (hart == 0) {
    uint64_t state = 1;
    for (unsigned i = 0; i < kSize; i++) {
      for (unsigned j = 0; j < kSize; j++) power[0][i][j] = base[i][j] = draw_random(&state);
    }
  }
  barrier();
  for (uint32_t round = 0; round < rounds; round++) {
    for (unsigned i = (unsigned)hart; i < kSize; i += (unsigned)harts) row(power[~round & 1][i], power[round & 1][i]);
    barrier();
  }
  uint64_t sum = 0;
  for (unsigned i = (unsigned)hart; i < kSize; i += (unsigned)harts) {
    for (unsigned j = 0; j < kSize; j++) sum += power[rounds & 1][i][j] * (i * kSize + j + 1);
  }
  add_result(sum);
}
