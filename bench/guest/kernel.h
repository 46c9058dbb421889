// SPDX-License-Identifier: Apache-2.0
// What a benchmark kernel is. Each file of kernels/ defines `kernel` and `run`, and includes nothing but the C
// library's headers, so that one source makes a bare-metal guest, a static program of a Linux guest, and a program of
// this host.
#ifndef BENCH_GUEST_KERNEL_H
#define BENCH_GUEST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

// A number of rounds and the result that they give on every machine.
typedef struct KernelSize {
  uint32_t rounds;
  uint64_t result;
} KernelSize;

// `quick` is for tests: some ten million guest instructions. `full` takes QEMU at least a second. `part` is about a
// fourth of it, for four processes that share a processor.
typedef struct Kernel {
  const char* name;
  KernelSize quick, part, full;
} Kernel;

extern const Kernel kernel;

// Does the work of so many rounds; the result depends on nothing else.
uint64_t run(uint32_t rounds);

// Not inlined, so that a kernel keeps the calls that its source has.
#define KEEP_CALL __attribute__((noinline, noclone))

// xorshift64*: numbers that are the same everywhere.
static inline uint64_t draw_random(uint64_t* state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 2685821657736338717ull;
}

static inline uint64_t mix(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * 0x100000001b3ull;
  return sum ^ sum >> 29;
}

#endif
