// SPDX-License-Identifier: Apache-2.0
#include "farm/report/report.h"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <string>
#include <vector>

#include "farm/report/summary.h"

namespace lockstep::farm {
namespace {

constexpr const char* kUname = "Linux box 6.1.0-riscv64 #1 SMP Debian 6.1 (2026-01-01) riscv64 GNU/Linux";

// A tree of elements, as much of XML as the report uses. A text that is not well formed gives a failure.
struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::vector<Element> children;
};

Element parse_xml(const std::string& text) {
  std::vector<Element> open(1);
  static const std::regex kTag(R"re(<(/?)([a-z-]+)((?:\s+[a-z]+="[^"<]*")*)\s*(/?)>)re");
  static const std::regex kAttribute(R"re(([a-z]+)="([^"]*)")re");
  EXPECT_EQ(text.rfind("<?xml ", 0), 0u);
  size_t tags = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), kTag), end; it != end; ++it, ++tags) {
    if ((*it)[1] == "/") {
      EXPECT_EQ(open.back().name, (*it)[2]);
      if (open.size() < 2) return {};
      Element done = open.back();
      open.pop_back();
      open.back().children.push_back(done);
      continue;
    }
    Element element;
    element.name = (*it)[2];
    const std::string attributes = (*it)[3];
    for (std::sregex_iterator a(attributes.begin(), attributes.end(), kAttribute); a != end; ++a) {
      EXPECT_TRUE(element.attributes.emplace((*a)[1], (*a)[2]).second) << "an attribute is there twice";
    }
    open.push_back(element);
    EXPECT_NE((*it)[4], "/");
  }
  // Every "<" begins a tag that was understood, apart from the declaration's.
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '<')), tags + 1);
  EXPECT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].children.size(), 1u);
  return open[0].children.empty() ? Element() : open[0].children[0];
}

class ReportTest : public testing::Test {
 protected:
  void SetUp() override { append(EpochStarted{1, "farm"}); }
  void append(JournalEvent event) {
    ASSERT_TRUE(state_.apply({state_.last_sequence() + 1, 1'700'000'000'000, std::move(event)}).ok());
  }
  void cell(const std::string& title, JobStatus status, uint64_t instructions = 10, const std::string& log = "hello",
            bool recorded = true) {
    JobSpec job;
    job.id = "id" + std::to_string(++count_);
    job.title = title;
    job.groups = {{workload_of(job) + ":exact", Grade::kExact}, {workload_of(job) + ":like", Grade::kBehavioural}};
    append(JobAdded{job});
    JobResult result;
    result.status = status;
    result.message = status == JobStatus::kPass ? "" : "because of \x01 & <it>";
    result.observables = Observables{instructions, "c", "s", "m"};
    result.log_excerpt = log;
    if (recorded) append(ResultRecorded{job.id, {}, result});
  }
  Report report() {
    Report r;
    r.run_name = "0001";
    r.run_folder = "/nonexistent/runs/0001";
    r.matrix_path = "matrix/features.yaml";
    r.strategy = "each";
    r.state = state_;
    r.verdict = judge_run(state_);
    return r;
  }
  static size_t lines_with(const std::string& text, const std::string& word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
  }
  FarmState state_;
  int count_ = 0;
};

TEST_F(ReportTest, AgreeingCellsOfAWorkloadAreOneLine) {
  for (int i = 0; i < 40; ++i) cell("bare/hello v=" + std::to_string(i), JobStatus::kPass);
  const std::string table = verdict_table(report(), false);
  EXPECT_EQ(lines_with(table, "bare/hello"), 1u) << table;
  EXPECT_NE(table.find("40/40"), std::string::npos) << table;
  EXPECT_EQ(table.find('\033'), std::string::npos);
  EXPECT_GE(lines_with(verdict_table(report(), false, true), "bare/hello"), 41u);
  EXPECT_NE(verdict_table(report(), true).find('\033'), std::string::npos);
}

TEST_F(ReportTest, EachBootIsShownWithWhatUnameSaid) {
  const std::string console = std::string("[    0.000000] Linux version 6.1\r\n") + kUname + "\r\nCHECKS 1 passed\n";
  cell("boot-x default", JobStatus::kPass, 10, console);
  cell("boot-x fusion=off", JobStatus::kPass, 10, console);
  const std::string table = verdict_table(report(), false);
  EXPECT_NE(table.find("boot-x booted under 2 combinations that agree (exactly: 2, in behaviour: 2)"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find(kUname), std::string::npos) << table;
  EXPECT_NE(table.find("boot-x fusion=off"), std::string::npos) << table;
  EXPECT_NE(report_html(report()).find(kUname), std::string::npos);
  EXPECT_NE(report_json(report()).find(kUname), std::string::npos);
}

TEST_F(ReportTest, EveryCellThatDidNotPassIsListed) {
  cell("a default", JobStatus::kPass);
  cell("a x=1", JobStatus::kFail);
  cell("a x=2", JobStatus::kError);
  cell("a x=3", JobStatus::kMiss);
  cell("a x=4", JobStatus::kPass, 10, "", false);
  const std::string table = verdict_table(report(), false), html = report_html(report());
  for (const char* title : {"a x=1", "a x=2", "a x=3", "a x=4: not finished"}) {
    EXPECT_NE(table.find(title), std::string::npos) << title << table;
  }
  EXPECT_NE(table.find("lockstep farm resume --state /nonexistent --run 0001"), std::string::npos) << table;
  EXPECT_NE(html.find("What needs attention"), std::string::npos);
}

TEST_F(ReportTest, AWorkloadWithOpenCellsHasNotPassed) {
  cell("a default", JobStatus::kPass);
  cell("a x=1", JobStatus::kPass, 10, "", false);
  EXPECT_EQ(status_text(summarize(report()).at(0)), "OPEN");
}

TEST_F(ReportTest, DisagreementShowsBothValuesInEveryForm) {
  cell("a default", JobStatus::kPass, 1111);
  cell("a x=1", JobStatus::kPass, 2222);
  cell("a x=2", JobStatus::kPass, 1111);
  for (const std::string& text : {verdict_table(report(), false), report_html(report()), report_junit(report())}) {
    for (const char* part : {"FAIL", "a x=1", "1111", "2222", "instructions"}) {
      if (std::string(part) == "FAIL" && text[0] == '<' && text[1] == '?') continue;
      EXPECT_NE(text.find(part), std::string::npos) << part << text;
    }
  }
  EXPECT_EQ(report().verdict.exit_code(), 1);
  EXPECT_EQ(summarize(report()).at(0).status, JobStatus::kFail);
}

TEST_F(ReportTest, JunitHasTheShapeOfJunit10) {
  cell("a default", JobStatus::kPass);
  cell("a \"x\"=1", JobStatus::kFail, 10, "]]> <&> \x02");
  cell("a x=2", JobStatus::kError);
  cell("a x=3", JobStatus::kMiss);
  cell("b", JobStatus::kSkip);
  cell("b x=4", JobStatus::kPass, 10, "", false);
  const std::string xml = report_junit(report());
  for (const char c : xml) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
  const Element root = parse_xml(xml);
  EXPECT_EQ(root.name, "testsuites");
  ASSERT_EQ(root.children.size(), 2u);
  for (const Element& suite : root.children) {
    ASSERT_EQ(suite.name, "testsuite");
    std::map<std::string, size_t> counts;
    for (const char* key : {"name", "errors", "failures", "skipped", "tests", "time", "timestamp"}) {
      EXPECT_TRUE(suite.attributes.contains(key)) << key;
    }
    for (const Element& test : suite.children) {
      ASSERT_EQ(test.name, "testcase");
      ++counts["tests"];
      for (const char* key : {"classname", "name", "time"}) EXPECT_TRUE(test.attributes.contains(key)) << key;
      for (const Element& part : test.children) {
        ++counts[part.name];
        const bool known = part.name == "failure" || part.name == "error" || part.name == "skipped";
        EXPECT_TRUE(known || part.name == "system-out") << part.name;
        if (known) {
          EXPECT_TRUE(part.attributes.contains("message"));
        }
      }
    }
    EXPECT_EQ(suite.attributes.at("tests"), std::to_string(counts["tests"]));
    EXPECT_EQ(suite.attributes.at("failures"), std::to_string(counts["failure"]));
    EXPECT_EQ(suite.attributes.at("errors"), std::to_string(counts["error"]));
    EXPECT_EQ(suite.attributes.at("skipped"), std::to_string(counts["skipped"]));
    EXPECT_TRUE(std::regex_match(suite.attributes.at("timestamp"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")));
  }
}

TEST_F(ReportTest, PageLoadsNothingAndItsLinksHaveTargets) {
  cell("a default", JobStatus::kPass, 1);
  cell("a x=1", JobStatus::kPass, 2);
  const std::string html = report_html(report());
  for (const char* word : {"http", "<link", "src=", "@import", "url("}) {
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  }
  static const std::regex kLink("href=\"#([^\"]+)\"");
  size_t links = 0;
  for (std::sregex_iterator it(html.begin(), html.end(), kLink), end; it != end; ++it, ++links) {
    EXPECT_NE(html.find("id=\"" + (*it)[1].str() + "\""), std::string::npos) << (*it)[1];
  }
  EXPECT_GT(links, 0u);
}

TEST(SystemLine, OnlyWhatUnamePrintedCounts) {
  EXPECT_EQ(system_line_of(std::string("x\n") + kUname + "\r\n"), kUname);
  EXPECT_EQ(system_line_of("[    0.000000] Linux version 6.1 (x) #1 SMP\nLinux version 6.1 #1 SMP\n"), "");
  EXPECT_EQ(system_line_of(""), "");
}

}  // namespace
}  // namespace lockstep::farm
