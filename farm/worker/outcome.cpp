// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/outcome.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "farm/digest.h"
#include "farm/protocol/codec.h"
#include "farm/worker/console.h"

namespace lockstep::farm {

namespace {

constexpr int kExitBadInput = 2;        // of `vm run`: it refused its arguments or files
constexpr int kExitLimitReached = 124;  // of `vm run`: the guest used up --max-instructions

std::string text_of(const nlohmann::json& object, const char* key) {
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? clean_utf8(it->get<std::string>(), kMaxMessageTextBytes)
                                               : std::string();
}

template <typename Integer>
Integer integer_of(const nlohmann::json& object, const char* key) {
  auto it = object.find(key);
  return it != object.end() && it->is_number_integer() ? it->get<Integer>() : Integer{0};
}

// The object on the last line of the output that holds one; discarded when there is none.
nlohmann::json last_object(std::string_view output) {
  while (!output.empty() && (output.back() == '\n' || output.back() == '\r' || output.back() == ' '))
    output.remove_suffix(1);
  auto whole = nlohmann::json::parse(output, nullptr, false);
  if (whole.is_object()) return whole;
  const size_t line = output.rfind('\n');
  if (line == std::string_view::npos) return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(output.substr(line + 1), nullptr, false);
}

std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const size_t line = text.rfind('\n');
  constexpr size_t kMaxQuoteBytes = 300;
  return clean_utf8(line == std::string_view::npos ? text : text.substr(line + 1), kMaxQuoteBytes);
}

void take_json(const nlohmann::json& object, JobResult& result) {
  if (auto exit = object.find("exit"); exit != object.end() && exit->is_object()) {
    result.exit_reason = text_of(*exit, "reason");
    result.guest_code = integer_of<int64_t>(*exit, "code");
  }
  if (auto seen = object.find("observables"); seen != object.end() && seen->is_object()) {
    result.observables = Observables{integer_of<uint64_t>(*seen, "instructions"), text_of(*seen, "console_sha256"),
                                     text_of(*seen, "state_sha256"), text_of(*seen, "memory_sha256")};
  }
}

// {"plan": NAME, "points": N, "hits": {NAME: COUNT}}; one that is too large is left out.
void take_coverage(const nlohmann::json& object, JobResult& result) {
  const auto found = object.find("coverage");
  if (found == object.end() || !found->is_object()) return;
  const auto hits = found->find("hits");
  if (hits == found->end() || !hits->is_object() || hits->size() > kMaxCoveragePoints) return;
  PlanCoverage coverage{text_of(*found, "plan"), integer_of<uint64_t>(*found, "points"), {}};
  size_t bytes = coverage.plan.size();
  for (const auto& [point, count] : hits->items()) {
    if (!count.is_number_unsigned()) continue;
    coverage.hits.emplace_back(clean_utf8(point, kMaxMessageTextBytes), count.get<uint64_t>());
    bytes += coverage.hits.back().first.size();
  }
  if (bytes <= kMaxCoverageBytes) result.coverage = std::move(coverage);
}

void fail(JobResult& result, JobStatus status, std::string message) {
  result.status = status;
  result.message = std::move(message);
}

std::string with_quote(std::string message, const std::string& quote) {
  return quote.empty() ? message : message + ": " + quote;
}

}  // namespace

JobResult judge(const JobSpec& job, const ProcessOutcome& outcome, std::string_view standard_output,
                std::string_view standard_error, std::string_view console) {
  JobResult result;
  result.exit_code = outcome.exit_code;
  result.signal = outcome.signal;
  result.wall_ms = outcome.wall_ms;
  result.cpu_ms = outcome.cpu_ms;
  result.peak_rss_bytes = outcome.peak_rss_bytes;
  const std::string_view log = !console.empty() ? console : !standard_error.empty() ? standard_error : standard_output;
  result.log_excerpt = clean_utf8(log, kMaxLogExcerptBytes);
  if (!outcome.spawn_error.empty()) {
    fail(result, JobStatus::kError, outcome.spawn_error);
    result.retryable = true;
    return result;
  }
  const nlohmann::json object = job.judge == Judge::kVmJson ? last_object(standard_output) : nlohmann::json();
  if (object.is_object()) {
    take_json(object, result);
    take_coverage(object, result);
  }
  auto behaviour = behavioural_console(console, job.keep_lines, job.drop_lines);
  if (!behaviour.ok()) {
    fail(result, JobStatus::kError, behaviour.message());
    return result;
  }
  result.behaviour_sha256 = sha256_hex(*behaviour);

  std::string quote = object.is_object() ? text_of(object, "message") : std::string();
  if (quote.empty()) quote = last_line(standard_error);
  if (outcome.wall_limit_hit) {
    fail(result, JobStatus::kError,
         "it was stopped at its wall limit of " + std::to_string(job.limits.wall_ms / 1000) + " s");
  } else if (outcome.signal == SIGXCPU) {
    fail(result, JobStatus::kFail, "it used more than its " + std::to_string(job.limits.cpu_s) + " s of CPU time");
  } else if (outcome.signal == SIGKILL || outcome.signal == SIGTERM || outcome.signal == SIGHUP ||
             outcome.signal == SIGINT) {
    fail(result, JobStatus::kError, std::string("something outside ended it: ") + strsignal(outcome.signal));
    result.retryable = true;
  } else if (outcome.signal != 0) {
    fail(result, JobStatus::kFail, with_quote(std::string("it crashed: ") + strsignal(outcome.signal), quote));
  } else if (std::find(job.pass_codes.begin(), job.pass_codes.end(), outcome.exit_code) != job.pass_codes.end()) {
    if (job.judge == Judge::kVmJson && !object.is_object()) {
      fail(result, JobStatus::kError, "it ended well but left no JSON object on its standard output");
    } else {
      result.status = JobStatus::kPass;
    }
  } else if (job.judge == Judge::kVmJson && outcome.exit_code == kExitBadInput) {
    fail(result, JobStatus::kError, with_quote("it refused its arguments or files", quote));
  } else if (job.judge == Judge::kVmJson && outcome.exit_code == kExitLimitReached) {
    fail(result, JobStatus::kFail, "the guest reached its instruction limit");
  } else {
    fail(result, JobStatus::kFail, with_quote("exit code " + std::to_string(outcome.exit_code), quote));
  }
  return result;
}

std::string missing_file(const JobSpec& job) {
  for (const std::string& file : job.needed_files) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return file;
  }
  return {};
}

JobResult missing_result(const JobSpec& job, const std::string& file) {
  JobResult result;
  fail(result, JobStatus::kMiss,
       file + " is not there" + (job.missing_hint.empty() ? "" : "; make it with: " + job.missing_hint));
  return result;
}

}  // namespace lockstep::farm
