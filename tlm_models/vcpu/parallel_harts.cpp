// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/vcpu/parallel_harts.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lockstep::tlm_models {
namespace {

// Which hart's thread this is.
thread_local void* current_worker = nullptr;

// What a hint that the guest spins counts for: a small part of a quantum.
constexpr uint64_t kPausesInQuantum = 10;

}  // namespace

ParallelHarts::ParallelHarts(std::vector<Member> members, std::function<bool()> guest_ended)
    : guest_ended_(std::move(guest_ended)) {
  for (const Member& member : members) {
    auto worker = std::make_unique<Worker>();
    worker->index = static_cast<unsigned>(workers_.size());
    worker->member = member;
    workers_.push_back(std::move(worker));
  }
  for (const auto& worker : workers_) {
    worker->thread = std::thread([this, w = worker.get()] { work(*w); });
  }
}

ParallelHarts::~ParallelHarts() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  for (const auto& worker : workers_) worker->wake.notify_one();
  for (const auto& worker : workers_) worker->thread.join();
}

bool ParallelHarts::on_hart_thread() { return current_worker != nullptr; }

ParallelHarts::Result ParallelHarts::run(const Round& round, std::vector<bool>& waiting) {
  std::unique_lock lock(mutex_);
  in_round_ = true;
  stopping_ = false;
  limit_ = round.instructions;
  quantum_ = std::max<uint64_t>(round.quantum, 1);
  for (const auto& worker : workers_) {
    worker->executed = 0;
    worker->progress = 0;
    worker->waiting = waiting[worker->index];
    worker->member.hart->begin_turn();
    if (!worker->waiting || worker->member.hart->wakeup_pending()) start(*worker);
  }
  while (active_ > 0) {
    machine_.wait(lock, [this] { return !asking_.empty() || active_ == 0; });
    while (!asking_.empty()) {
      Worker& worker = *asking_.front();
      asking_.pop_front();
      serving_ = worker.index;
      lock.unlock();
      (*worker.request)();
      lock.lock();
      serving_.reset();
      go_on(worker);
    }
  }
  in_round_ = false;
  Result result;
  for (const auto& worker : workers_) {
    waiting[worker->index] = worker->waiting;
    if (worker->executed == 0) continue;
    result.executed += worker->executed;
    result.longest = std::max(result.longest, worker->member.hart->executed_in_turn());
  }
  return result;
}

void ParallelHarts::shorten(uint64_t instructions) {
  limit_.store(std::min(limit_.load(std::memory_order_relaxed), instructions), std::memory_order_relaxed);
}

void ParallelHarts::stop() {
  const std::lock_guard lock(mutex_);
  end_all_turns();
  if (serving_) workers_[*serving_]->member.hart->state().exit_request |= core::kExitStop;
}

void ParallelHarts::end_all_turns() {
  stopping_ = true;
  for (const auto& worker : workers_) worker->attention = true;
}

void ParallelHarts::exclusive(const std::function<void()>& work) {
  if (!in_round_ || exclusive_depth_ > 0) return work();
  ++exclusive_depth_;
  {
    std::unique_lock lock(mutex_);
    holding_ = true;
    for (const auto& worker : workers_) worker->attention = true;
    machine_.wait(lock, [this] { return running_ == 0; });
  }
  work();
  --exclusive_depth_;
  const std::lock_guard lock(mutex_);
  holding_ = false;
  for (const auto& worker : workers_) {
    if (worker->state == State::kHeld) go_on(*worker);
  }
}

void ParallelHarts::set_interrupt(unsigned hart, unsigned line, bool level) {
  assert(line < 64);
  const std::lock_guard lock(mutex_);
  Worker& worker = *workers_[hart];
  core::Hart& target = *worker.member.hart;
  if (worker.state == State::kRunning) {
    const uint64_t bit = uint64_t{1} << line;
    worker.lines |= bit;
    worker.levels = level ? worker.levels | bit : worker.levels & ~bit;
    worker.attention = true;
    return;
  }
  apply_lines(worker);  // what came before this
  target.set_interrupt(line, level);
  if (!in_round_ || stopping_ || worker.state != State::kIdle || !worker.waiting || !target.wakeup_pending()) return;
  // It slept until now, which is where the hart is that woke it.
  const uint64_t now = serving_ ? workers_[*serving_]->member.hart->executed_in_turn() : 0;
  const uint64_t slept = std::max(now, target.executed_in_turn());
  if (slept >= limit_.load(std::memory_order_relaxed)) return;
  target.begin_turn_late(slept);
  start(worker);
}

void ParallelHarts::on_machine_thread(const std::function<void()>& work) {
  if (current_worker == nullptr) return work();
  auto& worker = *static_cast<Worker*>(current_worker);
  std::unique_lock lock(mutex_);
  worker.request = &work;
  asking_.push_back(&worker);
  stand_still(worker, State::kAsking, lock);
}

void ParallelHarts::stand_still(Worker& worker, State state, std::unique_lock<std::mutex>& lock) {
  leave_running(worker, state);
  worker.wake.wait(lock, [&] { return worker.state == State::kRunning; });
}

void ParallelHarts::leave_running(Worker& worker, State state) {
  worker.state = state;
  --running_;
  machine_.notify_one();
}

// One that may run again does so when nobody wants it to stand still.
void ParallelHarts::go_on(Worker& worker) {
  if (holding_) {
    worker.state = State::kHeld;
    return;
  }
  worker.state = State::kRunning;
  ++running_;
  worker.wake.notify_one();
}

void ParallelHarts::start(Worker& worker) {
  worker.waiting = false;
  ++active_;
  go_on(worker);
}

void ParallelHarts::apply_lines(Worker& worker) {
  for (unsigned line = 0; worker.lines != 0; ++line, worker.lines >>= 1, worker.levels >>= 1) {
    if (worker.lines & 1) worker.member.hart->set_interrupt(line, worker.levels & 1);
  }
  worker.levels = 0;
}

void ParallelHarts::work(Worker& worker) {
  current_worker = &worker;
  std::unique_lock lock(mutex_);
  while (true) {
    worker.wake.wait(lock, [&] { return quit_ || worker.state == State::kRunning; });
    if (quit_) return;
    lock.unlock();
    const bool asleep = run_turn(worker);
    lock.lock();
    // An interrupt that came while the hart fell asleep wakes it.
    apply_lines(worker);
    if (asleep && !stopping_ && worker.member.hart->wakeup_pending()) continue;
    worker.waiting = asleep;
    --active_;
    leave_running(worker, State::kIdle);
  }
}

bool ParallelHarts::run_turn(Worker& worker) {
  core::Hart& hart = *worker.member.hart;
  while (true) {
    if (worker.attention.load(std::memory_order_acquire) && safe_point(worker)) return false;
    const uint64_t done = hart.executed_in_turn();
    worker.progress.store(done, std::memory_order_relaxed);
    const uint64_t limit = limit_.load(std::memory_order_relaxed);
    if (done >= limit) return false;
    const core::RunResult result = worker.member.engine->run(std::min(quantum_, limit - done));
    hart.state().exit_request &= ~static_cast<uint32_t>(core::kExitStop);
    worker.executed += result.executed;
    if (guest_ended_ && guest_ended_()) {
      const std::lock_guard lock(mutex_);
      end_all_turns();
    }
    switch (result.reason) {
      case core::StopReason::kWaitForInterrupt:
        return true;
      case core::StopReason::kYield:
        // The guest spins: another hart's thread may need this host processor.
        let_time_pass(worker);
        std::this_thread::yield();
        break;
      default:
        break;
    }
  }
}

// A hart that spins waits for others, so its time keeps up with theirs: else the round would wait for it, and it for
// harts that wait for the next round.
void ParallelHarts::let_time_pass(Worker& worker) {
  core::Hart& hart = *worker.member.hart;
  uint64_t ahead = hart.executed_in_turn() + quantum_ / kPausesInQuantum + 1;
  for (const auto& other : workers_) ahead = std::max(ahead, other->progress.load(std::memory_order_relaxed));
  // The limit may have come down below where the hart is.
  ahead = std::min(ahead, limit_.load(std::memory_order_relaxed));
  hart.begin_turn_late(std::max(hart.executed_in_turn(), ahead));
}

bool ParallelHarts::safe_point(Worker& worker) {
  std::unique_lock lock(mutex_);
  worker.attention = false;
  if (holding_) stand_still(worker, State::kHeld, lock);
  apply_lines(worker);
  return stopping_;
}

}  // namespace lockstep::tlm_models
