// SPDX-License-Identifier: Apache-2.0
// The plan is what its document says, files of it merge and are refused with the way out. LOCKSTEP_UPDATE_DOCUMENT=1
// writes docs/smmu-coverage.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "smmu_rtl_bridge/coverage/database.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using ::testing::HasSubstr;

TEST(SmmuCoveragePlan, HasAtLeast1500PointsOfAllChapters) {
  const Plan& plan = Plan::instance();
  EXPECT_GE(plan.points().size(), 1500u);
  for (const Point& point : plan.points()) {
    EXPECT_STRNE(Plan::chapter_text(point.name.substr(0, point.name.find('/'))), "") << point.name;
    EXPECT_EQ(point.name.find_first_of(" \n"), std::string::npos) << point.name;
  }
  EXPECT_EQ(plan.find("events/F_TRANSLATION/stage1-IN/read/user/stall"),
            plan.find(std::string("events/F_TRANSLATION/stage1-IN/") + "read/user/stall"));
  EXPECT_NE(plan.find("illegal/STE/ste_s2tg_unsupported"), Plan::kNone);
  EXPECT_EQ(plan.find("illegal/STE"), Plan::kNone);
}

TEST(SmmuCoveragePlan, DocumentIsThePlan) {
  const std::string path = std::string(LOCKSTEP_TREE) + "/docs/smmu-coverage.md";
  if (std::getenv("LOCKSTEP_UPDATE_DOCUMENT") != nullptr) std::ofstream(path) << document();
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_TRUE(text.str() == document()) << "docs/smmu-coverage.md is not the plan: run this test with "
                                           "LOCKSTEP_UPDATE_DOCUMENT=1 and commit the file";
}

TEST(SmmuCoverageDatabase, FilesGoThereAndBackAndMerge) {
  Database one;
  one.hit("regimes/stage1/EL1-TTB0/4K/L3/little");
  one.hit("regimes/stage1/EL1-TTB0/4K/L3/little");
  one.runs = 3;
  Database two;
  two.hit("illegal/CD/cd_not_valid/nested");
  two.runs = 4;
  const auto read = Database::parse(one.text(), "one");
  ASSERT_TRUE(read.ok()) << read.message();
  two.merge(read.value());
  EXPECT_EQ(two.runs, 7u);
  EXPECT_EQ(two.reached(), 2u);
  EXPECT_EQ(two.count(Plan::instance().find("regimes/stage1/EL1-TTB0/4K/L3/little")), 2u);
  EXPECT_TRUE(two.unplanned().empty());
}

TEST(SmmuCoverageDatabase, WrongFilesAreRefusedByName) {
  const auto message = [](const std::string& text) {
    const auto result = Database::parse(text, "a.coverage");
    return result.ok() ? std::string("read") : result.message();
  };
  EXPECT_THAT(message(""), HasSubstr("a.coverage"));
  EXPECT_THAT(message("no header\n"), HasSubstr("a.coverage:1"));
  EXPECT_THAT(message("lockstep-smmu-coverage 1\nruns 1\nno/such/point 3\n"), HasSubstr("a.coverage:3"));
  EXPECT_THAT(message("lockstep-smmu-coverage 1\nruns x\n"), HasSubstr("a.coverage:2"));
  EXPECT_THAT(message("lockstep-smmu-coverage 1\nruns\n"), HasSubstr("a.coverage:2"));
  EXPECT_THAT(Database::load("/nowhere/a.coverage").message(), HasSubstr("/nowhere/a.coverage"));
  EXPECT_FALSE(Database().save("/nowhere/a.coverage").ok());
}

TEST(SmmuCoverageTree, ShowsBranchesAndHoles) {
  Database database;
  database.hit("illegal/CD/cd_not_valid/nested");
  TreeOptions options;
  options.depth = 3;
  options.holes = true;
  options.below = "illegal/CD";
  const std::string text = tree(database, options);
  EXPECT_THAT(text, HasSubstr("1/34"));
  EXPECT_THAT(text, HasSubstr("  illegal/CD/cd_not_valid/stage1\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("  illegal/CD/cd_not_valid/nested\n")));
  EXPECT_THAT(json(database), HasSubstr("\"reached\":1"));
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::coverage
