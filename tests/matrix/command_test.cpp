// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/matrix_command.h"

namespace lockstep::cli {
namespace {

using testing::HasSubstr;

const std::string kTree = LOCKSTEP_TREE "/matrix/features.yaml";

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

Outcome run(std::vector<std::string> arguments) {
  CLI::App app("lockstep");
  int exit_code = 0;
  add_matrix_command(app, exit_code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    outcome.status = exit_code;
  } catch (const CLI::ParseError& error) {
    outcome.status = app.exit(error) == 0 ? 0 : 2;
  }
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(MatrixCommand, ExpandPrintsATable) {
  const Outcome outcome = run({"matrix", "expand", kTree, "--strategy", "each"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("boot-debian"));
  EXPECT_THAT(outcome.out, HasSubstr("SKIP: needs cpu-detection, which is planned and not built yet"));
  EXPECT_THAT(outcome.out, HasSubstr(" skipped; "));
}

TEST(MatrixCommand, ExpandPrintsOneJsonObject) {
  const Outcome outcome =
      run({"matrix", "expand", kTree, "--strategy", "pairwise", "--seed", "5", "--workload", "bare", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["seed"], 5);
  for (const auto& cell : json["cells"]) EXPECT_EQ(cell["workload"].get<std::string>().rfind("bare/", 0), 0U);
}

TEST(MatrixCommand, ExpandRefusesBadUse) {
  EXPECT_EQ(run({"matrix", "expand", kTree, "--strategy", "some"}).status, 2);
  EXPECT_EQ(run({"matrix", "expand", kTree, "--seed", "x"}).status, 2);
  EXPECT_EQ(run({"matrix"}).status, 2);
  const Outcome outcome = run({"matrix", "expand", kTree, "--with", "nett"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean \"net\"?"));
}

TEST(MatrixCommand, DeprecatedNamesWorkAndSaySo) {
  const Outcome outcome = run({"matrix", "expand", kTree, "--with", "smoltcp", "--workload", "boot-debian"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("note: `smoltcp` is deprecated in favour of `net`"));
}

TEST(MatrixCommand, ExplainKnowsEveryKindOfName) {
  EXPECT_THAT(run({"matrix", "explain", "kvm", kTree}).out, HasSubstr("planned: not built yet"));
  EXPECT_THAT(run({"matrix", "explain", "jit", kTree}).out, HasSubstr("LOCKSTEP_FEATURE_JIT"));
  EXPECT_THAT(run({"matrix", "explain", "tlb-contexts", kTree}).out, HasSubstr("off: --tlb flush"));
  EXPECT_THAT(run({"matrix", "explain", "performance", kTree}).out, HasSubstr("turns on"));
  EXPECT_THAT(run({"matrix", "explain", "none", kTree}).out, HasSubstr("contains      nothing"));
  EXPECT_THAT(run({"matrix", "explain", "hardware", kTree}).out, HasSubstr("instead       acceleration"));
  EXPECT_THAT(run({"matrix", "explain", "perf", kTree}).out, HasSubstr("asked for as  perf"));
  const Outcome unknown = run({"matrix", "explain", "jti", kTree});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown feature \"jti\"; did you mean \"jit\"?"));
  const auto json = nlohmann::json::parse(run({"matrix", "explain", "smp", kTree, "--json"}).out);
  EXPECT_EQ(json["values"].size(), 3U);
}

TEST(MatrixCommand, CheckSumsUpOrNamesTheLine) {
  EXPECT_THAT(run({"matrix", "check", kTree}).out, HasSubstr(": sound\n"));
  EXPECT_TRUE(nlohmann::json::parse(run({"matrix", "check", kTree, "--json"}).out).contains("workloads"));
  const std::string path = testing::TempDir() + "bad_contract_" + std::to_string(getpid()) + ".yaml";
  std::ofstream(path) << "version: 1\nproject: p\nfeaturs: []\n";
  const Outcome outcome = run({"matrix", "check", path});
  std::filesystem::remove(path);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "lockstep: " + path + ":3: unknown key \"featurs\"; did you mean \"features\"?\n");
}

TEST(MatrixCommand, DefaultFileIsFoundInAFolderAbove) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(LOCKSTEP_TREE "/tests/matrix");
  const Outcome found = run({"matrix", "check"});
  std::filesystem::current_path("/");
  const Outcome missing = run({"matrix", "check"});
  std::filesystem::current_path(before);
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr(kTree));
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("no matrix/features.yaml"));
}

}  // namespace
}  // namespace lockstep::cli
