// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) over 16 KiB a round; each round hashes the digest of the round before with it.
#include <string.h>

#include "../kernel.h"

const Kernel kernel = {"sha256", {12, 0xf47c2876d6ff7abe}, {1825, 0x9171821d35de3622}, {7300, 0x0fe7dcb860e7ecd6}};

enum { kMessageBytes = 16384 };
static uint8_t message[kMessageBytes];

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static inline uint32_t rotate(uint32_t value, int by) { return value >> by | value << (32 - by); }

KEEP_CALL static void compress(uint32_t* hash, const uint8_t* block) {
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
    const uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + constants[i] + w[i];
    const uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d, hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

uint64_t run(uint32_t rounds) {
  uint64_t state = 1;
  uint32_t hash[8] = {0};
  for (unsigned i = 0; i < kMessageBytes; i++) message[i] = (uint8_t)(draw_random(&state) >> 56);
  for (uint32_t round = 0; round < rounds; round++) {
    memcpy(hash, initial, sizeof hash);
    for (unsigned at = 0; at < kMessageBytes; at += 64) compress(hash, message + at);
    // The padding block: a one, zeros, and the length in bits.
    uint8_t last[64] = {0x80};
    last[61] = kMessageBytes * 8 >> 16, last[62] = kMessageBytes * 8 >> 8 & 255, last[63] = kMessageBytes * 8 & 255;
    compress(hash, last);
    for (int i = 0; i < 32; i++) message[i] = (uint8_t)(hash[i / 4] >> (24 - i % 4 * 8));
  }
  return (uint64_t)hash[0] << 32 | hash[1];
}
