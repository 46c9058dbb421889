// SPDX-License-Identifier: Apache-2.0
// Runs on the build machine: computes floating-point operations with the host's own IEEE 754 arithmetic, with every
// rounding mode that C can set, and prints the table that the float guest compares with. The host's NaN payloads and
// signs differ from RISC-V's, whose results are always the canonical NaN, so every NaN result is printed as that.
#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { kAdd, kSub, kMul, kDiv, kSqrt, kFma, kToSingle, kToDouble, kOperations };
enum { kRandomRows = 40 };

static uint64_t state = 0x10c57e9;

static uint64_t next_random(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 2685821657736338717ull;
}

static const uint64_t kDoubles[] = {0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
                                    0x3fd5555555555555, 0x4008000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
                                    0x0010000000000000, 0x000fffffffffffff, 0x0000000000000001, 0x8000000000000001,
                                    0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001,
                                    0x3ff0000000000001, 0x3ca0000000000000, 0x47efffffe0000000, 0x380fffffc0000000,
                                    0x36a0000000000000, 0x3690000000000001, 0x47effffff0000000, 0x001fffffffffffff};
static const uint32_t kSingles[] = {0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x3eaaaaab, 0x40400000,
                                    0x7f7fffff, 0xff7fffff, 0x00800000, 0x007fffff, 0x00000001, 0x80000001,
                                    0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x3f800001, 0x33800000};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static int riscv_flags(void) {
  const int host = fetestexcept(FE_ALL_EXCEPT);
  return !!(host & FE_INEXACT) | !!(host & FE_UNDERFLOW) << 1 | !!(host & FE_OVERFLOW) << 2 |
         !!(host & FE_DIVBYZERO) << 3 | !!(host & FE_INVALID) << 4;
}

static uint64_t double_operation(int operation, const uint64_t* in) {
  volatile double a, b, c, result = 0;
  uint64_t bits;
  memcpy((void*)&a, &in[0], 8);
  memcpy((void*)&b, &in[1], 8);
  memcpy((void*)&c, &in[2], 8);
  feclearexcept(FE_ALL_EXCEPT);
  switch (operation) {
    case kAdd:
      result = a + b;
      break;
    case kSub:
      result = a - b;
      break;
    case kMul:
      result = a * b;
      break;
    case kDiv:
      result = a / b;
      break;
    case kSqrt:
      result = sqrt(a);
      break;
    case kFma:
      result = fma(a, b, c);
      break;
    case kToSingle: {
      volatile float narrow = (float)a;
      uint32_t narrow_bits;
      memcpy(&narrow_bits, (const void*)&narrow, 4);
      return isnan(narrow) ? 0x7fc00000 : narrow_bits;
    }
  }
  memcpy(&bits, (const void*)&result, 8);
  return isnan(result) ? 0x7ff8000000000000 : bits;
}

static uint64_t single_operation(int operation, const uint64_t* in) {
  const uint32_t low[3] = {(uint32_t)in[0], (uint32_t)in[1], (uint32_t)in[2]};
  volatile float a, b, c, result = 0;
  uint32_t bits;
  memcpy((void*)&a, &low[0], 4);
  memcpy((void*)&b, &low[1], 4);
  memcpy((void*)&c, &low[2], 4);
  feclearexcept(FE_ALL_EXCEPT);
  switch (operation) {
    case kAdd:
      result = a + b;
      break;
    case kSub:
      result = a - b;
      break;
    case kMul:
      result = a * b;
      break;
    case kDiv:
      result = a / b;
      break;
    case kSqrt:
      result = sqrtf(a);
      break;
    case kFma:
      result = fmaf(a, b, c);
      break;
    case kToDouble: {
      volatile double wide = a;
      uint64_t wide_bits;
      memcpy(&wide_bits, (const void*)&wide, 8);
      return isnan(wide) ? 0x7ff8000000000000 : wide_bits;
    }
  }
  memcpy(&bits, (const void*)&result, 4);
  return isnan(result) ? 0x7fc00000 : bits;
}

static void row(int is_double, int operation, const uint64_t* in) {
  // Modes in the order of RISC-V's rm field: nearest even, towards zero, down, up.
  static const int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  for (int mode = 0; mode < 4; mode++) {
    fesetround(kModes[mode]);
    const uint64_t result = is_double ? double_operation(operation, in) : single_operation(operation, in);
    const int flags = riscv_flags();
    fesetround(FE_TONEAREST);
    printf("{%d, %d, %d, %d, {0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 "}, 0x%" PRIx64 "},\n", is_double, operation,
           mode, flags, in[0], in[1], in[2], result);
  }
}

// Half of the random operands lie close together, where cancellation and ties happen.
static uint64_t random_double(void) {
  const uint64_t draw = next_random();
  return draw & 1 ? draw : (draw & 0x800fffffffffffff) | (1018 + (draw >> 53) % 12) << 52;
}
static uint64_t random_single(void) {
  const uint64_t draw = next_random() >> 16;
  return draw & 1 ? draw & 0xffffffff : (draw & 0x807fffff) | (122 + (draw >> 33) % 12) << 23;
}

int main(void) {
  for (int is_double = 0; is_double < 2; is_double++) {
    const unsigned edges = is_double ? COUNT(kDoubles) : COUNT(kSingles);
    for (int operation = 0; operation < kOperations; operation++) {
      if (operation == (is_double ? kToDouble : kToSingle)) continue;
      const int two = operation <= kDiv || operation == kFma;
      for (unsigned i = 0; i < edges; i++) {
        // Every other pair of edges is enough; the strides are coprime to the count.
        for (unsigned j = 0; j < (two ? edges : 1); j += operation == kFma ? 5 : 2) {
          const unsigned k = (i * 5 + j * 7) % edges;
          const uint64_t in[3] = {is_double ? kDoubles[i] : kSingles[i],
                                  is_double ? kDoubles[(i + j) % edges] : kSingles[(i + j) % edges],
                                  is_double ? kDoubles[k] : kSingles[k]};
          row(is_double, operation, in);
        }
      }
      for (int i = 0; i < kRandomRows; i++) {
        const uint64_t in[3] = {is_double ? random_double() : random_single(),
                                is_double ? random_double() : random_single(),
                                is_double ? random_double() : random_single()};
        row(is_double, operation, in);
      }
    }
  }
  return 0;
}
