// SPDX-License-Identifier: Apache-2.0
// The scheduler's turns of harts that run beside one another.
#include <algorithm>

#include "tlm_models/vcpu/hart_scheduler.h"

namespace lockstep::tlm_models {

namespace {

// From one safe point of a hart to the next. More often costs a fast engine a fifth of its time.
constexpr uint64_t kSafePointQuanta = 10;
// In a round: at its ends threads wait for one another, which costs what a fast engine runs in several of them.
constexpr uint64_t kMaxRoundQuanta = 400;

}  // namespace

// Quanta in a round: up to the next timer or input, and no further than the limits of the run let all harts go.
uint64_t HartScheduler::parallel_quanta() const {
  const uint64_t quiet_ns = std::min(timers_.next_deadline_ns(), hooks_.quiet_until_ns(current_ns()));
  const uint64_t until_stop = (limits_.stop_at_boundary - total_instructions_) / vcpus_.size();
  return std::min({kMaxRoundQuanta, quanta_until(quiet_ns), std::max<uint64_t>(divide_up(until_stop, quantum()), 1)});
}

bool HartScheduler::run_parallel_turns() {
  const uint64_t left = limits_.max_instructions - std::min(total_instructions_, limits_.max_instructions);
  if (left == 0) {
    request_end(EndReason::kMaxInstructions);
    return false;
  }
  if (parallel_ == nullptr) {
    std::vector<ParallelHarts::Member> members;
    for (Vcpu* vcpu : vcpus_) members.push_back({&vcpu->hart(), &vcpu->engine()});
    parallel_ = std::make_unique<ParallelHarts>(std::move(members), [this] { return hooks_.guest_ended(); });
    for (Vcpu* vcpu : vcpus_) vcpu->set_parallel(parallel_.get());
  }
  clock_.begin_turn(current_ns());
  const uint64_t quanta = parallel_quanta();
  timers_.watch(current_ns() + quanta * options_.quantum_ns,
                [this] { parallel_->shorten(quanta_until(timers_.next_deadline_ns()) * quantum()); });
  const uint64_t share = std::max<uint64_t>(left / vcpus_.size(), 1);
  const ParallelHarts::Result result =
      parallel_->run({std::min(quanta * quantum(), share), kSafePointQuanta * quantum()}, waiting_);
  timers_.unwatch();
  total_instructions_ += result.executed;
  round_busy_ns_ = result.longest * clock_.ns_per_instruction();
  hooks_.after_turn();
  if (end_) return false;
  for (Vcpu* vcpu : vcpus_) vcpu->hart().end_turn();
  return true;
}

void HartScheduler::set_interrupt(unsigned hart, unsigned line, bool level) {
  if (parallel_ != nullptr) return parallel_->set_interrupt(hart, line, level);
  vcpus_[hart]->hart().set_interrupt(line, level);
}

void HartScheduler::exclusive(const std::function<void()>& work) {
  if (parallel_ != nullptr) return parallel_->exclusive(work);
  work();
}

}  // namespace lockstep::tlm_models
