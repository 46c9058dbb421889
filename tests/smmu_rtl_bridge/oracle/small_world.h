// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/smmu_rtl_bridge/oracle/watched_model.h"
#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::smmu_rtl_bridge {

// A world of known shape, with the judge at the model's pins: stream 3 with stage 1, 4 KiB tables of four levels.
struct SmallWorld : Software {
  using Simple = core_smmu::SimpleWorld;
  static constexpr uint64_t kInput = 0x123456000;
  static constexpr uint64_t kOther = kInput + 0x1000;
  static constexpr uint64_t kPage = Simple::kPage;
  static constexpr uint32_t kStream = 3;

  explicit SmallWorld(const core_smmu::Config& config = Simple::default_config(), const JudgeProfile& profile = {})
      : Software(config, profile) {
    set(Id::kStrtabBase, Simple::kStreamTable);
    set(Id::kStrtabBaseCfg, 6);
    set(Id::kCr2, core_smmu::kCr2RecordInvalidStream);
    set(Id::kEventqIrqCfg0, 0);
    start_queues();
  }

  void put(uint64_t address, const core_smmu::Words& words) { write(address, words.data(), sizeof words); }
  void put_ste(const core_smmu::Words& words, uint32_t stream = kStream) {
    put(Simple::kStreamTable + stream * 64, words);
  }
  void put_cd(const core_smmu::Words& words) { put(Simple::kContexts, words); }
  uint64_t new_table() {
    const uint64_t table = next_table_;
    next_table_ += 4096;
    return table;
  }
  uint64_t map(uint64_t tree, uint64_t input, uint64_t leaf, unsigned level = 3) {
    uint64_t table = tree;
    for (unsigned at = 0;; ++at) {
      const uint64_t entry = table + (input >> (12 + 9 * (3 - at)) & 511) * 8;
      if (at == level) {
        put64(entry, level == 3 ? leaf : leaf & ~uint64_t{2});
        return entry;
      }
      uint64_t next = memory.get64(entry);
      if (next == 0) {
        next = new_table() | 3;
        put64(entry, next);
      }
      table = next & 0xfffffffff000;
    }
  }
  // Two pages of stream 3 by stage 1, and everything on.
  void start(uint64_t leaf = kPage | Simple::kStage1Leaf, core_smmu::Words (*change)(core_smmu::Words) = nullptr) {
    root = new_table();
    place = map(root, kInput, leaf);
    map(root, kOther, (kPage + 0x1000) | Simple::kStage1Leaf);
    put_ste(Simple::stage1_ste());
    core_smmu::Words words = Simple::cd(root);
    put_cd(change ? change(words) : words);
    enable();
  }
  uint64_t read(uint64_t address = kInput, uint32_t stream = kStream) { return touch(address, false, stream); }
  uint64_t touch(uint64_t address, bool is_write, uint32_t stream = kStream) {
    ClientAccess one;
    one.address = address;
    one.stream_id = stream;
    one.write = is_write;
    one.privileged = true;
    return access(one);
  }
  // Everything is over: the judge has its last word.
  void rest() {
    take_events();
    judge.quiet();
  }
  void invalidate_page(uint64_t address = kInput) { command(0x12 | uint64_t{9} << 48, address & ~uint64_t{0xfff}); }
  void invalidate_ste(uint32_t stream = kStream) { command(0x03 | uint64_t{stream} << 32, 1); }
  void invalidate_cd(uint32_t stream = kStream) { command(0x05 | uint64_t{stream} << 32, 1); }

  uint64_t root = 0;
  uint64_t place = 0;  // of the leaf of kInput

 private:
  uint64_t next_table_ = Simple::kTables;
};

}  // namespace lockstep::smmu_rtl_bridge
