// SPDX-License-Identifier: Apache-2.0
// Copies a text of 4096 bytes one by one, up to the zero that ends it.
#include "../kernel.h"

const Kernel kernel = {
    "byte_copy", {365, 0xe082abe5c05965bb}, {37500, 0x1f3bf147fe6bb10d}, {150000, 0xa8cc6a96e6db47b4}};

enum { kLength = 4096 };
static uint8_t first[kLength + 1], second[kLength + 1];

KEEP_CALL static uint8_t* copy(uint8_t* to, const uint8_t* from) {
  while ((*to = *from++) != 0) to++;
  return to;
}

uint64_t run(uint32_t rounds) {
  uint64_t state = 9, sum = 0;
  for (int i = 0; i < kLength; i++) first[i] = (uint8_t)(draw_random(&state) >> 56) | 1;
  for (uint32_t round = 0; round < rounds; round++) {
    sum += (uint64_t)(copy(second, first) - second);
    second[round % kLength] = (uint8_t)round | 1;
    sum += (uint64_t)(copy(first, second) - first);
    sum = mix(sum, first[round * 7 % kLength]);
  }
  return sum;
}
