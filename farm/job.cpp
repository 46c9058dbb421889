// SPDX-License-Identifier: Apache-2.0
#include "farm/job.h"

#include <array>

namespace lockstep::farm {

namespace {
constexpr std::array<std::string_view, 6> kStatusNames = {"FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP"};
}

std::string_view to_string(JobStatus status) { return kStatusNames[static_cast<size_t>(status)]; }

std::optional<JobStatus> parse_job_status(std::string_view name) {
  for (size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<JobStatus>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Grade grade) { return grade == Grade::kExact ? "exact" : "behavioural"; }

std::string AttemptId::text() const { return std::to_string(epoch) + "." + std::to_string(counter); }

}  // namespace lockstep::farm
