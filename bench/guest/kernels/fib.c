// SPDX-License-Identifier: Apache-2.0
// Fibonacci numbers by two recursive calls each, the 24th to 27th in turn: calls, returns and little else.
#include "../kernel.h"

const Kernel kernel = {"fib", {3, 0xc7f431d5fb7984fa}, {135, 0x4b19f7c33cd71ead}, {540, 0x6c4d034c10de3b66}};

KEEP_CALL static uint64_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

uint64_t run(uint32_t rounds) {
  uint64_t sum = 0;
  for (uint32_t round = 0; round < rounds; round++) sum = mix(sum, fib(24 + round % 4));
  return sum;
}
