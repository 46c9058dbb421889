// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "farm/report/report.h"
#include "farm/report/summary.h"

namespace lockstep::farm {

namespace {

constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--bg:#f6f7f9;--fg:#1b1f24;--dim:#667080;--line:#e1e5ea;--card:#fff;--soft:#f0f2f5;--pass:#1a7f37;--fail:#cf222e;
--error:#8250df;--miss:#9a6700;--done:#0969da;--skip:#6b7280}
@media (prefers-color-scheme:dark){:root{--bg:#0f1216;--fg:#e4e7eb;--dim:#949eab;--line:#2a3038;--card:#171b21;--soft:#1f252c;--pass:#3fb950;
--fail:#ff6a61;--error:#bc8cff;--miss:#d9a62e;--done:#58a6ff;--skip:#8b949e}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.2rem 1.5rem 4rem;max-width:76rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;line-height:1.25;margin:.2rem 0 .3rem;color:var(--c)}h2{font-size:1.1rem;margin:2.4rem 0 .7rem}p{margin:.3rem 0}
.dim{color:var(--dim);font-weight:400}.eyebrow{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--dim)}
.tiles{display:flex;flex-wrap:wrap;gap:.7rem;margin-top:1.2rem}
.tile{background:var(--card);border:1px solid var(--line);border-top:3px solid var(--c,var(--line));border-radius:8px;padding:.6rem 1.1rem;min-width:6.5rem;font-size:.85rem;color:var(--dim)}
.tile b{display:block;font-size:1.6rem;line-height:1.25;color:var(--c,var(--fg));font-variant-numeric:tabular-nums}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;overflow-x:auto;margin-bottom:.8rem}
.alert{border-left:4px solid var(--c);padding:.7rem 1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.45rem .8rem;border-top:1px solid var(--line);vertical-align:top}
thead th{border-top:0;font-size:.78rem;font-weight:600;color:var(--dim);background:var(--soft);white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.m{overflow-wrap:anywhere}
.s{font-weight:600;color:var(--c);font-size:.85rem;white-space:nowrap}.PASS{--c:var(--pass)}.FAIL{--c:var(--fail)}.ERROR{--c:var(--error)}.MISS{--c:var(--miss)}
.DONE{--c:var(--done)}.SKIP{--c:var(--skip)}.OPEN{--c:var(--dim)}
.filter{display:flex;flex-wrap:wrap;gap:.5rem;margin-bottom:.7rem}input,select{font:inherit;padding:.4rem .7rem;border:1px solid var(--line);
border-radius:8px;background:var(--card);color:var(--fg)}input{flex:1;min-width:12rem}
pre{margin:.4rem 0;padding:.7rem;max-height:28rem;overflow:auto;background:var(--soft);border-radius:6px;font-size:12.5px;white-space:pre-wrap;overflow-wrap:anywhere}
code{font-size:12.5px;overflow-wrap:anywhere}.proof{display:block;margin-top:.25rem;padding:.3rem .6rem;background:var(--soft);border-radius:6px}
summary{cursor:pointer;color:var(--dim);font-size:.85rem}.chip{display:inline-block;margin:0 .3rem .3rem 0;padding:0 .55rem;background:var(--soft);border-radius:1rem;font-size:.8rem}
tr[hidden]{display:none}a{color:var(--done)}
@media (max-width:44rem){body{padding:1.2rem .8rem 3rem}th,td{padding:.4rem .5rem}.w{display:none}.tile{min-width:5rem;padding:.5rem .8rem}h1{font-size:1.35rem}}
)css";

constexpr const char* kScript = R"js(
const rows=[...document.querySelectorAll('#cells tbody tr')],text=document.getElementById('text'),status=document.getElementById('status');
function apply(){const words=text.value.toLowerCase().split(/\s+/).filter(w=>w);let shown=0;
for(const row of rows){const hay=row.dataset.text;const ok=(!status.value||row.dataset.status===status.value)&&words.every(w=>hay.includes(w));
row.hidden=!ok;shown+=ok}document.getElementById('shown').textContent=shown+' of '+rows.length}
text.addEventListener('input',apply);status.addEventListener('change',apply);apply();
for(const link of document.querySelectorAll('a[href^="#"]'))link.addEventListener('click',()=>{text.value='';status.value='';apply();
const d=document.querySelector(link.getAttribute('href')+' details');if(d)d.open=true});
)js";

std::string status_cell(std::string_view name) { return fmt::format("<td class=\"s {0}\">{0}</td>", name); }

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

std::string details(const JobEntry& job) {
  std::string out =
      "<details><summary>details</summary><p><code>" + escape_markup(shell_line(job.spec.argv)) + "</code></p><p>";
  for (const auto& [name, value] : job.spec.features) {
    out += "<span class=\"chip\">" + escape_markup(name) + " = " + escape_markup(value) + "</span>";
  }
  out += "</p>";
  if (job.result) {
    const JobResult& r = *job.result;
    out += fmt::format("<p class=\"dim\">attempts {}, CPU {:.1f} s, peak memory {} MiB, exit {} {}</p>", job.attempts,
                       static_cast<double>(r.cpu_ms) / 1000.0, r.peak_rss_bytes >> 20, r.exit_code,
                       escape_markup(r.exit_reason));
    if (r.observables) {
      out += fmt::format("<p class=\"dim\"><code>console {}<br>state {}<br>memory {}</code></p>",
                         escape_markup(r.observables->console_sha256), escape_markup(r.observables->state_sha256),
                         escape_markup(r.observables->memory_sha256));
    }
    for (const Artifact& a : r.artifacts) {
      // Beside the run's folder the page can open the whole log; elsewhere the excerpt below stays.
      out += fmt::format("<p><a href=\"artifacts/{0}\">{1}</a> <span class=\"dim\">{2} bytes, {0}</span></p>",
                         escape_markup(a.sha256), escape_markup(a.name), with_separators(a.size_bytes));
    }
    if (!r.log_excerpt.empty()) {
      out += fmt::format("<details id=\"log-{}\"><summary>end of the log</summary><pre>{}</pre></details>",
                         escape_markup(job.spec.id), escape_markup(r.log_excerpt));
    }
  }
  return out + "</details>";
}

// The run in one sentence, and the status that colours it.
std::pair<std::string, std::string> headline(const Report& report) {
  const Verdict& v = report.verdict;
  const auto failed_groups = std::count_if(v.groups.begin(), v.groups.end(),
                                           [](const GroupVerdict& g) { return g.status == JobStatus::kFail; });
  const auto cells = [](size_t count) { return fmt::format("{} cell{}", count, count == 1 ? "" : "s"); };
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (v.count(JobStatus::kFail) > 0) add(cells(v.count(JobStatus::kFail)) + " failed");
  if (failed_groups > 0)
    add(fmt::format("{} group{}", failed_groups, failed_groups == 1 ? " disagrees" : "s disagree"));
  if (v.count(JobStatus::kError) > 0) add(cells(v.count(JobStatus::kError)) + " could not be tried");
  if (v.count(JobStatus::kMiss) > 0) add(cells(v.count(JobStatus::kMiss)) + " lacked a file");
  if (v.unfinished > 0) add(cells(v.unfinished) + " not finished");
  if (text.empty()) return {"Every cell that ran passed, and all that were compared agree", "PASS"};
  return {text, v.exit_code() == 1 ? "FAIL" : "MISS"};
}

std::string tiles(const Report& report) {
  std::string out = "<div class=\"tiles\">";
  const auto tile = [&out](std::string_view kind, size_t count, std::string_view label) {
    out += fmt::format("<div class=\"tile {}\"><b>{}</b>{}</div>", kind, count, label);
  };
  for (size_t i = 0; i < report.verdict.cell_counts.size(); ++i) {
    const auto name = to_string(static_cast<JobStatus>(i));
    if (report.verdict.cell_counts[i] > 0) tile(name, report.verdict.cell_counts[i], name);
  }
  if (report.verdict.unfinished > 0) tile("OPEN", report.verdict.unfinished, "not finished");
  const auto groups = [&](JobStatus status) {
    return static_cast<size_t>(std::count_if(report.verdict.groups.begin(), report.verdict.groups.end(),
                                             [&](const GroupVerdict& g) { return g.status == status; }));
  };
  if (groups(JobStatus::kPass) > 0) tile("PASS", groups(JobStatus::kPass), "groups agree");
  if (groups(JobStatus::kFail) > 0) tile("FAIL", groups(JobStatus::kFail), "groups disagree");
  return out + "</div>\n";
}

std::string cell_link(const JobEntry& job) {
  return fmt::format("<a href=\"#c{}\">{}</a>", escape_markup(job.spec.id), escape_markup(job.spec.title));
}

std::string problems(const Report& report) {
  const std::vector<JobEntry>& jobs = report.state.jobs();
  std::string out;
  for (const GroupVerdict& g : report.verdict.groups) {
    if (g.status != JobStatus::kFail && g.status != JobStatus::kError) continue;
    out += fmt::format("<div class=\"card alert {0}\"><p><span class=\"s {0}\">{0}</span> {1} group <b>{2}</b></p>",
                       to_string(g.status), to_string(g.grade), escape_markup(g.name));
    if (g.differences.empty()) {
      out += "<p>" + escape_markup(g.message) + "</p></div>\n";
      continue;
    }
    out += "<table><thead><tr><th>Differs</th><th>" + cell_link(jobs[g.disagreeing[0]]) + "</th><th>" +
           cell_link(jobs[g.usual]) + "</th></tr></thead><tbody>";
    for (const Difference& d : g.differences) {
      out += fmt::format("<tr><td>{}</td><td class=\"m\"><code>{}</code></td><td class=\"m\"><code>{}</code></td></tr>",
                         escape_markup(d.observable), escape_markup(d.other), escape_markup(d.usual));
    }
    out += fmt::format("</tbody></table><p class=\"dim\">{} of {} compared cells differ from the others",
                       g.disagreeing.size(), g.compared);
    for (size_t i = 1; i < g.disagreeing.size(); ++i)
      out += (i == 1 ? "; also " : ", ") + cell_link(jobs[g.disagreeing[i]]);
    out += "</p></div>\n";
  }
  for (const JobStatus status : {JobStatus::kFail, JobStatus::kError, JobStatus::kMiss}) {
    for (const JobEntry& job : jobs) {
      if (!job.result || job.result->status != status) continue;
      out += fmt::format("<div class=\"card alert {0}\"><p><span class=\"s {0}\">{0}</span> {1}</p><p>{2}</p></div>\n",
                         to_string(status), cell_link(job), escape_markup(job.result->message));
    }
  }
  return out.empty() ? out : "<h2>What needs attention</h2>\n" + out;
}

std::string workloads(const Report& report) {
  std::string out =
      "<h2>Workloads</h2><div class=\"card\"><table><thead><tr><th>Status</th><th>Workload</th><th "
      "class=\"n\">Passed</th><th class=\"n\">Agree exactly</th><th class=\"n\">In behaviour</th><th class=\"n "
      "w\">Wall time</th></tr></thead><tbody>\n";
  for (const WorkloadSummary& w : summarize(report)) {
    out += "<tr>" + status_cell(status_text(w)) + "<td class=\"m\">" + escape_markup(w.name);
    if (w.skipped > 0) out += fmt::format(" <span class=\"dim\">{} skipped</span>", w.skipped);
    if (!w.system_line.empty()) {
      out += fmt::format("<code class=\"proof\" title=\"printed by uname -a on the guest's console\">{}</code>",
                         escape_markup(w.system_line));
    }
    out += fmt::format(
        "</td><td class=\"n\">{}/{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n w\">{:.1f} "
        "s</td></tr>\n",
        w.passed, w.cells.size(), sizes_text(w.exact_agreeing), sizes_text(w.behavioural_agreeing),
        static_cast<double>(w.wall_ms) / 1000.0);
  }
  return out + "</tbody></table></div>\n";
}

std::string groups(const Report& report) {
  std::string lines;
  size_t shown = 0, alone = 0;
  for (const GroupVerdict& g : report.verdict.groups) {
    if (g.status == JobStatus::kDone || g.status == JobStatus::kSkip) {
      ++alone;
      continue;
    }
    ++shown;
    lines += "<tr>" + status_cell(to_string(g.status)) + "<td>" + std::string(to_string(g.grade)) +
             "</td><td class=\"m\">" + escape_markup(g.name) + "</td><td class=\"m\">" + escape_markup(g.message) +
             "</td></tr>\n";
  }
  if (shown == 0) return {};
  return fmt::format(
      "<h2>Equivalence groups</h2><details><summary>{} compared{}</summary><div "
      "class=\"card\"><table><thead><tr><th>Status</th>"
      "<th>Grade</th><th>Group</th><th>Verdict</th></tr></thead><tbody>\n{}</tbody></table></div></details>\n",
      shown, alone > 0 ? fmt::format("; {} had fewer than two passed cells", alone) : "", lines);
}

std::string cells(const Report& report) {
  std::string out =
      "<h2>Cells <span class=\"dim\" id=\"shown\"></span></h2><div class=\"filter\"><input id=\"text\" type=\"search\" "
      "placeholder=\"words of a workload, feature, value or message\" aria-label=\"filter\"><select id=\"status\" "
      "aria-label=\"status\"><option value=\"\">every status</option>";
  for (const char* name : {"FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP"}) {
    out += fmt::format("<option>{}</option>", name);
  }
  out +=
      "</select></div>\n<div class=\"card\"><table id=\"cells\"><thead><tr><th>Status</th><th>Cell</th><th class=\"n "
      "w\">Instructions</th><th class=\"n w\">Wall time</th></tr></thead><tbody>\n";
  for (const JobEntry& job : report.state.jobs()) {
    const std::string_view name = job.result ? to_string(job.result->status) : std::string_view("OPEN");
    const std::string message = job.result ? job.result->message : "not finished";
    std::string hay = job.spec.title + " " + job.spec.id + " " + message;
    for (const auto& [feature, value] : job.spec.features) hay += " " + feature + "=" + value;
    const std::string instructions =
        job.result && job.result->observables ? with_separators(job.result->observables->instructions) : "";
    out += fmt::format(
        "<tr id=\"c{}\" data-status=\"{}\" data-text=\"{}\">{}<td class=\"m\">{} <span class=\"dim\">{}</span>",
        escape_markup(job.spec.id), name, escape_markup(lower(hay)), status_cell(name),
        escape_markup(workload_of(job.spec)), escape_markup(combination_of(job.spec)));
    if (!message.empty()) out += "<br>" + escape_markup(message);
    out += details(job);
    out += fmt::format("</td><td class=\"n w\">{}</td><td class=\"n w\">{}</td></tr>\n", instructions,
                       job.result ? fmt::format("{:.1f} s", static_cast<double>(job.result->wall_ms) / 1000.0) : "");
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string report_html(const Report& report) {
  const auto started = static_cast<std::time_t>(report.started_unix_ms / 1000);
  const auto [sentence, colour] = headline(report);
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">";
  out +=
      "<title>Lockstep run " + escape_markup(report.run_name) + "</title><style>" + kStyle + "</style></head><body>\n";
  out += fmt::format(
      "<p class=\"eyebrow\">Lockstep run {}</p><h1 class=\"{}\">{}</h1><p class=\"dim m\">{}, strategy {}, begun "
      "{:%Y-%m-%d %H:%M:%S} UTC, {:.1f} s</p>\n",
      escape_markup(report.run_name), colour, escape_markup(sentence), escape_markup(report.matrix_path),
      escape_markup(report.strategy), fmt::gmtime(started),
      static_cast<double>(report.ended_unix_ms - report.started_unix_ms) / 1000.0);
  out += tiles(report) + problems(report) + workloads(report) + groups(report) + cells(report);
  for (const MergedCoverage& merged : report.coverage) {
    out += fmt::format(
        "<p>Functional coverage of {} cells: <b>{:.1f} %</b>, {} of {} points <a href=\"{}\">{}</a></p>\n",
        merged.cells, merged.percent(), merged.hits.size(), merged.points, merged.file, escape_markup(merged.plan));
  }
  for (const std::string& note : report.notes) out += "<p class=\"dim\">" + escape_markup(note) + "</p>\n";
  return out + "<script>" + kScript + "</script></body></html>\n";
}

}  // namespace lockstep::farm
