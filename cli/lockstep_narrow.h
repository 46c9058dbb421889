// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/lockstep_bisect.h"
#include "cli/lockstep_pair.h"

namespace lockstep::cli {

struct RegisterDifference {
  unsigned hart = 0;
  std::string name;
  uint64_t before = 0;
  std::array<uint64_t, 2> after{};
};

struct MemoryDifference {
  uint64_t address = 0;  // physical, of eight bytes
  std::array<uint64_t, 2> after{};
};

struct CodeLine {
  uint64_t pc = 0;
  std::string bytes, text;
};

// A difference as close as it could be brought. Instructions are numbered from 1, over all harts since reset.
struct Narrowed {
  Divergence divergence;
  std::vector<BisectStep> steps;  // the runs from snapshots that led here
  bool found = false;             // the copies showed the difference again
  std::string died;               // what happened to a side that did not come to the end, or empty
  uint64_t window_begin = 0, window_end = 0;
  uint64_t last_equal = 0;   // instructions after which everything is equal, however the run is cut
  uint64_t instruction = 0;  // the first after which something differs
  uint64_t boundary = 0;     // the last boundary of turns before
  unsigned hart = 0;
  uint64_t pc = 0;  // after `last_equal` instructions
  bool tlb_differs = false;
  std::vector<RegisterDifference> registers;
  std::vector<MemoryDifference> memory;
  uint64_t memory_pages = 0;   // that differ
  std::vector<CodeLine> code;  // as executed by side 0
  std::string ir;
  std::array<std::string, 2> host_code;
};

// Brings the difference down to the first window, to the first count and to the last place of entry that show it, with
// copies of the pair's frozen copies. Both copies stand at the checkpoint again when it returns.
class Narrower {
 public:
  explicit Narrower(LockstepPair& pair) : pair_(pair) {}

  Narrowed narrow(const Divergence& divergence);

  // Writes a snapshot of side 0 at the boundary of turns at or behind this total. Answers where that was.
  core::Result<uint64_t> save_snapshot(uint64_t boundary, const std::string& path);

 private:
  struct Found {
    std::array<bool, 2> arrived{};
    std::array<ProbeAnswer, 2> answer;
    std::array<int, 2> status{};
    bool same() const;
  };
  Found probe(ProbeRequest request);
  void drop(const Found& found);
  void keep() { ++depth_; }
  void back_to_checkpoint();
  bool differs(const ProbeRequest& request);

  void find_window(Narrowed& result);
  void find_count(Narrowed& result);
  void find_entry(Narrowed& result);
  void describe(Narrowed& result);
  nlohmann::json ask_json(unsigned side, Message message, std::string_view body = {});
  void trace(Narrowed& result, const ProbeRequest& request);
  void compare_memory(Narrowed& result, uint64_t ram_base);
  std::string page(unsigned side, uint64_t index);

  LockstepPair& pair_;
  unsigned depth_ = 0;
  uint64_t base_ = 0;  // where the copies stand that answer
  bool hung_ = false;
  bool lost_ = false;
};

}  // namespace lockstep::cli
