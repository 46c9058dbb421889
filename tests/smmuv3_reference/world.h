// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/smmuv3_reference/reference.h"
#include "tests/smmuv3_reference/test_memory.h"

namespace lockstep::smmuv3_reference {

// Random tables for an SMMU: a stream table, context descriptors and translation tables of both stages, most of it
// legal, some of it not. Written from the formats alone: it knows the SMMU by its ID registers.
struct WorldOptions {
  uint64_t seed = 1;
  uint32_t idr0 = 0, idr1 = 0, idr3 = 0, idr5 = 0;
  // Caches may keep what they read: one address space a tag, and no contiguous hint that lies.
  bool cacheable = false;
  bool secure = false;  // for the secure stream table: EL3 in place of EL2, and non-secure pages
  // Bits flipped in structures and descriptors, and pages that answer bus errors.
  bool damage = true;
};

struct World {
  SparseMemory memory;
  uint64_t strtab_base = 0;
  uint32_t strtab_base_cfg = 0;
  struct Stream {
    uint32_t id = 0;
    std::vector<uint32_t> substreams;
    uint64_t entry = 0;                                   // where its stream table entry lies
    std::vector<std::pair<uint32_t, uint64_t>> contexts;  // index and place of its context descriptors
    std::vector<uint64_t> addresses;                      // that some table maps, or nearly
  };
  std::vector<Stream> streams;
  // Descriptors that the builder wrote, with what software needs to invalidate them.
  struct Descriptor {
    uint64_t place = 0;  // physical
    uint64_t input = 0;  // an address under it, as a device gives it
    uint64_t size = 0;
    int granule = 12, level = 3;
    bool leaf = true, stage2 = false, big = false;
    int regime = 0;  // 0 EL1, 1 EL2 in either form
    uint16_t vmid = 0, asid = 0;
  };
  std::vector<Descriptor> descriptors;
  std::vector<uint64_t> structures;  // physical addresses of words that matter: tables, entries, descriptors
};

World make_world(const WorldOptions& options);

// A descriptor that the builder wrote with a change drawn: no longer valid, another output (kChangedOutput), other
// permissions or attributes, or a table's hierarchical bits.
inline constexpr uint64_t kChangedOutput = uint64_t{3} << 30;
uint64_t changed(std::mt19937_64& random, uint64_t descriptor, const World::Descriptor& d);

}  // namespace lockstep::smmuv3_reference
