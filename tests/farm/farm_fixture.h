// SPDX-License-Identifier: Apache-2.0
#pragma once

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

namespace fs = std::filesystem;
using nlohmann::json;

inline constexpr int kPatienceRounds = 6'000;  // of 10 ms: a bound against hanging, not an expectation
inline constexpr size_t kMaxOutputBytes = 8 << 20;

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

}  // namespace lockstep::farm
