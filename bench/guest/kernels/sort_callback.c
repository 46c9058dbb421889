// SPDX-License-Identifier: Apache-2.0
// Sorts 32768 records a round with a merge sort that, as the C library's qsort, knows nothing of them but their size
// and a function that compares two.
#include <string.h>

#include "../kernel.h"

const Kernel kernel = {"sort_callback", {1, 0x743cffb1ce909c25}, {21, 0xaf5df1956bf516ed}, {85, 0x0392323b98559a26}};

typedef struct Record {
  uint32_t key, serial;
  double weight;
} Record;
typedef int (*Compare)(const void*, const void*);

enum { kCount = 32768 };
static Record records[kCount];
static uint64_t spare[kCount * sizeof(Record) / sizeof(uint64_t)];

typedef struct Sorter {
  size_t size_words;
  Compare compare;
} Sorter;

static void copy_words(uint64_t* to, const uint64_t* from, size_t words) {
  while (words--) *to++ = *from++;
}

KEEP_CALL static void merge_sort(const Sorter* sorter, uint64_t* base, size_t count) {
  if (count < 2) return;
  const size_t words = sorter->size_words, first_half = count / 2;
  uint64_t* second = base + first_half * words;
  merge_sort(sorter, base, first_half);
  merge_sort(sorter, second, count - first_half);
  uint64_t *first = spare, *out = base;
  size_t first_left = first_half, second_left = count - first_half;
  memcpy(spare, base, first_half * words * sizeof(uint64_t));
  // What is left of the second half is where it belongs.
  while (first_left && second_left) {
    if (sorter->compare(first, second) <= 0) {
      copy_words(out, first, words);
      first += words, first_left--;
    } else {
      copy_words(out, second, words);
      second += words, second_left--;
    }
    out += words;
  }
  memcpy(out, first, first_left * words * sizeof(uint64_t));
}

KEEP_CALL static void sort(void* base, size_t count, size_t size_bytes, Compare compare) {
  const Sorter sorter = {size_bytes / sizeof(uint64_t), compare};
  merge_sort(&sorter, base, count);
}

static int by_key(const void* a, const void* b) {
  const Record *x = a, *y = b;
  return x->key < y->key ? -1 : x->key > y->key;
}
static int by_serial(const void* a, const void* b) {
  const Record *x = a, *y = b;
  return (int)x->serial - (int)y->serial;
}

uint64_t run(uint32_t rounds) {
  uint64_t state = 5, sum = 0;
  for (uint32_t round = 0; round < rounds; round++) {
    for (uint32_t i = 0; i < kCount; i++) {
      records[i].key = (uint32_t)(draw_random(&state) >> 40);
      records[i].serial = (i * 40503 + round) % kCount;
      records[i].weight = i;
    }
    sort(records, kCount, sizeof(Record), round & 1 ? by_serial : by_key);
    for (int i = 1; i < kCount; i++)
      sum += round & 1 ? records[i].serial <= records[i - 1].serial : records[i].key < records[i - 1].key;
    for (int i = 0; i < kCount; i += 61) sum = mix(sum, records[i].key + (uint64_t)records[i].weight);
  }
  return sum;
}
