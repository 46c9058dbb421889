// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "cli/lockstep_side.h"
#include "cli/lockstep_wire.h"
#include "cli/vm_options.h"

namespace lockstep::cli {

// Where two sides stopped agreeing, as far as their records tell.
struct Divergence {
  std::string text;         // a sentence
  uint64_t beginning = 0;   // of the run
  uint64_t checkpoint = 0;  // the last one at which everything agreed; frozen copies stand here
  uint64_t agreed = 0;      // the last total at which records agreed
  uint64_t seen = 0;        // by this total they differ
  bool hung = false;        // a side did not come back from its engine
};

struct PairResult {
  std::optional<std::string> error;  // the user's mistake; nothing was compared
  std::optional<Divergence> divergence;
  std::array<std::string, 2> end;  // JSON of the sides that ended
  uint64_t instructions = 0;       // that agreed
  uint64_t windows = 0;
  uint64_t checkpoints = 0;
};

// Two processes that run the same machine, and their frozen copies where they leave some. One pair a process at a time,
// because its end waits for every child of the process.
class LockstepPair {
 public:
  // Starts both; the calling process must not have made a machine.
  LockstepPair(const VmOptions& options, const std::array<SideOptions, 2>& sides);
  // Ends every process that is left.
  ~LockstepPair();
  LockstepPair(const LockstepPair&) = delete;
  LockstepPair& operator=(const LockstepPair&) = delete;

  using Progress = std::function<void(uint64_t instructions)>;
  // Compares to the end or to the first difference, after which only frozen copies are left.
  PairResult compare(const Progress& progress);

  // The channel to the frozen copy of side 0 or 1.
  int copy(unsigned side) const { return sides_[side].copy; }

 private:
  struct Side {
    std::string engine;
    pid_t pid = -1;
    int status = 0;  // of the process, once it has ended
    int records = -1, control = -1, copy = -1;
    std::deque<LockstepRecord> queue;
    uint64_t last_total = 0;
    std::string end;
    std::optional<std::string> error;
    bool closed = false;
  };

  void start(const VmOptions& options, const SideOptions& side_options, Side& side);
  void receive(Side& side);
  void stop(Side& side);
  // Takes the front records of both as long as they agree. True when there is nothing more to compare.
  bool take(PairResult& result);
  bool look_for_death(PairResult& result);
  std::string how_it_ended(Side& side);
  Divergence divergence(std::string text, const PairResult& result, uint64_t seen) const;
  std::string noticed(const LockstepRecord& first, const LockstepRecord& second) const;

  std::array<Side, 2> sides_;
  uint64_t beginning_ = 0;
  uint64_t checkpoint_ = 0;
  bool hung_ = false;
};

}  // namespace lockstep::cli
