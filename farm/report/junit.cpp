// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "farm/protocol/codec.h"
#include "farm/report/report.h"

namespace lockstep::farm {

namespace {

struct Case {
  std::string class_name;
  std::string name;
  double seconds = 0;
  JobStatus status = JobStatus::kDone;
  std::string message;
  std::string log;
};

std::string iso_time(uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(seconds));
}

std::string suite(const std::string& name, const std::vector<Case>& cases, uint64_t unix_ms) {
  size_t failures = 0, errors = 0, skipped = 0;
  double seconds = 0;
  std::string body;
  for (const Case& c : cases) {
    seconds += c.seconds;
    body += fmt::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">", escape_markup(c.class_name),
                        escape_markup(c.name), c.seconds);
    const std::string message = escape_markup(c.message);
    switch (c.status) {
      case JobStatus::kFail:
        ++failures;
        body += fmt::format("<failure message=\"{0}\">{0}</failure>", message);
        break;
      case JobStatus::kError:
        ++errors;
        body += fmt::format("<error message=\"{0}\">{0}</error>", message);
        break;
      case JobStatus::kMiss:
        ++errors;
        body += fmt::format("<error message=\"MISS: {0}\">{0}</error>", message);
        break;
      case JobStatus::kSkip:
        ++skipped;
        body += fmt::format("<skipped type=\"skip\" message=\"{0}\">{0}</skipped>", message);
        break;
      case JobStatus::kPass:
      case JobStatus::kDone:
        break;
    }
    if (!c.log.empty()) body += "<system-out>" + escape_markup(c.log) + "</system-out>";
    body += "</testcase>\n";
  }
  return fmt::format(
      " <testsuite name=\"{}\" errors=\"{}\" failures=\"{}\" skipped=\"{}\" tests=\"{}\" time=\"{:.3f}\" "
      "timestamp=\"{}\">\n{} "
      "</testsuite>\n",
      escape_markup(name), errors, failures, skipped, cases.size(), seconds, iso_time(unix_ms), body);
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : clean_utf8(text, text.size())) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string report_junit(const Report& report) {
  std::vector<Case> cells;
  for (const JobEntry& job : report.state.jobs()) {
    Case c;
    const size_t space = job.spec.title.find(' ');
    c.class_name = space == std::string::npos ? "cell" : job.spec.title.substr(0, space);
    c.name =
        (space == std::string::npos ? job.spec.title : job.spec.title.substr(space + 1)) + " [" + job.spec.id + "]";
    if (job.result) {
      c.seconds = static_cast<double>(job.result->wall_ms) / 1000.0;
      c.status = job.result->status;
      c.message = job.result->message;
      if (c.status == JobStatus::kFail || c.status == JobStatus::kError) c.log = job.result->log_excerpt;
    } else {
      c.status = JobStatus::kError;
      c.message = "the run ended before this cell";
    }
    cells.push_back(std::move(c));
  }
  std::vector<Case> groups;
  for (const GroupVerdict& g : report.verdict.groups) {
    groups.push_back({"group." + std::string(to_string(g.grade)), g.name, 0, g.status, g.message, {}});
  }
  std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites>\n";
  out += suite("lockstep.cells", cells, report.started_unix_ms);
  if (!groups.empty()) out += suite("lockstep.groups", groups, report.started_unix_ms);
  return out + "</testsuites>\n";
}

}  // namespace lockstep::farm
