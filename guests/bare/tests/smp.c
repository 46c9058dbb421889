// SPDX-License-Identifier: Apache-2.0
// Several harts: start, locks, counters by AMO and LR/SC, interprocessor interrupts, and remote fence.i. Every hart
// that the device tree declares takes part; one alone passes too.
// harts: 4
#include "guest.h"

enum { kRounds = 2000, kSoftware = 3, kMsie = 1 << kSoftware };

static volatile uint64_t arrived, harts;
static volatile uint64_t by_amo, by_lr_sc, by_lock, lock, own[MAX_HARTS];
static volatile uint64_t pings[MAX_HARTS];
static volatile uint64_t barrier_count, barrier_phase;
static uint32_t code[2] __attribute__((aligned(64)));

static void take_software(uint64_t cause) {
  const uint64_t hart = hart_id();
  set_msip(hart, 0);
  if (cause == (INTERRUPT | kSoftware)) pings[hart]++;
}

static void barrier(void) {
  const uint64_t phase = barrier_phase;
  if (__atomic_add_fetch(&barrier_count, 1, __ATOMIC_SEQ_CST) == harts) {
    barrier_count = 0;
    __atomic_store_n(&barrier_phase, phase + 1, __ATOMIC_SEQ_CST);
    return;
  }
  while (__atomic_load_n(&barrier_phase, __ATOMIC_SEQ_CST) == phase) {
  }
}

static void count(void) {
  for (int i = 0; i < kRounds; i++) {
    __asm__ volatile("amoadd.d zero, %0, (%1)" ::"r"(1l), "r"(&by_amo) : "memory");
    __asm__ volatile("1: lr.d t0, (%0); addi t0, t0, 1; sc.d t1, t0, (%0); bnez t1, 1b" ::"r"(&by_lr_sc)
                     : "t0", "t1", "memory");
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {
    }
    by_lock = by_lock + 1;
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    own[hart_id()]++;
  }
}

// A token runs through the harts by interprocessor interrupts; the receiver sleeps until it comes.
static void ring(void) {
  const uint64_t hart = hart_id();
  csr_write(mie, kMsie);
  for (uint64_t lap = 0; lap < 20; lap++) {
    if (hart != 0 || lap != 0) {
      while (!(csr_read(mip) & kMsie)) wfi();
      csr_set(mstatus, MSTATUS_MIE);
      __asm__ volatile("nop");
      csr_clear(mstatus, MSTATUS_MIE);
    }
    if (hart + 1 < harts || lap + 1 < 20) set_msip((hart + 1) % harts, 1);
  }
  csr_write(mie, 0);
}

static long run_code(void) {
  long result;
  __asm__ volatile("jalr ra, 0(%1); mv %0, a0" : "=r"(result) : "r"(code) : "ra", "a0", "memory");
  return result;
}

static void patch(uint32_t value) {
  code[0] = 0x00000513 | value << 20;  // li a0, value
  code[1] = 0x00008067;                // ret
  fence();
}

static void work(void) {
  barrier();
  count();
  barrier();
  if (hart_id() == 0) {
    CHECK_EQ(by_amo, harts * kRounds);
    CHECK_EQ(by_lr_sc, harts * kRounds);
    CHECK_EQ(by_lock, harts * kRounds);
    for (uint64_t i = 0; i < harts; i++) CHECK_EQ(own[i], kRounds);
  }
  barrier();
  ring();
  barrier();
  if (hart_id() == 0) {
    CHECK_EQ(pings[0], 19);
    for (uint64_t i = 1; i < harts; i++) CHECK_EQ(pings[i], 20);
  }
  for (uint32_t value = 1; value <= 8; value++) {
    barrier();
    if (hart_id() == value % harts) patch(value);
    barrier();
    fence_i();
    CHECK_EQ(run_code(), value);
  }
  barrier();
}

void secondary_main(uint64_t hart) {
  CHECK_EQ(hart, csr_read(mhartid));
  __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&harts, __ATOMIC_SEQ_CST)) {
  }
  work();
  csr_write(mie, 0);
  for (;;) wfi();
}

int main(void) {
  machine_interrupt = take_software;
  const uint64_t declared = hart_count();
  print("- harts: %lu\n", declared);
  while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) + 1 < declared) {
  }
  __atomic_store_n(&harts, declared, __ATOMIC_SEQ_CST);
  section("counters, interprocessor interrupts, remote code");
  work();
  finish("smp");
}
