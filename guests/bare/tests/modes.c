// SPDX-License-Identifier: Apache-2.0
// Privilege modes: what U and S may not do, delegation to S, sret, and the bits of mstatus that trap S on purpose.
#include "guest.h"

enum { kMagic = 0x5a5a };

static long give_back(long argument) { return argument + 1; }

static long user_privileged(long which) {
  switch (which) {
    case 0:
      __asm__ volatile("csrr t0, mstatus" ::: "t0");
      break;
    case 1:
      __asm__ volatile("csrr t0, sstatus" ::: "t0");
      break;
    case 2:
      __asm__ volatile("mret");
      break;
    case 3:
      __asm__ volatile("sret");
      break;
    case 4:
      __asm__ volatile("sfence.vma");
      break;
    case 5:
      __asm__ volatile("csrw satp, zero");
      break;
  }
  return kMagic;
}

static void modes(void) {
  section("modes and calls");
  CHECK_EQ(run_in_mode(kUser, give_back, 41), 42);
  CHECK_EQ(run_in_mode(kSupervisor, give_back, 41), 42);
  for (long i = 0; i < 6; i++) {
    trap_clear();
    CHECK_EQ(run_in_mode(kUser, user_privileged, i), kMagic);
    CHECK_EQ(trap_cause(), kIllegal);
    CHECK_EQ(machine_traps[0].status & MSTATUS_MPP, 0);
  }
  for (long i = 0; i < 6; i += 2) {
    trap_clear();
    CHECK_EQ(run_in_mode(kSupervisor, user_privileged, i), kMagic);
    CHECK_EQ(trap_cause(), i == 4 ? NO_TRAP : kIllegal);
  }
}

static long plain_ecall(long argument) {
  register long a7 __asm__("a7") = 1;
  __asm__ volatile("ecall" ::"r"(a7) : "memory");
  return argument;
}

static long breaks(long argument) {
  __asm__ volatile("ebreak");
  return argument;
}

static void delegation(void) {
  section("delegation");
  supervisor_setup();
  // From S itself, an ecall has a cause of its own; M's is 11 and never delegated.
  trap_clear();
  run_in_mode(kSupervisor, plain_ecall, 0);
  CHECK_EQ(trap_cause(), kEcallSupervisor);
  trap_clear();
  run_in_mode(kUser, plain_ecall, 0);
  CHECK_EQ(trap_cause(), kEcallUser);

  csr_write(medeleg, 1 << kBreakpoint);
  CHECK_EQ(csr_read(medeleg), 1 << kBreakpoint);
  trap_clear();
  supervisor_traps[0].cause = NO_TRAP;
  CHECK_EQ(run_in_mode(kUser, breaks, 9), 9);
  CHECK_EQ(trap_cause(), NO_TRAP);
  CHECK_EQ(supervisor_traps[0].cause, kBreakpoint);
  CHECK_EQ(supervisor_traps[0].status & MSTATUS_SPP, 0);
  supervisor_traps[0].cause = NO_TRAP;
  CHECK_EQ(run_in_mode(kSupervisor, breaks, 9), 9);
  CHECK_EQ(supervisor_traps[0].cause, kBreakpoint);
  CHECK_EQ(supervisor_traps[0].status & MSTATUS_SPP, MSTATUS_SPP);
  // Delegation never lowers the mode of a trap that M takes.
  CHECK_EQ(CAUSE_OF("ebreak"), kBreakpoint);
  csr_write(medeleg, 0);

  csr_write(medeleg, ~0ull);
  CHECK_EQ(CAUSE_OF("ecall"), kEcallMachine);
  if (strict()) CHECK_EQ(csr_read(medeleg) & (1 << kEcallMachine), 0);
  csr_write(medeleg, 0);
  csr_write(mideleg, ~0ull);
  CHECK_EQ(csr_read(mideleg) & 0x888, 0);
  csr_write(mideleg, 0);
}

static volatile unsigned software_hits;

static void take_software(uint64_t cause) {
  if (cause == (INTERRUPT | 1)) software_hits++;
  csr_clear(sip, 2);
}

static long raise_own(long argument) {
  csr_write(sie, 2);
  csr_set(sstatus, MSTATUS_SIE);
  csr_set(sip, 2);
  for (int i = 0; i < 4; i++) __asm__ volatile("nop");
  csr_clear(sstatus, MSTATUS_SIE);
  csr_write(sie, 0);
  return argument;
}

static void delegated_interrupt(void) {
  section("delegated software interrupt");
  supervisor_interrupt = take_software;
  csr_write(mideleg, 2);
  csr_write(mie, 0);
  run_in_mode(kSupervisor, raise_own, 0);
  CHECK_EQ(software_hits, 1);
  CHECK_EQ(csr_read(mip) & 2, 0);
  // Not delegated, the same bit stays invisible to S.
  csr_write(mideleg, 0);
  csr_set(mip, 2);
  CHECK_EQ(csr_read(sip) & 2, 0);
  csr_clear(mip, 2);
}

static long virtual_memory(long which) {
  switch (which) {
    case 0:
      __asm__ volatile("csrr t0, satp" ::: "t0");
      break;
    case 1:
      __asm__ volatile("sfence.vma");
      break;
    case 2:
      __asm__ volatile(
          "csrr t0, sstatus; li t1, 0x100; or t0, t0, t1; csrw sstatus, t0; la t0, 1f; csrw sepc, t0; sret; 1:" ::
              : "t0", "t1", "memory");
      break;
  }
  return which;
}

static void trap_bits(void) {
  section("TVM and TSR");
  csr_set(mstatus, MSTATUS_TVM);
  for (long i = 0; i < 2; i++) {
    trap_clear();
    run_in_mode(kSupervisor, virtual_memory, i);
    CHECK_EQ(trap_cause(), kIllegal);
  }
  csr_clear(mstatus, MSTATUS_TVM);
  for (long i = 0; i < 3; i++) {
    trap_clear();
    run_in_mode(kSupervisor, virtual_memory, i);
    CHECK_EQ(trap_cause(), NO_TRAP);
  }
  csr_set(mstatus, MSTATUS_TSR);
  trap_clear();
  run_in_mode(kSupervisor, virtual_memory, 2);
  CHECK_EQ(trap_cause(), kIllegal);
  csr_clear(mstatus, MSTATUS_TSR);
}

static long read_counter(long argument) {
  uint64_t cycle;
  __asm__ volatile("csrr %0, cycle" : "=r"(cycle));
  return argument;
}

static void counters(void) {
  section("counters");
  csr_write(mcounteren, 7);
  csr_write(scounteren, 7);
  trap_clear();
  run_in_mode(kUser, read_counter, 0);
  CHECK_EQ(trap_cause(), NO_TRAP);
  csr_write(scounteren, 0);
  run_in_mode(kUser, read_counter, 0);
  CHECK_EQ(trap_cause(), kIllegal);
  trap_clear();
  run_in_mode(kSupervisor, read_counter, 0);
  CHECK_EQ(trap_cause(), NO_TRAP);
  csr_write(mcounteren, 0);
  run_in_mode(kSupervisor, read_counter, 0);
  CHECK_EQ(trap_cause(), kIllegal);
  const uint64_t first = csr_read(minstret), second = csr_read(minstret);
  CHECK(second > first);
  const uint64_t early = csr_read(mcycle), late = csr_read(mcycle);
  CHECK(late >= early);
}

static void registers(void) {
  section("registers");
  CHECK_EQ(csr_read(misa) >> 62, 2);
  for (const char* letter = "acdfimsu"; *letter; letter++) CHECK(csr_read(misa) >> (*letter - 'a') & 1);
  CHECK_EQ(csr_read(mstatus) >> 32 & 0xf, 0xa);
  // sstatus is a window on mstatus.
  csr_set(sstatus, MSTATUS_SUM);
  CHECK(csr_read(mstatus) & MSTATUS_SUM);
  csr_clear(mstatus, MSTATUS_SUM);
  CHECK(!(csr_read(sstatus) & MSTATUS_SUM));
  CHECK_EQ(csr_read(sstatus) & MSTATUS_MPP, 0);
  // MPP holds only modes that exist.
  csr_set(mstatus, MSTATUS_MPP);
  CHECK_EQ(csr_read(mstatus) & MSTATUS_MPP, MSTATUS_MPP);
  csr_clear(mstatus, MSTATUS_MPP);
  csr_set(mstatus, 0x1000);
  if (strict()) CHECK(((csr_read(mstatus) >> 11) & 3) != 2);
  // With the floating-point unit off, its instructions and fcsr trap.
  csr_clear(mstatus, MSTATUS_FS);
  CHECK_EQ(CAUSE_OF("fadd.d ft0, ft0, ft0"), kIllegal);
  CHECK_EQ(CAUSE_OF("csrr t0, fcsr" ::: "t0"), kIllegal);
  CHECK_EQ(CAUSE_OF("fld ft0, 0(sp)"), kIllegal);
  csr_set(mstatus, 0x2000);
  CHECK_EQ(CAUSE_OF("fmv.d.x ft0, zero"), NO_TRAP);
  CHECK_EQ(csr_read(mstatus) & MSTATUS_FS, MSTATUS_FS);
  CHECK(csr_read(mstatus) >> 63);
}

int main(void) {
  modes();
  delegation();
  delegated_interrupt();
  trap_bits();
  counters();
  registers();
  finish("modes");
}
