// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "farm/protocol/messages.h"

namespace lockstep::farm {

struct WorkerOptions {
  std::string name;
  std::string host;
  uint64_t incarnation = 1;  // must be larger than at any earlier start of the same name
  uint32_t slots = 1;
  uint32_t window = 1;
  uint64_t hello_ms = 200;        // between two Hellos while no coordinator answers
  uint64_t heartbeat_ms = 1'000;  // until a Welcome names another
  uint64_t resend_ms = 2'000;     // between two reports of a result that is not acknowledged
  uint64_t orphan_ms = 60'000;    // silence of the coordinator after which the worker kills its jobs and ends
};

constexpr size_t kRecentAttempts = 1'024;  // finished attempts remembered, so that a late copy of an Assign is not run

// What a worker wants done. Files and processes are the caller's.
struct SendMessage {
  WorkerMessage message;
};
struct StartJob {
  AttemptId attempt;
  JobSpec job;
};
struct KillJob {
  AttemptId attempt;
};
struct WriteSpool {
  ResultReport report;
};
struct RemoveSpool {
  AttemptId attempt;
};
struct Leave {
  std::string reason;
  bool failed = false;
};
using WorkerAction = std::variant<SendMessage, StartJob, KillJob, WriteSpool, RemoveSpool, Leave>;

// The worker's logic: events in, actions out, time handed in. A result is reported only after on_spooled() says that it
// is on disk, and stays there until the coordinator has acknowledged it.
class Worker {
 public:
  // `spooled` are the results that an earlier incarnation left on disk.
  Worker(WorkerOptions options, std::vector<ResultReport> spooled, uint64_t now_ms);

  void on_message(const CoordinatorMessage& message, uint64_t now_ms);
  void on_job_exited(const AttemptId& attempt, JobResult result, uint64_t now_ms);
  void on_spooled(const AttemptId& attempt, uint64_t now_ms);
  void on_output(const AttemptId& attempt, uint64_t output_bytes);
  void on_tick(uint64_t now_ms);
  // Somebody asks this worker to end (SIGTERM): jobs are killed, spooled results stay for the next incarnation.
  void stop(uint64_t now_ms);

  std::vector<WorkerAction> take_actions();
  bool left() const { return left_; }
  uint64_t epoch() const { return epoch_; }
  size_t running_count() const { return running_count_; }

 private:
  enum class Phase : uint8_t { kQueued, kRunning, kCancelled, kSpooling, kSpooled };
  struct Entry {
    JobSpec job;
    Phase phase = Phase::kQueued;
    uint64_t started_ms = 0;
    uint64_t sent_ms = 0;
    uint64_t output_bytes = 0;
    ResultReport report;
  };

  WorkerIdentity identity() { return WorkerIdentity{options_.name, options_.incarnation, ++sequence_}; }
  std::vector<HeldAttempt> held(uint64_t now_ms) const;
  void act(WorkerAction action) { actions_.push_back(std::move(action)); }
  void say_hello(uint64_t now_ms);
  void report(Entry& entry, uint64_t now_ms);
  void start_next(uint64_t now_ms);
  void forget(const AttemptId& attempt);
  void leave_if_drained(uint64_t now_ms);
  void handle(const Welcome& m, uint64_t now_ms);
  void handle(const HeartbeatAck& m, uint64_t now_ms);
  void handle(const Reregister& m, uint64_t now_ms);
  void handle(const Assign& m, uint64_t now_ms);
  void handle(const ResultAck& m, uint64_t now_ms);
  void handle(const Cancel& m, uint64_t now_ms);
  void handle(const Drain& m, uint64_t now_ms);
  void handle(const Reject& m, uint64_t now_ms);

  WorkerOptions options_;
  std::vector<WorkerAction> actions_;
  std::map<AttemptId, Entry> entries_;
  std::deque<AttemptId> queue_;
  std::deque<AttemptId> recent_;
  size_t running_count_ = 0;
  uint64_t sequence_ = 0;
  uint64_t epoch_ = 0;
  uint64_t heard_ms_ = 0;
  uint64_t beat_ms_ = 0;
  bool registered_ = false;
  bool draining_ = false;
  bool left_ = false;
};

}  // namespace lockstep::farm
