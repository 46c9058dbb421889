// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic at its edges: division by zero and overflow, high products against long multiplication, shifts,
// and the sign extension of 32-bit results.
#include "guest.h"

#define OP2(name, a, b)                                                                              \
  ({                                                                                                 \
    uint64_t op_result;                                                                              \
    __asm__ volatile(name " %0, %1, %2" : "=r"(op_result) : "r"((uint64_t)(a)), "r"((uint64_t)(b))); \
    op_result;                                                                                       \
  })

static const uint64_t kEdges[] = {0,
                                  1,
                                  2,
                                  3,
                                  7,
                                  31,
                                  32,
                                  63,
                                  64,
                                  0x7f,
                                  0x80,
                                  0xff,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  0x100000000,
                                  0x7fffffffffffffff,
                                  0x8000000000000000,
                                  0xffffffffffffffff,
                                  0xfffffffffffffffe,
                                  0xffffffff80000000,
                                  0x123456789abcdef0,
                                  0xdeadbeefcafebabe,
                                  0x5555555555555555,
                                  0xaaaaaaaaaaaaaaaa};
enum { kEdgeCount = sizeof kEdges / sizeof kEdges[0] };

// The upper half by four products of 32 bits, so that the hart's own high multiplication is not its judge.
static uint64_t high_unsigned(uint64_t a, uint64_t b) {
  const uint64_t al = a & 0xffffffff, ah = a >> 32, bl = b & 0xffffffff, bh = b >> 32;
  const uint64_t middle = ah * bl + (al * bl >> 32);
  const uint64_t carry = al * bh + (middle & 0xffffffff);
  return ah * bh + (middle >> 32) + (carry >> 32);
}

// Division by subtraction and shift.
static void divide(uint64_t a, uint64_t b, uint64_t* quotient, uint64_t* remainder) {
  *quotient = 0;
  *remainder = 0;
  for (int i = 63; i >= 0; i--) {
    const bool carry = *remainder >> 63;
    *remainder = *remainder << 1 | (a >> i & 1);
    if (carry || *remainder >= b) {
      *remainder -= b;
      *quotient |= 1ull << i;
    }
  }
}

static void products(uint64_t a, uint64_t b) {
  const uint64_t high = high_unsigned(a, b);
  const uint64_t a_negative = (uint64_t)((int64_t)a >> 63), b_negative = (uint64_t)((int64_t)b >> 63);
  uint64_t low = 0;
  for (int i = 0; i < 64; i++) low += (b >> i & 1) ? a << i : 0;
  CHECK_EQ(OP2("mul", a, b), low);
  CHECK_EQ(OP2("mulhu", a, b), high);
  CHECK_EQ(OP2("mulh", a, b), high - (a_negative & b) - (b_negative & a));
  CHECK_EQ(OP2("mulhsu", a, b), high - (a_negative & b));
  CHECK_EQ(OP2("mulw", a, b), (int64_t)(int32_t)low);
}

static uint64_t negate_if(uint64_t value, bool negative) { return negative ? 0 - value : value; }

static void quotients(uint64_t a, uint64_t b) {
  uint64_t q, r;
  if (b == 0) {
    CHECK_EQ(OP2("divu", a, b), ~0ull);
    CHECK_EQ(OP2("div", a, b), ~0ull);
    CHECK_EQ(OP2("remu", a, b), a);
    CHECK_EQ(OP2("rem", a, b), a);
  } else {
    divide(a, b, &q, &r);
    CHECK_EQ(OP2("divu", a, b), q);
    CHECK_EQ(OP2("remu", a, b), r);
    const bool an = a >> 63, bn = b >> 63;
    divide(negate_if(a, an), negate_if(b, bn), &q, &r);
    CHECK_EQ(OP2("div", a, b), negate_if(q, an != bn));
    CHECK_EQ(OP2("rem", a, b), negate_if(r, an));
  }
  const uint64_t aw = a & 0xffffffff, bw = b & 0xffffffff;
  if (bw == 0) {
    CHECK_EQ(OP2("divuw", a, b), ~0ull);
    CHECK_EQ(OP2("divw", a, b), ~0ull);
    CHECK_EQ(OP2("remuw", a, b), (int64_t)(int32_t)aw);
    CHECK_EQ(OP2("remw", a, b), (int64_t)(int32_t)aw);
  } else {
    divide(aw, bw, &q, &r);
    CHECK_EQ(OP2("divuw", a, b), (int64_t)(int32_t)q);
    CHECK_EQ(OP2("remuw", a, b), (int64_t)(int32_t)r);
    const uint64_t as = (uint64_t)(int64_t)(int32_t)a, bs = (uint64_t)(int64_t)(int32_t)b;
    const bool an = as >> 63, bn = bs >> 63;
    divide(negate_if(as, an), negate_if(bs, bn), &q, &r);
    CHECK_EQ(OP2("divw", a, b), (int64_t)(int32_t)negate_if(q, an != bn));
    CHECK_EQ(OP2("remw", a, b), (int64_t)(int32_t)negate_if(r, an));
  }
}

static void shifts(uint64_t a, uint64_t b) {
  uint64_t left = a, right = a, arithmetic = a;
  for (unsigned i = 0; i < (b & 63); i++) {
    left += left;
    right = right >> 1 & 0x7fffffffffffffff;
    arithmetic = (arithmetic >> 1 & 0x7fffffffffffffff) | (a & 1ull << 63);
  }
  CHECK_EQ(OP2("sll", a, b), left);
  CHECK_EQ(OP2("srl", a, b), right);
  CHECK_EQ(OP2("sra", a, b), arithmetic);
  uint32_t leftw = (uint32_t)a, rightw = (uint32_t)a, arithmeticw = (uint32_t)a;
  for (unsigned i = 0; i < (b & 31); i++) {
    leftw += leftw;
    rightw = rightw >> 1 & 0x7fffffff;
    arithmeticw = (arithmeticw >> 1 & 0x7fffffff) | ((uint32_t)a & 0x80000000);
  }
  CHECK_EQ(OP2("sllw", a, b), (int64_t)(int32_t)leftw);
  CHECK_EQ(OP2("srlw", a, b), (int64_t)(int32_t)rightw);
  CHECK_EQ(OP2("sraw", a, b), (int64_t)(int32_t)arithmeticw);
}

static void sums(uint64_t a, uint64_t b) {
  uint64_t carry = 0, sum = 0;
  for (int i = 0; i < 64; i++) {
    const uint64_t x = a >> i & 1, y = b >> i & 1;
    sum |= (x ^ y ^ carry) << i;
    carry = (x & y) | (carry & (x ^ y));
  }
  CHECK_EQ(OP2("add", a, b), sum);
  CHECK_EQ(OP2("addw", a, b), (int64_t)(int32_t)sum);
  CHECK_EQ(OP2("sub", sum, b), a);
  CHECK_EQ(OP2("subw", sum, b), (int64_t)(int32_t)a);
  // a < b unsigned is the borrow; signed comparison flips both sign bits.
  uint64_t q, r;
  const bool below = a != b && (b == 0 ? false : (divide(a, b, &q, &r), q == 0));
  CHECK_EQ(OP2("sltu", a, b), below);
  const uint64_t as = a ^ 1ull << 63, bs = b ^ 1ull << 63;
  const bool signed_below = as != bs && (bs == 0 ? false : (divide(as, bs, &q, &r), q == 0));
  CHECK_EQ(OP2("slt", a, b), signed_below);
  bool taken = false;
  __asm__ volatile("li %0, 0; bgeu %1, %2, 1f; li %0, 1; 1:" : "=&r"(taken) : "r"(a), "r"(b));
  CHECK_EQ(taken, below);
  __asm__ volatile("li %0, 0; bge %1, %2, 1f; li %0, 1; 1:" : "=&r"(taken) : "r"(a), "r"(b));
  CHECK_EQ(taken, signed_below);
}

static void loads(void) {
  section("loads and stores");
  static const uint8_t bytes[16] __attribute__((aligned(8))) = {0x80, 0xff, 0x7f, 0x01, 0xfe, 0x81, 0x00, 0xc3};
  uint64_t value;
  __asm__ volatile("lb %0, 0(%1)" : "=r"(value) : "r"(bytes));
  CHECK_EQ(value, 0xffffffffffffff80);
  __asm__ volatile("lbu %0, 1(%1)" : "=r"(value) : "r"(bytes));
  CHECK_EQ(value, 0xff);
  __asm__ volatile("lh %0, 0(%1)" : "=r"(value) : "r"(bytes));
  CHECK_EQ(value, 0xffffffffffffff80);
  __asm__ volatile("lhu %0, 4(%1)" : "=r"(value) : "r"(bytes));
  CHECK_EQ(value, 0x81fe);
  __asm__ volatile("lw %0, 4(%1)" : "=r"(value) : "r"(bytes));
  CHECK_EQ(value, 0xffffffffc30081fe);
  __asm__ volatile("lwu %0, 4(%1)" : "=r"(value) : "r"(bytes));
  CHECK_EQ(value, 0xc30081fe);
  __asm__ volatile("ld %0, -8(%1)" : "=r"(value) : "r"(bytes + 8));
  CHECK_EQ(value, 0xc30081fe017fff80);
  __asm__ volatile("addi zero, %1, 5; mv %0, zero" : "=r"(value) : "r"(bytes));
  CHECK_EQ(value, 0);
}

int main(void) {
  section("edges");
  for (int i = 0; i < kEdgeCount; i++) {
    for (int j = 0; j < kEdgeCount; j++) {
      products(kEdges[i], kEdges[j]);
      quotients(kEdges[i], kEdges[j]);
      shifts(kEdges[i], kEdges[j]);
      sums(kEdges[i], kEdges[j]);
    }
  }
  section("random");
  uint64_t state = option("seed", 1);
  for (int i = 0; i < 400; i++) {
    const uint64_t a = next_random(&state) >> (i & 63), b = next_random(&state) >> (i * 5 & 63);
    products(a, b);
    quotients(a, b);
    shifts(a, b);
    sums(a, b);
  }
  loads();
  finish("integer");
}
