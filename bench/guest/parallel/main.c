// SPDX-License-Identifier: Apache-2.0
// Starts every hart that the device tree declares on one kernel. The words of the command line are those of
// bare/main.c.
#include "guest.h"
#include "shared.h"

enum { kWrong = 1 };

uint64_t harts;
static volatile uint64_t released, arrived, phase;
static uint32_t pieces, rounds;
static uint64_t result;

void barrier(void) {
  const uint64_t now = phase;
  if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == harts) {
    arrived = 0;
    __atomic_store_n(&phase, now + 1, __ATOMIC_SEQ_CST);
    return;
  }
  while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) == now) __asm__ volatile(".4byte 0x0100000f" ::: "memory");  // pause
}

uint32_t next_piece(void) { return __atomic_fetch_add(&pieces, 1, __ATOMIC_RELAXED); }
void add_result(uint64_t value) { __atomic_fetch_add(&result, value, __ATOMIC_RELAXED); }

int main(void) {
  const KernelSize* size = option("quick", 0) ? &kernel.quick : option("part", 0) ? &kernel.part : &kernel.full;
  rounds = (uint32_t)option("rounds", size->rounds);
  const uint64_t wanted = option("result", rounds == size->rounds ? size->result : 0);
  harts = hart_count();
  __atomic_store_n(&released, 1, __ATOMIC_RELEASE);
  work(0, rounds);
  barrier();
  const bool known = rounds == size->rounds || option("result", 0), right = result == wanted;
  print("%s rounds %u result 0x%016lx %s\n", kernel.name, rounds, result,
        !known  ? "UNCHECKED"
        : right ? "PASS"
                : "FAIL");
  finish_with(known && !right ? kWrong : 0);
}

void secondary_main(uint64_t hart) {
  while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE)) {
  }
  work(hart, rounds);
  barrier();
  for (;;) wfi();
}
