// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "tests/tlm_models/smmuv3/bench.h"

namespace lockstep::tlm_models::smmuv3 {

using Words = std::array<uint64_t, 8>;

// Writes a field into a structure that is numbered in bits from its start.
inline void set_field(Words& words, unsigned high, unsigned low, uint64_t value) {
  const uint64_t mask = (high - low == 63 ? ~uint64_t{0} : (uint64_t{1} << (high - low + 1)) - 1) << low % 64;
  words[low / 64] = (words[low / 64] & ~mask) | (value << low % 64 & mask);
}

// A legal world of known shape for directed tests: 64 streams in a linear stream table, 4 KiB tables of four levels at
// both stages, everything permitted until a test takes something away.
struct SimpleWorld : Bench {
  static constexpr uint64_t kStreamTable = 0x100000;
  static constexpr uint64_t kContexts = 0x110000;
  static constexpr uint64_t kTables = 0x200000;
  static constexpr uint64_t kPage = 0x40000000;  // where pages go
  // Leaf bits: valid, access flag, inner shareable.
  static constexpr uint64_t kStage1Leaf = 0x3 | 1 << 10 | 3 << 8 | 1 << 6 | 1 << 11;
  static constexpr uint64_t kStage2Leaf = 0x3 | 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2;

  explicit SimpleWorld(const Config& config = default_config()) : Bench(config) {
    write(RegisterId::kStrtabBase, kStreamTable);
    write(RegisterId::kStrtabBaseCfg, 6);
    write(RegisterId::kCr2, kCr2RecordInvalidStream);
    start_queues();
  }
  static Config default_config() {
    Config config;
    config.merge_events = false;
    return config;
  }

  static Words stage1_ste(uint64_t contexts = kContexts) {
    Words words{};
    set_field(words, 0, 0, 1);
    set_field(words, 3, 1, 5);
    words[0] |= contexts;
    set_field(words, 64 + 45, 64 + 44, 1);
    return words;
  }
  static Words bypass_ste() {
    Words words = stage1_ste();
    set_field(words, 3, 1, 4);
    return words;
  }
  // Stage 2 with 48-bit input in four levels.
  static void add_stage2(Words& words, uint64_t root, unsigned config) {
    set_field(words, 3, 1, config);
    set_field(words, 128 + 15, 128, 7);        // VMID
    set_field(words, 128 + 37, 128 + 32, 16);  // T0SZ
    set_field(words, 128 + 39, 128 + 38, 2);   // level 0
    set_field(words, 128 + 50, 128 + 48, 5);   // 48 bits
    set_field(words, 128 + 51, 128 + 51, 1);   // AArch64
    set_field(words, 128 + 58, 128 + 58, 1);   // record
    words[3] = root;
  }
  static Words stage2_ste(uint64_t root) {
    Words words{};
    set_field(words, 0, 0, 1);
    set_field(words, 64 + 45, 64 + 44, 1);
    add_stage2(words, root, 6);
    return words;
  }
  static Words cd(uint64_t root0, uint64_t root1 = 0) {
    Words words{};
    set_field(words, 5, 0, 16);
    set_field(words, 21, 16, 16);
    set_field(words, 23, 22, 2);  // TG1: 4 KiB
    set_field(words, 30, 30, root1 == 0);
    set_field(words, 31, 31, 1);
    set_field(words, 34, 32, 5);
    set_field(words, 41, 41, 1);
    set_field(words, 45, 45, 1);
    set_field(words, 46, 46, 1);
    set_field(words, 63, 48, 9);  // ASID
    words[1] = root0;
    words[2] = root1;
    words[3] = 0xff;  // attribute 0: write-back
    return words;
  }
  void put(uint64_t address, const Words& words) { put_words(address, {words.begin(), words.end()}); }
  void put_ste(uint32_t stream, const Words& words) { put(kStreamTable + stream * 64, words); }
  void put_cd(uint32_t index, const Words& words) { put(kContexts + index * 64, words); }

  uint64_t new_table(uint64_t size_bytes = 4096) {
    next_table_ = (next_table_ + size_bytes - 1) / size_bytes * size_bytes;
    const uint64_t table = next_table_;
    next_table_ += size_bytes;
    return table;
  }
  // Puts a leaf at a level of a tree of any granule whose walk starts at `start`; makes the tables between.
  void map(uint64_t tree, uint64_t input, uint64_t leaf, unsigned level = 3, unsigned granule = 12,
           unsigned start = 0) {
    uint64_t table = tree;
    for (unsigned at = start;; ++at) {
      const unsigned shift = granule + (granule - 3) * (3 - at);
      const uint64_t place = table + (input >> shift & ((uint64_t{1} << (granule - 3)) - 1)) * 8;
      if (at == level) {
        memory.memory.put64(place, level == 3 ? leaf : leaf & ~uint64_t{2});
        last_leaf = place;
        return;
      }
      uint64_t next = memory.memory.get64(place);
      if (next == 0) {
        next = new_table(uint64_t{1} << granule) | 3;
        memory.memory.put64(place, next);
      }
      table = next & 0xfffffffff000;
    }
  }
  // Identity for everything below 1 GiB and the gigabytes of kPage, by stage 2 pages of the given level.
  void map_stage2_identity(uint64_t tree, uint64_t input, unsigned level = 3) {
    const unsigned shift = 12 + 9 * (3 - level);
    map(tree, input, (input >> shift << shift) | kStage2Leaf, level);
  }
  // The same for what walks of both stages read: context descriptors and tables, those that are still to be made too.
  void map_tables_at_stage2(uint64_t tree) {
    for (uint64_t at = kTables; at < kTables + 0x20000; at += 0x1000) map_stage2_identity(tree, at);
    map_stage2_identity(tree, kContexts);
  }

  // A stream with stage 1 alone that maps one page, enabled.
  void start_stage1(uint64_t input = 0x123456000, uint64_t leaf = kPage | kStage1Leaf) {
    root = new_table();
    map(root, input, leaf);
    put_ste(3, stage1_ste());
    put_cd(0, cd(root));
    enable();
  }
  TranslateResult access(uint64_t address, bool is_write = false, uint32_t stream = 3) {
    Transaction transaction;
    transaction.stream_id = stream;
    transaction.address = address;
    transaction.write = is_write;
    transaction.privileged = true;
    transaction.token = ++token;
    return smmu.translate(transaction);
  }

  uint64_t root = 0;
  uint64_t last_leaf = 0;
  uint64_t token = 0;

 private:
  uint64_t next_table_ = kTables;
};

}  // namespace lockstep::tlm_models::smmuv3
