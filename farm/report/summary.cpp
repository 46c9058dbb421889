// SPDX-License-Identifier: Apache-2.0
#include "farm/report/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "farm/protocol/codec.h"
#include "farm/worker/spool.h"

namespace lockstep::farm {

namespace {

constexpr size_t kMaxConsoleBytes = size_t{4} << 20;  // of a console, the end that is searched
constexpr size_t kMaxSystemLineBytes = 200;

// The whole console where the run's folder has it, else the excerpt that came with the result.
std::string console_of(const Report& report, const JobResult& result) {
  for (const Artifact& artifact : result.artifacts) {
    if (artifact.name != "console.log" || report.run_folder.empty()) continue;
    std::string text = read_file_end(report.run_folder + "/artifacts/" + artifact.sha256, kMaxConsoleBytes);
    if (!text.empty()) return text;
  }
  return result.log_excerpt;
}

}  // namespace

std::string workload_of(const JobSpec& spec) {
  const std::string& title = spec.title.empty() ? spec.id : spec.title;
  return title.substr(0, title.find(' '));
}

std::string combination_of(const JobSpec& spec) {
  const size_t space = spec.title.find(' ');
  return space == std::string::npos ? spec.id : spec.title.substr(space + 1);
}

std::string sizes_text(const std::vector<size_t>& sizes) {
  return sizes.empty() ? "-" : fmt::format("{}", fmt::join(sizes, " + "));
}

std::string_view status_text(const WorkloadSummary& summary) {
  return summary.unfinished > 0 && summary.status >= JobStatus::kPass ? "OPEN" : to_string(summary.status);
}

std::string boot_text(const WorkloadSummary& summary) {
  std::string text = fmt::format("booted under {} combination{}", summary.passed, summary.passed == 1 ? "" : "s");
  const bool compared = !summary.exact_agreeing.empty() || !summary.behavioural_agreeing.empty();
  if (compared) {
    if (summary.disagreeing_groups == 0) text += " that agree";
    text += fmt::format(" (exactly: {}, in behaviour: {})", sizes_text(summary.exact_agreeing),
                        sizes_text(summary.behavioural_agreeing));
  }
  if (summary.disagreeing_groups > 0)
    text += fmt::format(", but {} of its groups disagree", summary.disagreeing_groups);
  if (summary.passed < summary.cells.size()) {
    text += fmt::format("; {} did not pass or has no result yet", summary.cells.size() - summary.passed);
  }
  return text;
}

std::string system_line_of(std::string_view console) {
  while (!console.empty()) {
    const size_t end = std::min(console.find('\n'), console.size());
    std::string_view line = console.substr(0, end);
    console.remove_prefix(std::min(end + 1, console.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    // "Linux HOST RELEASE #BUILD DATE MACHINE GNU/Linux", whereas the kernel's own messages begin "Linux version".
    if (line.starts_with("Linux ") && line.ends_with("Linux") && line.find(" #") != std::string_view::npos) {
      return clean_utf8(line, kMaxSystemLineBytes);
    }
  }
  return {};
}

std::vector<WorkloadSummary> summarize(const Report& report) {
  std::vector<WorkloadSummary> list;
  std::map<std::string, size_t> index;
  const auto summary_of = [&](const JobSpec& spec) -> WorkloadSummary& {
    const auto [it, fresh] = index.try_emplace(workload_of(spec), list.size());
    if (fresh) {
      list.emplace_back();
      list.back().name = it->first;
    }
    return list[it->second];
  };
  const std::vector<JobEntry>& jobs = report.state.jobs();
  for (uint32_t i = 0; i < jobs.size(); ++i) {
    WorkloadSummary& summary = summary_of(jobs[i].spec);
    const JobStatus status = jobs[i].result ? jobs[i].result->status : JobStatus::kDone;
    if (status == JobStatus::kSkip) {
      ++summary.skipped;
      continue;
    }
    summary.status = std::min(summary.status, status);
    summary.cells.push_back(i);
    if (!jobs[i].result) {
      ++summary.unfinished;
      continue;
    }
    summary.wall_ms += jobs[i].result->wall_ms;
    if (status != JobStatus::kPass) continue;
    if (++summary.passed == 1) summary.system_line = system_line_of(console_of(report, *jobs[i].result));
  }
  for (const GroupVerdict& group : report.verdict.groups) {
    WorkloadSummary& summary = summary_of(jobs[group.members[0]].spec);
    if (group.status == JobStatus::kFail || group.status == JobStatus::kError) {
      summary.status = std::min(summary.status, group.status);
      ++summary.disagreeing_groups;
    } else if (group.status == JobStatus::kPass) {
      (group.grade == Grade::kExact ? summary.exact_agreeing : summary.behavioural_agreeing).push_back(group.compared);
    }
  }
  for (WorkloadSummary& summary : list) {
    std::sort(summary.exact_agreeing.rbegin(), summary.exact_agreeing.rend());
    std::sort(summary.behavioural_agreeing.rbegin(), summary.behavioural_agreeing.rend());
  }
  return list;
}

}  // namespace lockstep::farm
