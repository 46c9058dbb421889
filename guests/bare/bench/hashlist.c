// SPDX-License-Identifier: Apache-2.0
// A hash table with chains: insertions, look-ups and removals, which follow pointers through 256 KiB.
#include "bench.h"

enum { kBuckets = 1024, kNodes = 8192 };
typedef struct Node {
  struct Node* next;
  uint64_t key, value;
} Node;

static Node* buckets[kBuckets];
static Node nodes[kNodes];
static Node* spare;

static unsigned bucket_of(uint64_t key) { return (unsigned)(key * 0x9e3779b97f4a7c15ull >> 54); }

static Node** find(uint64_t key) {
  Node** at = &buckets[bucket_of(key)];
  while (*at && (*at)->key != key) at = &(*at)->next;
  return at;
}

static uint64_t run(uint64_t round) {
  if (round == 0) {
    for (int i = 0; i < kNodes; i++) {
      nodes[i].next = spare;
      spare = &nodes[i];
    }
  }
  uint64_t state = round + 7, sum = 0;
  for (int i = 0; i < 4096; i++) {
    const uint64_t draw = next_random(&state), key = draw >> 20 & 16383;
    Node** at = find(key);
    if (*at) {
      sum += (*at)->value;
      if ((draw & 3) == 0) {
        Node* gone = *at;
        *at = gone->next;
        gone->next = spare;
        spare = gone;
      }
    } else if (spare) {
      Node* node = spare;
      spare = node->next;
      *node = (Node){NULL, key, draw};
      *at = node;
    }
  }
  return sum;
}

BENCH_MAIN("bench-hashlist", 500, run)
