// SPDX-License-Identifier: Apache-2.0
// The farm as a user runs it: real processes, real sockets, real disks; only the emulator is a fake
// (farm_test_program).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "farm/worker/spool.h"

namespace lockstep::farm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kPatienceRounds = 6'000;  // of 10 ms: a bound against hanging, not an expectation
constexpr size_t kMaxOutputBytes = 8 << 20;

class FarmEndToEnd : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("lockstep-e2e-" + std::to_string(getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "matrix");
  }
  void TearDown() override {
    for (const pid_t pid : started_) {
      if (kill(pid, SIGKILL) == 0) waitpid(pid, nullptr, 0);
    }
    fs::remove_all(folder_);
  }

  // A contract with 2^3 combinations of `workload`, whose argv gets `append` as its --append text.
  void contract(const std::map<std::string, std::string>& workloads, const std::string& extra = "") {
    std::ofstream file(folder_ / "matrix" / "features.yaml");
    file << "version: 1\nproject: test\nfeatures:\n";
    for (const char* name : {"fusion", "async", "numa"}) {
      file << "  - name: " << name
           << "\n    part: core\n    kind: runtime-option\n    status: stable\n    default: on\n"
           << "    arguments: {on: --" << name << " on, off: --" << name
           << " off}\n    agreement: exact\n    description: x\n";
    }
    file << "workloads:\n";
    for (const auto& [name, append] : workloads) {
      file << "  - name: " << name << "\n    description: x\n    limits: {wall-s: 60}\n    grade: exact\n"
           << extra << "    argv: \"{lockstep} vm run {features} --append x," << append
           << " --console-log {scratch}/console.log --json\"\n";
    }
  }

  pid_t start(std::vector<std::string> arguments, const std::string& output) {
    arguments.insert(arguments.begin(), FARM_TEST_PROGRAM);
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    const std::string out = (folder_ / output).string(), err = out + ".err";
    const pid_t pid = fork();
    if (pid == 0) {
      const int o = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644),
                e = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      dup2(o, 1);
      dup2(e, 2);
      if (chdir(folder_.c_str()) != 0) _exit(126);
      execv(argv[0], argv.data());
      _exit(127);
    }
    started_.insert(pid);
    return pid;
  }
  int finish(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    started_.erase(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int run(const std::vector<std::string>& arguments, const std::string& output) {
    return finish(start(arguments, output));
  }
  std::string text(const std::string& name) { return read_file_end((folder_ / name).string(), kMaxOutputBytes); }
  json object(const std::string& name) { return json::parse(text(name), nullptr, false); }
  size_t executions() {
    const std::string marks = text("marks");
    return static_cast<size_t>(std::count(marks.begin(), marks.end(), '\n'));
  }
  bool wait_for(const std::function<bool()>& condition) {
    for (int i = 0; i < kPatienceRounds; ++i) {
      if (condition()) return true;
      usleep(10'000);
    }
    return false;
  }
  // Processes whose command line has `words`, by /proc; those of this test have its folder in it.
  std::vector<pid_t> processes(const std::string& word) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const pid_t pid = static_cast<pid_t>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
      if (pid <= 0) continue;
      std::ifstream file(entry.path() / "cmdline");
      std::stringstream line;
      line << file.rdbuf();
      const std::string command = line.str();
      if (command.find(word) != std::string::npos && command.find(folder_.string()) != std::string::npos)
        found.push_back(pid);
    }
    return found;
  }
  std::vector<pid_t> local_workers() {
    std::vector<pid_t> found = processes(std::string("worker\0--connect", 16));
    return found;
  }
  void expect_each_cell_once(const json& report, size_t count) {
    ASSERT_TRUE(report.is_object());
    std::set<std::string> ids;
    for (const json& cell : report["cells"]) {
      EXPECT_TRUE(ids.insert(cell["id"]).second) << "a cell is there twice";
      EXPECT_EQ(cell.value("status", ""), "PASS") << cell.dump();
    }
    EXPECT_EQ(ids.size(), count);
    EXPECT_EQ(report["counts"]["PASS"], count);
    EXPECT_EQ(report["unfinished"], 0);
  }

  fs::path folder_;
  std::set<pid_t> started_;
};

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
