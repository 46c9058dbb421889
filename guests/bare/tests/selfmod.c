// SPDX-License-Identifier: Apache-2.0
// Code that changes: after fence.i the new instructions run, in the same block, in another, and across page borders.
#include "guest.h"

enum { kRet = 0x00008067, kLoops = 500 };
static uint32_t code[4096] __attribute__((aligned(4096)));

static uint32_t load_immediate(uint32_t value) { return 0x00000513 | value << 20; }

static long call(const void* at) {
  long result;
  __asm__ volatile("jalr ra, 0(%1); mv %0, a0" : "=r"(result) : "r"(at) : "ra", "a0", "memory");
  return result;
}

int main(void) {
  section("patch and call");
  code[1] = kRet;
  for (uint32_t i = 0; i < kLoops; i++) {
    code[0] = load_immediate(i);
    fence_i();
    CHECK_EQ(call(code), i);
  }

  section("an instruction over two pages");
  // The first half lies in one page and the second in the next; both halves change.
  uint16_t* split = (uint16_t*)code + 2047;
  for (uint32_t i = 0; i < kLoops; i++) {
    const uint32_t instruction = load_immediate(i * 3 & 0x7ff);
    split[0] = (uint16_t)instruction;
    split[1] = (uint16_t)(instruction >> 16);
    split[2] = 0x8082;
    fence_i();
    CHECK_EQ(call(split), i * 3 & 0x7ff);
  }

  section("code that patches itself");
  // lw t0, 16(a1); sw t0, 12(a1); fence.i; li a0, 1; (data: li a0, 7, which is jumped over) ret
  static const uint32_t program[] = {0x0105a283, 0x0055a623, 0x0000100f, 0x00100513, 0x00700513, kRet};
  for (int i = 0; i < 3; i++) {
    memcpy(code + 64, program, sizeof program);
    code[64 + 4] = load_immediate(7 + (uint32_t)i);
    fence_i();
    long result;
    __asm__ volatile("mv a1, %1; jalr ra, 0(a1); mv %0, a0"
                     : "=r"(result)
                     : "r"(code + 64)
                     : "ra", "a0", "a1", "t0", "memory");
    CHECK_EQ(result, 7 + i);
  }

  section("moved code");
  for (uint32_t at = 1024; at < 3000; at += 111) {
    code[at] = load_immediate(at & 0x7ff);
    code[at + 1] = kRet;
    fence_i();
    CHECK_EQ(call(code + at), at & 0x7ff);
    code[at] = load_immediate(1);
    fence_i();
    CHECK_EQ(call(code + at), 1);
  }
  finish("selfmod");
}
