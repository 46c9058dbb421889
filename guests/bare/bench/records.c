// SPDX-License-Identifier: Apache-2.0
// The mixture of a system program: records behind pointers, short strings, small calls, divisions and switches.
#include "bench.h"

typedef struct Record {
  struct Record* next;
  enum { kInteger, kText, kPair } kind;
  int number;
  char text[32];
} Record;

static Record pool[64];
static char words[4][32] = {"LOCKSTEP, FIRST WORD HERE", "LOCKSTEP, SECOND WORD", "LOCKSTEP, THIRD WORD", "OTHER"};

__attribute__((noinline)) static int compare(const char* a, const char* b) { return strcmp(a, b); }
__attribute__((noinline)) static int scale(int value, int divisor) { return value / divisor * 3 + value % divisor; }

__attribute__((noinline)) static void assign(Record* to, const Record* from, int number) {
  *to = *from;
  to->number = scale(from->number + number, (number & 15) + 1);
  to->kind = (to->number & 3) % 3;
}

__attribute__((noinline)) static int visit(const Record* record, int depth) {
  if (!record || !depth) return 0;
  switch (record->kind) {
    case kInteger:
      return record->number + visit(record->next, depth - 1);
    case kText:
      return (int)strlen(record->text) + visit(record->next, depth - 1);
    default:
      return record->number / 2 - visit(record->next, depth - 2 < 0 ? 0 : depth - 2);
  }
}

static uint64_t run(uint64_t round) {
  uint64_t sum = 0;
  for (int i = 0; i < 64; i++) {
    pool[i].next = &pool[(i * 7 + 1) % 64];
    pool[i].number = (int)(round + (uint64_t)i * 31) & 0xffff;
    memcpy(pool[i].text, words[i & 3], sizeof words[0]);
  }
  for (int pass = 0; pass < 100; pass++) {
    Record* a = &pool[pass % 64];
    Record* b = a->next;
    Record* after = b->next;
    assign(b, a, pass);
    b->next = after;
    if (compare(a->text, words[pass & 3]) > 0) sum += (uint64_t)pass;
    b->text[pass % 8] = (char)('A' + pass % 26);
    sum = mix(sum, (uint64_t)visit(a, 12));
  }
  return sum;
}

BENCH_MAIN("bench-records", 2000, run)
