// SPDX-License-Identifier: Apache-2.0
// memcpy, strlen and memcmp of the C library over texts of many lengths and alignments, as programs use them: most are
// short, a few fill a page.
#include <string.h>

#include "../kernel.h"

const Kernel kernel = {
    "string_functions", {72, 0x3f5ba0a5454271c9}, {7250, 0xe5872f46235548dc}, {29000, 0x55f163a443090716}};

enum { kLongest = 4096, kTexts = 64 };
static char source[kLongest + 64], target[kLongest + 64];

uint64_t run(uint32_t rounds) {
  uint64_t state = 3, sum = 0;
  uint32_t lengths[kTexts], skews[kTexts];
  for (unsigned i = 0; i < sizeof source; i++) source[i] = (char)('a' + (draw_random(&state) >> 40) % 26);
  for (int i = 0; i < kTexts; i++) {
    // Lengths of 8 to 4095 bytes whose logarithms are spread evenly.
    const unsigned power = 3 + (unsigned)i % 9;
    lengths[i] = (1u << power) + (uint32_t)(draw_random(&state) >> 32) % (1u << power);
    skews[i] = i % 4 == 0 ? (uint32_t)(draw_random(&state) >> 61) : 0;
  }
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kTexts; i++) {
      const size_t length = lengths[i];
      char *from = source + skews[i], *to = target + (skews[i] ? round % 8 : 0);
      memcpy(to, from, length);
      to[length] = 0;
      sum += strlen(to);
      sum += (uint64_t)(memcmp(to, from, length) == 0);
      to[length / 2] = '~';
      sum += (uint64_t)(memcmp(to, from, length) > 0);
    }
    sum = mix(sum, round);
  }
  return sum;
}
