// SPDX-License-Identifier: Apache-2.0
// The mixture of a systems program: records that are copied and linked, short strings compared and copied, small
// functions, divisions, switches and arrays, two hundred passes a round.
#include <string.h>

#include "../kernel.h"

const Kernel kernel = {
    "dhrystone_like", {199, 0xc01c6d8bc0bb7560}, {7250, 0x6c035edd054b6e17}, {29000, 0x388e44ab66a4ca44}};

typedef enum { kPlain, kNamed, kCounted } Kind;
typedef struct Record {
  struct Record* next;
  Kind kind;
  int32_t count, limit;
  char name[32];
} Record;

enum { kRecords = 32, kPasses = 200 };
static Record pool[kRecords];
static int32_t table[64], grid[16][16];
static const char* const words[4] = {"lockstep, the first of the words", "lockstep, the second of the words",
                                     "lockstep, third", "another"};
static char scratch[40];
static int32_t global_count;

KEEP_CALL static Kind next_kind(Kind kind, int32_t value) {
  switch (kind) {
    case kPlain:
      return value & 1 ? kNamed : kCounted;
    case kNamed:
      return value > 100 ? kPlain : kCounted;
    default:
      return kPlain;
  }
}

KEEP_CALL static int32_t scaled(int32_t value, int32_t divisor) { return value / divisor * 3 + value % divisor; }

KEEP_CALL static void take_over(Record* to, const Record* from, int32_t value) {
  Record* const next = to->next;
  *to = *from;
  to->next = next;
  to->count = scaled(from->count + value, (value & 15) + 1) & 0xffff;
  to->kind = next_kind(to->kind, to->count);
}

KEEP_CALL static int same_start(char a, char b) {
  if (a != b) return 0;
  global_count++;
  return 1;
}

KEEP_CALL static int32_t fill(int32_t place, int32_t value) {
  const int32_t row = place & 15;
  table[row] = value;
  table[row + 1] = table[row];
  table[row + 30] = place;
  for (int32_t i = row; i <= row + 1; i++) grid[row][i & 15] = place;
  grid[row][(row + 15) & 15]++;
  grid[(row + 4) & 15][row] = table[row];
  return grid[row][(row + 1) & 15] + table[row + 30];
}

KEEP_CALL static int order(const char* a, const char* b) {
  size_t at = 0;
  while (at < 3 && same_start(a[at], b[at])) at++;
  if (at < 3) return a[at] < b[at] ? -1 : 1;
  return strcmp(a, b);
}

uint64_t run(uint32_t rounds) {
  uint64_t sum = 0;
  global_count = 0;
  memset(table, 0, sizeof table);
  memset(grid, 0, sizeof grid);
  for (int i = 0; i < kRecords; i++)
    pool[i] = (Record){.next = &pool[(i * 7 + 3) % kRecords], .kind = (Kind)(i % 3), .count = i * 31, .limit = i};
  for (int i = 0; i < kRecords; i++) strncpy(pool[i].name, words[i % 4], sizeof pool[i].name - 1);
  for (uint32_t round = 0; round < rounds; round++) {
    for (int32_t pass = 0; pass < kPasses; pass++) {
      Record *a = &pool[(round + (uint32_t)pass) % kRecords], *b = a->next;
      take_over(b, a, pass);
      strcpy(scratch, words[pass & 3]);
      if (order(scratch, a->name) > 0) {
        sum += (uint64_t)fill(pass, a->count);
      } else {
        strncpy(b->name, scratch, sizeof b->name - 1);
        sum += strlen(b->name);
      }
      for (char letter = 'A'; letter <= scratch[9] - 'a' + 'C'; letter++) {
        if (same_start(letter, scratch[(letter - 'A') % 8])) b->limit++;
      }
      b->name[pass % 8] = (char)('a' + pass % 26);
      sum += (uint64_t)(a->count * 7 / (b->limit % 9 + 1)) + (uint64_t)b->kind;
    }
    sum = mix(sum, (uint64_t)global_count);
  }
  return sum;
}
