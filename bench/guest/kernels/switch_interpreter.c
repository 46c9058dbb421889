// SPDX-License-Identifier: Apache-2.0
// An interpreter of a small register machine, one switch in a loop, that counts the steps of the 3n + 1 sequences of
// the numbers below 1000, once a round.
#include "../kernel.h"

const Kernel kernel = {
    "switch_interpreter", {2, 0x69b0d00472f067db}, {77, 0xe63294116f0d6f54}, {310, 0xb43bbc24dbb697f2}};

typedef enum {
  kSet,
  kMove,
  kAdd,
  kAddConstant,
  kMultiplyConstant,
  kHalve,
  kAnd,
  kXor,
  kStore,
  kLoad,
  kJump,
  kJumpIfZero,
  kJumpIfLess,
  kStop
} Operation;
typedef struct Instruction {
  uint8_t operation, a, b, c;
  int32_t constant;
} Instruction;

enum { kNumber, kValue, kSteps, kTotal, kBit, kLimit, kTwo, kIndex, kRegisters };
enum { kMemoryWords = 64 };

static const Instruction program[] = {
    {kSet, kNumber, 0, 0, 1},
    {kSet, kTotal, 0, 0, 0},
    {kSet, kLimit, 0, 0, 1000},
    {kSet, kTwo, 0, 0, 2},
    // next number
    {kMove, kValue, kNumber, 0, 0},
    {kSet, kSteps, 0, 0, 0},
    // next step
    {kJumpIfLess, kValue, kTwo, 0, 15},
    {kAddConstant, kSteps, kSteps, 0, 1},
    {kAnd, kBit, kValue, 0, 1},
    {kJumpIfZero, kBit, 0, 0, 13},
    {kMultiplyConstant, kValue, kValue, 0, 3},
    {kAddConstant, kValue, kValue, 0, 1},
    {kJump, 0, 0, 0, 6},
    {kHalve, kValue, kValue, 0, 1},
    {kJump, 0, 0, 0, 6},
    // the number is done
    {kAdd, kTotal, kTotal, kSteps, 0},
    {kAnd, kIndex, kNumber, 0, kMemoryWords - 1},
    {kStore, kSteps, kIndex, 0, 0},
    {kLoad, kBit, kIndex, 0, 0},
    {kXor, kTotal, kTotal, kBit, 0},
    {kAddConstant, kNumber, kNumber, 0, 1},
    {kJumpIfLess, kNumber, kLimit, 0, 4},
    {kStop, 0, 0, 0, 0},
};

KEEP_CALL static int64_t interpret(const Instruction* code, int64_t seed) {
  int64_t registers[kRegisters] = {0}, memory[kMemoryWords] = {0};
  const Instruction* at = code;
  memory[0] = seed;
  for (;;) {
    const Instruction* now = at++;
    switch ((Operation)now->operation) {
      case kSet:
        registers[now->a] = now->constant;
        break;
      case kMove:
        registers[now->a] = registers[now->b];
        break;
      case kAdd:
        registers[now->a] = registers[now->b] + registers[now->c];
        break;
      case kAddConstant:
        registers[now->a] = registers[now->b] + now->constant;
        break;
      case kMultiplyConstant:
        registers[now->a] = registers[now->b] * now->constant;
        break;
      case kHalve:
        registers[now->a] = registers[now->b] >> now->constant;
        break;
      case kAnd:
        registers[now->a] = registers[now->b] & now->constant;
        break;
      case kXor:
        registers[now->a] = registers[now->b] ^ registers[now->c];
        break;
      case kStore:
        memory[registers[now->b] % kMemoryWords] += registers[now->a];
        break;
      case kLoad:
        registers[now->a] = memory[registers[now->b] % kMemoryWords];
        break;
      case kJump:
        at = code + now->constant;
        break;
      case kJumpIfZero:
        if (registers[now->a] == 0) at = code + now->constant;
        break;
      case kJumpIfLess:
        if (registers[now->a] < registers[now->b]) at = code + now->constant;
        break;
      case kStop:
        return registers[kTotal] + memory[0];
    }
  }
}

uint64_t run(uint32_t rounds) {
  uint64_t sum = 0;
  for (uint32_t round = 0; round < rounds; round++) sum = mix(sum, (uint64_t)interpret(program, (int64_t)round));
  return sum;
}
