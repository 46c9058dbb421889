// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/engine/engine.h"
#include "core/hart/hart.h"

namespace lockstep::tlm_models {

// Runs the harts of a machine beside one another, each on a thread of its own, for one round of virtual time after the
// other. The thread that calls run() is the machine's, and the only one that touches devices, other harts' state, or
// what all harts share: a hart that needs any of it asks for it and stands still until it is done. Everything that
// reaches a hart from outside does so while it stands still: between rounds, while it asks, or at its next safe point,
// of which there is one every Round::quantum. So no engine needs to know of the others.
class ParallelHarts {
 public:
  struct Member {
    core::Hart* hart = nullptr;
    core::Engine* engine = nullptr;
  };
  struct Round {
    uint64_t instructions = 0;  // that a hart executes, at most
    uint64_t quantum = 0;       // instructions between two safe points
  };
  struct Result {
    uint64_t executed = 0;  // by all harts together
    uint64_t longest = 0;   // how far the first of them is ahead of the round's beginning
  };

  // `guest_ended` is asked on harts' threads and looks at memory alone: true ends the round. It may be empty.
  ParallelHarts(std::vector<Member> members, std::function<bool()> guest_ended);
  ~ParallelHarts();
  ParallelHarts(const ParallelHarts&) = delete;
  ParallelHarts& operator=(const ParallelHarts&) = delete;

  // Runs every hart for a round, and meanwhile does what they ask for. `waiting` says which harts sleep in a wait for
  // an interrupt, before and after.
  Result run(const Round& round, std::vector<bool>& waiting);

  // --- The machine's thread, in the middle of run() or not
  // The round ends after so many instructions. A hart that is further ends at its next safe point.
  void shorten(uint64_t instructions);
  // The round ends: at once for the hart that asks, at their next safe points for the others.
  void stop();
  // Does `work` while every hart stands still.
  void exclusive(const std::function<void()>& work);
  // `line`: 0 to 63. A hart that runs sees it at its next safe point; one that sleeps wakes up in this round.
  void set_interrupt(unsigned hart, unsigned line, bool level);
  // The hart whose request is being done.
  std::optional<unsigned> serving() const { return serving_; }

  // --- A hart's thread
  // Has the machine's thread do `work`, and returns when it is done. Elsewhere it is simply done.
  void on_machine_thread(const std::function<void()>& work);
  // Of the caller: a hart's thread, and not the machine's.
  static bool on_hart_thread();

 private:
  enum class State : uint8_t {
    kIdle,     // its turn is over, or has not begun
    kRunning,  // nobody else may touch the hart
    kAsking,   // waits for its request to be done
    kHeld,     // stands still at a safe point for exclusive()
  };
  struct Worker {
    unsigned index = 0;
    Member member;
    std::atomic<bool> attention = false;  // look at what stands under the mutex
    std::atomic<uint64_t> progress = 0;   // how far the hart is ahead of the round's beginning
    // Under the mutex.
    State state = State::kIdle;
    bool waiting = false;
    const std::function<void()>* request = nullptr;
    uint64_t lines = 0;  // interrupt inputs that are to change, and their levels
    uint64_t levels = 0;
    std::condition_variable wake;
    // The hart's thread while it runs.
    uint64_t executed = 0;
    std::thread thread;
  };

  void work(Worker& worker);
  // Runs until the turn is over. True: the hart sleeps.
  bool run_turn(Worker& worker);
  void let_time_pass(Worker& worker);
  // True: the turn is over.
  bool safe_point(Worker& worker);
  // All with the mutex held.
  void stand_still(Worker& worker, State state, std::unique_lock<std::mutex>& lock);
  void leave_running(Worker& worker, State state);
  void go_on(Worker& worker);
  void start(Worker& worker);
  void apply_lines(Worker& worker);
  void end_all_turns();

  std::function<bool()> guest_ended_;
  std::vector<std::unique_ptr<Worker>> workers_;

  std::mutex mutex_;
  std::condition_variable machine_;
  std::deque<Worker*> asking_;  // in order of arrival; each hart once at most
  unsigned active_ = 0;         // harts whose turn is not over
  unsigned running_ = 0;        // of those, in kRunning
  bool holding_ = false;
  bool stopping_ = false;
  bool quit_ = false;
  std::atomic<uint64_t> limit_ = 0;
  uint64_t quantum_ = 1;

  // The machine's thread alone.
  bool in_round_ = false;
  unsigned exclusive_depth_ = 0;
  std::optional<unsigned> serving_;
};

}  // namespace lockstep::tlm_models
