// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/vcpu/hart_scheduler.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace lockstep::tlm_models {
namespace {

// Quanta in one turn: live input and a debugger's interrupt wait no longer.
constexpr uint64_t kMaxTurnQuanta = 100;
// One sleep of an idle machine; longer waits are several of them.
constexpr uint64_t kMaxSleepNs = 1'000'000'000;

}  // namespace

HartScheduler::HartScheduler(sc_core::sc_module_name name, core::VirtualClock& clock, TimerQueue& timers,
                             const SchedulerOptions& options, SchedulerHooks& hooks)
    : sc_core::sc_module(name), clock_(clock), timers_(timers), options_(options), hooks_(hooks) {
  options_.quantum_ns = std::max(options_.quantum_ns, clock.ns_per_instruction());
  SC_HAS_PROCESS(HartScheduler);
  SC_THREAD(thread);
  // Translators recurse over blocks and hooks call into debuggers; SystemC's default of 64 KiB would be tight.
  set_stack_size(1 << 20);
}

void HartScheduler::add(Vcpu& vcpu) {
  vcpus_.push_back(&vcpu);
  waiting_.push_back(false);
}

RunEnd HartScheduler::run(const RunLimits& limits) {
  limits_ = limits;
  end_.reset();
  // The first start elaborates the model and brings the thread to its wait.
  if (sc_core::sc_get_status() == sc_core::SC_ELABORATION) sc_core::sc_start(sc_core::SC_ZERO_TIME);
  start_.notify(sc_core::SC_ZERO_TIME);
  sc_core::sc_start();
  return end_.value_or(RunEnd{EndReason::kIdle, 0});
}

void HartScheduler::thread() {
  while (true) {
    wait(start_);
    loop();
    sc_core::sc_pause();
  }
}

void HartScheduler::loop() {
  while (true) {
    if (!in_round_ && !begin_round()) return;
    if (takes_parallel_turns()) {
      if (!run_parallel_turns()) return;
      current_ = static_cast<unsigned>(vcpus_.size());
    }
    while (current_ < vcpus_.size()) {
      if (!run_turn()) return;
      ++current_;
    }
    in_round_ = false;
    end_round();
    if (end_) return;
  }
}

bool HartScheduler::begin_round() {
  if (total_instructions_ >= limits_.stop_at_boundary) {
    request_end(EndReason::kSnapshotPoint);
    return false;
  }
  const uint64_t now_ns = current_ns();
  timers_.run_due(now_ns);
  hooks_.at_boundary(now_ns);
  if (end_) return false;
  in_round_ = true;
  current_ = 0;
  turn_started_ = false;
  round_busy_ns_ = 0;
  if (debug_ != nullptr && debug_->interrupt_requested()) stop_for_debugger_ = true;
  return true;
}

// Quanta from now to the first boundary at or behind `time_ns`, at least one.
uint64_t HartScheduler::quanta_until(uint64_t time_ns) const {
  const uint64_t now_ns = current_ns();
  if (time_ns <= now_ns) return 1;
  return divide_up(time_ns - now_ns, options_.quantum_ns);
}

uint64_t HartScheduler::quiet_quanta() const {
  if (vcpus_.size() > 1 || step_ || options_.quantum_ns % clock_.ns_per_instruction() != 0) return 1;
  const uint64_t quiet_ns = std::min(timers_.next_deadline_ns(), hooks_.quiet_until_ns(current_ns()));
  const uint64_t until_stop = limits_.stop_at_boundary - total_instructions_;
  return std::min({kMaxTurnQuanta, quanta_until(quiet_ns), divide_up(until_stop, quantum())});
}

// A timer was armed that runs out before the long turn does: the turn ends at the boundary that the timer needs.
void HartScheduler::end_turn_early() {
  cut_turn_ = true;
  if (executing_) vcpus_[current_]->hart().state().exit_request |= core::kExitStop;
}

// The turn goes on to the first boundary at which the timer may fire, or to the next one where that has passed.
void HartScheduler::shorten_turn(const core::Hart& hart) {
  cut_turn_ = false;
  const uint64_t quanta =
      std::max(quanta_until(current_ns() + round_busy_ns_), quanta_until(timers_.next_deadline_ns()));
  const uint64_t turn = quanta * quantum();
  turn_left_ = std::min(turn_left_, turn - std::min(turn, hart.executed_in_turn()));
}

bool HartScheduler::run_turn() {
  core::Hart& hart = vcpus_[current_]->hart();
  if (!turn_started_) {
    if (waiting_[current_] && !hart.wakeup_pending()) return true;
    waiting_[current_] = false;
    clock_.begin_turn(current_ns());
    hart.begin_turn();
    const uint64_t quanta = quiet_quanta();
    turn_left_ = quanta * quantum();
    cut_turn_ = false;
    turn_end_ns_ = quanta > 1 ? current_ns() + quanta * options_.quantum_ns : 0;
    turn_started_ = true;
  }
  timers_.watch(turn_end_ns_, [this] { end_turn_early(); });
  if (stop_for_debugger_ && debug_ != nullptr) {
    stop_for_debugger_ = false;
    debug_stop(core::StopReason::kStop);
  }
  if (cut_turn_) shorten_turn(hart);  // by a debugger, while the hart stood still
  while (turn_left_ > 0 && !end_) {
    uint64_t budget =
        std::min(turn_left_, limits_.max_instructions - std::min(total_instructions_, limits_.max_instructions));
    if (budget == 0) {
      request_end(EndReason::kMaxInstructions);
      break;
    }
    if (step_) budget = 1;
    executing_ = true;
    const core::RunResult result = vcpus_[current_]->engine().run(budget);
    executing_ = false;
    hart.state().exit_request &= ~static_cast<uint32_t>(core::kExitStop);
    total_instructions_ += result.executed;
    turn_left_ -= std::min(turn_left_, result.executed);
    round_busy_ns_ = std::max(round_busy_ns_, hart.executed_in_turn() * clock_.ns_per_instruction());
    if (cut_turn_) shorten_turn(hart);
    switch (result.reason) {
      case core::StopReason::kWaitForInterrupt:
        waiting_[current_] = true;
        turn_left_ = 0;
        break;
      case core::StopReason::kYield:
        turn_left_ = 0;
        break;
      case core::StopReason::kBreakpoint:
      case core::StopReason::kWatchpoint:
        if (!end_) debug_stop(result.reason);
        continue;
      case core::StopReason::kBudget:
      case core::StopReason::kStop:
        break;
    }
    if (step_ && !end_) debug_stop(core::StopReason::kStop);
  }
  timers_.unwatch();
  hooks_.after_turn();
  if (end_) return false;
  if (vcpus_.size() > 1) hart.end_turn();
  turn_started_ = false;
  return true;
}

void HartScheduler::debug_stop(core::StopReason reason) {
  step_ = false;
  const DebugAction action = debug_ != nullptr ? debug_->stopped(current_, reason) : DebugAction::kQuit;
  if (action == DebugAction::kQuit) request_end(EndReason::kQuit);
  step_ = action == DebugAction::kStep;
}

bool HartScheduler::all_waiting() const {
  for (size_t i = 0; i < vcpus_.size(); ++i) {
    if (!waiting_[i] || vcpus_[i]->hart().wakeup_pending()) return false;
  }
  return true;
}

void HartScheduler::end_round() {
  const uint64_t now_ns = current_ns();
  uint64_t next_ns = now_ns + quanta_until(now_ns + round_busy_ns_) * options_.quantum_ns;
  if (all_waiting()) {
    // A round in which somebody ran ends where its longest turn did. One in which nobody ran goes to the next event.
    next_ns = round_busy_ns_ > 0 ? now_ns + round_busy_ns_ : idle_until(now_ns);
  }
  if (next_ns > kMaxTimeNs) request_end(EndReason::kIdle);
  if (!end_ && next_ns > now_ns) wait(from_ns(next_ns - now_ns));
  // A device may have written to memory: no reservation holds over that.
  if (std::exchange(fired_, timers_.fired()) != timers_.fired()) {
    for (Vcpu* vcpu : vcpus_) vcpu->hart().end_turn();
  }
}

uint64_t HartScheduler::idle_until(uint64_t now_ns) {
  const uint64_t deadline_ns = std::min(timers_.next_deadline_ns(), hooks_.next_input_ns());
  const int fd = hooks_.wait_fd();
  if (deadline_ns == kNever && fd < 0) {
    request_end(EndReason::kIdle);
    return now_ns;
  }
  if (deadline_ns <= now_ns) return now_ns;
  if (!options_.pace_idle && deadline_ns != kNever) return deadline_ns;
  const uint64_t sleep_ns = std::min(deadline_ns - now_ns, kMaxSleepNs);
  pollfd entry{fd, POLLIN, 0};
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(sleep_ns / 1'000'000'000);
  timeout.tv_nsec = static_cast<long>(sleep_ns % 1'000'000'000);
  const auto begin = std::chrono::steady_clock::now();
  const int ready = ppoll(&entry, fd >= 0 ? 1 : 0, &timeout, nullptr);
  if (ready == 0) return now_ns + sleep_ns;
  const auto slept = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin);
  return now_ns + std::clamp<uint64_t>(static_cast<uint64_t>(slept.count()), 1, sleep_ns);
}

void HartScheduler::request_end(EndReason reason, uint32_t code) {
  // The first reason stands: what ended the guest is not overwritten by a limit met on the same instruction.
  if (!end_) end_ = RunEnd{reason, code};
  if (executing_) vcpus_[current_]->hart().state().exit_request |= core::kExitStop;
  if (parallel_ != nullptr) parallel_->stop();
}

uint64_t HartScheduler::virtual_time_ns() const { return current_ns() + (in_round_ ? round_busy_ns_ : 0); }

void HartScheduler::save(SnapshotSection& section) const {
  section.put("now_ns", current_ns());
  section.put("total_instructions", total_instructions_);
  section.put("latest_read_ns", clock_.latest_read_ns());
  std::vector<uint64_t> waiting(waiting_.begin(), waiting_.end());
  put_words(section, "waiting", waiting);
}

core::Status HartScheduler::restore(const SnapshotSection& section) {
  StateReader reader(section);
  const uint64_t now_ns = reader.word("now_ns");
  reader.get("total_instructions", total_instructions_);
  const uint64_t latest_read_ns = reader.word("latest_read_ns");
  const auto waiting = reader.words("waiting", waiting_.size());
  if (reader.ok() && (now_ns > kMaxTimeNs || now_ns < current_ns())) {
    reader.fail("the snapshot's time is behind this machine's: restore into a machine that has not run");
  }
  if (!reader.ok()) return reader.status();
  if (sc_core::sc_get_status() == sc_core::SC_ELABORATION) sc_core::sc_start(sc_core::SC_ZERO_TIME);
  if (now_ns > current_ns()) sc_core::sc_start(from_ns(now_ns - current_ns()));
  clock_.restore_latest_read_ns(latest_read_ns);
  clock_.begin_turn(now_ns);
  waiting_.assign(waiting.begin(), waiting.end());
  in_round_ = false;
  return {};
}

}  // namespace lockstep::tlm_models
