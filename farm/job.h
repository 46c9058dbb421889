// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::farm {

// KCIDB's statuses, worst first. FAIL: the product is wrong. ERROR: the farm could not find out. MISS: something that
// the job needs is not there. DONE: it ran and nothing was checked. SKIP: it was not meant to run.
enum class JobStatus : uint8_t { kFail, kError, kMiss, kPass, kDone, kSkip };

std::string_view to_string(JobStatus status);
std::optional<JobStatus> parse_job_status(std::string_view name);

// How closely the members of an equivalence group must agree. Exact: instruction count, console, architectural state
// and memory are identical. Behavioural: exit reason and code, and the console without timestamps and declared variable
// lines.
enum class Grade : uint8_t { kExact, kBehavioural };

std::string_view to_string(Grade grade);

struct GroupMembership {
  std::string name;
  Grade grade = Grade::kExact;
  bool operator==(const GroupMembership&) const = default;
};

// Zero means no limit.
struct JobLimits {
  uint64_t wall_ms = 300'000;
  uint64_t cpu_s = 0;
  uint64_t memory_bytes = 0;  // address space of the process (RLIMIT_AS)
  bool operator==(const JobLimits&) const = default;
};

// What decides a job's status. kVmJson: the JSON object that `lockstep vm run --json` leaves as the last line of its
// standard output, together with the exit code. kExitStatus: the exit code alone.
enum class Judge : uint8_t { kVmJson, kExitStatus };

// One unit of work. In `argv`, {scratch} stands for an empty folder of the attempt's own on the worker, {artifacts} for
// one in it whose files are kept with the result, and {lockstep} for the program that the worker itself runs.
struct JobSpec {
  std::string id;     // unique in its run; printable, at most kMaxJobIdBytes
  std::string title;  // what a person reads in a table
  std::vector<std::string> argv;
  JobLimits limits;
  Judge judge = Judge::kVmJson;
  std::vector<GroupMembership> groups;
  std::vector<std::string> needed_files;  // MISS, with missing_hint, when one of them is not there
  std::string missing_hint;               // the command that makes the missing files
  // ECMAScript patterns over console lines, for the behavioural grade: when keep_lines is not empty, only lines that
  // match one of them count; a line that matches one of drop_lines never does.
  std::vector<std::string> keep_lines;
  std::vector<std::string> drop_lines;
  std::vector<int32_t> pass_codes = {0};                      // exit codes of the program that mean PASS
  std::vector<std::pair<std::string, std::string>> features;  // for reports: feature and value
  std::optional<std::string> skip_reason;                     // set: the job is SKIP and never sent to a worker
  bool operator==(const JobSpec&) const = default;
};

// Names one execution of a job: the fence that keeps results of lost attempts apart. `farm_id` is the run's random
// name, `epoch` grows by one at each start of its coordinator, `counter` by one at each lease of that epoch.
struct AttemptId {
  std::string farm_id;
  uint64_t epoch = 0;
  uint64_t counter = 0;
  // clang-tidy 14 takes the comparison that the compiler makes for a null pointer.
  auto operator<=>(const AttemptId&) const = default;  // NOLINT(modernize-use-nullptr)
  std::string text() const;                            // "epoch.counter", unique within a run
};

struct AttemptIdHash {
  size_t operator()(const AttemptId& id) const {
    return std::hash<uint64_t>()(id.epoch * 0x9e3779b97f4a7c15u + id.counter) ^ std::hash<std::string>()(id.farm_id);
  }
};

struct Observables {
  uint64_t instructions = 0;
  std::string console_sha256;
  std::string state_sha256;
  std::string memory_sha256;
  bool operator==(const Observables&) const = default;
};

// A file that a job left, named by its content.
struct Artifact {
  std::string name;    // "console.log"
  std::string sha256;  // hex
  uint64_t size_bytes = 0;
  bool operator==(const Artifact&) const = default;
};

// What of a plan's points a job met, and how often: functional coverage, which a run adds up over its jobs.
struct PlanCoverage {
  std::string plan;                                    // names the plan and its version; jobs of one plan are added up
  uint64_t points = 0;                                 // that the plan has
  std::vector<std::pair<std::string, uint64_t>> hits;  // by name, in order; points that were not met are not there
  bool operator==(const PlanCoverage&) const = default;
};

struct JobResult {
  JobStatus status = JobStatus::kError;
  std::string message;     // one sentence; empty for a plain PASS
  bool retryable = false;  // the machine is to blame, another attempt may do better
  int32_t exit_code = 0;
  int32_t signal = 0;       // non-zero: the signal that ended the process
  std::string exit_reason;  // as `vm run` prints it
  int64_t guest_code = 0;
  std::optional<Observables> observables;
  std::string behaviour_sha256;  // SHA-256 of the console without timestamps and dropped lines
  uint64_t wall_ms = 0;
  uint64_t cpu_ms = 0;
  uint64_t peak_rss_bytes = 0;
  std::string log_excerpt;  // the end of the log, at most kMaxLogExcerptBytes
  std::vector<Artifact> artifacts;
  std::optional<PlanCoverage> coverage;
  bool operator==(const JobResult&) const = default;
};

constexpr size_t kMaxJobIdBytes = 512;          // a cell id lists its features
constexpr size_t kMaxLogExcerptBytes = 16'384;  // KCIDB's bound on log excerpts
constexpr size_t kMaxMessageTextBytes = 4'096;  // a sentence with two hashes fits many times over
constexpr size_t kMaxArguments = 1'024;
constexpr size_t kMaxArgumentBytes = 65'536;
constexpr size_t kMaxArtifacts = 64;
// The plan of SMMUs has 2,417 points with names of some 30 bytes; a message of all of them has to stay below 1 MiB.
constexpr size_t kMaxCoveragePoints = 16'384;
constexpr size_t kMaxCoverageBytes = 524'288;  // of all names of a job

}  // namespace lockstep::farm
