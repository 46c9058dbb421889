// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "farm/coordinator/service.h"
#include "farm/worker/spool.h"

namespace lockstep::farm {
namespace {

namespace fs = std::filesystem;

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("lockstep-process-" + std::to_string(getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  Process::Request shell(const std::string& script, JobLimits limits = {}) {
    return {
        {"/bin/sh", "-c", script}, folder_.string(), (folder_ / "out").string(), (folder_ / "err").string(), limits};
  }
  static ProcessOutcome finish(Process& process) {
    pollfd item{process.fd(), POLLIN, 0};
    while (poll(&item, 1, 20) <= 0) process.on_time(steady_now_ms());
    return process.reap(steady_now_ms());
  }
  ProcessOutcome run(const Process::Request& request) {
    auto process = Process::start(request, steady_now_ms());
    EXPECT_TRUE(process.ok()) << process.message();
    return finish(*process);
  }
  std::string text(const char* name) { return read_file_end((folder_ / name).string(), 1 << 20); }
  fs::path folder_;
};

TEST_F(ProcessTest, CapturesOutputAndExitCode) {
  const ProcessOutcome outcome = run(shell("echo out; echo err >&2; pwd; exit 7"));
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(text("out"), "out\n" + folder_.string() + "\n");
  EXPECT_EQ(text("err"), "err\n");
}

TEST_F(ProcessTest, WallLimitEndsTheWholeGroup) {
  const ProcessOutcome outcome =
      run(shell("sleep 1000 & echo $! > child; wait", {.wall_ms = 300, .cpu_s = 0, .memory_bytes = 0}));
  EXPECT_TRUE(outcome.wall_limit_hit);
  EXPECT_EQ(outcome.signal, SIGKILL);
  pid_t child = 0;
  std::ifstream(folder_ / "child") >> child;
  ASSERT_GT(child, 0);
  // The orphan belongs to init now, which may take a moment to collect it: dead is gone or a zombie.
  for (int i = 0; i < 500 && kill(child, 0) == 0; ++i) {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string line;
    std::getline(stat, line);
    if (line.find(") Z ") != std::string::npos) return;
    usleep(10'000);
  }
  EXPECT_NE(kill(child, 0), 0);
}

TEST_F(ProcessTest, CpuLimitIsASignalOfItsOwn) {
  const ProcessOutcome outcome = run(shell("while :; do :; done", {.wall_ms = 60'000, .cpu_s = 1, .memory_bytes = 0}));
  EXPECT_EQ(outcome.signal, SIGXCPU);
  EXPECT_FALSE(outcome.wall_limit_hit);
}

TEST_F(ProcessTest, MemoryLimitHolds) {
  const ProcessOutcome outcome =
      run(shell("ulimit -v", {.wall_ms = 60'000, .cpu_s = 0, .memory_bytes = uint64_t{256} << 20}));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(text("out"), "262144\n");
}

TEST_F(ProcessTest, ProgramThatIsNotThereIsNamed) {
  Process::Request request = shell("");
  request.argv = {"/nonexistent/program"};
  auto process = Process::start(request, 0);
  ASSERT_FALSE(process.ok());
  EXPECT_NE(process.message().find("/nonexistent/program"), std::string::npos);
}

TEST_F(ProcessTest, FileDescriptorsOfTheWorkerStayWithTheWorker) {
  const ProcessOutcome outcome = run(shell("ls /proc/self/fd | wc -l"));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_LE(std::stoi(text("out")), 4);  // 0, 1, 2 and the folder that ls itself reads
}

TEST_F(ProcessTest, DestructorLeavesNoProcess) {
  pid_t pid = 0;
  {
    auto process = Process::start(shell("sleep 1000"), 0);
    ASSERT_TRUE(process.ok());
    pid = process->pid();
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(ProcessTest, JobsDieWithTheirWorker) {
  const pid_t worker = fork();
  if (worker == 0) {
    auto process = Process::start(shell("echo $$ > pid; exec sleep 1000"), 0);
    while (process.ok()) pause();
    _exit(1);
  }
  pid_t job = 0;
  for (int i = 0; i < 1'000 && job == 0; ++i) {
    std::ifstream(folder_ / "pid") >> job;
    usleep(5'000);
  }
  ASSERT_GT(job, 0);
  ASSERT_EQ(kill(worker, SIGKILL), 0);
  waitpid(worker, nullptr, 0);
  const std::string stat_path = "/proc/" + std::to_string(job) + "/stat";
  for (int i = 0; i < 1'000; ++i) {
    std::ifstream stat(stat_path);
    std::string line;
    if (!std::getline(stat, line) || line.find(") Z ") != std::string::npos) return;
    usleep(5'000);
  }
  FAIL() << "the job outlived its worker";
}

TEST_F(ProcessTest, WorkerFolderCountsIncarnationsAndHasOneUser) {
  const std::string path = (folder_ / "w").string();
  {
    auto folder = WorkerFolder::open(path);
    ASSERT_TRUE(folder.ok());
    EXPECT_EQ(folder->incarnation(), 1u);
    auto second = WorkerFolder::open(path);
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.message().find(std::to_string(getpid())), std::string::npos);
    ResultReport report;
    report.worker = {"w", 1, 0};
    report.job_id = "j";
    report.attempt = {"farm", 1, 1};
    report.result.status = JobStatus::kPass;
    ASSERT_TRUE(folder->write_spool(report).ok());
  }
  std::ofstream(path + "/spool/farm.1.2.result") << "garbage";
  auto folder = WorkerFolder::open(path);
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(folder->incarnation(), 2u);
  std::vector<std::string> problems;
  const auto reports = folder->read_spool(&problems);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].job_id, "j");
  EXPECT_EQ(problems.size(), 1u);
  folder->remove_spool(reports[0].attempt);
  problems.clear();
  EXPECT_TRUE(folder->read_spool(&problems).empty());
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace lockstep::farm
