// SPDX-License-Identifier: Apache-2.0
// The frame of a benchmark kernel: "iterations=N" on the command line says how often it runs, and the checksum that it
// prints depends on nothing else. "checksum=N" makes the guest fail when the sum differs; "time=1" prints the ticks of
// mtime (10 MHz) that the kernel took.
#ifndef GUESTS_BARE_LIB_BENCH_H
#define GUESTS_BARE_LIB_BENCH_H

#include "guest.h"

#define BENCH_MAIN(name, default_iterations, run)                         \
  int main(void) {                                                        \
    const uint64_t iterations = option("iterations", default_iterations); \
    uint64_t sum = 0xcbf29ce484222325ull;                                 \
    const uint64_t start = mtime();                                       \
    for (uint64_t i = 0; i < iterations; i++) sum = mix(sum, run(i));     \
    print(name ": iterations %lu checksum 0x%lx\n", iterations, sum);     \
    if (option("time", 0)) print(name ": %lu ticks\n", mtime() - start);  \
    CHECK_EQ(sum, option("checksum", sum));                               \
    finish(name);                                                         \
  }

static inline uint64_t mix(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * 0x100000001b3ull;
  return sum ^ sum >> 29;
}

#endif
