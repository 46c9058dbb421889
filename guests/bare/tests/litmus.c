// SPDX-License-Identifier: Apache-2.0
// What harts may see of one another's memory accesses (unprivileged specification, chapter on RVWMO): small programs of
// two to four harts, each run on many cells, with the number of times that each outcome was seen. An outcome that the
// model forbids fails; one that it allows is counted, whether it came or not. Then locks, counters, messages and code
// between harts. Words of the command line: batches=N, so many times 256 cells a program; slow hosts take fewer.
// harts: 4
#include "guest.h"

enum { kCells = 256, kSoftware = 3, kMsie = 1 << kSoftware, kPatches = 32, kPatience = 4000, kImpatience = 4 };

// One run of a program: two words on lines of their own, and what the harts read.
typedef struct Cell {
  uint32_t x __attribute__((aligned(128)));
  uint32_t y __attribute__((aligned(128)));
  uint32_t r[4] __attribute__((aligned(128)));
} Cell;

// r[0] to r[3] and the last x and y.
typedef struct Outcome {
  uint32_t r[4], x, y;
} Outcome;

typedef struct Program {
  const char* name;
  unsigned harts;
  void (*hart[4])(Cell* cell);
  bool (*forbidden)(const Outcome* o);
  bool (*relaxed)(const Outcome* o);  // worth telling whether it came: no order of the harts' instructions gives it
} Program;

static Cell cells[kCells];
static uint32_t seen[4096];
static volatile uint64_t arrived, harts, barrier_count, barrier_phase;
static uint64_t batches, met;

static inline void relax(void) { __asm__ volatile(".4byte 0x0100000f" ::: "memory"); }  // pause

static void barrier(void) {
  const uint64_t phase = barrier_phase;
  if (__atomic_add_fetch(&barrier_count, 1, __ATOMIC_SEQ_CST) == harts) {
    barrier_count = 0;
    __atomic_store_n(&barrier_phase, phase + 1, __ATOMIC_SEQ_CST);
    return;
  }
  // At first without a hint that would give the host's processor away.
  for (int patience = kPatience; __atomic_load_n(&barrier_phase, __ATOMIC_SEQ_CST) == phase; patience--) {
    if (patience < 0) relax();
  }
}

// Lets the harts of a program begin a cell at about the same time. One that does not come is not waited for: on a host
// with fewer processors than harts it may not run at all.
static inline void meet(uint64_t wanted, int* patience) {
  __atomic_fetch_add(&met, 1, __ATOMIC_RELAXED);
  int left = *patience;
  while (left > 0 && *(volatile uint64_t*)&met < wanted) left--;
  *patience = left > 0 ? kPatience : kImpatience;
}

// --- The programs' pieces: a hart's two accesses with something between them, each one instruction.
#define LOCATIONS [x] "r"(&c->x), [y] "r"(&c->y), [one] "r"(1), [two] "r"(2)
#define PIECE(name, ...)                                                                             \
  static void name(Cell* c) {                                                                        \
    uint32_t a = 0, b = 0, d = 0;                                                                    \
    __asm__ volatile(__VA_ARGS__ : [a] "+&r"(a), [b] "+&r"(b), [d] "+&r"(d) : LOCATIONS : "memory"); \
    (void)d;
#define NOTHING }
#define KEEP(n) \
  c->r[n] = a;  \
  }
#define KEEP2(n)   \
  c->r[n] = a;     \
  c->r[n + 1] = b; \
  }
#define WW "fence w, w\n"
#define RR "fence r, r\n"
#define RW "fence r, w\n"
#define FULL "fence rw, rw\n"

PIECE(store_x_y, "sw %[one], 0(%[x])\n sw %[one], 0(%[y])")
NOTHING PIECE(store_x_ww_y, "sw %[one], 0(%[x])\n" WW "sw %[one], 0(%[y])") NOTHING
    PIECE(store_x_release_y, "sw %[one], 0(%[x])\n amoswap.w.rl %[a], %[one], (%[y])") NOTHING
    PIECE(load_y_x, "lw %[a], 0(%[y])\n lw %[b], 0(%[x])") KEEP2(0) PIECE(load_y_rr_x, "lw %[a], 0(%[y])\n" RR
                                                                                       "lw %[b], 0(%[x])") KEEP2(0)
        PIECE(load_y_address_x, "lw %[a], 0(%[y])\n xor %[d], %[a], %[a]\n add %[d], %[d], %[x]\n lw %[b], 0(%[d])")
            KEEP2(0) PIECE(acquire_y_x, "lr.w.aq %[a], (%[y])\n lw %[b], 0(%[x])") KEEP2(0)

                PIECE(store_x_load_y, "sw %[one], 0(%[x])\n lw %[a], 0(%[y])") KEEP(0) PIECE(
                    store_y_load_x, "sw %[one], 0(%[y])\n lw %[a], 0(%[x])") KEEP(1) PIECE(store_x_full_load_y,
                                                                                           "sw %[one], 0(%[x])\n" FULL
                                                                                           "lw %[a], 0(%[y])") KEEP(0)
                    PIECE(store_y_full_load_x, "sw %[one], 0(%[y])\n" FULL "lw %[a], 0(%[x])") KEEP(1)
                        PIECE(store_x_wr_load_y, "sw %[one], 0(%[x])\n fence w, r\n lw %[a], 0(%[y])") KEEP(0)
                            PIECE(store_y_wr_load_x, "sw %[one], 0(%[y])\n fence w, r\n lw %[a], 0(%[x])") KEEP(1)
                                PIECE(store_x_tso_load_y, "sw %[one], 0(%[x])\n fence.tso\n lw %[a], 0(%[y])") KEEP(0)
                                    PIECE(store_y_tso_load_x, "sw %[one], 0(%[y])\n fence.tso\n lw %[a], 0(%[x])")
                                        KEEP(1) PIECE(swap_x_load_y,
                                                      "amoswap.w.aqrl %[b], %[one], (%[x])\n lw %[a], 0(%[y])") KEEP(0)
                                            PIECE(swap_y_load_x,
                                                  "amoswap.w.aqrl %[b], %[one], (%[y])\n lw %[a], 0(%[x])") KEEP(1)

                                                PIECE(load_x_store_y, "lw %[a], 0(%[x])\n sw %[one], 0(%[y])") KEEP(0)
                                                    PIECE(load_y_store_x, "lw %[a], 0(%[y])\n sw %[one], 0(%[x])")
                                                        KEEP(1) PIECE(load_x_rw_store_y, "lw %[a], 0(%[x])\n" RW
                                                                                         "sw %[one], 0(%[y])") KEEP(0)
                                                            PIECE(load_y_rw_store_x,
                                                                  "lw %[a], 0(%[y])\n" RW "sw %[one], 0(%[x])") KEEP(1)
                                                                PIECE(load_x_data_y,
                                                                      "lw %[a], 0(%[x])\n xor %[d], %[a], %[a]\n addi "
                                                                      "%[d], %[d], 1\n sw %[d], 0(%[y])") KEEP(0)
                                                                    PIECE(load_y_data_x,
                                                                          "lw %[a], 0(%[y])\n xor %[d], %[a], %[a]\n "
                                                                          "addi %[d], %[d], 1\n sw %[d], 0(%[x])")
                                                                        KEEP(1)

                                                                            PIECE(store_x, "sw %[one], 0(%[x])") NOTHING
    PIECE(store_y, "sw %[one], 0(%[y])") NOTHING PIECE(store_x_twice, "sw %[one], 0(%[x])\n sw %[two], 0(%[x])") NOTHING
    PIECE(store2_x, "sw %[two], 0(%[x])") NOTHING PIECE(load_x_twice, "lw %[a], 0(%[x])\n lw %[b], 0(%[x])") KEEP2(0)
        PIECE(store_load_x, "sw %[one], 0(%[x])\n lw %[a], 0(%[x])") KEEP(0)
            PIECE(load_store_x, "lw %[a], 0(%[x])\n sw %[one], 0(%[x])") KEEP(0)

                PIECE(store_x1_y2, "sw %[one], 0(%[x])\n sw %[two], 0(%[y])") NOTHING
    PIECE(store_y1_x2, "sw %[one], 0(%[y])\n sw %[two], 0(%[x])") NOTHING
    PIECE(store_x1_ww_y2, "sw %[one], 0(%[x])\n" WW "sw %[two], 0(%[y])") NOTHING
    PIECE(store_y1_ww_x2, "sw %[one], 0(%[y])\n" WW "sw %[two], 0(%[x])") NOTHING
    PIECE(store_x2_y1, "sw %[two], 0(%[x])\n sw %[one], 0(%[y])") NOTHING
    PIECE(store_x2_ww_y1, "sw %[two], 0(%[x])\n" WW "sw %[one], 0(%[y])") NOTHING
    PIECE(load_y_then_x1, "lw %[a], 0(%[y])\n sw %[one], 0(%[x])") KEEP(0)
        PIECE(load_y_rw_x1, "lw %[a], 0(%[y])\n" RW "sw %[one], 0(%[x])") KEEP(0)
            PIECE(store_y2_load_x, "sw %[two], 0(%[y])\n lw %[a], 0(%[x])") KEEP(0)
                PIECE(store_y2_full_load_x, "sw %[two], 0(%[y])\n" FULL "lw %[a], 0(%[x])") KEEP(0)
                    PIECE(store_x_full_y, "sw %[one], 0(%[x])\n" FULL "sw %[one], 0(%[y])") NOTHING

    PIECE(read_x_y, "lw %[a], 0(%[x])\n lw %[b], 0(%[y])") KEEP2(0)
        PIECE(read_y_x, "lw %[a], 0(%[y])\n lw %[b], 0(%[x])") KEEP2(2)
            PIECE(read_x_rr_y, "lw %[a], 0(%[x])\n" RR "lw %[b], 0(%[y])") KEEP2(0)
                PIECE(read_y_rr_x, "lw %[a], 0(%[y])\n" RR "lw %[b], 0(%[x])") KEEP2(2)
                    PIECE(read_y_rr_x_late, "lw %[a], 0(%[y])\n" RR "lw %[b], 0(%[x])") KEEP2(1)

                        static bool never(const Outcome* o) {
  return o == NULL;
}
static bool message_lost(const Outcome* o) { return o->r[0] == 1 && o->r[1] == 0; }
static bool both_zero(const Outcome* o) { return o->r[0] == 0 && o->r[1] == 0; }
static bool both_one(const Outcome* o) { return o->r[0] == 1 && o->r[1] == 1; }
static bool went_back(const Outcome* o) { return o->r[0] > o->r[1]; }
static bool last_not_two(const Outcome* o) { return went_back(o) || o->x != 2; }
static bool own_store_lost(const Outcome* o) { return o->r[0] == 0 || (o->r[0] == 2 && o->x == 1); }
static bool read_own_future(const Outcome* o) { return o->r[0] == 1 || (o->r[0] == 2 && o->x == 2); }
static bool both_first(const Outcome* o) { return o->x == 1 && o->y == 1; }
static bool s_cycle(const Outcome* o) { return o->r[0] == 1 && o->x == 2; }
static bool r_cycle(const Outcome* o) { return o->r[0] == 0 && o->y == 2; }
static bool orders_differ(const Outcome* o) { return o->r[0] == 1 && o->r[1] == 0 && o->r[2] == 1 && o->r[3] == 0; }
static bool cause_lost(const Outcome* o) { return o->r[0] == 1 && o->r[1] == 1 && o->r[2] == 0; }

static const Program programs[] = {
    {"MP", 2, {store_x_y, load_y_x}, never, message_lost},
    {"MP+fences", 2, {store_x_ww_y, load_y_rr_x}, message_lost, never},
    {"MP+fence+address", 2, {store_x_ww_y, load_y_address_x}, message_lost, never},
    {"MP+release+acquire", 2, {store_x_release_y, acquire_y_x}, message_lost, never},
    {"SB", 2, {store_x_load_y, store_y_load_x}, never, both_zero},
    {"SB+fence.tso", 2, {store_x_tso_load_y, store_y_tso_load_x}, never, both_zero},
    {"SB+fences", 2, {store_x_full_load_y, store_y_full_load_x}, both_zero, never},
    {"SB+fences.w.r", 2, {store_x_wr_load_y, store_y_wr_load_x}, both_zero, never},
    {"SB+amoswap.aqrl", 2, {swap_x_load_y, swap_y_load_x}, both_zero, never},
    {"LB", 2, {load_x_store_y, load_y_store_x}, never, both_one},
    {"LB+fences", 2, {load_x_rw_store_y, load_y_rw_store_x}, both_one, never},
    {"LB+data", 2, {load_x_data_y, load_y_data_x}, both_one, never},
    {"CoRR", 2, {store_x, load_x_twice}, went_back, never},
    {"CoWW", 2, {store_x_twice, load_x_twice}, last_not_two, never},
    {"CoWR", 2, {store_load_x, store2_x}, own_store_lost, never},
    {"CoRW", 2, {load_store_x, store2_x}, read_own_future, never},
    {"2+2W", 2, {store_x1_y2, store_y1_x2}, never, both_first},
    {"2+2W+fences", 2, {store_x1_ww_y2, store_y1_ww_x2}, both_first, never},
    {"S", 2, {store_x2_y1, load_y_then_x1}, never, s_cycle},
    {"S+fences", 2, {store_x2_ww_y1, load_y_rw_x1}, s_cycle, never},
    {"R", 2, {store_x_y, store_y2_load_x}, never, r_cycle},
    {"R+fences", 2, {store_x_full_y, store_y2_full_load_x}, r_cycle, never},
    {"WRC+data+fence", 3, {store_x, load_x_data_y, read_y_rr_x_late}, cause_lost, never},
    {"IRIW", 4, {store_x, store_y, read_x_y, read_y_x}, never, orders_differ},
    {"IRIW+fences", 4, {store_x, store_y, read_x_rr_y, read_y_rr_x}, orders_differ, never},
};

static unsigned pack(const Cell* c) {
  return c->r[0] | c->r[1] << 2 | c->r[2] << 4 | c->r[3] << 6 | c->x << 8 | c->y << 10;
}

static Outcome unpack(unsigned key) {
  const Outcome o = {{key & 3, key >> 2 & 3, key >> 4 & 3, key >> 6 & 3}, key >> 8 & 3, key >> 10 & 3};
  return o;
}

static void report(const Program* p) {
  uint64_t total = 0, relaxed = 0, forbidden = 0;
  print("  %s:", p->name);
  for (unsigned key = 0; key < 4096; key++) {
    if (seen[key] == 0) continue;
    const Outcome o = unpack(key);
    total += seen[key];
    if (p->relaxed(&o)) relaxed += seen[key];
    if (p->forbidden(&o)) forbidden += seen[key];
    print(" [%u%u%u%u %u%u] %u", o.r[0], o.r[1], o.r[2], o.r[3], o.x, o.y, seen[key]);
    seen[key] = 0;
  }
  print("; %lu of %lu relaxed, %lu forbidden\n", relaxed, total, forbidden);
  CHECK_EQ(forbidden, 0);
}

static void run_program(const Program* p, uint64_t hart) {
  uint64_t random = hart + 1;
  if (p->harts > harts) return;
  for (uint64_t batch = 0; batch < batches; batch++) {
    if (hart == 0) {
      memset(cells, 0, sizeof cells);
      met = 0;
    }
    barrier();
    if (hart < p->harts) {
      void (*piece)(Cell*) = p->hart[hart];
      int patience = kPatience;
      for (unsigned i = 0; i < kCells; i++) {
        meet((i + 1) * p->harts, &patience);
        for (uint64_t wait = next_random(&random) >> 60; wait > 0; wait--) __asm__ volatile("nop");
        piece(&cells[i]);
      }
    }
    barrier();
    if (hart == 0) {
      for (unsigned i = 0; i < kCells; i++) seen[pack(&cells[i])]++;
    }
  }
  if (hart == 0) report(p);
  barrier();
}

// --- Counters and locks
static volatile uint64_t by_amo, by_lr_sc, by_lock, lock, lowest, highest, bits;
static volatile uint32_t word_counter;

static void count(uint64_t rounds) {
  const uint64_t hart = hart_id();
  for (uint64_t i = 0; i < rounds; i++) {
    __asm__ volatile("amoadd.d zero, %0, (%1)" ::"r"(1l), "r"(&by_amo) : "memory");
    __asm__ volatile("amoadd.w zero, %0, (%1)" ::"r"(1l), "r"(&word_counter) : "memory");
    __asm__ volatile("amomaxu.d zero, %0, (%1)" ::"r"(i * 8 + hart), "r"(&highest) : "memory");
    __asm__ volatile("amomin.d zero, %0, (%1)" ::"r"(-(int64_t)(i * 8 + hart)), "r"(&lowest) : "memory");
    __asm__ volatile("amoxor.d zero, %0, (%1)" ::"r"(1ull << (hart * 8 + (i & 7))), "r"(&bits) : "memory");
    __asm__ volatile("1: lr.d t0, (%0); addi t0, t0, 1; sc.d t1, t0, (%0); bnez t1, 1b" ::"r"(&by_lr_sc)
                     : "t0", "t1", "memory");
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) relax();
    by_lock = by_lock + 1;
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
  }
}

static void counters(uint64_t hart) {
  const uint64_t rounds = batches * 64;
  if (hart == 0) lowest = 0;
  barrier();
  count(rounds);
  barrier();
  if (hart != 0) return;
  print("  counters: amo %lu, lr/sc %lu, lock %lu of %lu\n", by_amo, by_lr_sc, by_lock, harts * rounds);
  CHECK_EQ(by_amo, harts * rounds);
  CHECK_EQ(word_counter, harts * rounds);
  CHECK_EQ(by_lr_sc, harts * rounds);
  CHECK_EQ(by_lock, harts * rounds);
  CHECK_EQ(highest, (rounds - 1) * 8 + harts - 1);
  CHECK_EQ(lowest, -((rounds - 1) * 8 + harts - 1));
  CHECK_EQ(bits, 0);
}

// A reservation does not outlive another hart's store.
static volatile uint64_t reserved, turn;

static void reservation(uint64_t hart) {
  for (uint64_t i = 0; i < batches && harts > 1; i++) {
    barrier();
    if (hart == 0) {
      uint64_t failed;
      reserved = 5, turn = 0;
      barrier();
      __asm__ volatile(
          "lr.d zero, (%1)\n li %0, 1\n sd %0, 0(%2)\n 1: ld %0, 0(%2)\n addi %0, %0, -2\n bnez %0, 1b\n"
          "sc.d %0, zero, (%1)"
          : "=&r"(failed)
          : "r"(&reserved), "r"(&turn)
          : "memory");
      CHECK(failed != 0);
      CHECK_EQ(reserved, 6);
    } else {
      barrier();
      if (hart == 1) {
        while (turn != 1) relax();
        reserved = 6;
        fence();
        turn = 2;
      }
    }
  }
  if (hart == 0) print("  reservation: lost %lu times of %lu\n", harts > 1 ? batches : 0, harts > 1 ? batches : 0);
}

// --- Messages and code by interprocessor interrupt
static volatile uint64_t message, answers[MAX_HARTS], told;
static uint32_t code[2] __attribute__((aligned(4096)));
static volatile uint64_t data_beside_code;

static long run_code(void) {
  long result;
  __asm__ volatile("jalr ra, 0(%1); mv %0, a0" : "=r"(result) : "r"(code) : "ra", "a0", "memory");
  return result;
}

static void patch(uint32_t value) {
  ((volatile uint32_t*)code)[0] = 0x00000513 | value << 20;  // li a0, value
  ((volatile uint32_t*)code)[1] = 0x00008067;                // ret
}

static void take_software(uint64_t cause) {
  const uint64_t hart = hart_id();
  if (cause != (INTERRUPT | kSoftware)) return;
  set_msip(hart, 0);
  fence_i();
  answers[hart] = message == (uint64_t)run_code() ? message : NO_TRAP;
  fence();
  __atomic_fetch_add(&told, 1, __ATOMIC_SEQ_CST);
}

// Hart 0 writes code and a message and interrupts all others, which run at the time or sleep.
static void messages(uint64_t hart) {
  for (uint32_t i = 1; i <= kPatches; i++) {
    if (hart == 0) {
      patch(i);
      message = i;
      told = 0;
      fence();
      for (uint64_t other = 1; other < harts; other++) set_msip(other, 1);
      while (__atomic_load_n(&told, __ATOMIC_SEQ_CST) + 1 < harts) relax();
      for (uint64_t other = 1; other < harts; other++) CHECK_EQ(answers[other], i);
    } else {
      csr_write(mie, kMsie);
      if (i & 1) {
        while (!(csr_read(mip) & kMsie) && answers[hart] != i) wfi();
      }
      csr_set(mstatus, MSTATUS_MIE);
      while (answers[hart] != i && answers[hart] != NO_TRAP) __asm__ volatile("" ::: "memory");
      csr_clear(mstatus, MSTATUS_MIE);
    }
    barrier();
  }
  if (hart == 0) print("  messages: %u by interrupt\n", kPatches);
}

// The same without interrupts: a flag, and nothing that leaves translated code on the writer's side.
static volatile uint64_t version;

static void code_by_flag(uint64_t hart) {
  for (uint32_t i = 1; i <= kPatches; i++) {
    if (hart == 0) {
      patch(i + 100);
      fence();
      version = i;
    } else {
      while (version != i) __asm__ volatile("" ::: "memory");
      fence_i();
      CHECK_EQ(run_code(), i + 100);
      data_beside_code = i;
    }
    barrier();
  }
  if (hart == 0) print("  code: changed %u times for all harts\n", kPatches);
}

static void work(uint64_t hart) {
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) run_program(&programs[i], hart);
  counters(hart);
  reservation(hart);
  messages(hart);
  barrier();
  code_by_flag(hart);
  barrier();
}

void secondary_main(uint64_t hart) {
  __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&harts, __ATOMIC_SEQ_CST)) relax();
  work(hart);
  csr_write(mie, 0);
  for (;;) wfi();
}

int main(void) {
  machine_interrupt = take_software;
  const uint64_t declared = hart_count();
  print("- harts: %lu\n", declared);
  batches = option("batches", 8);
  while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) + 1 < declared) relax();
  __atomic_store_n(&harts, declared, __ATOMIC_SEQ_CST);
  section("outcomes: [what was read, the last x and y] times");
  work(0);
  finish("litmus");
}
