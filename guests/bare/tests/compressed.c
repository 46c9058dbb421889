// SPDX-License-Identifier: Apache-2.0
// Compressed instructions, each by its own mnemonic, with results that were worked out by hand.
#include "guest.h"

static uint64_t data[40] __attribute__((aligned(64)));

#define VALUE(body, ...)                              \
  ({                                                  \
    register uint64_t result __asm__("a0");           \
    __asm__ volatile(body : "=r"(result)__VA_ARGS__); \
    result;                                           \
  })

static void arithmetic(void) {
  section("arithmetic");
  CHECK_EQ(VALUE("c.li a0, -32"), -32ll);
  CHECK_EQ(VALUE("c.li a0, 31"), 31);
  CHECK_EQ(VALUE("c.lui a0, 31"), 31 << 12);
  CHECK_EQ(VALUE("c.lui a0, 0xfffe0"), -(32ll << 12));
  CHECK_EQ(VALUE("c.li a0, 5; c.addi a0, -6"), -1ll);
  CHECK_EQ(VALUE("li a0, 0x7fffffff; c.addiw a0, 1"), -0x80000000ll);
  CHECK_EQ(VALUE("li a0, 0x1ffffffff; c.addiw a0, 0"), -1ll);
  CHECK_EQ(VALUE("li a0, 1; c.slli a0, 63"), 1ull << 63);
  CHECK_EQ(VALUE("li a0, -1; c.srli a0, 60"), 15);
  CHECK_EQ(VALUE("li a0, -16; c.srai a0, 2"), -4ll);
  CHECK_EQ(VALUE("li a0, 0x3ff; c.andi a0, -2"), 0x3fe);
  CHECK_EQ(VALUE("li a0, 7; li a1, 9; c.sub a0, a1", ::"a1"), -2ll);
  CHECK_EQ(VALUE("li a0, 12; li a1, 10; c.xor a0, a1", ::"a1"), 6);
  CHECK_EQ(VALUE("li a0, 12; li a1, 10; c.or a0, a1", ::"a1"), 14);
  CHECK_EQ(VALUE("li a0, 12; li a1, 10; c.and a0, a1", ::"a1"), 8);
  CHECK_EQ(VALUE("li a0, 0x80000000; li a1, 1; c.subw a0, a1", ::"a1"), 0x7fffffff);
  CHECK_EQ(VALUE("li a0, 0x7fffffff; li a1, 1; c.addw a0, a1", ::"a1"), -0x80000000ll);
  CHECK_EQ(VALUE("li a1, 77; c.mv a0, a1", ::"a1"), 77);
  CHECK_EQ(VALUE("li a0, 1; li a1, -2; c.add a0, a1", ::"a1"), -1ll);
  CHECK_EQ(VALUE("mv t0, sp; c.addi4spn a0, sp, 1020; sub a0, a0, t0", ::"t0"), 1020);
  CHECK_EQ(VALUE("mv t0, sp; c.addi16sp sp, -512; sub a0, t0, sp; mv sp, t0", ::"t0"), 512);
  CHECK_EQ(VALUE("li a0, 3; c.nop"), 3);
}

static void memory(void) {
  section("loads and stores");
  for (int i = 0; i < 40; i++) data[i] = 0x8000000180000002ull + (uint64_t)i;
  CHECK_EQ(VALUE("mv a1, %1; c.lw a0, 124(a1)", : "r"(data) : "a1"), -0x7fffffffll);
  CHECK_EQ(VALUE("mv a1, %1; c.ld a0, 248(a1)", : "r"(data) : "a1"), data[31]);
  CHECK_EQ(VALUE("mv a1, %1; li a0, 0x1234; c.sw a0, 4(a1); c.ld a0, 0(a1)",
                 : "r"(data)
                 : "a1", "memory"),
           0x0000123480000002);
  CHECK_EQ(VALUE("mv a1, %1; li a0, -9; c.sd a0, 8(a1); c.li a0, 0; c.ld a0, 8(a1)",
                 : "r"(data)
                 : "a1", "memory"),
           -9ll);
  // By the stack pointer; sp itself points at the data for a moment.
  CHECK_EQ(VALUE("mv t0, sp; mv sp, %1; c.ldsp a0, 256(sp); mv sp, t0", : "r"(data) : "t0"), data[32]);
  CHECK_EQ(VALUE("mv t0, sp; mv sp, %1; c.lwsp a0, 252(sp); mv sp, t0", : "r"(data) : "t0"), -0x7fffffffll);
  CHECK_EQ(VALUE("mv t0, sp; mv sp, %1; li a0, 55; c.sdsp a0, 264(sp); mv sp, t0", : "r"(data) : "t0", "memory"), 55);
  CHECK_EQ(data[33], 55);
  CHECK_EQ(VALUE("mv t0, sp; mv sp, %1; li a0, 66; c.swsp a0, 24(sp); mv sp, t0", : "r"(data) : "t0", "memory"), 66);
  CHECK_EQ(data[3], 0x8000000100000042);
  data[34] = 0x3ff8000000000000;
  CHECK_EQ(VALUE("mv t0, sp; mv sp, %1; c.fldsp fa0, 272(sp); c.fsdsp fa0, 280(sp); mv sp, t0; fmv.x.d a0, fa0",
                 : "r"(data)
                 : "t0", "fa0", "memory"),
           data[34]);
  CHECK_EQ(data[35], data[34]);
  CHECK_EQ(VALUE("mv a1, %1; c.fld fa0, 240(a1); c.fsd fa0, 248(a1); c.ld a0, 248(a1)",
                 : "r"(data)
                 : "a1", "fa0", "memory"),
           data[30]);
}

static void control(void) {
  section("jumps and branches");
  CHECK_EQ(VALUE("li a0, 1; c.j 1f; li a0, 2; 1:"), 1);
  CHECK_EQ(VALUE("li a0, 0; c.beqz a0, 1f; li a0, 2; 1:"), 0);
  CHECK_EQ(VALUE("li a0, 1; c.beqz a0, 1f; li a0, 2; 1:"), 2);
  CHECK_EQ(VALUE("li a0, 1; c.bnez a0, 1f; li a0, 2; 1:"), 1);
  CHECK_EQ(VALUE("li a0, 10; li a1, 0; 1: c.addi a1, 3; c.addi a0, -1; c.bnez a0, 1b; c.mv a0, a1", ::"a1"), 30);
  CHECK_EQ(VALUE("li a0, 1; la t0, 1f; c.jr t0; li a0, 2; 1:", ::"t0"), 1);
  // c.jalr links to the address two bytes on.
  CHECK_EQ(VALUE("la t0, 1f; c.jalr t0; 2: c.j 3f; 1: la a0, 2b; sub a0, ra, a0; c.jr ra; 3:", ::"t0", "ra"), 0);
}

static void illegal(void) {
  section("reserved encodings");
  CHECK_EQ(CAUSE_OF(".half 0x0000"), kIllegal);
  CHECK_EQ(CAUSE_OF(".half 0x2001"), kIllegal);  // c.addiw with rd = x0
  CHECK_EQ(CAUSE_OF(".half 0x6101"), kIllegal);  // c.addi16sp with a zero immediate
  CHECK_EQ(CAUSE_OF(".half 0x4002"), kIllegal);  // c.lwsp with rd = x0
  CHECK_EQ(CAUSE_OF(".half 0x6002"), kIllegal);  // c.ldsp with rd = x0
  CHECK_EQ(CAUSE_OF(".half 0x8002"), kIllegal);  // c.jr with rs1 = x0
  CHECK_EQ(CAUSE_OF(".half 0x9c41"), kIllegal);  // reserved beside c.addw
  CHECK_EQ(CAUSE_OF(".half 0x0001"), NO_TRAP);
}

int main(void) {
  arithmetic();
  memory();
  control();
  illegal();
  finish("compressed");
}
