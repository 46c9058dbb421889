// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) over 16 KiB a round: rotates, adds and table loads.
#include "bench.h"

static uint32_t constants[64];
static uint32_t initial[8];
static uint8_t message[16384];

// The constants are the first 32 bits of the fractional parts of the cube and square roots of primes; they are found
// here by integer search, x with x^k <= p * 2^(32k) < (x + 1)^k.
static uint32_t root_fraction(uint64_t prime, int power) {
  uint64_t low = 0, high = 1ull << 36;
  while (high - low > 1) {
    const uint64_t middle = (low + high) / 2;
    unsigned __int128 value = (unsigned __int128)middle * middle;
    bool above;
    if (power == 2) {
      above = value > (unsigned __int128)prime << 64;
    } else {
      // 108 bits at most, compared with p * 2^96 after a division that loses only what no root can need.
      above = value > ((unsigned __int128)prime << 96) / middle;
    }
    if (above) {
      high = middle;
    } else {
      low = middle;
    }
  }
  return (uint32_t)low;
}

static void prepare(void) {
  int found = 0;
  for (uint64_t candidate = 2; found < 64; candidate++) {
    bool prime = true;
    for (uint64_t divisor = 2; divisor * divisor <= candidate; divisor++) prime &= candidate % divisor != 0;
    if (!prime) continue;
    if (found < 8) initial[found] = root_fraction(candidate, 2);
    constants[found++] = root_fraction(candidate, 3);
  }
  uint64_t state = 1;
  for (unsigned i = 0; i < sizeof message; i++) message[i] = (uint8_t)next_random(&state);
}

static uint32_t rotate(uint32_t value, int by) { return value >> by | value << (32 - by); }

static void compress(uint32_t* hash, const uint8_t* block) {
  uint32_t w[64];
  for (int i = 0; i < 16; i++, block += 4)
    w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
  for (int i = 16; i < 64; i++) {
    const uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    const uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4], f = hash[5], g = hash[6], h = hash[7];
  for (int i = 0; i < 64; i++) {
    const uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
    const uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d, hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

static uint64_t run(uint64_t round) {
  if (round == 0) {
    prepare();
    // The digest of the empty message is e3b0c442 98fc1c14 …
    uint32_t hash[8];
    uint8_t block[64] = {0x80};
    memcpy(hash, initial, sizeof hash);
    compress(hash, block);
    CHECK_EQ((uint64_t)hash[0] << 32 | hash[1], 0xe3b0c44298fc1c14);
  }
  uint32_t hash[8];
  memcpy(hash, initial, sizeof hash);
  message[round % sizeof message]++;
  for (unsigned at = 0; at < sizeof message; at += 64) compress(hash, message + at);
  return (uint64_t)hash[0] << 32 | hash[7];
}

BENCH_MAIN("bench-sha256", 100, run)
