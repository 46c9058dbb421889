// SPDX-License-Identifier: Apache-2.0
// Synchronous traps in M-mode: cause, address, value, and what mstatus remembers.
#include "guest.h"

// Nothing of the machine is here.
static const uint64_t kHole = 0x18000000;
static uint8_t buffer[8192] __attribute__((aligned(4096)));

static void illegal_instructions(void) {
  section("illegal instructions");
  CHECK_EQ(CAUSE_OF(".half 0"), kIllegal);
  CHECK(trap_tval() == 0);
  CHECK_EQ(CAUSE_OF(".option push; .option norvc; .word 0xffffffff; .option pop"), kIllegal);
  CHECK(trap_tval() == 0 || trap_tval() == 0xffffffff);
  CHECK_EQ(CAUSE_OF("csrr t0, 0x8ff" ::: "t0"), kIllegal);
  CHECK_EQ(CAUSE_OF("csrw mhartid, zero"), kIllegal);
  CHECK_EQ(CAUSE_OF("csrrs t0, mhartid, zero" ::: "t0"), NO_TRAP);
  if (strict()) CHECK_EQ(CAUSE_OF("li t1, 0; csrrs t0, mhartid, t1" ::: "t0", "t1"), kIllegal);
  CHECK_EQ(CAUSE_OF("csrrwi t0, cycle, 0" ::: "t0"), kIllegal);
  // A trapping instruction leaves its destination as it was.
  uint64_t kept = 42;
  __asm__ volatile("csrr %0, 0x8ff" : "+r"(kept));
  CHECK_EQ(kept, 42);
}

static void environment(void) {
  uint64_t here;
  section("breakpoints and calls");
  CHECK_EQ(CAUSE_OF("ecall"), kEcallMachine);
  CHECK_EQ(trap_tval(), 0);
  CHECK_EQ(CAUSE_OF(".option push; .option norvc; ebreak; .option pop"), kBreakpoint);
  CHECK(trap_tval() == 0 || trap_tval() == trap_pc());
  CHECK_EQ(CAUSE_OF("c.ebreak"), kBreakpoint);
  trap_clear();
  __asm__ volatile(".option push; .option norvc; 1: auipc %0, 0; ecall; .option pop" : "=r"(here));
  CHECK_EQ(trap_pc(), here + 4);
}

static void access_faults(void) {
  section("access faults");
  uint64_t value = 7;
  trap_clear();
  __asm__ volatile("ld %0, 8(%1)" : "+r"(value) : "r"(kHole));
  CHECK_EQ(trap_cause(), kLoadAccess);
  CHECK_EQ(trap_tval(), kHole + 8);
  CHECK_EQ(value, 7);
  CHECK_EQ(CAUSE_OF("sb zero, 3(%0)" ::"r"(kHole)), kStoreAccess);
  CHECK_EQ(trap_tval(), kHole + 3);
  CHECK_EQ(CAUSE_OF("jalr ra, 0(%0)" ::"r"(kHole) : "ra"), kFetchAccess);
  CHECK_EQ(trap_tval(), kHole);
  CHECK_EQ(trap_pc(), kHole);
  // A device's registers are no instructions, and memory ends somewhere.
  CHECK_EQ(CAUSE_OF("ld t0, 0(%0)" ::"r"(0x3f00000000000000) : "t0"), kLoadAccess);
}

static void misaligned(void) {
  section("misaligned accesses");
  for (unsigned i = 0; i < sizeof buffer; i++) buffer[i] = (uint8_t)(i * 37 + 11);
  // A hart may do them or trap; it must not do them wrongly. 4096 is where pages meet.
  static const unsigned kOffsets[] = {1, 2, 3, 5, 7, 9, 4089, 4090, 4093, 4095};
  for (unsigned i = 0; i < sizeof kOffsets / sizeof kOffsets[0]; i++) {
    const uint64_t address = (uint64_t)buffer + kOffsets[i];
    uint64_t wanted = 0, got = 0;
    for (int b = 7; b >= 0; b--) wanted = wanted << 8 | buffer[kOffsets[i] + b];
    trap_clear();
    __asm__ volatile("ld %0, 0(%1)" : "+r"(got) : "r"(address));
    if (trap_cause() == NO_TRAP) {
      CHECK_EQ(got, wanted);
    } else {
      CHECK_EQ(trap_cause(), kLoadMisaligned);
      CHECK_EQ(trap_tval(), address);
    }
    trap_clear();
    __asm__ volatile("lw %0, 0(%1)" : "+r"(got) : "r"(address));
    if (trap_cause() == NO_TRAP) CHECK_EQ(got, (int64_t)(int32_t)wanted);
    const uint64_t before = read8(address - 1), after = read8(address + 8);
    if (CAUSE_OF("sd %0, 0(%1)" ::"r"(0x1122334455667788), "r"(address) : "memory") == NO_TRAP) {
      for (unsigned b = 0; b < 8; b++) CHECK_EQ(read8(address + b), 0x88 - 0x11 * b);
      CHECK_EQ(read8(address - 1), before);
      CHECK_EQ(read8(address + 8), after);
    } else {
      CHECK_EQ(trap_cause(), kStoreMisaligned);
    }
    for (unsigned b = 0; b < 8; b++) buffer[kOffsets[i] + b] = (uint8_t)((kOffsets[i] + b) * 37 + 11);
  }
  const uint64_t odd = (uint64_t)buffer + 2;
  uint64_t cause = CAUSE_OF("lr.w t0, (%0)" ::"r"(odd) : "t0");
  CHECK(cause == kLoadMisaligned || cause == kLoadAccess);
  if (!strict()) return;
  cause = CAUSE_OF("amoadd.d t0, zero, (%0)" ::"r"(odd + 2) : "t0");
  CHECK(cause == kStoreMisaligned || cause == kStoreAccess);
  cause = CAUSE_OF("sc.d t0, zero, (%0)" ::"r"(odd + 2) : "t0");
  CHECK(cause == kStoreMisaligned || cause == kStoreAccess);
}

static void status_stack(void) {
  section("mstatus around a trap");
  csr_set(mstatus, MSTATUS_MIE);
  trap_clear();
  __asm__ volatile("ecall");
  const uint64_t with_interrupts = machine_traps[0].status;
  CHECK(csr_read(mstatus) & MSTATUS_MIE);
  csr_clear(mstatus, MSTATUS_MIE);
  __asm__ volatile("ecall");
  const uint64_t without_interrupts = machine_traps[0].status;
  CHECK(!(csr_read(mstatus) & MSTATUS_MIE));
  CHECK_EQ(with_interrupts & (MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP), MSTATUS_MPIE | MSTATUS_MPP);
  CHECK_EQ(without_interrupts & (MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP), MSTATUS_MPP);
  csr_write(mepc, 0x80000003);
  if (strict()) CHECK_EQ(csr_read(mepc), 0x80000002);
}

static volatile uint64_t vectored_hits;
// A vector table: slot 3 is the machine software interrupt.
__attribute__((naked, aligned(256))) static void vectors(void) {
  __asm__ volatile(
      ".option push; .option norvc;"
      "j machine_trap_entry; j machine_trap_entry; j machine_trap_entry; j 1f;"
      "1: csrw mscratch, t0; csrr t0, mscratch;"
      "addi sp, sp, -32; sd t0, 0(sp); sd t1, 8(sp);"
      "la t0, vectored_hits; ld t1, 0(t0); addi t1, t1, 1; sd t1, 0(t0);"
      "li t0, 0x2000000; sw zero, 0(t0);"
      "ld t0, 0(sp); ld t1, 8(sp); addi sp, sp, 32; mret;"
      ".option pop");
}

static void vectored(void) {
  section("vectored mtvec");
  const uint64_t direct = csr_read(mtvec), scratch = csr_read(mscratch);
  csr_write(mtvec, (uint64_t)vectors | 1);
  CHECK_EQ(csr_read(mtvec), (uint64_t)vectors | 1);
  CHECK_EQ(CAUSE_OF("ecall"), kEcallMachine);
  csr_write(mie, 8);
  csr_set(mstatus, MSTATUS_MIE);
  set_msip(0, 1);
  for (volatile int i = 0; i < 100 && !vectored_hits; i++) {
  }
  csr_clear(mstatus, MSTATUS_MIE);
  csr_write(mie, 0);
  csr_write(mtvec, direct);
  csr_write(mscratch, scratch);
  CHECK_EQ(vectored_hits, 1);
}

int main(void) {
  illegal_instructions();
  environment();
  access_faults();
  misaligned();
  status_stack();
  vectored();
  finish("traps");
}
