// SPDX-License-Identifier: Apache-2.0
#include "farm/coordinator/coordinator.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace lockstep::farm {

Coordinator::Coordinator(CoordinatorOptions options, FarmState recovered, const std::string& fresh_farm_id,
                         uint64_t now_ms, uint64_t unix_time_ms)
    : options_(options), state_(std::move(recovered)), unix_time_ms_(unix_time_ms), committed_(state_.last_sequence()) {
  const std::string farm_id = state_.farm_id().empty() ? fresh_farm_id : state_.farm_id();
  append(EpochStarted{state_.epoch() + 1, farm_id});
  // A lease of an earlier epoch gets one full lease time in which its worker may come back and claim it.
  for (const auto& [id, attempt] : state_.attempts()) {
    if (attempt.phase != AttemptPhase::kLeased) continue;
    leases_[id] = Lease{attempt.worker, attempt.job_index, now_ms, now_ms + options_.lease_ms, now_ms};
  }
}

core::Status Coordinator::add_job(JobSpec job) {
  if (job.id.empty() || job.id.size() > kMaxJobIdBytes) {
    return core::Error{"a job's id has " + std::to_string(job.id.size()) + " bytes; 1 to " +
                       std::to_string(kMaxJobIdBytes) + " are allowed"};
  }
  if (state_.find_job(job.id) != nullptr) return core::Error{"two jobs have the id " + job.id};
  if (state_.plan_complete()) return core::Error{"job " + job.id + " comes after the end of the plan"};
  const std::string id = job.id;
  const std::optional<std::string> skip = job.skip_reason;
  append(JobAdded{std::move(job)});
  if (skip) {
    JobResult result;
    result.status = JobStatus::kSkip;
    result.message = *skip;
    append(ResultRecorded{id, AttemptId{}, std::move(result)});
  }
  return {};
}

void Coordinator::complete_plan() { append(PlanCompleted{state_.jobs().size()}); }

void Coordinator::append(JournalEvent event) {
  JournalRecord record{state_.last_sequence() + 1, unix_time_ms_, std::move(event)};
  core::Status status = state_.apply(record);
  if (!status.ok()) {
    // Only a mistake in this class gets here. A journal that cannot be replayed would be worse than a crash, from which
    // the journal as it stands recovers.
    std::fprintf(stderr, "lockstep farm: internal error: %s\n", status.error().message.c_str());
    std::abort();
  }
  appends_.push_back(std::move(record));
}

void Coordinator::send(const PeerId& peer, CoordinatorMessage message) {
  held_.push_back(Held{state_.last_sequence(), Outgoing{peer, std::move(message)}});
}

void Coordinator::committed(uint64_t sequence) {
  assert(sequence <= state_.last_sequence());
  committed_ = std::max(committed_, sequence);
}

std::vector<JournalRecord> Coordinator::take_appends() { return std::exchange(appends_, {}); }

std::vector<Outgoing> Coordinator::take_sends() {
  std::vector<Outgoing> ready;
  while (!held_.empty() && held_.front().after_sequence <= committed_) {
    ready.push_back(std::move(held_.front().outgoing));
    held_.pop_front();
  }
  return ready;
}

void Coordinator::on_message(const PeerId& peer, const WorkerMessage& message, uint64_t now_ms) {
  std::visit([&](const auto& m) { handle(peer, m, now_ms); }, message);
  dispatch(now_ms);
}

Coordinator::Session* Coordinator::refresh(const PeerId& peer, const WorkerIdentity& worker, uint64_t now_ms) {
  auto it = sessions_.find(worker.name);
  if (it == sessions_.end() || it->second.incarnation < worker.incarnation) {
    send(peer, Reregister{state_.epoch()});
    return nullptr;
  }
  Session& session = it->second;
  if (worker.incarnation < session.incarnation || worker.sequence <= session.sequence) {
    ++counters_.stale_messages;
    return nullptr;
  }
  session.sequence = worker.sequence;
  session.peer = peer;
  session.last_seen_ms = now_ms;
  return &session;
}

void Coordinator::handle(const PeerId& peer, const Hello& hello, uint64_t now_ms) {
  auto it = sessions_.find(hello.worker.name);
  if (it != sessions_.end() && hello.worker.incarnation < it->second.incarnation) {
    ++counters_.rejected_workers;
    send(peer, Reject{state_.epoch(), "another worker named " + hello.worker.name + " has taken its place"});
    return;
  }
  const bool known = it != sessions_.end() && it->second.incarnation == hello.worker.incarnation;
  if (known && hello.worker.sequence <= it->second.sequence) {
    ++counters_.stale_messages;
    return;
  }
  if (it == sessions_.end() && sessions_.size() >= kMaxWorkers) {
    ++counters_.rejected_workers;
    send(peer, Reject{state_.epoch(), "the coordinator has " + std::to_string(kMaxWorkers) + " workers, its limit"});
    return;
  }
  Session& session = sessions_[hello.worker.name];
  session.peer = peer;
  session.incarnation = hello.worker.incarnation;
  session.sequence = hello.worker.sequence;
  session.last_seen_ms = now_ms;
  session.slots = std::clamp<uint32_t>(hello.slots, 1, kMaxSlots);
  session.window = std::clamp<uint32_t>(hello.window, session.slots, kMaxWindow);
  session.leaving = false;
  session.leases = 0;
  for (const auto& [id, lease] : leases_) session.leases += lease.worker == hello.worker.name ? 1 : 0;
  if (!known) {
    append(WorkerJoined{hello.worker.name, hello.worker.incarnation, hello.host, session.slots});
  }
  send(peer, Welcome{state_.epoch(), state_.farm_id(), options_.heartbeat_ms});
  if (draining_) send(peer, Drain{state_.epoch()});
  reconcile(hello.worker.name, session, hello.held, true, now_ms);
}

void Coordinator::handle(const PeerId& peer, const Heartbeat& beat, uint64_t now_ms) {
  Session* session = refresh(peer, beat.worker, now_ms);
  if (session == nullptr) return;
  send(peer, HeartbeatAck{state_.epoch()});
  if (draining_) send(peer, Drain{state_.epoch()});
  reconcile(beat.worker.name, *session, beat.held, false, now_ms);
}

void Coordinator::reconcile(const std::string& name, Session& session, const std::vector<HeldAttempt>& held,
                            bool check_incarnation, uint64_t now_ms) {
  session.running.clear();
  std::set<AttemptId> listed;
  for (const HeldAttempt& h : held) {
    listed.insert(h.attempt);
    auto lease = leases_.find(h.attempt);
    if (lease == leases_.end()) {
      // A spooled result is on its way and may still count; anything else runs for nobody.
      if (h.state != HeldState::kSpooled) {
        send(session.peer, Cancel{state_.epoch(), h.attempt, "its lease has ended"});
      }
      continue;
    }
    session.running[h.job_id] = h;
    const JobLimits& limits = state_.jobs()[lease->second.job_index].spec.limits;
    if (h.state == HeldState::kRunning && limits.wall_ms != 0 && h.elapsed_ms > limits.wall_ms + options_.overrun_ms) {
      const AttemptId id = h.attempt;
      send(session.peer, Cancel{state_.epoch(), id, "it outlived its wall limit"});
      lose(id, "worker " + name + " did not end it at its wall limit");
      continue;
    }
    lease->second.expires_ms = now_ms + options_.lease_ms;
  }
  std::vector<AttemptId> missing;
  for (auto& [id, lease] : leases_) {
    if (lease.worker != name || listed.contains(id)) continue;
    const AttemptEntry* attempt = state_.find_attempt(id);
    if (check_incarnation && attempt->incarnation < session.incarnation) {
      missing.push_back(id);
    } else if (now_ms >= lease.sent_ms + options_.resend_ms) {
      ++counters_.resent_assigns;
      send_assign(id, lease, now_ms);
    }
  }
  for (const AttemptId& id : missing) lose(id, "worker " + name + " was restarted");
}

void Coordinator::handle(const PeerId& peer, const ResultReport& report, uint64_t now_ms) {
  // The fence is the attempt, not the session: a result is judged by the lease it was made under, however late it
  // comes.
  auto session = sessions_.find(report.worker.name);
  if (session != sessions_.end() && session->second.incarnation == report.worker.incarnation) {
    session->second.last_seen_ms = now_ms;
  }
  const AttemptEntry* attempt = state_.find_attempt(report.attempt);
  if (attempt == nullptr || state_.jobs()[attempt->job_index].spec.id != report.job_id) {
    ++counters_.unknown_results;
    send(peer, ResultAck{state_.epoch(), report.attempt, Disposition::kUnknown});
    return;
  }
  const JobEntry& job = state_.jobs()[attempt->job_index];
  const bool live = attempt->phase == AttemptPhase::kLeased;
  const bool late = attempt->phase == AttemptPhase::kLost;
  if (job.phase == JobPhase::kRecorded || (!live && !late) || (late && report.result.retryable)) {
    ++counters_.duplicate_results;
    send(peer, ResultAck{state_.epoch(), report.attempt, Disposition::kDuplicate});
    return;
  }
  if (report.result.retryable && job.failed + 1 < options_.max_failed) {
    append(AttemptFailed{report.job_id, report.attempt, report.result});
    drop_lease(report.attempt);
  } else {
    record(job, report.attempt, report.result);
  }
  send(peer, ResultAck{state_.epoch(), report.attempt, Disposition::kRecorded});
}

void Coordinator::record(const JobEntry& job, const AttemptId& attempt, JobResult result) {
  const std::optional<AttemptId> lease = job.lease;
  append(ResultRecorded{job.spec.id, attempt, std::move(result)});
  if (!lease) return;
  if (*lease != attempt) {
    auto it = leases_.find(*lease);
    auto session = sessions_.find(it->second.worker);
    if (session != sessions_.end()) {
      send(session->second.peer, Cancel{state_.epoch(), *lease, "the job has its result"});
    }
  }
  drop_lease(*lease);
}

void Coordinator::handle(const PeerId& peer, const Goodbye& bye, uint64_t now_ms) {
  Session* session = refresh(peer, bye.worker, now_ms);
  if (session == nullptr) return;
  std::set<AttemptId> kept;
  for (const HeldAttempt& h : bye.held) {
    if (h.state == HeldState::kSpooled) kept.insert(h.attempt);
  }
  std::vector<AttemptId> lost;
  for (const auto& [id, lease] : leases_) {
    if (lease.worker == bye.worker.name && !kept.contains(id)) lost.push_back(id);
  }
  for (const AttemptId& id : lost) lose(id, "worker " + bye.worker.name + " left");
  session->leaving = true;
  session->running.clear();
}

void Coordinator::drop_lease(const AttemptId& attempt) {
  auto it = leases_.find(attempt);
  if (it == leases_.end()) return;
  auto session = sessions_.find(it->second.worker);
  if (session != sessions_.end() && session->second.leases > 0) --session->second.leases;
  leases_.erase(it);
}

void Coordinator::lose(const AttemptId& attempt, const std::string& reason) {
  const JobEntry& job = state_.jobs()[state_.find_attempt(attempt)->job_index];
  ++counters_.lost_attempts;
  append(AttemptLost{job.spec.id, attempt, reason});
  drop_lease(attempt);
  if (job.lost >= options_.max_lost) {
    JobResult result;
    result.status = JobStatus::kError;
    result.message = "lost " + std::to_string(job.lost) + " times, at last because " + reason;
    append(ResultRecorded{job.spec.id, AttemptId{}, std::move(result)});
  }
}

void Coordinator::on_tick(uint64_t now_ms) {
  std::vector<AttemptId> expired;
  for (const auto& [id, lease] : leases_) {
    if (now_ms >= lease.expires_ms) expired.push_back(id);
  }
  for (const AttemptId& id : expired) {
    const std::string worker = leases_[id].worker;
    lose(id, "nothing was heard of it from worker " + worker + " for " + std::to_string(options_.lease_ms) + " ms");
  }
  std::erase_if(sessions_, [&](const auto& entry) {
    return entry.second.leases == 0 && now_ms >= entry.second.last_seen_ms + options_.lease_ms;
  });
  dispatch(now_ms);
}

void Coordinator::send_assign(const AttemptId& attempt, Lease& lease, uint64_t now_ms) {
  lease.sent_ms = now_ms;
  send(sessions_.at(lease.worker).peer, Assign{state_.epoch(), attempt, state_.jobs()[lease.job_index].spec});
}

void Coordinator::dispatch(uint64_t now_ms) {
  if (draining_ || !state_.plan_complete()) return;
  // One job to each worker in turn, so that a short queue is spread instead of filling the first window.
  bool granted = true;
  while (granted && !state_.queued().empty()) {
    granted = false;
    for (auto& [name, session] : sessions_) {
      if (state_.queued().empty()) break;
      // A worker that has missed three heartbeats is not given more.
      const bool quiet = now_ms > session.last_seen_ms + 3 * options_.heartbeat_ms;
      if (session.leaving || quiet || session.leases >= session.window) continue;
      const uint32_t index = *state_.queued().begin();
      const AttemptId attempt{state_.farm_id(), state_.epoch(), next_counter_++};
      append(LeaseGranted{state_.jobs()[index].spec.id, attempt, name, session.incarnation});
      Lease& lease = leases_[attempt];
      lease = Lease{name, index, now_ms, now_ms + options_.lease_ms, now_ms};
      ++session.leases;
      send_assign(attempt, lease, now_ms);
      granted = true;
    }
  }
}

void Coordinator::drain() {
  if (draining_) return;
  draining_ = true;
  for (const auto& [name, session] : sessions_) send(session.peer, Drain{state_.epoch()});
}

void Coordinator::abandon(const std::string& reason) {
  for (const auto& [id, lease] : leases_) {
    auto session = sessions_.find(lease.worker);
    if (session != sessions_.end()) send(session->second.peer, Cancel{state_.epoch(), id, reason});
  }
  for (size_t i = 0; i < state_.jobs().size(); ++i) {
    const JobEntry& job = state_.jobs()[i];
    if (job.phase == JobPhase::kRecorded) continue;
    JobResult result;
    result.status = JobStatus::kError;
    result.message = reason;
    record(job, AttemptId{}, std::move(result));
  }
}

}  // namespace lockstep::farm
