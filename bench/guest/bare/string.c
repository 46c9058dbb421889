// SPDX-License-Identifier: Apache-2.0
// The part of the C library that kernels use, a word at a time as in the generic files of the libraries for RISC-V.
#include <stddef.h>
#include <stdint.h>

enum { kWordBytes = 8, kUnrolledBytes = 64 };
typedef uint64_t __attribute__((may_alias)) Word;

static inline size_t skew_of(const void* place) { return (uintptr_t)place % kWordBytes; }
// Not zero when one of the eight bytes is.
static inline uint64_t zero_bytes(uint64_t word) {
  return (word - 0x0101010101010101ull) & ~word & 0x8080808080808080ull;
}

void* memcpy(void* restrict to, const void* restrict from, size_t size) {
  uint8_t* d = to;
  const uint8_t* s = from;
  if (size >= 2 * kWordBytes) {
    for (; skew_of(d); size--) *d++ = *s++;
    const size_t skew = skew_of(s);
    if (skew == 0) {
      for (; size >= kUnrolledBytes; size -= kUnrolledBytes, d += kUnrolledBytes, s += kUnrolledBytes) {
        const Word* in = (const Word*)s;
        Word* out = (Word*)d;
        const Word a = in[0], b = in[1], c = in[2], e = in[3], f = in[4], g = in[5], h = in[6], i = in[7];
        out[0] = a, out[1] = b, out[2] = c, out[3] = e, out[4] = f, out[5] = g, out[6] = h, out[7] = i;
      }
      for (; size >= kWordBytes; size -= kWordBytes, d += kWordBytes, s += kWordBytes) *(Word*)d = *(const Word*)s;
    } else {
      // Whole words are read and the two halves joined; no word is read that holds none of the source's bytes.
      const Word* in = (const Word*)(s - skew);
      const unsigned low = (unsigned)skew * 8, high = 64 - low;
      Word before = *in++;
      for (; size >= 2 * kWordBytes; size -= kWordBytes, d += kWordBytes, s += kWordBytes) {
        const Word after = *in++;
        *(Word*)d = before >> low | after << high;
        before = after;
      }
    }
  }
  while (size--) *d++ = *s++;
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  uint8_t* d = to;
  const uint8_t* s = from;
  if (d <= s || d >= s + size) {
    while (size--) *d++ = *s++;
  } else {
    while (size--) d[size] = s[size];
  }
  return to;
}

void* memset(void* to, int value, size_t size) {
  uint8_t* d = to;
  const Word pattern = (uint8_t)value * 0x0101010101010101ull;
  for (; size && skew_of(d); size--) *d++ = (uint8_t)value;
  for (; size >= kUnrolledBytes; size -= kUnrolledBytes, d += kUnrolledBytes) {
    for (int i = 0; i < kUnrolledBytes / kWordBytes; i++) ((Word*)d)[i] = pattern;
  }
  for (; size >= kWordBytes; size -= kWordBytes, d += kWordBytes) *(Word*)d = pattern;
  while (size--) *d++ = (uint8_t)value;
  return to;
}

int memcmp(const void* a, const void* b, size_t size) {
  const uint8_t *x = a, *y = b;
  if (skew_of(x) == skew_of(y)) {
    for (; size && skew_of(x); size--, x++, y++) {
      if (*x != *y) return *x - *y;
    }
    for (; size >= kWordBytes && *(const Word*)x == *(const Word*)y; size -= kWordBytes)
      x += kWordBytes, y += kWordBytes;
  }
  for (; size; size--, x++, y++) {
    if (*x != *y) return *x - *y;
  }
  return 0;
}

size_t strlen(const char* text) {
  const char* at = text;
  for (; skew_of(at); at++) {
    if (!*at) return (size_t)(at - text);
  }
  while (!zero_bytes(*(const Word*)at)) at += kWordBytes;
  while (*at) at++;
  return (size_t)(at - text);
}

int strcmp(const char* a, const char* b) {
  if (skew_of(a) == skew_of(b)) {
    for (; skew_of(a); a++, b++) {
      if (!*a || *a != *b) return (uint8_t)*a - (uint8_t)*b;
    }
    for (; *(const Word*)a == *(const Word*)b; a += kWordBytes, b += kWordBytes) {
      if (zero_bytes(*(const Word*)a)) return 0;
    }
  }
  while (*a && *a == *b) a++, b++;
  return (uint8_t)*a - (uint8_t)*b;
}

char* strcpy(char* restrict to, const char* restrict from) {
  memcpy(to, from, strlen(from) + 1);
  return to;
}

char* strncpy(char* restrict to, const char* restrict from, size_t size) {
  size_t length = 0;
  while (length < size && from[length]) length++;
  memcpy(to, from, length);
  memset(to + length, 0, size - length);
  return to;
}
