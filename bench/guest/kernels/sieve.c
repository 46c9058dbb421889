// SPDX-License-Identifier: Apache-2.0
// Sieve of Eratosthenes over a megabyte: byte stores with growing strides.
#include <string.h>

#include "../kernel.h"

const Kernel kernel = {"sieve", {1, 0x0140690008233a6b}, {42, 0xc47f385a8d2925ce}, {170, 0xc21691803bcc4ff9}};

enum { kLimit = 1 << 20 };
static uint8_t composite[kLimit];

KEEP_CALL static uint64_t count_primes(uint32_t limit) {
  uint64_t primes = 0;
  memset(composite, 0, limit);
  for (uint32_t i = 2; i < limit; i++) {
    if (composite[i]) continue;
    primes++;
    for (uint32_t j = i + i; j < limit; j += i) composite[j] = 1;
  }
  return primes;
}

uint64_t run(uint32_t rounds) {
  uint64_t sum = 0;
  for (uint32_t round = 0; round < rounds; round++) sum = mix(sum, count_primes(kLimit - round % 64 * 1000));
  return sum;
}
