// SPDX-License-Identifier: Apache-2.0
// PLIC: priorities, thresholds, enables, claim and complete, with the UART's transmit interrupt as the source.
#include "guest.h"

enum {
  kUartSource = 10,
  kMachineContext = 0,
  kSupervisorContext = 1,
  kExternal = 1 << 11,
  kSupervisorExternal = 1 << 9
};
enum { kIer = 1, kIir = 2, kIerThrEmpty = 2 };

static uint64_t priority(int source) { return PLIC + 4 * (uint64_t)source; }
static uint64_t enable(int context) { return PLIC + 0x2000 + 0x80 * (uint64_t)context; }
static uint64_t threshold(int context) { return PLIC + 0x200000 + 0x1000 * (uint64_t)context; }
static uint64_t claim(int context) { return threshold(context) + 4; }

static volatile unsigned hits;
static volatile uint32_t claimed;

static void quiet_uart(void) { write8(UART + kIer, 0); }
static void raise_uart(void) { write8(UART + kIer, kIerThrEmpty); }

static void take_external(uint64_t cause) {
  if (cause != (INTERRUPT | 11)) return;
  hits++;
  claimed = read32(claim(kMachineContext));
  quiet_uart();
  write32(claim(kMachineContext), claimed);
}

static void take_supervisor_external(uint64_t cause) {
  if (cause != (INTERRUPT | 9)) return;
  hits++;
  claimed = read32(claim(kSupervisorContext));
  quiet_uart();
  write32(claim(kSupervisorContext), claimed);
}

static long listen(long argument) {
  csr_set(sie, kSupervisorExternal);
  csr_set(sstatus, MSTATUS_SIE);
  raise_uart();
  for (volatile int i = 0; i < 50; i++) {
  }
  csr_clear(sstatus, MSTATUS_SIE);
  return argument;
}

// A request that the gateway has passed on stays pending when its level falls, so it is claimed away.
static void drain(void) {
  const uint32_t enabled = read32(enable(kMachineContext));
  quiet_uart();
  write32(enable(kMachineContext), 1 << kUartSource);
  for (uint32_t source; (source = read32(claim(kMachineContext)));) write32(claim(kMachineContext), source);
  write32(enable(kMachineContext), enabled);
}

int main(void) {
  machine_interrupt = take_external;
  quiet_uart();
  section("registers");
  for (int source = 1; source <= 10; source++) {
    write32(priority(source), 7);
    CHECK_EQ(read32(priority(source)), 7);
    write32(priority(source), 0);
    CHECK_EQ(read32(priority(source)), 0);
  }
  write32(priority(0), 7);
  CHECK_EQ(read32(priority(0)), 0);
  write32(enable(kMachineContext), 1 << kUartSource);
  CHECK_EQ(read32(enable(kMachineContext)), 1 << kUartSource);
  CHECK_EQ(read32(claim(kMachineContext)), 0);

  section("pending and claim");
  write32(threshold(kMachineContext), 0);
  raise_uart();
  CHECK_EQ(read32(PLIC + 0x1000) >> kUartSource & 1, 1);
  CHECK_EQ(csr_read(mip) & kExternal, 0);
  write32(priority(kUartSource), 3);
  CHECK_EQ(csr_read(mip) & kExternal, kExternal);
  write32(threshold(kMachineContext), 3);
  CHECK_EQ(csr_read(mip) & kExternal, 0);
  write32(threshold(kMachineContext), 2);
  CHECK_EQ(csr_read(mip) & kExternal, kExternal);
  CHECK_EQ(read32(claim(kMachineContext)), kUartSource);
  CHECK_EQ(read32(PLIC + 0x1000) >> kUartSource & 1, 0);
  CHECK_EQ(csr_read(mip) & kExternal, 0);
  CHECK_EQ(read32(claim(kMachineContext)), 0);
  write32(claim(kMachineContext), kUartSource);
  // The level is still high, so completion makes it pending again.
  if (strict()) CHECK_EQ(csr_read(mip) & kExternal, kExternal);
  drain();
  CHECK_EQ(csr_read(mip) & kExternal, 0);
  write32(threshold(kMachineContext), 0);

  section("machine external interrupt");
  csr_write(mie, kExternal);
  csr_set(mstatus, MSTATUS_MIE);
  for (unsigned i = 1; i <= 10; i++) {
    raise_uart();
    for (int spin = 0; spin < 1000 && hits < i; spin++) __asm__ volatile("nop");
    CHECK_EQ(hits, i);
    CHECK_EQ(claimed, kUartSource);
  }
  csr_clear(mstatus, MSTATUS_MIE);
  csr_write(mie, 0);

  section("disabled source");
  write32(enable(kMachineContext), 0);
  raise_uart();
  CHECK_EQ(csr_read(mip) & kExternal, 0);
  CHECK_EQ(read32(claim(kMachineContext)), 0);
  drain();

  section("supervisor external interrupt");
  supervisor_setup();
  supervisor_interrupt = take_supervisor_external;
  csr_write(mideleg, kSupervisorExternal);
  write32(enable(kSupervisorContext), 1 << kUartSource);
  write32(threshold(kSupervisorContext), 0);
  hits = 0;
  claimed = 0;
  run_in_mode(kSupervisor, listen, 0);
  CHECK_EQ(hits, 1);
  CHECK_EQ(claimed, kUartSource);
  finish("plic");
}
