// SPDX-License-Identifier: Apache-2.0
// A kernel for all harts of a bare-metal machine. The work, and with it the result, is the same for every number of
// them. Each file of parallel/ defines `kernel`, and `work`, which every hart calls once.
#ifndef BENCH_GUEST_PARALLEL_SHARED_H
#define BENCH_GUEST_PARALLEL_SHARED_H

#include "../kernel.h"

extern uint64_t harts;
// Waits until every hart is here.
void barrier(void);
// The next piece of work that nobody has yet: 0, 1, 2 and so on.
uint32_t next_piece(void);
// Adds to the result, in any order.
void add_result(uint64_t value);

void work(uint64_t hart, uint32_t rounds);

#endif
