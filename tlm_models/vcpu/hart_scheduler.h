// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <systemc>
#include <vector>

#include "core/engine/engine.h"
#include "core/time/virtual_clock.h"
#include "tlm_models/kernel/state_reader.h"
#include "tlm_models/kernel/timer_queue.h"
#include "tlm_models/vcpu/parallel_harts.h"
#include "tlm_models/vcpu/vcpu.h"

namespace lockstep::tlm_models {

// Why HartScheduler::run() returned.
enum class EndReason : uint8_t {
  kGuestPass,
  kGuestFail,
  kGuestReset,
  kMaxInstructions,
  kIdle,           // every hart waits and nothing can ever wake one
  kQuit,           // the user or the debugger ended the run
  kStopped,        // who made the machine ended the run
  kSnapshotPoint,  // the count at which to stop at a boundary was reached; run() carries on
};

struct RunEnd {
  EndReason reason = EndReason::kIdle;
  uint32_t code = 0;  // of kGuestFail
};

struct RunLimits {
  // Totals over all harts since reset. The first is exact, the second ends the run at the next boundary of turns.
  uint64_t max_instructions = ~uint64_t{0};
  uint64_t stop_at_boundary = ~uint64_t{0};
};

// What the machine around the harts does at set points of a run.
class SchedulerHooks {
 public:
  virtual ~SchedulerHooks() = default;
  // A round begins: time for input from outside.
  virtual void at_boundary(uint64_t now_ns) = 0;
  // A hart's turn is over.
  virtual void after_turn() = 0;
  // Before this virtual time nobody outside of the harts and timers needs a boundary; `now_ns`: the next one does.
  virtual uint64_t quiet_until_ns(uint64_t now_ns) const = 0;
  // Virtual time at which input is due although all harts are idle, or kNever.
  virtual uint64_t next_input_ns() const = 0;
  // The descriptor that ends an idle wait, or -1.
  virtual int wait_fd() const = 0;
  // after_turn() would end the run. Looks at memory alone; harts that run beside one another ask often, each on its
  // thread.
  virtual bool guest_ended() const = 0;
};

constexpr uint64_t divide_up(uint64_t a, uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

enum class DebugAction : uint8_t { kContinue, kStep, kQuit };

// A debugger. While stopped() runs the whole machine stands still and may be inspected and changed.
class DebugHook {
 public:
  virtual ~DebugHook() = default;
  // At the beginning of each round: true to stop (the user interrupted).
  virtual bool interrupt_requested() = 0;
  // `hart` has stopped; kStop after a step or an interrupt.
  virtual DebugAction stopped(unsigned hart, core::StopReason reason) = 0;
};

struct SchedulerOptions {
  uint64_t quantum_ns = 10'000;
  bool pace_idle = false;  // idle virtual time passes no faster than real time
  bool parallel = false;   // several harts run beside one another, on threads of the host
};

// Owner of the harts' time: one SystemC thread gives harts 0 to N-1 a turn of one quantum each, all from the same
// virtual time, then lets simulated time pass. Everything from outside a hart (timers, input) comes in between rounds.
// A hart that is alone gets the quanta up to the next timer or input in one turn: what it sees is the same.
// A run may end inside a turn and is carried on there by the next run().
//
// With SchedulerOptions::parallel all harts of several have their turns at the same time (ParallelHarts), of up to
// kMaxRoundQuanta quanta; every kSafePointQuanta of them a hart looks for interrupts and the like. Two runs differ, and
// while a debugger is there the turns are as above.
class HartScheduler : public sc_core::sc_module {
 public:
  HartScheduler(sc_core::sc_module_name name, core::VirtualClock& clock, TimerQueue& timers,
                const SchedulerOptions& options, SchedulerHooks& hooks);

  void add(Vcpu& vcpu);
  void set_debug_hook(DebugHook* hook) { debug_ = hook; }
  // Stops with `reason` before the first instruction instead of at the first breakpoint.
  void stop_for_debugger() { stop_for_debugger_ = true; }

  // Runs the simulation until the run ends. Called outside of it.
  RunEnd run(const RunLimits& limits);

  // Ends the run directly after the instruction that is being executed, or at the current boundary.
  void request_end(EndReason reason, uint32_t code = 0);

  // What concerns harts that may be running beside the caller, which is the machine's thread: an interrupt input, and
  // work for which all of them stand still.
  void set_interrupt(unsigned hart, unsigned line, bool level);
  void exclusive(const std::function<void()>& work);

  uint64_t total_instructions() const { return total_instructions_; }
  // Virtual time, the lead of the hart whose turn it is included.
  uint64_t virtual_time_ns() const;
  unsigned current_hart() const { return parallel_ && parallel_->serving() ? *parallel_->serving() : current_; }

  // Only between rounds, that is after kSnapshotPoint.
  void save(SnapshotSection& section) const;
  core::Status restore(const SnapshotSection& section);
  bool at_boundary() const { return !in_round_; }

 private:
  void thread();
  void loop();
  bool begin_round();
  bool run_turn();
  // The turns of all harts at once (hart_scheduler_parallel.cpp).
  bool takes_parallel_turns() const { return options_.parallel && vcpus_.size() > 1 && debug_ == nullptr; }
  bool run_parallel_turns();
  uint64_t parallel_quanta() const;
  uint64_t quanta_until(uint64_t time_ns) const;
  // Instructions of a quantum, at least one.
  uint64_t quantum() const { return options_.quantum_ns / clock_.ns_per_instruction(); }
  uint64_t quiet_quanta() const;
  void end_turn_early();
  void shorten_turn(const core::Hart& hart);
  void debug_stop(core::StopReason reason);
  void end_round();
  uint64_t idle_until(uint64_t now_ns);
  bool all_waiting() const;

  core::VirtualClock& clock_;
  TimerQueue& timers_;
  SchedulerOptions options_;
  SchedulerHooks& hooks_;
  DebugHook* debug_ = nullptr;
  std::vector<Vcpu*> vcpus_;
  sc_core::sc_event start_;

  RunLimits limits_;
  std::optional<RunEnd> end_;
  uint64_t total_instructions_ = 0;
  std::vector<bool> waiting_;

  // Where in a round the last run ended.
  bool in_round_ = false;
  unsigned current_ = 0;
  bool turn_started_ = false;
  bool executing_ = false;
  uint64_t turn_left_ = 0;      // instructions
  uint64_t turn_end_ns_ = 0;    // of a turn of several quanta, else 0
  bool cut_turn_ = false;       // a timer was armed that comes before the turn's end
  uint64_t fired_ = 0;          // timers, at the last boundary
  uint64_t round_busy_ns_ = 0;  // the longest turn of the round so far
  bool step_ = false;
  bool stop_for_debugger_ = false;

  std::unique_ptr<ParallelHarts> parallel_;  // made when it is needed first
};

}  // namespace lockstep::tlm_models
