// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "farm/coordinator/farm_state.h"
#include "farm/protocol/messages.h"

namespace lockstep::farm {

struct CoordinatorOptions {
  uint64_t heartbeat_ms = 1'000;  // how often workers are told to beat
  uint64_t lease_ms = 10'000;     // silence after which an attempt is lost
  uint64_t resend_ms = 2'000;     // an Assign that no heartbeat confirms goes out again
  uint64_t overrun_ms = 30'000;   // an attempt that outlives its wall limit by this is lost although its worker beats
  uint32_t max_failed = 3;        // attempts that end for a reason of their machine before the job is ERROR
  uint32_t max_lost = 5;          // attempts that vanish before the job is ERROR: it may be what kills the workers
};

constexpr size_t kMaxWorkers = 10'000;  // the largest public fleet read about had 9,423

// The transport's name for the other end of a connection; it may change when a worker reconnects.
using PeerId = std::string;

struct Outgoing {
  PeerId to;
  CoordinatorMessage message;
};

// The coordinator's logic: events in, journal records and messages out; time and the run's random name are handed in.
//
// The caller takes records with take_appends(), makes them durable in that order, and says so with committed(). A
// message is released by take_sends() only when every record that was appended before it is durable, so nobody ever
// hears of a change that a crash could undo.
class Coordinator {
 public:
  // `recovered` is the replay of the journal (empty for a new run); `fresh_farm_id` names a new run. Starts a new
  // epoch.
  Coordinator(CoordinatorOptions options, FarmState recovered, const std::string& fresh_farm_id, uint64_t now_ms,
              uint64_t unix_time_ms);

  // Adds the jobs of a new run. Jobs with a skip_reason are recorded as SKIP at once. Call once, then complete_plan().
  core::Status add_job(JobSpec job);
  void complete_plan();

  void on_message(const PeerId& peer, const WorkerMessage& message, uint64_t now_ms);
  void on_tick(uint64_t now_ms);
  void committed(uint64_t sequence);
  void set_unix_time(uint64_t unix_time_ms) { unix_time_ms_ = unix_time_ms; }

  // Tells all workers, present and to come, to deliver what they hold and leave.
  void drain();
  // Takes every lease back and records the remaining jobs as ERROR with `reason`.
  void abandon(const std::string& reason);

  std::vector<JournalRecord> take_appends();
  std::vector<Outgoing> take_sends();

  const FarmState& state() const { return state_; }
  // True when every job of the complete plan has a result, whether it is durable already or not.
  bool finished() const { return state_.plan_complete() && state_.recorded_count() == state_.jobs().size(); }
  bool all_committed() const { return committed_ == state_.last_sequence(); }

  struct Session {
    PeerId peer;
    uint64_t incarnation = 0;
    uint64_t sequence = 0;
    uint64_t last_seen_ms = 0;
    uint32_t slots = 1;
    uint32_t window = 1;
    bool leaving = false;
    std::map<std::string, HeldAttempt> running;  // by job, as the last heartbeat told
    size_t leases = 0;
  };
  const std::map<std::string, Session>& sessions() const { return sessions_; }

  struct Counters {
    uint64_t stale_messages = 0;
    uint64_t duplicate_results = 0;
    uint64_t unknown_results = 0;
    uint64_t resent_assigns = 0;
    uint64_t lost_attempts = 0;
    uint64_t rejected_workers = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  struct Lease {
    std::string worker;
    uint32_t job_index = 0;
    uint64_t granted_ms = 0;
    uint64_t expires_ms = 0;
    uint64_t sent_ms = 0;
  };
  struct Held {
    uint64_t after_sequence = 0;
    Outgoing outgoing;
  };

  void append(JournalEvent event);
  void send(const PeerId& peer, CoordinatorMessage message);
  void handle(const PeerId& peer, const Hello& hello, uint64_t now_ms);
  void handle(const PeerId& peer, const Heartbeat& beat, uint64_t now_ms);
  void handle(const PeerId& peer, const ResultReport& report, uint64_t now_ms);
  void handle(const PeerId& peer, const Goodbye& bye, uint64_t now_ms);
  // The session of the speaker, refreshed; null when it is unknown or the message is old (an answer is sent as needed).
  Session* refresh(const PeerId& peer, const WorkerIdentity& worker, uint64_t now_ms);
  void reconcile(const std::string& name, Session& session, const std::vector<HeldAttempt>& held,
                 bool check_incarnation, uint64_t now_ms);
  void lose(const AttemptId& attempt, const std::string& reason);
  void drop_lease(const AttemptId& attempt);
  void record(const JobEntry& job, const AttemptId& attempt, JobResult result);
  void send_assign(const AttemptId& attempt, Lease& lease, uint64_t now_ms);
  void dispatch(uint64_t now_ms);

  CoordinatorOptions options_;
  FarmState state_;
  uint64_t unix_time_ms_;
  uint64_t committed_;
  uint64_t next_counter_ = 1;
  bool draining_ = false;
  std::vector<JournalRecord> appends_;
  std::deque<Held> held_;
  std::map<std::string, Session> sessions_;
  std::map<AttemptId, Lease> leases_;  // the live leases: exactly the attempts in phase kLeased
  Counters counters_;
};

}  // namespace lockstep::farm
