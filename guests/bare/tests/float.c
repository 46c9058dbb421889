// SPDX-License-Identifier: Apache-2.0
// F and D: results and flags against a table that the build machine computed, then what the table cannot hold:
// rounding to nearest with ties away, conversions, comparisons, minimum and maximum, classes, signs and NaN boxing.
#include "guest.h"

enum { kInexact = 1, kUnderflow = 2, kOverflow = 4, kDivideByZero = 8, kInvalid = 16 };
enum { kAdd, kSub, kMul, kDiv, kSqrt, kFma, kToSingle, kToDouble };

typedef struct Row {
  uint8_t is_double, operation, mode, flags;
  uint64_t in[3], result;
} Row;

static const Row kTable[] = {
#include "float_table.inc"
};

#define BOX 0xffffffff00000000ull
static const uint64_t kOne = 0x3ff0000000000000, kNan = 0x7ff8000000000000, kSignalling = 0x7ff0000000000001;
static const uint64_t kInfinity = 0x7ff0000000000000, kMinusInfinity = 0xfff0000000000000;

static uint64_t flags(void) {
  uint64_t value;
  __asm__ volatile("frflags %0; fsflags zero" : "=r"(value));
  return value;
}
static void rounding(uint64_t mode) { __asm__ volatile("fsrm %0" ::"r"(mode)); }

#define LOAD "fmv.d.x ft0, %1; fmv.d.x ft1, %2; fmv.d.x ft2, %3; fsflags zero;"
#define RUN(body) \
  __asm__ volatile(LOAD body : "=r"(result) : "r"(in[0]), "r"(in[1]), "r"(in[2]) : "ft0", "ft1", "ft2", "ft3")

static uint64_t compute(const Row* row) {
  uint64_t in[3], result = 0;
  for (int i = 0; i < 3; i++) in[i] = row->is_double ? row->in[i] : row->in[i] | BOX;
  switch (row->operation * 2 + row->is_double) {
#define CASE(operation, text)                      \
  case operation * 2:                              \
    RUN(text ".s ft3, ft0, ft1; fmv.x.d %0, ft3"); \
    break;                                         \
  case operation * 2 + 1:                          \
    RUN(text ".d ft3, ft0, ft1; fmv.x.d %0, ft3"); \
    break
    CASE(kAdd, "fadd");
    CASE(kSub, "fsub");
    CASE(kMul, "fmul");
    CASE(kDiv, "fdiv");
#undef CASE
    case kSqrt * 2:
      RUN("fsqrt.s ft3, ft0; fmv.x.d %0, ft3");
      break;
    case kSqrt * 2 + 1:
      RUN("fsqrt.d ft3, ft0; fmv.x.d %0, ft3");
      break;
    case kFma * 2:
      RUN("fmadd.s ft3, ft0, ft1, ft2; fmv.x.d %0, ft3");
      break;
    case kFma * 2 + 1:
      RUN("fmadd.d ft3, ft0, ft1, ft2; fmv.x.d %0, ft3");
      break;
    case kToSingle * 2 + 1:
      RUN("fcvt.s.d ft3, ft0; fmv.x.d %0, ft3");
      break;
    case kToDouble * 2:
      RUN("fcvt.d.s ft3, ft0; fmv.x.d %0, ft3");
      break;
  }
  return result;
}

static void table(void) {
  section("table");
  for (unsigned i = 0; i < sizeof kTable / sizeof kTable[0]; i++) {
    const Row* row = &kTable[i];
    rounding(row->mode);
    const uint64_t got = compute(row), got_flags = flags();
    const bool single = row->operation == kToSingle || (!row->is_double && row->operation != kToDouble);
    const uint64_t wanted = single ? row->result | BOX : row->result;
    if (!CHECK_EQ(got, wanted) || !CHECK_EQ(got_flags, row->flags))
      print("  row %u: %s operation %u mode %u of %lx %lx %lx\n", i, row->is_double ? "double" : "single",
            row->operation, row->mode, row->in[0], row->in[1], row->in[2]);
  }
  rounding(0);
}

#define D2(text, a, b)                                                       \
  ({                                                                         \
    uint64_t d2_result;                                                      \
    __asm__ volatile("fmv.d.x ft0, %1; fmv.d.x ft1, %2; fsflags zero; " text \
                     : "=r"(d2_result)                                       \
                     : "r"((uint64_t)(a)), "r"((uint64_t)(b))                \
                     : "ft0", "ft1", "ft2");                                 \
    d2_result;                                                               \
  })

static void ties_away(void) {
  section("ties away from zero");
  const uint64_t half_ulp = 0x3ca0000000000000;
  CHECK_EQ(D2("fadd.d ft2, ft0, ft1, rmm; fmv.x.d %0, ft2", kOne, half_ulp), kOne + 1);
  CHECK_EQ(flags(), kInexact);
  CHECK_EQ(D2("fadd.d ft2, ft0, ft1, rne; fmv.x.d %0, ft2", kOne, half_ulp), kOne);
  CHECK_EQ(D2("fadd.d ft2, ft0, ft1, rmm; fmv.x.d %0, ft2", kOne + 1, half_ulp), kOne + 2);
  CHECK_EQ(D2("fsub.d ft2, ft0, ft1, rmm; fmv.x.d %0, ft2", kOne | 1ull << 63, half_ulp), (kOne + 1) | 1ull << 63);
  CHECK_EQ(D2("fcvt.w.d %0, ft0, rmm", 0x4004000000000000, 0), 3);
  CHECK_EQ(D2("fcvt.w.d %0, ft0, rne", 0x4004000000000000, 0), 2);
  CHECK_EQ(D2("fcvt.w.d %0, ft0, rmm", 0xc004000000000000, 0), -3ll);
  CHECK_EQ(D2("fcvt.w.d %0, ft0, rmm", 0x3fe0000000000000, 0), 1);
  CHECK_EQ(D2("fcvt.w.d %0, ft0, rmm", 0x3fdfffffffffffff, 0), 0);
  CHECK_EQ(D2("fcvt.s.d ft2, ft0, rmm; fmv.x.w %0, ft2", 0x3ff0000010000000, 0), 0x3f800001);
  CHECK_EQ(D2("fcvt.s.d ft2, ft0, rne; fmv.x.w %0, ft2", 0x3ff0000010000000, 0), 0x3f800000);
}

static void conversions(void) {
  section("conversions");
  static const struct {
    uint64_t in, w, wu, l, lu;
  } kCases[] = {
      {0x0000000000000000, 0, 0, 0, 0},
      {0x4059000000000000, 100, 100, 100, 100},
      {0xbff0000000000000, -1ull, 0, -1ull, 0},
      {0x41dfffffffc00000, 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff},
      {0x41e0000000000000, 0x7fffffff, 0xffffffff80000000, 0x80000000, 0x80000000},
      {0x41f0000000000000, 0x7fffffff, -1ull, 0x100000000, 0x100000000},
      {0xc1e0000000000000, -0x80000000ull, 0, -0x80000000ull, 0},
      {0x43e0000000000000, 0x7fffffff, -1ull, 0x7fffffffffffffff, 0x8000000000000000},
      {0x43f0000000000000, 0x7fffffff, -1ull, 0x7fffffffffffffff, -1ull},
      {0x7ff0000000000000, 0x7fffffff, -1ull, 0x7fffffffffffffff, -1ull},
      {0xfff0000000000000, -0x80000000ull, 0, 0x8000000000000000, 0},
      {0x7ff8000000000000, 0x7fffffff, -1ull, 0x7fffffffffffffff, -1ull},
      {0xfff8000000000000, 0x7fffffff, -1ull, 0x7fffffffffffffff, -1ull},
  };
  for (unsigned i = 0; i < sizeof kCases / sizeof kCases[0]; i++) {
    CHECK_EQ(D2("fcvt.w.d %0, ft0, rtz", kCases[i].in, 0), kCases[i].w);
    CHECK_EQ(D2("fcvt.wu.d %0, ft0, rtz", kCases[i].in, 0), kCases[i].wu);
    CHECK_EQ(D2("fcvt.l.d %0, ft0, rtz", kCases[i].in, 0), kCases[i].l);
    CHECK_EQ(D2("fcvt.lu.d %0, ft0, rtz", kCases[i].in, 0), kCases[i].lu);
  }
  D2("fcvt.wu.d %0, ft0, rtz", 0xbff0000000000000, 0);
  CHECK_EQ(flags(), kInvalid);
  CHECK_EQ(D2("fcvt.wu.d %0, ft0, rtz", 0xbfe0000000000000, 0), 0);
  CHECK_EQ(flags(), kInexact);
  CHECK_EQ(D2("fcvt.wu.d %0, ft0, rdn", 0xbfe0000000000000, 0), 0);
  CHECK_EQ(flags(), kInvalid);
  CHECK_EQ(D2("li t0, -1; fcvt.d.lu ft2, t0; fmv.x.d %0, ft2", 0, 0), 0x43f0000000000000);
  CHECK_EQ(flags(), kInexact);
  CHECK_EQ(D2("li t0, -1; fcvt.d.lu ft2, t0, rtz; fmv.x.d %0, ft2", 0, 0), 0x43efffffffffffff);
  CHECK_EQ(D2("li t0, -1; fcvt.d.l ft2, t0; fmv.x.d %0, ft2", 0, 0), 0xbff0000000000000);
  CHECK_EQ(D2("li t0, -1; fcvt.d.wu ft2, t0; fmv.x.d %0, ft2", 0, 0), 0x41efffffffe00000);
  CHECK_EQ(D2("li t0, 0x1000001; fcvt.s.w ft2, t0, rup; fmv.x.w %0, ft2", 0, 0), 0x4b800001);
}

static void comparisons(void) {
  section("comparisons, minimum, maximum");
  CHECK_EQ(D2("feq.d %0, ft0, ft1", 0, 1ull << 63), 1);
  CHECK_EQ(D2("feq.d %0, ft0, ft1", kNan, kNan), 0);
  CHECK_EQ(flags(), 0);
  CHECK_EQ(D2("feq.d %0, ft0, ft1", kSignalling, kOne), 0);
  CHECK_EQ(flags(), kInvalid);
  CHECK_EQ(D2("flt.d %0, ft0, ft1", kNan, kOne), 0);
  CHECK_EQ(flags(), kInvalid);
  CHECK_EQ(D2("fle.d %0, ft0, ft1", kOne, kOne), 1);
  CHECK_EQ(D2("flt.d %0, ft0, ft1", kMinusInfinity, kInfinity), 1);
  CHECK_EQ(D2("flt.d %0, ft0, ft1", 1ull << 63, 0), 0);
  CHECK_EQ(D2("fmin.d ft2, ft0, ft1; fmv.x.d %0, ft2", 0, 1ull << 63), 1ull << 63);
  CHECK_EQ(D2("fmax.d ft2, ft0, ft1; fmv.x.d %0, ft2", 1ull << 63, 0), 0);
  CHECK_EQ(D2("fmin.d ft2, ft0, ft1; fmv.x.d %0, ft2", kNan, kOne), kOne);
  CHECK_EQ(flags(), 0);
  CHECK_EQ(D2("fmax.d ft2, ft0, ft1; fmv.x.d %0, ft2", kOne, kSignalling), kOne);
  CHECK_EQ(flags(), kInvalid);
  CHECK_EQ(D2("fmax.d ft2, ft0, ft1; fmv.x.d %0, ft2", kNan, kNan | 1), kNan);

  section("classes and signs");
  static const uint64_t kClasses[] = {
      0xfff0000000000000, 0xbff0000000000000, 0x8000000000000001, 1ull << 63,        0, 1,
      0x3ff0000000000000, 0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000};
  for (int i = 0; i < 10; i++) CHECK_EQ(D2("fclass.d %0, ft0", kClasses[i], 0), 1 << i);
  CHECK_EQ(D2("fsgnj.d ft2, ft0, ft1; fmv.x.d %0, ft2", kNan | 5, kMinusInfinity), kNan | 5 | 1ull << 63);
  CHECK_EQ(D2("fsgnjn.d ft2, ft0, ft1; fmv.x.d %0, ft2", kOne, kOne), kOne | 1ull << 63);
  CHECK_EQ(D2("fsgnjx.d ft2, ft0, ft1; fmv.x.d %0, ft2", kOne | 1ull << 63, kMinusInfinity), kOne);
  CHECK_EQ(flags(), 0);
}

static void negated_products(void) {
  section("fmsub, fnmsub, fnmadd");
  const uint64_t two = 0x4000000000000000, six = 0x4018000000000000;
#define FMA(name) D2("fadd.d ft2, ft1, ft1; " name " ft2, ft0, ft1, ft2; fmv.x.d %0, ft2", two, 0x4008000000000000)
  // 2 * 3 and 6.
  CHECK_EQ(FMA("fmadd.d"), six + (1ull << 52));
  CHECK_EQ(FMA("fmsub.d"), 0);
  CHECK_EQ(FMA("fnmsub.d"), 0);
  CHECK_EQ(FMA("fnmadd.d"), (six + (1ull << 52)) | 1ull << 63);
#undef FMA
  // Infinity times zero is invalid even with a quiet NaN to add.
  CHECK_EQ(D2("fmv.d.x ft2, %2; fmv.d.x ft1, zero; fmadd.d ft2, ft0, ft1, ft2; fmv.x.d %0, ft2", kInfinity, kNan),
           kNan);
  CHECK_EQ(flags(), kInvalid);
}

static void boxing(void) {
  section("NaN boxing");
  // A single that is not boxed reads as the canonical NaN.
  CHECK_EQ(D2("fadd.s ft2, ft0, ft1; fmv.x.d %0, ft2", 0x3f800000, BOX | 0x3f800000), BOX | 0x7fc00000);
  CHECK_EQ(D2("fclass.s %0, ft0", 0x3f800000, 0), 1 << 9);
  CHECK_EQ(D2("fsgnj.s ft2, ft0, ft1; fmv.x.d %0, ft2", 0x3f800000, BOX | 0x80000000), BOX | 0xffc00000);
  // Moves and stores take the bits as they are.
  CHECK_EQ(D2("fmv.x.w %0, ft0", 0x12345678bf800000, 0), 0xffffffffbf800000);
  CHECK_EQ(D2("fmv.w.x ft2, %1; fmv.x.d %0, ft2", 0x123456783f800000, 0), BOX | 0x3f800000);
  uint64_t cell = 0x1111111140400000;
  __asm__ volatile("flw ft0, 0(%0); fsd ft0, 0(%0)" ::"r"(&cell) : "ft0", "memory");
  CHECK_EQ(cell, BOX | 0x40400000);
  __asm__ volatile("fmv.d.x ft0, %1; fsw ft0, 0(%0)" ::"r"(&cell), "r"(0x5555555566666666) : "ft0", "memory");
  CHECK_EQ(cell, BOX | 0x66666666);
}

static void control(void) {
  section("fcsr");
  csr_write(fcsr, 0xffffffff);
  CHECK_EQ(csr_read(fcsr), 0xff);
  CHECK_EQ(csr_read(frm), 7);
  // A dynamic rounding mode that does not exist is an illegal instruction.
  CHECK_EQ(CAUSE_OF("fadd.d ft0, ft0, ft0"), kIllegal);
  csr_write(frm, 4);
  CHECK_EQ(CAUSE_OF("fadd.d ft0, ft0, ft0"), NO_TRAP);
  csr_write(fcsr, 0);
  // Flags stay until they are cleared.
  __asm__ volatile("fmv.d.x ft0, %0; fmv.d.x ft1, zero; fdiv.d ft2, ft0, ft1; fadd.d ft2, ft0, ft0" ::"r"(kOne)
                   : "ft0", "ft1", "ft2");
  CHECK_EQ(flags(), kDivideByZero);
}

int main(void) {
  table();
  ties_away();
  conversions();
  comparisons();
  negated_products();
  boxing();
  control();
  finish("float");
}
