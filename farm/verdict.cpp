// SPDX-License-Identifier: Apache-2.0
#include "farm/verdict.h"

#include <algorithm>
#include <map>

namespace lockstep::farm {

namespace {

struct Observable {
  std::string name;
  std::string value;
};

std::vector<Observable> observables_of(const JobResult& result, Grade grade) {
  if (grade == Grade::kBehavioural) {
    return {{"exit reason", result.exit_reason},
            {"exit code", std::to_string(result.guest_code)},
            {"console without variable lines (SHA-256)", result.behaviour_sha256}};
  }
  const Observables& o = *result.observables;
  return {{"instructions", std::to_string(o.instructions)},
          {"console_sha256", o.console_sha256},
          {"state_sha256", o.state_sha256},
          {"memory_sha256", o.memory_sha256}};
}

std::string key_of(const std::vector<Observable>& observables) {
  std::string key;
  for (const Observable& o : observables) key += o.value + "\n";
  return key;
}

const std::string& title_of(const JobEntry& job) { return job.spec.title.empty() ? job.spec.id : job.spec.title; }

void judge_group(const std::vector<JobEntry>& jobs, GroupVerdict& group) {
  std::map<std::string, std::vector<uint32_t>> by_value;
  for (const uint32_t index : group.members) {
    const JobEntry& job = jobs[index];
    if (!job.result || job.result->status != JobStatus::kPass) continue;
    if (group.grade == Grade::kExact && !job.result->observables) {
      group.status = JobStatus::kError;
      group.message = title_of(job) + " passed but reported no observables";
      return;
    }
    ++group.compared;
    by_value[key_of(observables_of(*job.result, group.grade))].push_back(index);
  }
  if (group.compared < 2) {
    const bool all_skipped = std::all_of(group.members.begin(), group.members.end(), [&](uint32_t index) {
      return jobs[index].result && jobs[index].result->status == JobStatus::kSkip;
    });
    group.status = all_skipped ? JobStatus::kSkip : JobStatus::kDone;
    group.message = group.compared == 1 ? "one cell passed, and there is none to compare it with" : "no cell passed";
    return;
  }
  if (by_value.size() == 1) {
    group.status = JobStatus::kPass;
    group.message = std::to_string(group.compared) + " cells agree";
    return;
  }
  // The value that most cells have stands for the group, of equals the one that comes first in the plan.
  const std::vector<uint32_t>* most = nullptr;
  for (const auto& [key, members] : by_value) {
    if (most == nullptr || members.size() > most->size() ||
        (members.size() == most->size() && members[0] < (*most)[0])) {
      most = &members;
    }
  }
  for (const auto& [key, members] : by_value) {
    if (&members != most) group.disagreeing.insert(group.disagreeing.end(), members.begin(), members.end());
  }
  std::sort(group.disagreeing.begin(), group.disagreeing.end());
  const JobEntry& common = jobs[(*most)[0]];
  const JobEntry& other = jobs[group.disagreeing[0]];
  const auto a = observables_of(*common.result, group.grade);
  const auto b = observables_of(*other.result, group.grade);
  group.status = JobStatus::kFail;
  group.message =
      title_of(other) + " [" + other.spec.id + "] and " + title_of(common) + " [" + common.spec.id + "] differ in ";
  group.usual = (*most)[0];
  bool first = true;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].value == b[i].value) continue;
    group.differences.push_back({a[i].name, a[i].value, b[i].value});
    group.message += (first ? "" : "; in ") + a[i].name + ": " + b[i].value + " and " + a[i].value;
    first = false;
  }
  group.message +=
      " (" + std::to_string(group.disagreeing.size()) + " of " + std::to_string(group.compared) + " cells)";
}

}  // namespace

Verdict judge_run(const FarmState& state) {
  Verdict verdict;
  std::map<std::string, GroupVerdict> groups;
  const std::vector<JobEntry>& jobs = state.jobs();
  for (uint32_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].result) {
      ++verdict.cell_counts[static_cast<size_t>(jobs[i].result->status)];
    } else {
      ++verdict.unfinished;
    }
    for (const GroupMembership& membership : jobs[i].spec.groups) {
      GroupVerdict& group = groups[membership.name];
      group.name = membership.name;
      // Where members of one name declare different grades, the weaker one is all that can be asked of them together.
      if (group.members.empty() || membership.grade == Grade::kBehavioural) group.grade = membership.grade;
      group.members.push_back(i);
    }
  }
  for (auto& [name, group] : groups) {
    judge_group(jobs, group);
    verdict.groups.push_back(std::move(group));
  }
  return verdict;
}

int Verdict::exit_code() const {
  const auto any_group = [&](JobStatus status) {
    return std::any_of(groups.begin(), groups.end(), [&](const GroupVerdict& g) { return g.status == status; });
  };
  if (count(JobStatus::kFail) > 0 || any_group(JobStatus::kFail)) return 1;
  if (count(JobStatus::kError) > 0 || count(JobStatus::kMiss) > 0 || unfinished > 0 || any_group(JobStatus::kError))
    return 3;
  return 0;
}

}  // namespace lockstep::farm
