// SPDX-License-Identifier: Apache-2.0
// Primes below a bound, counted in segments from a queue; the small primes are shared by all harts.
#include <string.h>

#include "shared.h"

const Kernel kernel = {"sieve_segments", {60, 0x23cad}, {3000, 0x568247}, {12000, 0x1405651}};

enum { kSegment = 32768, kRoot = 20000, kMaxSmall = 2300, kMaxHarts = 8 };
static uint32_t small[kMaxSmall], small_count;
static uint8_t segments[kMaxHarts][kSegment];

static void find_small(void) {
  static uint8_t composite[kRoot];
  for (uint32_t n = 2; n < kRoot; n++) {
    if (composite[n]) continue;
    small[small_count++] = n;
    for (uint32_t m = n * n; m < kRoot; m += n) composite[m] = 1;
  }
}

KEEP_CALL static uint64_t count_segment(uint8_t* composite, uint64_t low) {
  const uint64_t high = low + kSegment;
  memset(composite, 0, kSegment);
  for (uint32_t i = 0; i < small_count; i++) {
    const uint64_t prime = small[i], square = prime * prime;
    if (square >= high) break;
    uint64_t first = (low + prime - 1) / prime * prime;
    if (first < square) first = square;
    for (uint64_t m = first - low; m < kSegment; m += prime) composite[m] = 1;
  }
  uint64_t count = 0;
  for (uint32_t i = 0; i < kSegment; i++) count += !composite[i] && low + i > 1;
  return count;
}

void work(uint64_t hart, uint32_t rounds) {
  uint8_t* composite = segments[hart];
  if (hart == 0) find_small();
  barrier();
  for (uint32_t piece; (piece = next_piece()) < rounds;)
    add_result(count_segment(composite, (uint64_t)piece * kSegment));
}
