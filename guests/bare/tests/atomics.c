// SPDX-License-Identifier: Apache-2.0
// LR/SC and every AMO on words and doublewords, on one hart.
#include "guest.h"

static volatile uint64_t cell __attribute__((aligned(64)));
static volatile uint64_t other __attribute__((aligned(64)));

#define AMO(name, memory, operand)                                                                             \
  ({                                                                                                           \
    uint64_t amo_old;                                                                                          \
    cell = (memory);                                                                                           \
    __asm__ volatile(name " %0, %1, (%2)" : "=&r"(amo_old) : "r"((uint64_t)(operand)), "r"(&cell) : "memory"); \
    amo_old;                                                                                                   \
  })

static const uint64_t kValues[] = {
    0, 1, 5, 0x7fffffff, 0x80000000, 0xffffffff, 0x8000000000000000, ~0ull, 0x123456789abcdef0};
enum { kCount = sizeof kValues / sizeof kValues[0] };

static void doublewords(uint64_t m, uint64_t o) {
#define CASE(name, wanted)            \
  CHECK_EQ(AMO(name, m, o), m);       \
  CHECK_EQ(cell, (uint64_t)(wanted)); \
  CHECK_EQ(AMO(name ".aqrl", m, o), m)
  CASE("amoswap.d", o);
  CASE("amoadd.d", m + o);
  CASE("amoand.d", m & o);
  CASE("amoor.d", m | o);
  CASE("amoxor.d", m ^ o);
  CASE("amomin.d", (int64_t)m < (int64_t)o ? m : o);
  CASE("amomax.d", (int64_t)m > (int64_t)o ? m : o);
  CASE("amominu.d", m < o ? m : o);
  CASE("amomaxu.d", m > o ? m : o);
#undef CASE
}

static void words(uint64_t m, uint64_t o) {
  const uint64_t keep = m >> 32 << 32;
  const uint32_t mw = (uint32_t)m, ow = (uint32_t)o;
#define CASE(name, wanted)                         \
  CHECK_EQ(AMO(name, m, o), (int64_t)(int32_t)mw); \
  CHECK_EQ(cell, keep | (uint32_t)(wanted))
  CASE("amoswap.w", ow);
  CASE("amoadd.w", mw + ow);
  CASE("amoand.w", mw & ow);
  CASE("amoor.w", mw | ow);
  CASE("amoxor.w", mw ^ ow);
  CASE("amomin.w", (int32_t)mw < (int32_t)ow ? mw : ow);
  CASE("amomax.w", (int32_t)mw > (int32_t)ow ? mw : ow);
  CASE("amominu.w", mw < ow ? mw : ow);
  CASE("amomaxu.w", mw > ow ? mw : ow);
#undef CASE
}

static void reservations(void) {
  section("reservations");
  uint64_t value, failed;
  cell = 10;
  __asm__ volatile("1: lr.d %0, (%2); addi %0, %0, 1; sc.d %1, %0, (%2); bnez %1, 1b"
                   : "=&r"(value), "=&r"(failed)
                   : "r"(&cell)
                   : "memory");
  CHECK_EQ(failed, 0);
  CHECK_EQ(cell, 11);
  cell = 0x1ffffffff;
  __asm__ volatile("1: lr.w %0, (%2); mv t0, %0; addi t0, t0, 3; sc.w %1, t0, (%2); bnez %1, 1b"
                   : "=&r"(value), "=&r"(failed)
                   : "r"(&cell)
                   : "t0", "memory");
  CHECK_EQ(value, ~0ull);
  CHECK_EQ(cell, 0x100000002);
  // A store-conditional ends the reservation, so a second one fails and stores nothing.
  cell = 1;
  __asm__ volatile("1: lr.d t0, (%1); li t1, 2; sc.d t2, t1, (%1); bnez t2, 1b; li t1, 3; sc.d %0, t1, (%1)"
                   : "=&r"(failed)
                   : "r"(&cell)
                   : "t0", "t1", "t2", "memory");
  CHECK(failed != 0);
  CHECK_EQ(cell, 2);
  // A reservation on another address does not count.
  __asm__ volatile("lr.d t0, (%2); li t1, 9; sc.d %0, t1, (%1)"
                   : "=&r"(failed)
                   : "r"(&cell), "r"(&other)
                   : "t0", "t1", "memory");
  CHECK(failed != 0);
  CHECK_EQ(cell, 2);
  // Without any reservation it fails.
  __asm__ volatile("li t1, 9; sc.w %0, t1, (%1)" : "=&r"(failed) : "r"(&cell) : "t1", "memory");
  CHECK(failed != 0);
  CHECK_EQ(cell, 2);
}

int main(void) {
  section("AMO");
  for (int i = 0; i < kCount; i++) {
    for (int j = 0; j < kCount; j++) {
      doublewords(kValues[i], kValues[j]);
      words(kValues[i], kValues[j]);
    }
  }
  reservations();
  finish("atomics");
}
