// SPDX-License-Identifier: Apache-2.0
// Sv39 and Sv48: permissions, superpages, SUM and MXR, canonical addresses, accessed and dirty bits with and without
// hardware updates (Svadu), and sfence.vma.
#include "guest.h"

enum { kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kG = 32, kA = 64, kD = 128 };
enum { kLeaf = kV | kR | kW | kX | kA | kD };
enum { kPageSize = 4096, kMaxTables = 32 };
#define MENVCFG_ADUE (1ull << 61)

static uint64_t tables[kMaxTables][512] __attribute__((aligned(kPageSize)));
static unsigned tables_used;
static uint64_t* root;
static int levels;
static uint8_t pages[4][kPageSize] __attribute__((aligned(kPageSize)));
static uint64_t test_va;

static uint64_t* new_table(void) {
  if (tables_used == kMaxTables) finish_with(4);
  uint64_t* table = tables[tables_used++];
  memset(table, 0, kPageSize);
  return table;
}

// The PTE of va at a level (0: 4 KiB), with the tables above it.
static uint64_t* pte_of(uint64_t va, int level) {
  uint64_t* table = root;
  for (int i = levels - 1; i > level; i--) {
    uint64_t* pte = &table[va >> (12 + 9 * i) & 511];
    if (!(*pte & kV)) *pte = (uint64_t)new_table() >> 12 << 10 | kV;
    table = (uint64_t*)(*pte >> 10 << 12);
  }
  return &table[va >> (12 + 9 * level) & 511];
}

static void map(uint64_t va, uint64_t pa, int level, uint64_t flags) {
  *pte_of(va, level) = pa >> 12 << 10 | flags;
  sfence();
}

static void paging_on(int new_levels) {
  levels = new_levels;
  tables_used = 0;
  root = new_table();
  // The guest's own gigabyte and the devices map to themselves, for S only.
  map(0x80000000, 0x80000000, 2, kLeaf | kG);
  map(0, 0, 2, kLeaf);
  csr_write(satp, (uint64_t)(levels == 3 ? 8 : 9) << 60 | (uint64_t)root >> 12);
  sfence();
  test_va = levels == 3 ? 0x2a00000000 : 0x550000000000;
}

// What S or U does to the test page; the machine traps tell how it went.
enum { kLoad, kStore, kFetch, kAmo, kLoadReserved };
static long touch(long kind) {
  uint64_t va = test_va, value = 0;
  switch (kind) {
    case kLoad:
      __asm__ volatile("ld %0, 16(%1)" : "+r"(value) : "r"(va) : "memory");
      break;
    case kStore:
      __asm__ volatile("sd %0, 24(%1)" ::"r"(0x77l), "r"(va) : "memory");
      break;
    case kFetch:
      __asm__ volatile("jalr ra, 0(%0)" ::"r"(va) : "ra", "memory");
      break;
    case kAmo:
      __asm__ volatile("amoadd.d %0, zero, (%1)" : "=r"(value) : "r"(va + 32) : "memory");
      break;
    case kLoadReserved:
      __asm__ volatile("lr.d %0, (%1)" : "=r"(value) : "r"(va + 32) : "memory");
      break;
  }
  return (long)value;
}

static uint64_t outcome(int mode, long kind) {
  trap_clear();
  if (mode == kSupervisor) {
    run_in_mode(mode, touch, kind);
  } else {
    // M-mode with MPRV does loads and stores as U without the need of a user mapping of this code.
    csr_clear(mstatus, MSTATUS_MPP);
    const uint64_t as_user = MSTATUS_MPRV;
    if (kind == kLoad)
      __asm__ volatile("csrs mstatus, %1; ld t0, 16(%0); csrc mstatus, %1" ::"r"(test_va), "r"(as_user)
                       : "t0", "memory");
    if (kind == kStore)
      __asm__ volatile("csrs mstatus, %1; sd zero, 24(%0); csrc mstatus, %1" ::"r"(test_va), "r"(as_user) : "memory");
  }
  return trap_cause();
}

// An AMO that may not write is a store fault, even where it could not read either.
static void check_amo(uint64_t wanted) {
  const uint64_t cause = outcome(kSupervisor, kAmo);
  if (!strict() && wanted == kStorePage && cause == kLoadPage) return;
  CHECK_EQ(cause, wanted);
}

static void expect(int mode, uint64_t flags, uint64_t load, uint64_t store, uint64_t fetch) {
  map(test_va, (uint64_t)pages[0], 0, flags);
  CHECK_EQ(outcome(mode, kLoad), load);
  if (load != NO_TRAP) CHECK_EQ(trap_tval(), test_va + 16);
  CHECK_EQ(outcome(mode, kStore), store);
  if (store != NO_TRAP) CHECK_EQ(trap_tval(), test_va + 24);
  if (mode != kSupervisor) return;
  CHECK_EQ(outcome(mode, kFetch), fetch);
  if (fetch != NO_TRAP) CHECK_EQ(trap_tval(), test_va);
  check_amo(store);
}

static void permissions(void) {
  section("permissions");
  const uint64_t l = kLoadPage, s = kStorePage, f = kFetchPage, ok = NO_TRAP, ad = kA | kD;
  expect(kSupervisor, 0, l, s, f);
  expect(kSupervisor, kV | kR | kW | kX | ad, ok, ok, ok);
  expect(kSupervisor, kV | kR | ad, ok, s, f);
  expect(kSupervisor, kV | kR | kW | ad, ok, ok, f);
  expect(kSupervisor, kV | kX | ad, l, s, ok);
  expect(kSupervisor, kV | kR | kX | ad, ok, s, ok);
  expect(kSupervisor, kV | kW | ad, l, s, f);
  expect(kSupervisor, kV | kW | kX | ad, l, s, f);
  expect(kSupervisor, kV | kR | kW | kX | kU | ad, l, s, f);
  expect(kUser, kV | kR | kW | ad, l, s, f);
  expect(kUser, kV | kR | kW | kU | ad, ok, ok, f);
  expect(kUser, kV | kR | kU | ad, ok, s, f);
  csr_set(mstatus, MSTATUS_SUM);
  expect(kSupervisor, kV | kR | kW | kX | kU | ad, ok, ok, f);
  csr_clear(mstatus, MSTATUS_SUM);
  csr_set(mstatus, MSTATUS_MXR);
  expect(kSupervisor, kV | kX | ad, ok, s, ok);
  csr_clear(mstatus, MSTATUS_MXR);
  // Reserved bits and a pointer where only a leaf may be.
  expect(kSupervisor, kLeaf | 1ull << 60, l, s, f);
  expect(kSupervisor, kV, l, s, f);
}

static void translation(void) {
  section("translation");
  memset(pages, 0, sizeof pages);
  for (int i = 0; i < 4; i++) write64((uint64_t)pages[i] + 16, 0x1000 + i);
  for (int i = 0; i < 4; i++) {
    map(test_va, (uint64_t)pages[i], 0, kLeaf);
    CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x1000 + i);
  }
  CHECK_EQ(run_in_mode(kSupervisor, touch, kStore), 0);
  CHECK_EQ(read64((uint64_t)pages[3] + 24), 0x77);

  // An access over the border of two pages that lie apart in memory.
  map(test_va, (uint64_t)pages[2], 0, kLeaf);
  map(test_va + kPageSize, (uint64_t)pages[0], 0, kLeaf);
  for (int i = 0; i < 8; i++) {
    pages[2][4092 + i % 4] = (uint8_t)(0xa0 + i % 4);
    pages[0][i % 4] = (uint8_t)(0xb0 + i % 4);
  }
  test_va += 4092 - 16;
  trap_clear();
  const uint64_t both = (uint64_t)run_in_mode(kSupervisor, touch, kLoad);
  CHECK(trap_cause() == kLoadMisaligned || both == 0xb3b2b1b0a3a2a1a0);
  *pte_of(test_va + kPageSize, 0) = 0;
  sfence();
  trap_clear();
  run_in_mode(kSupervisor, touch, kLoad);
  CHECK(trap_cause() == kLoadMisaligned || (trap_cause() == kLoadPage && trap_tval() == test_va - 4092 + 16 + 4096));
  test_va -= 4092 - 16;

  section("canonical addresses");
  const uint64_t saved = test_va;
  test_va |= 1ull << 63;
  CHECK_EQ(outcome(kSupervisor, kLoad), kLoadPage);
  CHECK_EQ(trap_tval(), test_va + 16);
  CHECK_EQ(outcome(kSupervisor, kFetch), kFetchPage);
  test_va = saved;

  section("top of the address space");
  test_va = ~0ull << (levels == 3 ? 38 : 47);
  map(test_va, (uint64_t)pages[1], 0, kLeaf);
  CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x1001);
  test_va = saved;
}

static void superpages(void) {
  section("superpages");
  const uint64_t small = test_va;
  for (int level = 1; level < 3; level++) {
    const uint64_t span = 1ull << (12 + 9 * level);
    test_va += span * 3;
    const uint64_t base = (uint64_t)pages[1] & ~(span - 1);
    map(test_va & ~(span - 1), base, level, kLeaf);
    const uint64_t saved = test_va;
    test_va = (test_va & ~(span - 1)) + ((uint64_t)pages[1] - base);
    CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x1001);
    test_va = saved;
    // A superpage whose low PPN bits are not zero is no valid leaf.
    map(test_va & ~(span - 1), base + kPageSize, level, kLeaf);
    CHECK_EQ(outcome(kSupervisor, kLoad), kLoadPage);
  }
  test_va = small;
}

static void accessed_and_dirty(void) {
  section("accessed and dirty bits");
  uint64_t* pte = pte_of(test_va, 0);
  // A hart with Svadu lets menvcfg choose. One without it does one of the two, always the same.
  trap_clear();
  csr_set(menvcfg, MENVCFG_ADUE);
  const bool selectable = trap_cause() == NO_TRAP && (csr_read(menvcfg) & MENVCFG_ADUE);
  for (int hardware = 0; hardware < 2; hardware++) {
    if (selectable && !hardware) csr_clear(menvcfg, MENVCFG_ADUE);
    if (selectable && hardware) csr_set(menvcfg, MENVCFG_ADUE);
    map(test_va, (uint64_t)pages[0], 0, kV | kR | kW | kX);
    const uint64_t cause = outcome(kSupervisor, kLoad);
    const bool updated = cause == NO_TRAP;
    if (selectable) CHECK_EQ(updated, hardware);
    if (updated) {
      CHECK_EQ(*pte & (kA | kD), kA);
      CHECK_EQ(outcome(kSupervisor, kStore), NO_TRAP);
      CHECK_EQ(*pte & (kA | kD), kA | kD);
      map(test_va, (uint64_t)pages[0], 0, kV | kR | kW | kX);
      CHECK_EQ(outcome(kSupervisor, kFetch), NO_TRAP);
      CHECK_EQ(*pte & (kA | kD), kA);
      map(test_va, (uint64_t)pages[0], 0, kV | kR | kW | kX);
      check_amo(NO_TRAP);
      CHECK_EQ(*pte & (kA | kD), kA | kD);
      // A store that is not allowed marks nothing dirty.
      map(test_va, (uint64_t)pages[0], 0, kV | kR);
      CHECK_EQ(outcome(kSupervisor, kStore), kStorePage);
      CHECK_EQ(*pte & kD, 0);
    } else {
      CHECK_EQ(cause, kLoadPage);
      CHECK_EQ(outcome(kSupervisor, kFetch), kFetchPage);
      check_amo(kStorePage);
      CHECK_EQ(*pte & (kA | kD), 0);
      map(test_va, (uint64_t)pages[0], 0, kV | kR | kW | kX | kA);
      CHECK_EQ(outcome(kSupervisor, kLoad), NO_TRAP);
      CHECK_EQ(outcome(kSupervisor, kStore), kStorePage);
      CHECK_EQ(*pte & kD, 0);
    }
  }
  if (selectable) csr_clear(menvcfg, MENVCFG_ADUE);
}

static void fences(void) {
  section("sfence.vma");
  for (int i = 0; i < 2; i++) write64((uint64_t)pages[i] + 16, 0x2000 + i);
  map(test_va, (uint64_t)pages[0], 0, kLeaf);
  CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x2000);
  *pte_of(test_va, 0) = (uint64_t)pages[1] >> 12 << 10 | kLeaf;
  __asm__ volatile("sfence.vma %0, zero" ::"r"(test_va) : "memory");
  CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x2001);
  *pte_of(test_va, 0) = (uint64_t)pages[0] >> 12 << 10 | kLeaf;
  __asm__ volatile("sfence.vma zero, %0" ::"r"(0l) : "memory");
  CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x2000);
  // Two address spaces keep their own translation of one page.
  uint64_t* first_root = root;
  const uint64_t first = csr_read(satp);
  uint64_t* second_root = new_table();
  memcpy(second_root, first_root, kPageSize);
  root = second_root;
  second_root[test_va >> (12 + 9 * (levels - 1)) & 511] = 0;
  *pte_of(test_va, 0) = (uint64_t)pages[1] >> 12 << 10 | kLeaf;
  root = first_root;
  const uint64_t second = (first >> 44 << 44 | (uint64_t)second_root >> 12) | 1ull << 44;
  sfence();
  for (int i = 0; i < 4; i++) {
    csr_write(satp, first);
    CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x2000);
    csr_write(satp, second);
    CHECK_EQ(run_in_mode(kSupervisor, touch, kLoad), 0x2001);
  }
  csr_write(satp, first);
  sfence();
}

int main(void) {
  // What the fetch check runs: one "ret".
  for (int i = 0; i < 4; i++) write16((uint64_t)pages[i], 0x8082);
  for (int mode = 3; mode <= 4; mode++) {
    csr_write(satp, 0);
    print("Sv%d\n", mode == 3 ? 39 : 48);
    paging_on(mode);
    CHECK_EQ(csr_read(satp) >> 60, mode == 3 ? 8 : 9);
    for (int i = 0; i < 4; i++) write16((uint64_t)pages[i], 0x8082);
    fence_i();
    permissions();
    translation();
    for (int i = 0; i < 4; i++) write16((uint64_t)pages[i], 0x8082);
    fence_i();
    superpages();
    accessed_and_dirty();
    fences();
    // A mode that does not exist leaves satp as it was.
    const uint64_t before = csr_read(satp);
    csr_write(satp, 15ull << 60 | 1);
    CHECK_EQ(csr_read(satp), before);
  }
  csr_write(satp, 0);
  finish("paging");
}
