// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "farm/report/report.h"
#include "farm/report/summary.h"
#include "farm/run_folder.h"
#include "farm/store/store.h"

namespace lockstep::farm {

namespace {

constexpr size_t kMaxHints = 6;
constexpr size_t kTitleWidth = 60;
constexpr size_t kWorkloadWidth = 28;
constexpr size_t kMaxListedCells = 20;  // of one group that disagrees

const char* colour_of(JobStatus status) {
  switch (status) {
    case JobStatus::kFail:
      return "\033[1;31m";
    case JobStatus::kError:
      return "\033[1;35m";
    case JobStatus::kMiss:
      return "\033[33m";
    case JobStatus::kPass:
      return "\033[32m";
    case JobStatus::kDone:
      return "\033[36m";
    case JobStatus::kSkip:
      return "\033[2m";
  }
  return "";
}

std::string painted(JobStatus status, bool colour, std::string_view name = {}) {
  const std::string text = fmt::format("{:<5}", name.empty() ? to_string(status) : name);
  return colour ? colour_of(status) + text + "\033[0m" : text;
}

std::string shortened(const std::string& text, size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

// A job's command line as a person would type it: the worker's placeholders are replaced by what they mean here.
std::string by_hand(const JobEntry& job) {
  constexpr std::string_view kScratch = "{scratch}/";
  std::vector<std::string> argv = job.spec.argv;
  for (std::string& arg : argv) {
    for (size_t at = arg.find(kScratch); at != std::string::npos; at = arg.find(kScratch))
      arg.erase(at, kScratch.size());
  }
  return shell_line(argv);
}

// A run's folder is STATE/runs/NNNN.
std::string state_folder_of(const Report& report) {
  return std::filesystem::path(report.run_folder).parent_path().parent_path().string();
}

std::vector<std::string> hints(const Report& report) {
  std::vector<std::string> list;
  std::set<std::string> missing;
  // One example of each kind is enough: the cells themselves are in the table above.
  for (const GroupVerdict& group : report.verdict.groups) {
    if (group.status != JobStatus::kFail) continue;
    list.push_back("run a cell that differs by hand: " + by_hand(report.state.jobs()[group.disagreeing[0]]));
    break;
  }
  bool failed = false;
  for (const JobEntry& job : report.state.jobs()) {
    if (job.result && job.result->status == JobStatus::kFail && !failed) {
      failed = true;
      list.push_back("run a failed cell by hand: " + by_hand(job));
    }
    if (job.result && job.result->status == JobStatus::kMiss && !job.spec.missing_hint.empty() &&
        list.size() < kMaxHints && missing.insert(job.spec.missing_hint).second) {
      // The reason in parentheses is for the message: here stands what can be typed.
      list.push_back("make what is missing: " + job.spec.missing_hint.substr(0, job.spec.missing_hint.find(" (")));
    }
  }
  const std::string which = " --state " + shell_line({state_folder_of(report)}) + " --run " + report.run_name;
  if (report.verdict.unfinished > 0) list.push_back("go on with this run: lockstep farm resume" + which);
  if (report.verdict.exit_code() == 0 && report.strategy == "default") {
    list.push_back("try more combinations: lockstep farm run " + shell_line({report.matrix_path}) +
                   " --strategy pairwise");
  }
  if (report.state.jobs().size() > 1) list.push_back("see each cell and group: lockstep farm report --verbose" + which);
  list.push_back("read details and logs as a page: " + report.run_folder + "/report.html");
  return list;
}

}  // namespace

std::string with_separators(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string shell_line(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& arg : argv) {
    if (!line.empty()) line += ' ';
    if (arg == "{lockstep}") {
      line += "lockstep";
    } else if (!arg.empty() && arg.find_first_of(" \t\n'\"\\$`&|;<>()*?[]#~!{}") == std::string::npos) {
      line += arg;
    } else {
      std::string quoted = "'";
      for (char c : arg) {
        if (c == '\'') {
          quoted += "'\\''";
        } else {
          quoted += c;
        }
      }
      line += quoted + "'";
    }
  }
  return line;
}

core::Result<Report> read_report(const std::string& run_folder) {
  Report report;
  report.run_folder = run_folder;
  report.run_name = run_name(run_folder);
  auto settings = read_settings(run_folder);
  if (!settings.ok()) return settings.error();
  report.matrix_path = settings->matrix_path;
  report.strategy = settings->strategy;
  report.notes = settings->notes;
  auto store = SqliteStore::open(run_folder + "/farm.db", SqliteStore::Mode::kReadOnly);
  if (!store.ok()) return store.error();
  auto journal = (*store)->read_journal();
  if (!journal.ok()) return journal.error();
  auto state = replay(*journal);
  if (!state.ok()) return core::Error{run_folder + "/farm.db: " + state.message()};
  report.state = std::move(*state);
  report.recorded_unix_ms.resize(report.state.jobs().size());
  if (!journal->empty()) {
    report.started_unix_ms = journal->front().unix_time_ms;
    report.ended_unix_ms = report.started_unix_ms;
  }
  for (const JournalRecord& record : *journal) {
    const auto* recorded = std::get_if<ResultRecorded>(&record.event);
    if (recorded == nullptr) continue;
    report.recorded_unix_ms[*report.state.index_of(recorded->job_id)] = record.unix_time_ms;
    report.ended_unix_ms = std::max(report.ended_unix_ms, record.unix_time_ms);
  }
  report.verdict = judge_run(report.state);
  report.coverage = merge_coverage(report.state);
  return core::Result<Report>(std::move(report));
}

std::string cell_line(const JobEntry& job, bool colour) {
  const JobResult& r = *job.result;
  const std::string instructions = r.observables ? with_separators(r.observables->instructions) : "";
  std::string line = fmt::format("{} {:<{}} {:>16} {:>9.1f} s", painted(r.status, colour),
                                 shortened(job.spec.title.empty() ? job.spec.id : job.spec.title, kTitleWidth),
                                 kTitleWidth, instructions, static_cast<double>(r.wall_ms) / 1000.0);
  if (!r.message.empty()) line += "  " + r.message;
  return line;
}

namespace {

std::string bold(const std::string& text, bool colour) { return colour ? "\033[1m" + text + "\033[0m" : text; }

// One line for a workload whose cells are folded.
std::string workload_line(const WorkloadSummary& w, bool colour) {
  return painted(w.status, colour, status_text(w)) +
         fmt::format(" {:<{}} {:>9} {:>14} {:>14} {:>9.1f} s\n", shortened(w.name, kWorkloadWidth), kWorkloadWidth,
                     fmt::format("{}/{}", w.passed, w.cells.size()), sizes_text(w.exact_agreeing),
                     sizes_text(w.behavioural_agreeing), static_cast<double>(w.wall_ms) / 1000.0);
}

// A workload that brought up an operating system: each combination that did is shown, with the guest's own word.
std::string boot_lines(const Report& report, const WorkloadSummary& w, bool colour) {
  std::string out = painted(w.status, colour, status_text(w)) + fmt::format(" {} {}\n", w.name, boot_text(w));
  out += "      console: " + bold(w.system_line, colour) + "\n";
  for (const uint32_t index : w.cells) {
    const JobEntry& job = report.state.jobs()[index];
    if (job.result && job.result->status == JobStatus::kPass) out += cell_line(job, colour) + "\n";
  }
  return out;
}

// Where the files are that a cell left beside its logs: what shows a failure.
std::string artifact_lines(const Report& report, const JobEntry& job) {
  std::string out;
  for (const Artifact& artifact : job.result->artifacts) {
    if (artifact.name == "stdout" || artifact.name == "stderr" || artifact.name == "console.log") continue;
    out += fmt::format("      {}: {}/artifacts/{}\n", artifact.name, report.run_folder, artifact.sha256);
  }
  return out;
}

std::string problem_lines(const Report& report, bool colour) {
  std::string out;
  for (const JobStatus status : {JobStatus::kMiss, JobStatus::kError, JobStatus::kFail}) {
    for (const JobEntry& job : report.state.jobs()) {
      if (job.result && job.result->status == status) {
        out += cell_line(job, colour) + "\n" + artifact_lines(report, job);
      }
    }
  }
  for (const JobEntry& job : report.state.jobs()) {
    if (!job.result) out += fmt::format("{:<5} {}: not finished\n", "", job.spec.title);
  }
  return out;
}

std::string disagreement_lines(const Report& report, bool colour) {
  std::string out;
  for (const GroupVerdict& group : report.verdict.groups) {
    if (group.status != JobStatus::kFail && group.status != JobStatus::kError) continue;
    out += painted(group.status, colour) +
           fmt::format(" {:<11} {}: {}\n", to_string(group.grade), group.name, group.message);
    for (size_t i = 1; i < group.disagreeing.size(); ++i) {
      if (i == kMaxListedCells) {
        out += fmt::format("      and {} more; --json lists them\n", group.disagreeing.size() - i);
        break;
      }
      const JobSpec& spec = report.state.jobs()[group.disagreeing[i]].spec;
      out += fmt::format("      so does {} [{}]\n", spec.title, spec.id);
    }
  }
  return out;
}

std::string all_lines(const Report& report, bool colour) {
  std::string out =
      bold(fmt::format("{:<5} {:<{}} {:>16} {:>11}", "", "CELL", kTitleWidth, "INSTRUCTIONS", "WALL TIME"), colour) +
      "\n";
  for (const JobEntry& job : report.state.jobs()) {
    if (job.result) out += cell_line(job, colour) + "\n";
  }
  out += "\n" + bold("      EQUIVALENCE GROUPS", colour) + "\n";
  for (const GroupVerdict& group : report.verdict.groups) {
    out += painted(group.status, colour) +
           fmt::format(" {:<11} {}: {}\n", to_string(group.grade), group.name, group.message);
  }
  return out + "\n";
}

std::string coverage_lines(const Report& report) {
  std::string out;
  for (const MergedCoverage& merged : report.coverage) {
    out +=
        fmt::format("Functional coverage of {} cells: {} of {} points, {:.1f} % of {}; {}/{}\n", merged.cells,
                    merged.hits.size(), merged.points, merged.percent(), merged.plan, report.run_folder, merged.file);
  }
  return out;
}

// Skipped cells are told by their reason, so that they do not hide what ran.
std::string skip_lines(const Report& report, bool colour) {
  std::map<std::string, size_t> skipped;
  for (const JobEntry& job : report.state.jobs()) {
    if (job.result && job.result->status == JobStatus::kSkip) ++skipped[job.result->message];
  }
  std::string out;
  for (const auto& [reason, count] : skipped) {
    out += painted(JobStatus::kSkip, colour) + fmt::format(" {} cell{}: {}\n", count, count == 1 ? "" : "s", reason);
  }
  return out;
}

std::string total_line(const Report& report, bool colour) {
  std::string counts;
  for (const JobStatus status :
       {JobStatus::kFail, JobStatus::kError, JobStatus::kMiss, JobStatus::kPass, JobStatus::kDone, JobStatus::kSkip}) {
    const size_t count = report.verdict.count(status);
    if (count == 0) continue;
    counts += (counts.empty() ? "" : ", ") + (colour ? colour_of(status) : std::string()) +
              fmt::format("{} {}", count, to_string(status)) + (colour ? "\033[0m" : "");
  }
  if (report.verdict.unfinished > 0)
    counts += fmt::format("{}{} not finished", counts.empty() ? "" : ", ", report.verdict.unfinished);
  const auto groups_that_are = [&](JobStatus status) {
    return static_cast<size_t>(std::count_if(report.verdict.groups.begin(), report.verdict.groups.end(),
                                             [&](const auto& g) { return g.status == status; }));
  };
  std::string out = bold(fmt::format("Run {}: ", report.run_name), colour) +
                    fmt::format("{} cells: ", report.state.jobs().size()) + counts;
  const size_t agree = groups_that_are(JobStatus::kPass), disagree = groups_that_are(JobStatus::kFail);
  if (agree + disagree > 0) out += fmt::format("; of {} groups compared {} agree", agree + disagree, agree);
  if (disagree > 0) out += fmt::format(", {} {}", disagree, disagree == 1 ? "does not" : "do not");
  return out + fmt::format("; {:.1f} s\n", static_cast<double>(report.ended_unix_ms - report.started_unix_ms) / 1000.0);
}

}  // namespace

std::string verdict_table(const Report& report, bool colour, bool verbose) {
  std::string out = "\n";
  if (verbose) out += all_lines(report, colour);
  std::string boots, folded;
  for (const WorkloadSummary& w : summarize(report)) {
    if (w.passed == 0) continue;
    if (w.system_line.empty() || verbose) {
      folded += workload_line(w, colour);
    } else {
      boots += boot_lines(report, w, colour);
    }
  }
  if (!boots.empty()) out += bold("      BOOTS", colour) + "\n" + boots + "\n";
  if (!folded.empty()) {
    out += bold(fmt::format("{:<5} {:<{}} {:>9} {:>14} {:>14} {:>11}", "", "WORKLOAD", kWorkloadWidth, "PASSED",
                            "AGREE EXACTLY", "IN BEHAVIOUR", "WALL TIME"),
                colour) +
           "\n" + folded + "\n";
  }
  if (const std::string lines = skip_lines(report, colour); !lines.empty()) out += lines + "\n";
  if (const std::string lines = problem_lines(report, colour); !lines.empty() && !verbose) {
    out += bold("      CELLS THAT DID NOT PASS", colour) + "\n" + lines + "\n";
  }
  if (const std::string lines = disagreement_lines(report, colour); !lines.empty()) {
    out += bold("      DISAGREEMENTS", colour) + "\n" + lines + "\n";
  }
  out += total_line(report, colour);
  out += coverage_lines(report);
  for (const std::string& note : report.notes) out += "note: " + note + "\n";
  out += "\nWhat to try next:\n";
  for (const std::string& hint : hints(report)) out += "  " + hint + "\n";
  return out;
}

}  // namespace lockstep::farm
