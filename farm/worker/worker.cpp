// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/worker.h"

#include <algorithm>
#include <utility>

namespace lockstep::farm {

Worker::Worker(WorkerOptions options, std::vector<ResultReport> spooled, uint64_t now_ms)
    : options_(std::move(options)), heard_ms_(now_ms) {
  for (ResultReport& r : spooled) {
    Entry entry;
    entry.phase = Phase::kSpooled;
    entry.job.id = r.job_id;
    const AttemptId attempt = r.attempt;
    entry.report = std::move(r);
    entries_.emplace(attempt, std::move(entry));
  }
  say_hello(now_ms);
}

std::vector<WorkerAction> Worker::take_actions() { return std::exchange(actions_, {}); }

std::vector<HeldAttempt> Worker::held(uint64_t now_ms) const {
  std::vector<HeldAttempt> list;
  for (const auto& [id, entry] : entries_) {
    if (list.size() == kMaxHeldAttempts) break;
    HeldAttempt h{entry.job.id, id, HeldState::kRunning, 0, entry.output_bytes};
    if (entry.phase == Phase::kQueued) h.state = HeldState::kQueued;
    if (entry.phase == Phase::kSpooled) h.state = HeldState::kSpooled;
    if (entry.phase == Phase::kRunning || entry.phase == Phase::kCancelled) h.elapsed_ms = now_ms - entry.started_ms;
    list.push_back(std::move(h));
  }
  return list;
}

void Worker::say_hello(uint64_t now_ms) {
  beat_ms_ = now_ms;
  act(SendMessage{Hello{identity(), options_.host, options_.slots, options_.window, held(now_ms)}});
}

void Worker::on_message(const CoordinatorMessage& message, uint64_t now_ms) {
  if (left_) return;
  const uint64_t epoch = std::visit([](const auto& m) { return m.epoch; }, message);
  if (epoch < epoch_) return;
  heard_ms_ = now_ms;
  if (epoch > epoch_) {
    // A new coordinator: it knows this worker only after another Hello.
    epoch_ = epoch;
    draining_ = false;
    registered_ = false;
    if (!std::holds_alternative<Welcome>(message) && !std::holds_alternative<Reregister>(message)) say_hello(now_ms);
  }
  std::visit([&](const auto& m) { handle(m, now_ms); }, message);
}

void Worker::handle(const Welcome& m, uint64_t now_ms) {
  registered_ = true;
  if (m.heartbeat_ms != 0) options_.heartbeat_ms = m.heartbeat_ms;
  for (auto& [id, entry] : entries_) {
    if (entry.phase == Phase::kSpooled) report(entry, now_ms);
  }
}

void Worker::handle(const HeartbeatAck&, uint64_t) {}

void Worker::handle(const Reregister&, uint64_t now_ms) {
  registered_ = false;
  say_hello(now_ms);
}

void Worker::handle(const Assign& m, uint64_t now_ms) {
  if (draining_ || entries_.contains(m.attempt)) return;
  if (std::find(recent_.begin(), recent_.end(), m.attempt) != recent_.end()) return;
  if (entries_.size() >= kMaxHeldAttempts) return;
  Entry entry;
  entry.job = m.job;
  entries_.emplace(m.attempt, std::move(entry));
  queue_.push_back(m.attempt);
  start_next(now_ms);
}

void Worker::start_next(uint64_t now_ms) {
  while (running_count_ < options_.slots && !queue_.empty()) {
    const AttemptId id = queue_.front();
    queue_.pop_front();
    Entry& entry = entries_.at(id);
    entry.phase = Phase::kRunning;
    entry.started_ms = now_ms;
    ++running_count_;
    act(StartJob{id, entry.job});
  }
}

void Worker::on_output(const AttemptId& attempt, uint64_t output_bytes) {
  auto it = entries_.find(attempt);
  if (it != entries_.end()) it->second.output_bytes = output_bytes;
}

void Worker::on_job_exited(const AttemptId& attempt, JobResult result, uint64_t now_ms) {
  auto it = entries_.find(attempt);
  if (it == entries_.end()) return;
  Entry& entry = it->second;
  if (entry.phase != Phase::kRunning && entry.phase != Phase::kCancelled) return;
  --running_count_;
  if (entry.phase == Phase::kCancelled) {
    forget(attempt);
  } else {
    entry.phase = Phase::kSpooling;
    entry.report = ResultReport{{options_.name, options_.incarnation, 0}, entry.job.id, attempt, std::move(result)};
    act(WriteSpool{entry.report});
  }
  start_next(now_ms);
  leave_if_drained(now_ms);
}

void Worker::on_spooled(const AttemptId& attempt, uint64_t now_ms) {
  auto it = entries_.find(attempt);
  if (it == entries_.end() || it->second.phase != Phase::kSpooling) return;
  it->second.phase = Phase::kSpooled;
  report(it->second, now_ms);
}

void Worker::report(Entry& entry, uint64_t now_ms) {
  entry.sent_ms = now_ms;
  entry.report.worker = WorkerIdentity{options_.name, options_.incarnation, 0};
  act(SendMessage{entry.report});
}

void Worker::forget(const AttemptId& attempt) {
  entries_.erase(attempt);
  recent_.push_back(attempt);
  if (recent_.size() > kRecentAttempts) recent_.pop_front();
}

void Worker::handle(const ResultAck& m, uint64_t now_ms) {
  auto it = entries_.find(m.attempt);
  if (it == entries_.end() || it->second.phase != Phase::kSpooled) return;
  act(RemoveSpool{m.attempt});
  forget(m.attempt);
  leave_if_drained(now_ms);
}

void Worker::handle(const Cancel& m, uint64_t now_ms) {
  auto it = entries_.find(m.attempt);
  if (it == entries_.end()) {
    // The Assign may still be on its way.
    recent_.push_back(m.attempt);
    if (recent_.size() > kRecentAttempts) recent_.pop_front();
    return;
  }
  if (it->second.phase == Phase::kQueued) {
    std::erase(queue_, m.attempt);
    forget(m.attempt);
  } else if (it->second.phase == Phase::kRunning) {
    it->second.phase = Phase::kCancelled;
    act(KillJob{m.attempt});
  }
  leave_if_drained(now_ms);
}

void Worker::handle(const Drain&, uint64_t now_ms) {
  draining_ = true;
  leave_if_drained(now_ms);
}

void Worker::leave_if_drained(uint64_t now_ms) {
  if (!draining_ || left_ || !entries_.empty()) return;
  act(SendMessage{Goodbye{identity(), held(now_ms)}});
  act(Leave{"the coordinator has no more work", false});
  left_ = true;
}

void Worker::handle(const Reject& m, uint64_t) {
  for (auto& [id, entry] : entries_) {
    if (entry.phase == Phase::kRunning) act(KillJob{id});
  }
  act(Leave{m.reason, true});
  left_ = true;
}

void Worker::stop(uint64_t now_ms) {
  if (left_) return;
  for (auto& [id, entry] : entries_) {
    if (entry.phase == Phase::kRunning || entry.phase == Phase::kCancelled) act(KillJob{id});
  }
  std::erase_if(entries_, [](const auto& e) { return e.second.phase != Phase::kSpooled; });
  act(SendMessage{Goodbye{identity(), held(now_ms)}});
  act(Leave{"it was asked to stop", false});
  left_ = true;
}

void Worker::on_tick(uint64_t now_ms) {
  if (left_) return;
  if (now_ms >= heard_ms_ + options_.orphan_ms) {
    for (auto& [id, entry] : entries_) {
      if (entry.phase == Phase::kRunning || entry.phase == Phase::kCancelled) act(KillJob{id});
    }
    act(Leave{"the coordinator has been silent for " + std::to_string(options_.orphan_ms / 1000) + " s", true});
    left_ = true;
    return;
  }
  if (!registered_) {
    if (now_ms >= beat_ms_ + options_.hello_ms) say_hello(now_ms);
  } else if (now_ms >= beat_ms_ + options_.heartbeat_ms) {
    beat_ms_ = now_ms;
    act(SendMessage{Heartbeat{identity(), held(now_ms)}});
  }
  for (auto& [id, entry] : entries_) {
    if (entry.phase == Phase::kSpooled && now_ms >= entry.sent_ms + options_.resend_ms) report(entry, now_ms);
  }
}

}  // namespace lockstep::farm
