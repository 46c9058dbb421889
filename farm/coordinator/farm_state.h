// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "farm/coordinator/journal.h"

namespace lockstep::farm {

enum class JobPhase : uint8_t { kQueued, kLeased, kRecorded };
enum class AttemptPhase : uint8_t { kLeased, kLost, kFailed, kRecorded, kSuperseded };

struct AttemptEntry {
  std::string worker;
  uint64_t incarnation = 0;
  uint32_t job_index = 0;
  AttemptPhase phase = AttemptPhase::kLeased;
  std::string reason;
  bool operator==(const AttemptEntry&) const = default;
};

struct JobEntry {
  JobSpec spec;
  JobPhase phase = JobPhase::kQueued;
  std::optional<AttemptId> lease;  // the one live attempt, in kLeased
  uint32_t attempts = 0;
  uint32_t lost = 0;
  uint32_t failed = 0;
  std::optional<JobResult> result;
  std::optional<AttemptId> result_attempt;
  bool operator==(const JobEntry&) const = default;
};

struct WorkerEntry {
  uint64_t incarnation = 0;
  std::string host;
  uint32_t slots = 1;
  bool operator==(const WorkerEntry&) const = default;
};

// The durable half of the coordinator: a fold over journal records, and nothing else. The live coordinator changes its
// state only by applying the record that it appends, so a replay gives the same state by construction.
class FarmState {
 public:
  // Error: the record contradicts the state (a gap in the sequence, a second result, an unknown job).
  core::Status apply(const JournalRecord& record);

  uint64_t last_sequence() const { return last_sequence_; }
  uint64_t epoch() const { return epoch_; }
  const std::string& farm_id() const { return farm_id_; }
  bool plan_complete() const { return plan_complete_; }
  const std::vector<JobEntry>& jobs() const { return jobs_; }
  const std::map<AttemptId, AttemptEntry>& attempts() const { return attempts_; }
  const std::map<std::string, WorkerEntry>& workers() const { return workers_; }
  const std::set<uint32_t>& queued() const { return queued_; }  // indices into jobs(), in the order of the plan
  size_t recorded_count() const { return recorded_count_; }
  const JobEntry* find_job(const std::string& id) const;
  std::optional<uint32_t> index_of(const std::string& id) const;
  const AttemptEntry* find_attempt(const AttemptId& id) const;

  bool operator==(const FarmState&) const = default;

 private:
  core::Status apply_event(const EpochStarted& event);
  core::Status apply_event(const JobAdded& event);
  core::Status apply_event(const PlanCompleted& event);
  core::Status apply_event(const WorkerJoined& event);
  core::Status apply_event(const LeaseGranted& event);
  core::Status apply_event(const AttemptLost& event);
  core::Status apply_event(const AttemptFailed& event);
  core::Status apply_event(const ResultRecorded& event);
  core::Status end_lease(const std::string& job_id, const AttemptId& attempt, AttemptPhase phase,
                         const std::string& reason, JobEntry** job);

  uint64_t last_sequence_ = 0;
  uint64_t epoch_ = 0;
  std::string farm_id_;
  bool plan_complete_ = false;
  std::vector<JobEntry> jobs_;
  std::unordered_map<std::string, uint32_t> index_by_id_;
  std::map<AttemptId, AttemptEntry> attempts_;
  std::map<std::string, WorkerEntry> workers_;
  std::set<uint32_t> queued_;
  size_t recorded_count_ = 0;
};

}  // namespace lockstep::farm
