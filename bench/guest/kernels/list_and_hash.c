// SPDX-License-Identifier: Apache-2.0
// A hash table with chains and a list in order of use: insertions, look-ups and removals that follow pointers through
// a few hundred kilobytes, and a walk of the list each round.
#include "../kernel.h"

const Kernel kernel = {
    "list_and_hash", {10, 0x939b0f0ace4a142a}, {350, 0x7f8889779c02038a}, {1400, 0x792a0fe8ca69f96b}};

enum { kBuckets = 2048, kNodes = 6000, kOperations = 20000 };
typedef struct Node {
  struct Node *next_in_bucket, *newer, *older;
  uint64_t key, value;
} Node;

static Node* buckets[kBuckets];
static Node nodes[kNodes];
static Node *newest, *oldest, *spare;

static inline Node** bucket_of(uint64_t key) { return &buckets[key * 0x9e3779b97f4a7c15ull >> 53]; }

static void unlink_node(Node* node) {
  *(node->newer ? &node->newer->older : &newest) = node->older;
  *(node->older ? &node->older->newer : &oldest) = node->newer;
}

static void link_newest(Node* node) {
  node->newer = NULL;
  node->older = newest;
  *(newest ? &newest->newer : &oldest) = node;
  newest = node;
}

KEEP_CALL static Node* find(uint64_t key) {
  Node* node = *bucket_of(key);
  while (node && node->key != key) node = node->next_in_bucket;
  return node;
}

KEEP_CALL static void forget_oldest(void) {
  Node* node = oldest;
  Node** at = bucket_of(node->key);
  while (*at != node) at = &(*at)->next_in_bucket;
  *at = node->next_in_bucket;
  unlink_node(node);
  node->next_in_bucket = spare;
  spare = node;
}

KEEP_CALL static void insert(uint64_t key, uint64_t value) {
  if (!spare) forget_oldest();
  Node* node = spare;
  spare = node->next_in_bucket;
  node->key = key;
  node->value = value;
  Node** bucket = bucket_of(key);
  node->next_in_bucket = *bucket;
  *bucket = node;
  link_newest(node);
}

uint64_t run(uint32_t rounds) {
  uint64_t state = 7, sum = 0;
  newest = oldest = spare = NULL;
  for (int i = 0; i < kBuckets; i++) buckets[i] = NULL;
  for (int i = 0; i < kNodes; i++) {
    nodes[i].next_in_bucket = spare;
    spare = &nodes[i];
  }
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kOperations; i++) {
      const uint64_t draw = draw_random(&state), key = draw >> 32 & 8191;
      Node* node = find(key);
      if (node) {
        node->value += draw & 255;
        unlink_node(node);
        link_newest(node);
      } else {
        insert(key, draw);
      }
    }
    for (Node* node = newest; node; node = node->older) sum += node->value;
    sum = mix(sum, oldest->key);
  }
  return sum;
}
