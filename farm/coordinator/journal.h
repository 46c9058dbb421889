// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "farm/job.h"

// The records of a run's journal: everything that the coordinator's durable state is made of.
namespace lockstep::farm {

struct EpochStarted {
  uint64_t epoch = 0;
  std::string farm_id;
  bool operator==(const EpochStarted&) const = default;
};
struct JobAdded {
  JobSpec job;
  bool operator==(const JobAdded&) const = default;
};
// All jobs of the run are in the journal. A run without this record was cut short while it was being planned.
struct PlanCompleted {
  uint64_t job_count = 0;
  bool operator==(const PlanCompleted&) const = default;
};
struct WorkerJoined {
  std::string worker;
  uint64_t incarnation = 0;
  std::string host;
  uint32_t slots = 1;
  bool operator==(const WorkerJoined&) const = default;
};
struct LeaseGranted {
  std::string job_id;
  AttemptId attempt;
  std::string worker;
  uint64_t incarnation = 0;
  bool operator==(const LeaseGranted&) const = default;
};
// The attempt will not be waited for any longer: its worker died, left or let the lease run out.
struct AttemptLost {
  std::string job_id;
  AttemptId attempt;
  std::string reason;
  bool operator==(const AttemptLost&) const = default;
};
// The attempt ended for a reason that lies with its machine, and the job may run again.
struct AttemptFailed {
  std::string job_id;
  AttemptId attempt;
  JobResult result;
  bool operator==(const AttemptFailed&) const = default;
};
// The job's one result. `attempt` has epoch 0 where the coordinator itself decided (SKIP, or too many lost attempts).
struct ResultRecorded {
  std::string job_id;
  AttemptId attempt;
  JobResult result;
  bool operator==(const ResultRecorded&) const = default;
};

using JournalEvent = std::variant<EpochStarted, JobAdded, PlanCompleted, WorkerJoined, LeaseGranted, AttemptLost,
                                  AttemptFailed, ResultRecorded>;

struct JournalRecord {
  uint64_t sequence = 0;      // 1 for the first record, without gaps
  uint64_t unix_time_ms = 0;  // for people; no decision rests on it
  JournalEvent event;
  bool operator==(const JournalRecord&) const = default;
};

}  // namespace lockstep::farm
