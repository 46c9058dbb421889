// SPDX-License-Identifier: Apache-2.0
// Zba, Zbb and Zbs against plain arithmetic. A hart without them traps at the first one, and the guest says so.
#include "guest.h"

#define OP1(name, a)                                                         \
  ({                                                                         \
    uint64_t op_result;                                                      \
    __asm__ volatile(name " %0, %1" : "=r"(op_result) : "r"((uint64_t)(a))); \
    op_result;                                                               \
  })
#define OP2(name, a, b)                                                                              \
  ({                                                                                                 \
    uint64_t op_result;                                                                              \
    __asm__ volatile(name " %0, %1, %2" : "=r"(op_result) : "r"((uint64_t)(a)), "r"((uint64_t)(b))); \
    op_result;                                                                                       \
  })

static int count_bits(uint64_t value) {
  int count = 0;
  for (; value; value >>= 1) count += value & 1;
  return count;
}

static int leading_zeros(uint64_t value, int width) {
  int count = 0;
  for (int i = width - 1; i >= 0 && !(value >> i & 1); i--) count++;
  return count;
}

static int trailing_zeros(uint64_t value, int width) {
  int count = 0;
  while (count < width && !(value >> count & 1)) count++;
  return count;
}

static uint64_t rotate_left(uint64_t value, unsigned by, unsigned width) {
  for (by %= width; by; by--)
    value = width == 64 ? value << 1 | value >> 63 : (uint32_t)(value << 1 | (value >> 31 & 1));
  return value;
}

static void one(uint64_t a) {
  uint64_t reversed = 0, combined = 0;
  for (int i = 0; i < 64; i += 8) {
    reversed = reversed << 8 | (a >> i & 0xff);
    combined |= (a >> i & 0xff) ? 0xffull << i : 0;
  }
  CHECK_EQ(OP1("clz", a), leading_zeros(a, 64));
  CHECK_EQ(OP1("clzw", a), leading_zeros(a, 32));
  CHECK_EQ(OP1("ctz", a), trailing_zeros(a, 64));
  if (strict() || (uint32_t)a || !a) CHECK_EQ(OP1("ctzw", a), trailing_zeros(a, 32));
  CHECK_EQ(OP1("cpop", a), count_bits(a));
  CHECK_EQ(OP1("cpopw", a), count_bits(a & 0xffffffff));
  CHECK_EQ(OP1("sext.b", a), (int64_t)(int8_t)a);
  CHECK_EQ(OP1("sext.h", a), (int64_t)(int16_t)a);
  CHECK_EQ(OP1("zext.h", a), a & 0xffff);
  CHECK_EQ(OP1("zext.w", a), a & 0xffffffff);
  CHECK_EQ(OP1("rev8", a), reversed);
  CHECK_EQ(OP1("orc.b", a), combined);
}

static void two(uint64_t a, uint64_t b) {
  const uint64_t aw = a & 0xffffffff, bit = 1ull << (b & 63);
  CHECK_EQ(OP2("sh1add", a, b), a * 2 + b);
  CHECK_EQ(OP2("sh2add", a, b), a * 4 + b);
  CHECK_EQ(OP2("sh3add", a, b), a * 8 + b);
  CHECK_EQ(OP2("add.uw", a, b), aw + b);
  CHECK_EQ(OP2("sh1add.uw", a, b), aw * 2 + b);
  CHECK_EQ(OP2("sh2add.uw", a, b), aw * 4 + b);
  CHECK_EQ(OP2("sh3add.uw", a, b), aw * 8 + b);
  CHECK_EQ(OP2("andn", a, b), a & ~b);
  CHECK_EQ(OP2("orn", a, b), a | ~b);
  CHECK_EQ(OP2("xnor", a, b), ~(a ^ b));
  CHECK_EQ(OP2("min", a, b), (int64_t)a < (int64_t)b ? a : b);
  CHECK_EQ(OP2("max", a, b), (int64_t)a > (int64_t)b ? a : b);
  CHECK_EQ(OP2("minu", a, b), a < b ? a : b);
  CHECK_EQ(OP2("maxu", a, b), a > b ? a : b);
  CHECK_EQ(OP2("rol", a, b), rotate_left(a, b & 63, 64));
  CHECK_EQ(OP2("ror", a, b), rotate_left(a, (64 - (b & 63)) & 63, 64));
  CHECK_EQ(OP2("rolw", a, b), (int64_t)(int32_t)rotate_left(aw, b & 31, 32));
  CHECK_EQ(OP2("rorw", a, b), (int64_t)(int32_t)rotate_left(aw, (32 - (b & 31)) & 31, 32));
  CHECK_EQ(OP2("bclr", a, b), a & ~bit);
  CHECK_EQ(OP2("bset", a, b), a | bit);
  CHECK_EQ(OP2("binv", a, b), a ^ bit);
  CHECK_EQ(OP2("bext", a, b), (a & bit) != 0);
}

static void immediates(uint64_t a) {
  uint64_t value;
#define IMMEDIATE(text, wanted)                  \
  __asm__ volatile(text : "=r"(value) : "r"(a)); \
  CHECK_EQ(value, wanted)
  IMMEDIATE("rori %0, %1, 1", rotate_left(a, 63, 64));
  IMMEDIATE("rori %0, %1, 63", rotate_left(a, 1, 64));
  IMMEDIATE("rori %0, %1, 32", rotate_left(a, 32, 64));
  IMMEDIATE("roriw %0, %1, 5", (int64_t)(int32_t)rotate_left(a & 0xffffffff, 27, 32));
  IMMEDIATE("roriw %0, %1, 31", (int64_t)(int32_t)rotate_left(a & 0xffffffff, 1, 32));
  IMMEDIATE("slli.uw %0, %1, 4", (a & 0xffffffff) << 4);
  IMMEDIATE("slli.uw %0, %1, 40", (a & 0xffffffff) << 40);
  IMMEDIATE("bclri %0, %1, 63", a & ~(1ull << 63));
  IMMEDIATE("bseti %0, %1, 40", a | 1ull << 40);
  IMMEDIATE("binvi %0, %1, 0", a ^ 1);
  IMMEDIATE("bexti %0, %1, 33", a >> 33 & 1);
#undef IMMEDIATE
}

int main(void) {
  if (CAUSE_OF("sh1add t0, zero, zero" ::: "t0") == kIllegal) {
    print("bitmanip: this hart has no Zba\n");
    finish("bitmanip");
  }
  static const uint64_t kEdges[] = {0,
                                    1,
                                    2,
                                    0x80,
                                    0xff,
                                    0x8000,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    0x100000000,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    ~0ull,
                                    0x00ff00ff00ff00ff,
                                    31,
                                    32,
                                    63,
                                    64};
  enum { kCount = sizeof kEdges / sizeof kEdges[0] };
  section("edges");
  for (int i = 0; i < kCount; i++) {
    one(kEdges[i]);
    immediates(kEdges[i]);
    for (int j = 0; j < kCount; j++) two(kEdges[i], kEdges[j]);
  }
  section("random");
  uint64_t state = option("seed", 2);
  for (int i = 0; i < 300; i++) {
    const uint64_t a = next_random(&state) >> (i & 63), b = next_random(&state);
    one(a);
    two(a, b);
    immediates(b);
  }
  finish("bitmanip");
}
