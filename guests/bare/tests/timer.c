// SPDX-License-Identifier: Apache-2.0
// CLINT: mtime, mtimecmp, the timer interrupt with and without WFI, and the supervisor timer that M-mode forwards.
#include "guest.h"

enum { kTimer = 7, kMtie = 1 << 7, kStip = 1 << 5 };
static volatile unsigned hits;

static void take_timer(uint64_t cause) {
  if (cause == (INTERRUPT | kTimer)) hits++;
  set_mtimecmp(0, ~0ull);
}

static volatile unsigned supervisor_hits;
static void take_supervisor_timer(uint64_t cause) {
  if (cause == (INTERRUPT | 5)) supervisor_hits++;
  // S cannot clear its timer bit; it stops listening, as an SBI client would until it sets the next event.
  csr_clear(sie, kStip);
}

static long listen(long argument) {
  csr_set(sie, kStip);
  csr_set(sstatus, MSTATUS_SIE);
  for (volatile int i = 0; i < 10; i++) {
  }
  csr_clear(sstatus, MSTATUS_SIE);
  return argument;
}

static long spin(long argument) {
  for (volatile int i = 0; i < 10; i++) {
  }
  return argument;
}

static long wait(long argument) {
  wfi();
  return argument;
}

// Between the look at hits and the WFI no interrupt may be taken, or the WFI would wait for one that has been.
static void wait_for(unsigned wanted) {
  for (;;) {
    csr_clear(mstatus, MSTATUS_MIE);
    const bool done = hits >= wanted;
    if (!done) wfi();
    csr_set(mstatus, MSTATUS_MIE);
    if (done) return;
  }
}

int main(void) {
  machine_interrupt = take_timer;
  set_mtimecmp(0, ~0ull);

  section("mtime");
  const uint64_t first = mtime();
  while (mtime() == first) {
  }
  CHECK(mtime() > first);
  csr_write(mcounteren, 7);
  const uint64_t by_memory = mtime(), by_csr = csr_read(time);
  CHECK(by_csr >= by_memory && by_csr - by_memory < 10000000);
  CHECK_EQ(read32(CLINT + 0xbffc), mtime() >> 32);

  section("pending bit");
  CHECK_EQ(csr_read(mip) & kMtie, 0);
  set_mtimecmp(0, mtime());
  CHECK_EQ(csr_read(mip) & kMtie, kMtie);
  set_mtimecmp(0, ~0ull);
  CHECK_EQ(csr_read(mip) & kMtie, 0);
  csr_set(mip, kMtie);
  CHECK_EQ(csr_read(mip) & kMtie, 0);
  // Halves can be written alone.
  write32(CLINT + 0x4000, 0x12345678);
  write32(CLINT + 0x4004, 0x0fffffff);
  CHECK_EQ(read64(CLINT + 0x4000), 0x0fffffff12345678);

  section("interrupt");
  csr_write(mie, kMtie);
  csr_set(mstatus, MSTATUS_MIE);
  for (unsigned i = 1; i <= 20; i++) {
    const uint64_t due = mtime() + 50 * i;
    set_mtimecmp(0, due);
    wait_for(i);
    CHECK(mtime() >= due);
  }
  CHECK_EQ(hits, 20);

  section("without WFI");
  set_mtimecmp(0, mtime() + 200);
  for (uint64_t start = mtime(); hits < 21 && mtime() - start < 10000000;) {
  }
  CHECK_EQ(hits, 21);

  section("WFI wakes with interrupts disabled");
  csr_clear(mstatus, MSTATUS_MIE);
  set_mtimecmp(0, mtime() + 500);
  while (!(csr_read(mip) & kMtie)) wfi();
  CHECK_EQ(hits, 21);
  csr_set(mstatus, MSTATUS_MIE);
  __asm__ volatile("nop");
  CHECK_EQ(hits, 22);
  csr_clear(mstatus, MSTATUS_MIE);
  csr_write(mie, 0);

  section("interrupts of M arrive in lower modes without MIE");
  csr_write(mie, kMtie);
  set_mtimecmp(0, mtime());
  run_in_mode(kSupervisor, spin, 0);
  CHECK_EQ(hits, 23);
  csr_write(mie, 0);

  section("supervisor timer");
  supervisor_setup();
  supervisor_interrupt = take_supervisor_timer;
  csr_write(mideleg, kStip);
  csr_set(mip, kStip);
  run_in_mode(kSupervisor, listen, 0);
  CHECK_EQ(supervisor_hits, 1);
  csr_clear(mip, kStip);
  csr_write(mideleg, 0);

  section("TW");
  csr_set(mstatus, MSTATUS_TW);
  trap_clear();
  run_in_mode(kSupervisor, wait, 0);
  CHECK_EQ(trap_cause(), kIllegal);
  csr_clear(mstatus, MSTATUS_TW);
  finish("timer");
}
