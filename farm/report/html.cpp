// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "farm/report/report.h"

namespace lockstep::farm {

namespace {

constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1d2125;--dim:#6b7280;--line:#e3e5e8;--card:#fff;--pass:#1a7f37;--fail:#cf222e;
--error:#8250df;--miss:#9a6700;--done:#0969da;--skip:#6b7280}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e8ea;--dim:#98a0a8;--line:#2b3036;--card:#1b1f23;--pass:#3fb950;
--fail:#f85149;--error:#bc8cff;--miss:#d29922;--done:#58a6ff;--skip:#8b949e}}
body{margin:0 auto;padding:2rem 1.5rem 4rem;max-width:80rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .7rem}.dim{color:var(--dim)}
.tiles{display:flex;flex-wrap:wrap;gap:.7rem;margin-top:1.2rem}
.tile{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--c);border-radius:6px;padding:.5rem 1rem;min-width:5rem}
.tile b{display:block;font-size:1.5rem;line-height:1.2;color:var(--c)}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line);border-radius:6px}
th,td{text-align:left;padding:.4rem .7rem;border-top:1px solid var(--line);vertical-align:top}thead th{border-top:0;font-size:.85rem;color:var(--dim)}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.m{overflow-wrap:anywhere}
.s{font-weight:600;color:var(--c)}.PASS{--c:var(--pass)}.FAIL{--c:var(--fail)}.ERROR{--c:var(--error)}.MISS{--c:var(--miss)}
.DONE{--c:var(--done)}.SKIP{--c:var(--skip)}.OPEN{--c:var(--dim)}
.filter{display:flex;flex-wrap:wrap;gap:.5rem;margin-bottom:.7rem}input,select{font:inherit;padding:.3rem .6rem;border:1px solid var(--line);
border-radius:6px;background:var(--card);color:var(--fg)}input{flex:1;min-width:14rem}
pre{margin:.4rem 0;padding:.7rem;max-height:28rem;overflow:auto;background:var(--bg);border:1px solid var(--line);border-radius:6px;font-size:12.5px;white-space:pre-wrap}
code{font-size:12.5px;overflow-wrap:anywhere}summary{cursor:pointer;color:var(--dim)}.chip{display:inline-block;margin:0 .3rem .3rem 0;padding:0 .5rem;border:1px solid var(--line);border-radius:1rem;font-size:.8rem}
tr[hidden]{display:none}
)css";

constexpr const char* kScript = R"js(
const rows=[...document.querySelectorAll('#cells tbody tr')],text=document.getElementById('text'),status=document.getElementById('status');
function apply(){const words=text.value.toLowerCase().split(/\s+/).filter(w=>w);let shown=0;
for(const row of rows){const hay=row.dataset.text;const ok=(!status.value||row.dataset.status===status.value)&&words.every(w=>hay.includes(w));
row.hidden=!ok;shown+=ok}document.getElementById('shown').textContent=shown+' of '+rows.length+' cells'}
text.addEventListener('input',apply);status.addEventListener('change',apply);apply();
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

}  // namespace

std::string report_html(const Report& report) {
  const auto started = static_cast<std::time_t>(report.started_unix_ms / 1000);
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">";
  out +=
      "<title>Lockstep run " + escape_markup(report.run_name) + "</title><style>" + kStyle + "</style></head><body>\n";
  out += fmt::format("<h1>Run {}</h1><p class=\"dim\">{}, strategy {}, begun {:%Y-%m-%d %H:%M:%S} UTC, {:.1f} s</p>\n",
                     escape_markup(report.run_name), escape_markup(report.matrix_path), escape_markup(report.strategy),
                     fmt::gmtime(started), static_cast<double>(report.ended_unix_ms - report.started_unix_ms) / 1000.0);
  out += "<div class=\"tiles\">";
  for (size_t i = 0; i < report.verdict.cell_counts.size(); ++i) {
    if (report.verdict.cell_counts[i] == 0) continue;
    const auto name = to_string(static_cast<JobStatus>(i));
    out += fmt::format("<div class=\"tile {0}\"><b>{1}</b>{0}</div>", name, report.verdict.cell_counts[i]);
  }
  if (report.verdict.unfinished > 0) {
    out += fmt::format("<div class=\"tile OPEN\"><b>{}</b>not finished</div>", report.verdict.unfinished);
  }
  out += "</div>\n";
  if (!report.verdict.groups.empty()) {
    out +=
        "<h2>Equivalence "
        "groups</h2><table><thead><tr><th>Status</th><th>Grade</th><th>Group</th><th>Verdict</th></tr></"
        "thead><tbody>\n";
    for (const GroupVerdict& g : report.verdict.groups) {
      out += "<tr>" + status_cell(to_string(g.status)) + "<td>" + std::string(to_string(g.grade)) +
             "</td><td class=\"m\">" + escape_markup(g.name) + "</td><td class=\"m\">" + escape_markup(g.message) +
             "</td></tr>\n";
    }
    out += "</tbody></table>\n";
  }
  out +=
      "<h2>Cells <span class=\"dim\" id=\"shown\"></span></h2><div class=\"filter\"><input id=\"text\" type=\"search\" "
      "placeholder=\"words of a workload, feature, value or message\" aria-label=\"filter\"><select id=\"status\" "
      "aria-label=\"status\"><option value=\"\">every status</option>";
  for (const char* name : {"FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP"})
    out += fmt::format("<option>{}</option>", name);
  out +=
      "</select></div>\n<table id=\"cells\"><thead><tr><th>Status</th><th>Cell</th><th>Instructions</th><th>Wall "
      "time</th><th>Message</th></tr></thead><tbody>\n";
  for (const JobEntry& job : report.state.jobs()) {
    const std::string_view name = job.result ? to_string(job.result->status) : std::string_view("OPEN");
    const std::string message = job.result ? job.result->message : "not finished";
    std::string hay = job.spec.title + " " + job.spec.id + " " + message;
    for (const auto& [feature, value] : job.spec.features) hay += " " + feature + "=" + value;
    const std::string instructions =
        job.result && job.result->observables ? with_separators(job.result->observables->instructions) : "";
    out += fmt::format(
        "<tr data-status=\"{}\" data-text=\"{}\">{}<td class=\"m\" id=\"{}\">{}{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td>",
        name, escape_markup(lower(hay)), status_cell(name), escape_markup(job.spec.id), escape_markup(job.spec.title),
        details(job), instructions,
        job.result ? fmt::format("{:.1f} s", static_cast<double>(job.result->wall_ms) / 1000.0) : "");
    out += "<td class=\"m\">" + escape_markup(message) + "</td></tr>\n";
  }
  out += "</tbody></table>\n";
  for (const std::string& note : report.notes) out += "<p class=\"dim\">" + escape_markup(note) + "</p>\n";
  return out + "<script>" + kScript + "</script></body></html>\n";
}

}  // namespace lockstep::farm
