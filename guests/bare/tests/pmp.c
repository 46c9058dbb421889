// SPDX-License-Identifier: Apache-2.0
// Physical memory protection: NA4, NAPOT and TOR regions, priority, locked entries against M-mode, MPRV.
#include "guest.h"

enum { kR = 1, kW = 2, kX = 4, kTor = 8, kNa4 = 16, kNapot = 24, kLocked = 128 };

static uint8_t arena[16384] __attribute__((aligned(16384)));

static void configure(int index, uint64_t address, uint64_t config) {
  switch (index) {
    case 0:
      csr_write(pmpaddr0, address);
      break;
    case 1:
      csr_write(pmpaddr1, address);
      break;
    case 2:
      csr_write(pmpaddr2, address);
      break;
    case 3:
      csr_write(pmpaddr3, address);
      break;
  }
  const uint64_t shift = 8 * (uint64_t)index;
  csr_write(pmpcfg0, (csr_read(pmpcfg0) & ~(0xffull << shift)) | config << shift);
  sfence();
}

static uint64_t napot(uint64_t base, uint64_t size) { return (base >> 2) | (size / 8 - 1); }

static long load(long address) { return *(volatile uint32_t*)address; }
static long store(long address) {
  *(volatile uint32_t*)address = 5;
  return 0;
}
static long call(long address) {
  __asm__ volatile("jalr ra, 0(%0)" ::"r"(address) : "ra", "memory");
  return 0;
}

static uint64_t cause_in(long mode, long (*what)(long), uint64_t address) {
  trap_clear();
  run_in_mode(mode, what, (long)address);
  return trap_cause();
}

static void expect(uint64_t address, bool r, bool w, bool x) {
  CHECK_EQ(cause_in(kSupervisor, load, address), r ? NO_TRAP : kLoadAccess);
  if (!r) CHECK_EQ(trap_tval(), address);
  CHECK_EQ(cause_in(kUser, store, address + 8), w ? NO_TRAP : kStoreAccess);
  if (!w) CHECK_EQ(trap_tval(), address + 8);
  CHECK_EQ(cause_in(kSupervisor, call, address), x ? NO_TRAP : kFetchAccess);
}

int main(void) {
  const uint64_t base = (uint64_t)arena;
  for (unsigned i = 0; i < sizeof arena; i += 4096) write16(base + i, 0x8082);
  fence_i();
  // Entry 3 lets everything through; entries before it are what the checks change.
  configure(3, ~0ull, kNapot | kR | kW | kX);
  configure(0, 0, 0);

  section("NAPOT");
  for (unsigned rights = 0; rights < 8; rights++) {
    if ((rights & (kR | kW)) == kW) continue;
    configure(0, napot(base + 4096, 4096), kNapot | rights);
    expect(base + 4096, rights & kR, rights & kW, rights & kX);
    expect(base, true, true, true);
    expect(base + 8192, true, true, true);
  }
  // Entries that are not locked leave M-mode alone, unless it acts for a lower mode.
  configure(0, napot(base + 4096, 4096), kNapot);
  CHECK_EQ(CAUSE_OF("ld t0, 0(%0)" ::"r"(base + 4096) : "t0"), NO_TRAP);
  csr_clear(mstatus, MSTATUS_MPP);
  csr_set(mstatus, MSTATUS_MPRV);
  trap_clear();
  __asm__ volatile("ld t0, 0(%0)" ::"r"(base + 4096) : "t0");
  csr_clear(mstatus, MSTATUS_MPRV);
  CHECK_EQ(trap_cause(), kLoadAccess);

  section("TOR");
  configure(0, (base + 4096) >> 2, 0);
  configure(1, (base + 8192) >> 2, kTor | kR);
  expect(base + 4096, true, false, false);
  expect(base, true, true, true);
  expect(base + 8192, true, true, true);

  section("NA4");
  configure(1, 0, 0);
  configure(0, base >> 2, kNa4);
  if (csr_read(pmpcfg0) & 0x18) {
    CHECK_EQ(cause_in(kSupervisor, load, base), kLoadAccess);
    CHECK_EQ(cause_in(kSupervisor, load, base + 4), NO_TRAP);
  }

  section("priority");
  configure(0, napot(base + 4096, 4096), kNapot | kR);
  configure(1, napot(base, 16384), kNapot);
  CHECK_EQ(cause_in(kSupervisor, load, base + 4096), NO_TRAP);
  CHECK_EQ(cause_in(kSupervisor, load, base), kLoadAccess);
  configure(1, 0, 0);

  section("locked");
  configure(2, napot(base + 8192, 4096), kNapot | kLocked | kR);
  CHECK_EQ(CAUSE_OF("ld t0, 0(%0)" ::"r"(base + 8192) : "t0"), NO_TRAP);
  CHECK_EQ(CAUSE_OF("sd t0, 0(%0)" ::"r"(base + 8192) : "memory"), kStoreAccess);
  CHECK_EQ(CAUSE_OF("jalr ra, 0(%0)" ::"r"(base + 8192) : "ra"), kFetchAccess);
  const uint64_t address = csr_read(pmpaddr2), config = csr_read(pmpcfg0);
  csr_write(pmpaddr2, 0);
  csr_write(pmpcfg0, config & ~0xff0000ull);
  CHECK_EQ(csr_read(pmpaddr2), address);
  CHECK_EQ(csr_read(pmpcfg0), config);
  finish("pmp");
}
