// SPDX-License-Identifier: Apache-2.0
// The little that guests ask of the device tree: its command line and its harts.
#include "guest.h"

uint64_t device_tree;

static uint32_t big_endian(uint64_t address) { return __builtin_bswap32(read32(address)); }

// Calls visit for each property; the structure block of the Devicetree Specification, section 5.4.
typedef void (*Visit)(void* context, const char* name, const char* value, uint32_t size);

static void each_property(Visit visit, void* context) {
  enum { kMagic = 0xd00dfeed, kBeginNode = 1, kEndNode = 2, kProperty = 3, kNop = 4 };
  if (!device_tree || (device_tree & 3) || big_endian(device_tree) != kMagic) return;
  uint64_t at = device_tree + big_endian(device_tree + 8);
  const uint64_t strings = device_tree + big_endian(device_tree + 12);
  for (;;) {
    const uint32_t token = big_endian(at);
    at += 4;
    if (token == kBeginNode) {
      at = (at + strlen((const char*)at) + 1 + 3) & ~3ull;
    } else if (token == kProperty) {
      const uint32_t size = big_endian(at);
      visit(context, (const char*)(strings + big_endian(at + 4)), (const char*)(at + 8), size);
      at = (at + 8 + size + 3) & ~3ull;
    } else if (token != kEndNode && token != kNop) {
      return;
    }
  }
}

typedef struct Search {
  const char* name;
  uint64_t value;
} Search;

static void find_option(void* context, const char* name, const char* value, uint32_t size) {
  Search* search = context;
  const size_t length = strlen(search->name);
  if (strcmp(name, "bootargs") != 0) return;
  for (uint32_t i = 0; i + length + 1 < size; i++) {
    if ((i && value[i - 1] != ' ') || memcmp(value + i, search->name, length) || value[i + length] != '=') continue;
    search->value = 0;
    for (i += (uint32_t)length + 1; i < size && value[i] >= '0' && value[i] <= '9'; i++)
      search->value = search->value * 10 + (uint64_t)(value[i] - '0');
    return;
  }
}

uint64_t option(const char* name, uint64_t fallback) {
  Search search = {name, fallback};
  each_property(find_option, &search);
  return search.value;
}

bool strict(void) {
  enum { kUnknown, kNo, kYes };
  static int known;
  if (known == kUnknown) known = option("strict", 0) ? kYes : kNo;
  return known == kYes;
}

static void count_cpu(void* context, const char* name, const char* value, uint32_t size) {
  (void)size;
  if (strcmp(name, "device_type") == 0 && strcmp(value, "cpu") == 0) ++*(uint64_t*)context;
}

uint64_t hart_count(void) {
  uint64_t harts = 0;
  each_property(count_cpu, &harts);
  return harts == 0 ? 1 : harts > MAX_HARTS ? MAX_HARTS : harts;
}

typedef struct Named {
  const char* property;
  const char* text;
  bool found;
} Named;

static void find_text(void* context, const char* name, const char* value, uint32_t size) {
  Named* named = context;
  if (strcmp(name, named->property) != 0) return;
  for (uint32_t at = 0; at < size; at += (uint32_t)strlen(value + at) + 1)
    named->found |= strcmp(value + at, named->text) == 0;
}

bool device_tree_names(const char* property, const char* text) {
  Named named = {property, text, false};
  each_property(find_text, &named);
  return named.found;
}
