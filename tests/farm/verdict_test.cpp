// SPDX-License-Identifier: Apache-2.0
#include "farm/verdict.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "farm/report/report.h"
#include "farm/worker/console.h"
#include "farm/worker/outcome.h"

namespace lockstep::farm {
namespace {

using testing::Test;

class VerdictTest : public Test {
 protected:
  void SetUp() override { append(EpochStarted{1, "farm"}); }
  void append(JournalEvent event) {
    core::Status status = state_.apply({state_.last_sequence() + 1, 1'700'000'000'000, std::move(event)});
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  void cell(const std::string& id, Grade grade, JobStatus status, uint64_t instructions,
            const std::string& behaviour = "b") {
    JobSpec job;
    job.id = id;
    job.title = "boot " + id;
    job.argv = {"{lockstep}", "vm", "run", "--append", "it's <here>"};
    job.groups = {{"g", grade}};
    append(JobAdded{job});
    JobResult result;
    result.status = status;
    result.exit_reason = "guest-pass";
    result.observables = Observables{instructions, "c", "s", "m"};
    result.behaviour_sha256 = behaviour;
    result.message = status == JobStatus::kFail ? "broken & <bad>\x01" : "";
    result.log_excerpt = "log ]]> \x02";
    append(ResultRecorded{id, {}, result});
  }
  Report report() {
    Report r;
    r.run_name = "0001";
    r.matrix_path = "matrix/features.yaml";
    r.strategy = "default";
    r.state = state_;
    r.verdict = judge_run(state_);
    return r;
  }
  FarmState state_;
};

TEST_F(VerdictTest, AgreeingCellsPass) {
  cell("a", Grade::kExact, JobStatus::kPass, 10);
  cell("b", Grade::kExact, JobStatus::kPass, 10);
  const Verdict v = judge_run(state_);
  EXPECT_EQ(v.groups.at(0).status, JobStatus::kPass);
  EXPECT_EQ(v.exit_code(), 0);
}

TEST_F(VerdictTest, ExactDifferenceFailsWithBothValuesNamed) {
  cell("a", Grade::kExact, JobStatus::kPass, 10);
  cell("b", Grade::kExact, JobStatus::kPass, 11);
  cell("c", Grade::kExact, JobStatus::kPass, 10);
  const Verdict v = judge_run(state_);
  const GroupVerdict& g = v.groups.at(0);
  EXPECT_EQ(g.status, JobStatus::kFail);
  EXPECT_EQ(g.disagreeing, std::vector<uint32_t>{1});
  for (const char* part : {"boot b", "instructions", "11", "10"})
    EXPECT_NE(g.message.find(part), std::string::npos) << part;
  EXPECT_EQ(v.exit_code(), 1);
}

TEST_F(VerdictTest, BehaviouralGradeIgnoresCountsButNotTheConsole) {
  cell("a", Grade::kBehavioural, JobStatus::kPass, 10);
  cell("b", Grade::kBehavioural, JobStatus::kPass, 11);
  EXPECT_EQ(judge_run(state_).groups.at(0).status, JobStatus::kPass);
  cell("c", Grade::kBehavioural, JobStatus::kPass, 10, "other");
  EXPECT_EQ(judge_run(state_).groups.at(0).status, JobStatus::kFail);
}

TEST_F(VerdictTest, InfrastructureFailureIsNotCompared) {
  cell("a", Grade::kExact, JobStatus::kPass, 10);
  cell("b", Grade::kExact, JobStatus::kError, 99);
  const Verdict v = judge_run(state_);
  EXPECT_EQ(v.groups.at(0).status, JobStatus::kDone);
  EXPECT_EQ(v.exit_code(), 3);
}

TEST_F(VerdictTest, ReportsEscapeWhatTheyQuote) {
  cell("a", Grade::kExact, JobStatus::kPass, 10);
  cell("b", Grade::kExact, JobStatus::kFail, 11);
  const Report r = report();
  const std::string xml = report_junit(r);
  EXPECT_NE(xml.find("<failure message=\"broken &amp; &lt;bad&gt;?\">"), std::string::npos) << xml;
  EXPECT_NE(xml.find("failures=\"1\""), std::string::npos);
  EXPECT_EQ(xml.find('\x01'), std::string::npos);
  const std::string html = report_html(r);
  EXPECT_EQ(html.find("<bad>"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "the page must not load anything";
  const auto json = nlohmann::json::parse(report_json(r));
  EXPECT_EQ(json["counts"]["FAIL"], 1);
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_NE(verdict_table(r, false).find("1 FAIL"), std::string::npos);
  EXPECT_EQ(verdict_table(r, false).find('\033'), std::string::npos);
  EXPECT_EQ(shell_line({"{lockstep}", "a b", "it's"}), "lockstep 'a b' 'it'\\''s'");
}

TEST(Console, TimestampsAndDroppedLinesDoNotCount) {
  const std::string one = "[    0.000001] Linux\r\nCHECK a PASS\nuptime 5\n";
  const std::string two = "[   12.345678] Linux\nCHECK a PASS\nuptime 7\n";
  EXPECT_EQ(*behavioural_console(one, {}, {"^uptime"}), *behavioural_console(two, {}, {"^uptime"}));
  EXPECT_NE(*behavioural_console(one, {}, {}), *behavioural_console(two, {}, {}));
  EXPECT_EQ(*behavioural_console(one, {"^CHECK"}, {}), "CHECK a PASS\n");
  EXPECT_EQ(*behavioural_console("[x] kept\n[ 1.5] kept", {}, {}), "[x] kept\n[ 1.5] kept\n");
  auto bad = behavioural_console(one, {"("}, {});
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.message().find("("), std::string::npos);
}

TEST(Console, EndlessLineDoesNotOverflowThePatternMatcher) {
  EXPECT_TRUE(behavioural_console(std::string(3 << 20, 'a'), {}, {"(a|b)*c"}).ok());
}

JobSpec vm_job() {
  JobSpec job;
  job.id = "j";
  job.limits.wall_ms = 5'000;
  return job;
}

constexpr const char* kGood =
    R"({"exit":{"reason":"guest-pass","code":0},"observables":{"instructions":5,"console_sha256":"c","state_sha256":"s","memory_sha256":"m"}})";

TEST(Outcome, ExitCodeAndObjectDecide) {
  const JobResult good = judge(vm_job(), {}, std::string("noise\n") + kGood + "\n", "", "");
  EXPECT_EQ(good.status, JobStatus::kPass);
  EXPECT_EQ(good.observables->instructions, 5u);
  EXPECT_EQ(good.exit_reason, "guest-pass");
  EXPECT_EQ(judge(vm_job(), {}, "no object", "", "").status, JobStatus::kError);
  ProcessOutcome failed;
  failed.exit_code = 9;
  EXPECT_EQ(judge(vm_job(), failed, kGood, "", "").status, JobStatus::kFail);
  failed.exit_code = 124;
  EXPECT_EQ(judge(vm_job(), failed, kGood, "", "").status, JobStatus::kFail);
  failed.exit_code = 2;
  EXPECT_EQ(judge(vm_job(), failed, "", "no such file", "").status, JobStatus::kError)
      << "bad input is not a wrong product";
}

TEST(Outcome, CrashIsFailButTheMachineIsError) {
  ProcessOutcome outcome;
  outcome.signal = SIGSEGV;
  EXPECT_EQ(judge(vm_job(), outcome, "", "", "").status, JobStatus::kFail);
  outcome.signal = SIGKILL;
  JobResult killed = judge(vm_job(), outcome, "", "", "");
  EXPECT_EQ(killed.status, JobStatus::kError);
  EXPECT_TRUE(killed.retryable);
  outcome.wall_limit_hit = true;
  killed = judge(vm_job(), outcome, "", "", "");
  EXPECT_EQ(killed.status, JobStatus::kError);
  EXPECT_FALSE(killed.retryable);
  ProcessOutcome not_run;
  not_run.spawn_error = "no memory";
  EXPECT_EQ(judge(vm_job(), not_run, "", "", "").status, JobStatus::kError);
}

TEST(Outcome, HostileOutputIsHarmless) {
  for (const char* text : {"{", "[]", "null", "{\"exit\":5,\"observables\":[]}", "{\"exit\":{\"code\":1e400}}",
                           "{\"observables\":{\"instructions\":-1,\"console_sha256\":7}}", "\xff\xfe"}) {
    (void)judge(vm_job(), {}, text, text, text);
  }
  std::string deep(100'000, '[');
  EXPECT_EQ(judge(vm_job(), {}, deep, "", "").status, JobStatus::kError);
}

TEST(Outcome, MissingFileIsMissWithTheWayOut) {
  JobSpec job = vm_job();
  job.needed_files = {"/nonexistent/kernel"};
  job.missing_hint = "guests/build riscv64";
  const std::string file = missing_file(job);
  EXPECT_EQ(file, "/nonexistent/kernel");
  const JobResult result = missing_result(job, file);
  EXPECT_EQ(result.status, JobStatus::kMiss);
  EXPECT_NE(result.message.find("guests/build riscv64"), std::string::npos);
}

}  // namespace
}  // namespace lockstep::farm
