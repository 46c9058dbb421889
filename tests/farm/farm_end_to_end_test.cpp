// SPDX-License-Identifier: Apache-2.0
// The farm as a user runs it, through crashes and disagreements.
#include <signal.h>

#include "tests/farm/farm_fixture.h"

namespace lockstep::farm {
namespace {

TEST_F(FarmEndToEnd, AgreeingCellsPassAndReportsAreWritten) {
  contract({{"good", ""}});
  EXPECT_EQ(run({"farm", "run", "matrix/features.yaml", "--strategy", "pairwise", "--workers", "2", "--json", "--junit",
                 "j.xml", "--html", "r.html"},
                "out"),
            0)
      << text("out.err");
  const json report = object("out");
  ASSERT_TRUE(report.is_object()) << text("out");
  expect_each_cell_once(report, report["cells"].size());
  EXPECT_GE(report["cells"].size(), 4u);
  for (const json& group : report["groups"]) EXPECT_EQ(group["status"], "PASS");
  EXPECT_NE(text("j.xml").find("<testsuite "), std::string::npos);
  EXPECT_NE(text("r.html").find("<!DOCTYPE html>"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder_ / "matrix/.lockstep/runs/0001/artifacts" /
                         report["cells"][0]["artifacts"][0]["sha256"].get<std::string>()));
  EXPECT_EQ(run({"farm", "report"}, "again"), 0);
  EXPECT_NE(text("again").find("PASS"), std::string::npos);
  EXPECT_TRUE(wait_for([this] { return processes("farm").empty(); })) << "a process outlived the run";
}

TEST_F(FarmEndToEnd, FailuresCrashesAndDifferencesAreFail) {
  contract({{"fails", "fail"}, {"crashes", "crash"}});
  EXPECT_EQ(run({"farm", "run", "--json", "--workers", "1"}, "out"), 1);
  EXPECT_EQ(object("out")["counts"]["FAIL"], 2);
  contract({{"differs", "differ"}});
  EXPECT_EQ(run({"farm", "run", "--json", "--strategy", "pairwise", "--workers", "2"}, "out"), 1);
  const json report = object("out");
  EXPECT_EQ(report["counts"]["FAIL"], 0) << "each cell by itself passes";
  bool named = false;
  for (const json& group : report["groups"]) {
    named = named || (group["status"] == "FAIL" &&
                      group["message"].get<std::string>().find("instructions") != std::string::npos);
  }
  EXPECT_TRUE(named);
}

TEST_F(FarmEndToEnd, CoverageOfAllCellsIsAddedUpAndFilesAreKept) {
  contract({{"covers", "cover"}, {"shows", "fail,cover,leave={artifacts}/small.txt"}});
  EXPECT_EQ(run({"farm", "run", "--strategy", "each", "--json", "--workers", "2"}, "out"), 1) << text("out.err");
  const json report = object("out");
  ASSERT_TRUE(report.is_object()) << text("out.err");
  ASSERT_EQ(report["coverage"].size(), 1u);
  const json& coverage = report["coverage"][0];
  const size_t cells = report["cells"].size();
  EXPECT_EQ(coverage["cells"], cells) << "cells that fail count as well";
  EXPECT_EQ(coverage["points"], 4);
  EXPECT_EQ(coverage["covered"], 3);
  EXPECT_EQ(coverage["hits"]["always"], 2 * cells);
  EXPECT_EQ(coverage["hits"]["fusion.on"].get<size_t>() + coverage["hits"]["fusion.off"].get<size_t>(), cells);
  for (const json& cell : report["cells"]) {
    if (cell["status"] != "FAIL") continue;
    const auto kept = std::find_if(cell["artifacts"].begin(), cell["artifacts"].end(),
                                   [](const json& artifact) { return artifact["name"] == "small.txt"; });
    ASSERT_NE(kept, cell["artifacts"].end()) << cell.dump();
    EXPECT_EQ(text("matrix/.lockstep/runs/0001/artifacts/" + (*kept)["sha256"].get<std::string>()), "what shows it\n");
  }
  EXPECT_EQ(run({"farm", "report"}, "again"), 1);
  EXPECT_NE(text("again").find("3 of 4 points, 75.0 % of plan 1"), std::string::npos) << text("again");
  EXPECT_NE(text("again").find("small.txt: "), std::string::npos) << text("again");
  EXPECT_TRUE(text("matrix/.lockstep/runs/0001/coverage.txt").starts_with("plan 1\nruns "));
}

TEST_F(FarmEndToEnd, MissingPayloadIsMissWithTheCommandThatMakesIt) {
  contract({{"needs", ""}}, "    payload: guests/build nothing\n");
  std::string yaml = text("matrix/features.yaml");
  yaml.replace(yaml.find("--console-log"), 0, "--kernel {payload:kernel} ");
  std::ofstream(folder_ / "matrix/features.yaml") << yaml;
  EXPECT_EQ(run({"farm", "run", "--json", "--workers", "1"}, "out"), 3) << text("out.err");
  const json report = object("out");
  ASSERT_TRUE(report.is_object()) << text("out.err");
  EXPECT_EQ(report["counts"]["MISS"], 1);
  EXPECT_NE(report["cells"][0]["message"].get<std::string>().find("guests/build nothing"), std::string::npos);
  std::ofstream(folder_ / "vmlinux") << "kernel";
  EXPECT_EQ(run({"farm", "run", "--json", "--workers", "1", "--no-payloads", "--payload", "kernel=vmlinux"}, "out"), 0)
      << text("out.err");
}

TEST_F(FarmEndToEnd, BadUsageIsNamedAndExitsWithTwo) {
  contract({{"good", ""}});
  EXPECT_EQ(run({"farm", "run", "--listen", "tcp://0.0.0.0:5555"}, "out"), 2);
  EXPECT_NE(text("out.err").find("loopback"), std::string::npos);
  EXPECT_EQ(run({"farm", "run", "nothing.yaml"}, "out"), 2);
  EXPECT_EQ(run({"farm", "run", "--strategy", "wild"}, "out"), 2);
  EXPECT_EQ(run({"farm", "report"}, "out"), 2);
  EXPECT_NE(text("out.err").find("farm run"), std::string::npos);
  EXPECT_EQ(run({"farm", "worker", "--connect", "tcp://127.0.0.1:1", "--name", "a/b"}, "out"), 2);
  EXPECT_EQ(run({"farm", "resume"}, "out"), 2);
}

// The shows of the farm: kill -9 of a worker in mid-run, then of the coordinator, then resume.
TEST_F(FarmEndToEnd, KilledWorkerAndKilledCoordinatorLoseNothingAndCountNothingTwice) {
  const std::string marks = (folder_ / "marks").string();
  contract({{"one", "once=" + marks + ",sleep=150"},
            {"two", "once=" + marks + ",sleep=150"},
            {"three", "once=" + marks + ",sleep=150"}});
  const pid_t coordinator = start({"farm", "run", "--strategy", "pairwise", "--workers", "2"}, "first");
  ASSERT_TRUE(wait_for([&] { return executions() >= 2; })) << text("first.err");
  const auto workers = local_workers();
  ASSERT_FALSE(workers.empty());
  ASSERT_EQ(kill(workers[0], SIGKILL), 0);
  ASSERT_TRUE(wait_for([&] { return executions() >= 5; })) << text("first.err");
  ASSERT_EQ(kill(coordinator, SIGKILL), 0);
  EXPECT_EQ(finish(coordinator), -SIGKILL);
  EXPECT_TRUE(wait_for([this] { return processes("farm").empty(); })) << "orphans of the killed coordinator go on";
  EXPECT_EQ(run({"farm", "report", "--json"}, "middle"), 3);
  const json middle = object("middle");
  ASSERT_TRUE(middle.is_object());
  EXPECT_GT(middle["unfinished"], 0) << "the coordinator was killed too late to prove anything";
  EXPECT_EQ(run({"farm", "resume", "--json"}, "second"), 0) << text("second.err");
  EXPECT_NE(text("second.err").find("epoch 2"), std::string::npos);
  const json report = object("second");
  expect_each_cell_once(report, middle["cells"].size());
  // What had its result before the crash was not run again: at most the jobs that were under way are.
  EXPECT_LE(executions(), report["cells"].size() + 2 + 2);
}

TEST_F(FarmEndToEnd, WorkersThatSurviveTheCoordinatorBringTheirResults) {
  const std::string marks = (folder_ / "marks").string();
  contract({{"one", "once=" + marks + ",sleep=300"}, {"two", "once=" + marks + ",sleep=300"}});
  const std::string endpoint = "ipc://" + (folder_ / "s").string();
  const pid_t worker = start({"farm", "worker", "--connect", endpoint, "--name", "survivor", "--folder",
                              (folder_ / "w").string(), "--slots", "2"},
                             "worker");
  const pid_t coordinator = start({"farm", "coordinator", "--strategy", "pairwise", "--listen", endpoint}, "first");
  ASSERT_TRUE(wait_for([&] { return executions() >= 3; })) << text("first.err") << text("worker.err");
  ASSERT_EQ(kill(coordinator, SIGKILL), 0);
  finish(coordinator);
  EXPECT_EQ(run({"farm", "resume", "--json"}, "second"), 0) << text("second.err");
  const json report = object("second");
  expect_each_cell_once(report, report["cells"].size());
  EXPECT_EQ(executions(), report["cells"].size()) << "the survivor's jobs were run again";
  EXPECT_EQ(finish(worker), 0) << text("worker.err");
}

TEST_F(FarmEndToEnd, InterruptLeavesARunThatCanBeResumed) {
  const std::string marks = (folder_ / "marks").string();
  contract({{"one", "once=" + marks + ",sleep=200"}});
  const pid_t coordinator = start({"farm", "run", "--strategy", "pairwise", "--workers", "1"}, "first");
  ASSERT_TRUE(wait_for([&] { return executions() >= 1; }));
  kill(coordinator, SIGINT);
  EXPECT_EQ(finish(coordinator), 130);
  EXPECT_NE(text("first.err").find("lockstep farm resume"), std::string::npos);
  EXPECT_EQ(run({"farm", "resume", "--json"}, "second"), 0) << text("second.err");
  expect_each_cell_once(object("second"), object("second")["cells"].size());
}

}  // namespace
}  // namespace lockstep::farm
