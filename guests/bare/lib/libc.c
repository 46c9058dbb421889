// SPDX-License-Identifier: Apache-2.0
#include "guest.h"

void* memcpy(void* to, const void* from, size_t size) {
  uint8_t* d = to;
  const uint8_t* s = from;
  if ((((uintptr_t)d | (uintptr_t)s) & 7) == 0) {
    for (; size >= 8; size -= 8, d += 8, s += 8) *(uint64_t*)d = *(const uint64_t*)s;
  }
  while (size--) *d++ = *s++;
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  uint8_t* d = to;
  const uint8_t* s = from;
  if (d <= s || d >= s + size) return memcpy(to, from, size);
  while (size--) d[size] = s[size];
  return to;
}

void* memset(void* to, int value, size_t size) {
  uint8_t* d = to;
  const uint64_t pattern = (uint8_t)value * 0x0101010101010101ull;
  for (; size && ((uintptr_t)d & 7); size--) *d++ = (uint8_t)value;
  for (; size >= 8; size -= 8, d += 8) *(uint64_t*)d = pattern;
  while (size--) *d++ = (uint8_t)value;
  return to;
}

int memcmp(const void* a, const void* b, size_t size) {
  const uint8_t *x = a, *y = b;
  for (; size; size--, x++, y++) {
    if (*x != *y) return *x - *y;
  }
  return 0;
}

size_t strlen(const char* text) {
  const char* end = text;
  while (*end) end++;
  return (size_t)(end - text);
}

int strcmp(const char* a, const char* b) {
  while (*a && *a == *b) a++, b++;
  return (uint8_t)*a - (uint8_t)*b;
}
