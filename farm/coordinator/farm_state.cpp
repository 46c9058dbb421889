// SPDX-License-Identifier: Apache-2.0
#include "farm/coordinator/farm_state.h"

namespace lockstep::farm {

using core::Error;
using core::Status;

const JobEntry* FarmState::find_job(const std::string& id) const {
  auto it = index_by_id_.find(id);
  return it == index_by_id_.end() ? nullptr : &jobs_[it->second];
}

std::optional<uint32_t> FarmState::index_of(const std::string& id) const {
  auto it = index_by_id_.find(id);
  if (it == index_by_id_.end()) return std::nullopt;
  return it->second;
}

const AttemptEntry* FarmState::find_attempt(const AttemptId& id) const {
  auto it = attempts_.find(id);
  return it == attempts_.end() ? nullptr : &it->second;
}

Status FarmState::apply(const JournalRecord& record) {
  if (record.sequence != last_sequence_ + 1) {
    return Error{"journal record " + std::to_string(record.sequence) + " follows record " +
                 std::to_string(last_sequence_) + ": the journal has a gap"};
  }
  Status status = std::visit([this](const auto& event) { return apply_event(event); }, record.event);
  if (!status.ok()) return Error{"journal record " + std::to_string(record.sequence) + ": " + status.error().message};
  last_sequence_ = record.sequence;
  return {};
}

Status FarmState::apply_event(const EpochStarted& event) {
  if (event.epoch != epoch_ + 1)
    return Error{"epoch " + std::to_string(event.epoch) + " does not follow " + std::to_string(epoch_)};
  if (!farm_id_.empty() && farm_id_ != event.farm_id)
    return Error{"the run's name changed from " + farm_id_ + " to " + event.farm_id};
  epoch_ = event.epoch;
  farm_id_ = event.farm_id;
  return {};
}

Status FarmState::apply_event(const JobAdded& event) {
  if (plan_complete_) return Error{"job " + event.job.id + " was added after the plan was complete"};
  const auto index = static_cast<uint32_t>(jobs_.size());
  if (!index_by_id_.emplace(event.job.id, index).second) return Error{"job " + event.job.id + " is there twice"};
  JobEntry entry;
  entry.spec = event.job;
  jobs_.push_back(std::move(entry));
  queued_.insert(index);
  return {};
}

Status FarmState::apply_event(const PlanCompleted& event) {
  if (event.job_count != jobs_.size()) {
    return Error{"the plan says " + std::to_string(event.job_count) + " jobs, but there are " +
                 std::to_string(jobs_.size())};
  }
  plan_complete_ = true;
  return {};
}

Status FarmState::apply_event(const WorkerJoined& event) {
  workers_[event.worker] = WorkerEntry{event.incarnation, event.host, event.slots};
  return {};
}

Status FarmState::apply_event(const LeaseGranted& event) {
  auto index = index_of(event.job_id);
  if (!index) return Error{"lease for the unknown job " + event.job_id};
  JobEntry& job = jobs_[*index];
  if (job.phase != JobPhase::kQueued) return Error{"job " + event.job_id + " was leased while it was not in the queue"};
  AttemptEntry attempt{event.worker, event.incarnation, *index, AttemptPhase::kLeased, {}};
  if (!attempts_.emplace(event.attempt, std::move(attempt)).second) {
    return Error{"attempt " + event.attempt.text() + " was granted twice"};
  }
  job.phase = JobPhase::kLeased;
  job.lease = event.attempt;
  ++job.attempts;
  queued_.erase(*index);
  return {};
}

Status FarmState::end_lease(const std::string& job_id, const AttemptId& attempt, AttemptPhase phase,
                            const std::string& reason, JobEntry** job) {
  auto index = index_of(job_id);
  auto it = attempts_.find(attempt);
  if (!index || it == attempts_.end() || it->second.job_index != *index) {
    return Error{"attempt " + attempt.text() + " of job " + job_id + " is not known"};
  }
  *job = &jobs_[*index];
  if ((*job)->phase != JobPhase::kLeased || (*job)->lease != attempt) {
    return Error{"attempt " + attempt.text() + " of job " + job_id + " holds no lease"};
  }
  it->second.phase = phase;
  it->second.reason = reason;
  (*job)->phase = JobPhase::kQueued;
  (*job)->lease.reset();
  queued_.insert(*index);
  return {};
}

Status FarmState::apply_event(const AttemptLost& event) {
  JobEntry* job = nullptr;
  Status status = end_lease(event.job_id, event.attempt, AttemptPhase::kLost, event.reason, &job);
  if (status.ok()) ++job->lost;
  return status;
}

Status FarmState::apply_event(const AttemptFailed& event) {
  JobEntry* job = nullptr;
  Status status = end_lease(event.job_id, event.attempt, AttemptPhase::kFailed, event.result.message, &job);
  if (status.ok()) ++job->failed;
  return status;
}

Status FarmState::apply_event(const ResultRecorded& event) {
  auto index = index_of(event.job_id);
  if (!index) return Error{"result for the unknown job " + event.job_id};
  JobEntry& job = jobs_[*index];
  if (job.phase == JobPhase::kRecorded) return Error{"job " + event.job_id + " has a second result"};
  if (event.attempt.epoch != 0) {
    auto it = attempts_.find(event.attempt);
    if (it == attempts_.end() || it->second.job_index != *index) {
      return Error{"result of the unknown attempt " + event.attempt.text() + " of job " + event.job_id};
    }
    it->second.phase = AttemptPhase::kRecorded;
    job.result_attempt = event.attempt;
  }
  if (job.lease && job.lease != event.attempt) attempts_[*job.lease].phase = AttemptPhase::kSuperseded;
  job.lease.reset();
  job.phase = JobPhase::kRecorded;
  job.result = event.result;
  queued_.erase(*index);
  ++recorded_count_;
  return {};
}

}  // namespace lockstep::farm
