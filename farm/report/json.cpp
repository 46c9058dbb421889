// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "farm/report/report.h"
#include "farm/report/summary.h"

namespace lockstep::farm {

std::string report_json(const Report& report) {
  using nlohmann::json;
  const auto status_name = [](JobStatus status) { return std::string(to_string(status)); };
  json cells = json::array();
  for (const JobEntry& job : report.state.jobs()) {
    json cell = {{"id", job.spec.id}, {"title", job.spec.title}, {"argv", job.spec.argv}, {"attempts", job.attempts}};
    for (const auto& [name, value] : job.spec.features) cell["features"][name] = value;
    for (const GroupMembership& g : job.spec.groups)
      cell["groups"].push_back({{"name", g.name}, {"grade", to_string(g.grade)}});
    if (job.result) {
      const JobResult& r = *job.result;
      cell["status"] = status_name(r.status);
      cell["message"] = r.message;
      cell["exit_reason"] = r.exit_reason;
      cell["exit_code"] = r.exit_code;
      cell["signal"] = r.signal;
      cell["wall_ms"] = r.wall_ms;
      cell["cpu_ms"] = r.cpu_ms;
      cell["peak_rss_bytes"] = r.peak_rss_bytes;
      if (r.observables) {
        cell["observables"] = {{"instructions", r.observables->instructions},
                               {"console_sha256", r.observables->console_sha256},
                               {"state_sha256", r.observables->state_sha256},
                               {"memory_sha256", r.observables->memory_sha256}};
      }
      for (const Artifact& a : r.artifacts) {
        cell["artifacts"].push_back({{"name", a.name}, {"sha256", a.sha256}, {"size_bytes", a.size_bytes}});
      }
    }
    cells.push_back(std::move(cell));
  }
  json groups = json::array();
  for (const GroupVerdict& g : report.verdict.groups) {
    json members = json::array();
    for (const uint32_t index : g.members) members.push_back(report.state.jobs()[index].spec.id);
    json disagreeing = json::array();
    for (const uint32_t index : g.disagreeing) disagreeing.push_back(report.state.jobs()[index].spec.id);
    json differences = json::array();
    for (const Difference& d : g.differences) {
      differences.push_back({{"observable", d.observable}, {"usual", d.usual}, {"other", d.other}});
    }
    groups.push_back({{"name", g.name},
                      {"grade", to_string(g.grade)},
                      {"status", status_name(g.status)},
                      {"message", g.message},
                      {"members", members},
                      {"disagreeing", disagreeing},
                      {"differences", differences}});
  }
  json workloads = json::array();
  for (const WorkloadSummary& w : summarize(report)) {
    workloads.push_back({{"name", w.name},
                         {"status", std::string(status_text(w))},
                         {"cells", w.cells.size()},
                         {"passed", w.passed},
                         {"skipped", w.skipped},
                         {"agree_exactly", w.exact_agreeing},
                         {"agree_in_behaviour", w.behavioural_agreeing},
                         {"disagreeing_groups", w.disagreeing_groups},
                         {"system", w.system_line},
                         {"wall_ms", w.wall_ms}});
  }
  json counts = json::object();
  for (size_t i = 0; i < report.verdict.cell_counts.size(); ++i) {
    counts[status_name(static_cast<JobStatus>(i))] = report.verdict.cell_counts[i];
  }
  json coverage = json::array();
  for (const MergedCoverage& merged : report.coverage) {
    coverage.push_back({{"plan", merged.plan},
                        {"points", merged.points},
                        {"covered", merged.hits.size()},
                        {"percent", merged.percent()},
                        {"cells", merged.cells},
                        {"hits", merged.hits}});
  }
  const json all = {{"run", report.run_name},
                    {"folder", report.run_folder},
                    {"matrix", report.matrix_path},
                    {"strategy", report.strategy},
                    {"exit_code", report.verdict.exit_code()},
                    {"counts", counts},
                    {"unfinished", report.verdict.unfinished},
                    {"notes", report.notes},
                    {"coverage", coverage},
                    {"workloads", workloads},
                    {"groups", groups},
                    {"cells", cells}};
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep::farm
