// SPDX-License-Identifier: Apache-2.0
// Blocks of 4 KiB from a queue that all harts take from, each made from its number and hashed.
#include "shared.h"

const Kernel kernel = {
    "hash_queue", {600, 0x076a44f60d4278b2}, {30000, 0x54ea661975d644e6}, {300000, 0xee1bdd713888753b}};

enum { kWords = 1024 };

static inline uint32_t rotate(uint32_t value, int by) { return value << by | value >> (32 - by); }

KEEP_CALL static uint64_t hash_block(const uint32_t* words) {
  uint32_t a = 0x243f6a88, b = 0x85a308d3, c = 0x13198a2e, d = 0x03707344;
  for (unsigned i = 0; i < kWords; i += 4) {
    a = rotate(a + (words[i] ^ d), 7) * 0x9e3779b1u;
    b = rotate(b + (words[i + 1] ^ a), 11) * 0x85ebca77u;
    c = rotate(c + (words[i + 2] ^ b), 13) * 0xc2b2ae3du;
    d = rotate(d + (words[i + 3] ^ c), 17) * 0x27d4eb2fu;
  }
  return (uint64_t)(a ^ c) << 32 | (b ^ d);
}

void work(uint64_t hart, uint32_t rounds) {
  (void)hart;
  uint32_t words[kWords];
  for (uint32_t piece; (piece = next_piece()) < rounds;) {
    uint64_t state = piece + 1;
    for (unsigned i = 0; i < kWords; i++) words[i] = (uint32_t)(draw_random(&state) >> 32);
    add_result(hash_block(words));
  }
}
