// SPDX-License-Identifier: Apache-2.0
// Much code of which most runs seldom, as at the start of a large program: 512 functions of their own, each some tens
// of instructions with branches and calls. Low numbers are called often and high ones a few times, so that neither an
// interpreter alone nor a translator alone is the best answer. Ten million instructions in every size.
#include "../kernel.h"

const Kernel kernel = {"wide_code", {1, 0x73b86ab5aec1795c}, {1, 0x73b86ab5aec1795c}, {1, 0x73b86ab5aec1795c}};

enum { kFunctions = 512, kCallsPerRound = 107500, kDepth = 2 };

typedef uint64_t (*Function)(uint64_t value, uint32_t depth);
static const Function functions[kFunctions];
static uint64_t memory[kFunctions];

// The number makes constants, shifts and one of the arms differ, so that no two functions can be one.
#define FUNCTION(n)                                                                  \
  KEEP_CALL static uint64_t function_##n(uint64_t value, uint32_t depth) {           \
    uint64_t sum = value * (2 * n + 1) + (n ^ 0x5a5a), bits = value >> (n % 23 + 1); \
    for (uint32_t i = 0; i < n % 3 + 1; i++) {                                       \
      if (bits & 1u << n % 7) {                                                      \
        sum = (sum ^ bits) + memory[(sum >> n % 5) % kFunctions];                    \
      } else {                                                                       \
        memory[(bits + n) % kFunctions] += sum >> (n % 11 + 2);                      \
        sum -= n * 77;                                                               \
      }                                                                              \
      bits = bits << 3 | sum >> 61;                                                  \
    }                                                                                \
    if (n % 4 == 1 && depth) sum += functions[(sum ^ n) % (n + 1)](bits, depth - 1); \
    return mix(sum, bits + n);                                                       \
  }

// A number in octal, digit after digit.
#define EIGHT(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7)
#define SIXTY_FOUR(M, n) \
  EIGHT(M, n##0)         \
  EIGHT(M, n##1) EIGHT(M, n##2) EIGHT(M, n##3) EIGHT(M, n##4) EIGHT(M, n##5) EIGHT(M, n##6) EIGHT(M, n##7)
#define ALL(M)      \
  SIXTY_FOUR(M, 00) \
  SIXTY_FOUR(M, 01) \
  SIXTY_FOUR(M, 02) SIXTY_FOUR(M, 03) SIXTY_FOUR(M, 04) SIXTY_FOUR(M, 05) SIXTY_FOUR(M, 06) SIXTY_FOUR(M, 07)
#define NAME(n) function_##n,

ALL(FUNCTION)
static const Function functions[kFunctions] = {ALL(NAME)};

uint64_t run(uint32_t rounds) {
  uint64_t sum = 0, random = 0x9e3779b97f4a7c15ull;
  for (uint32_t i = 0; i < rounds * kCallsPerRound; i++) {
    const uint64_t drawn = draw_random(&random);
    sum = mix(sum, functions[(drawn & drawn >> 20 & drawn >> 40) % kFunctions](drawn, kDepth));
  }
  return sum;
}
