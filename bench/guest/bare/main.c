// SPDX-License-Identifier: Apache-2.0
// A kernel as a bare-metal guest. The command line of the device tree says which of its sizes: quick=1, part=1, or
// rounds=N; without a word it is the full one. With rounds=0 the guest starts, prints its line and ends. result=N is
// what it has to compute, where that is known of no size.
#include "../kernel.h"
#include "guest.h"

// The code of a guest whose result is wrong.
enum { kWrong = 1 };

int main(void) {
  const KernelSize* size = option("quick", 0) ? &kernel.quick : option("part", 0) ? &kernel.part : &kernel.full;
  const uint32_t rounds = (uint32_t)option("rounds", size->rounds);
  const uint64_t result = run(rounds);
  const uint64_t wanted = option("result", rounds == size->rounds ? size->result : result);
  const bool known = rounds == size->rounds || option("result", 0), right = result == wanted;
  print("%s rounds %u result 0x%016lx %s\n", kernel.name, rounds, result,
        !known  ? "UNCHECKED"
        : right ? "PASS"
                : "FAIL");
  finish_with(right ? 0 : kWrong);
}

void secondary_main(uint64_t hart) {
  (void)hart;
  for (;;) wfi();
}

// What gcc leaves to the library when the operand of a square root might be negative.
double sqrt(double value) {
  __asm__("fsqrt.d %0, %0" : "+f"(value));
  return value;
}
