// SPDX-License-Identifier: Apache-2.0
// 512 objects of eight kinds in a shuffled order, each called through its table of functions, as in a simulator of
// devices or an object-oriented program.
#include "../kernel.h"

const Kernel kernel = {
    "indirect_calls", {1944, 0xf1245ef322ecb8c1}, {19500, 0x8af8e72b5f2a72f9}, {78000, 0xd922a5f9718d5675}};

typedef struct Object Object;
typedef struct Methods {
  uint64_t (*step)(Object*, uint64_t);
  uint64_t (*sum)(const Object*);
} Methods;
struct Object {
  const Methods* methods;
  uint64_t value;
};

enum { kKinds = 8, kObjects = 512 };

static uint64_t step_add(Object* object, uint64_t input) { return object->value += input; }
static uint64_t step_xor(Object* object, uint64_t input) { return object->value ^= input; }
static uint64_t step_shift(Object* object, uint64_t input) { return object->value = object->value << 1 ^ input; }
static uint64_t step_multiply(Object* object, uint64_t input) { return object->value = object->value * 5 + input; }
static uint64_t step_count(Object* object, uint64_t input) { return object->value += input & 1; }
static uint64_t step_larger(Object* object, uint64_t input) {
  if (input > object->value) object->value = input;
  return input + 1;
}
static uint64_t step_rotate(Object* object, uint64_t input) {
  return object->value = (object->value << 7 | object->value >> 57) + input;
}
static uint64_t step_keep(Object* object, uint64_t input) {
  object->value = input;
  return input ^ 0x55;
}
static uint64_t sum_value(const Object* object) { return object->value; }
static uint64_t sum_low(const Object* object) { return object->value & 0xffff; }

static const Methods kinds[kKinds] = {{step_add, sum_value},      {step_xor, sum_low},   {step_shift, sum_value},
                                      {step_multiply, sum_value}, {step_count, sum_low}, {step_larger, sum_value},
                                      {step_rotate, sum_low},     {step_keep, sum_value}};
static Object objects[kObjects];

KEEP_CALL static uint64_t step_all(uint64_t input) {
  for (int i = 0; i < kObjects; i++) input = objects[i].methods->step(&objects[i], input);
  return input;
}

KEEP_CALL static uint64_t sum_all(void) {
  uint64_t sum = 0;
  for (int i = 0; i < kObjects; i++) sum += objects[i].methods->sum(&objects[i]);
  return sum;
}

uint64_t run(uint32_t rounds) {
  uint64_t state = 13, sum = 0;
  for (int i = 0; i < kObjects; i++) objects[i] = (Object){&kinds[(draw_random(&state) >> 32) % kKinds], (uint64_t)i};
  for (uint32_t round = 0; round < rounds; round++) {
    sum = mix(sum, step_all(round));
    if (round % 8 == 0) sum += sum_all();
  }
  return sum;
}
