// SPDX-License-Identifier: Apache-2.0
// Lists of mutants and tables of results: what is written is read again, and what is wrong is named.
#include "smmu_rtl_bridge/mutation/mutants.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "smmu_rtl_bridge/mutation/results.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

TEST(Mutants, AListIsRead) {
  const auto mutants =
      parse_mutants("# comment\n1|drawn|a.sv:3 m eq A[0] inv|\n7|hand|order: reads pass|no pin says\n", "l");
  ASSERT_TRUE(mutants) << mutants.message();
  ASSERT_EQ(mutants->size(), 2u);
  EXPECT_EQ((*mutants)[0].number, 1u);
  EXPECT_EQ((*mutants)[0].name, "a.sv:3 m eq A[0] inv");
  EXPECT_EQ((*mutants)[0].argument, "");
  EXPECT_EQ((*mutants)[1].kind, "hand");
  EXPECT_EQ((*mutants)[1].argument, "no pin says");
}

TEST(Mutants, WhatIsNoMutantIsNamed) {
  for (const char* text :
       {"1|drawn", "x|drawn|a|", "0|drawn|a|", "70000|drawn|a|", "1|wild|a|", "1|drawn|a|\n1|drawn|b|"}) {
    const auto mutants = parse_mutants(text, "list");
    ASSERT_FALSE(mutants) << text;
    EXPECT_EQ(mutants.message().find("list:"), 0u) << mutants.message();
  }
  EXPECT_FALSE(load_mutants("/there/is/no/such/list"));
}

TEST(Mutants, AnyBytesAreAListOrAnError) {
  std::mt19937_64 random(17);
  const std::string letters = "0123456789|drawnhandperformance\n#\x80 ";
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (size_t n = random() % 60; n > 0; --n) text += letters[random() % letters.size()];
    (void)parse_mutants(text, "list");
    (void)MutantResult::parse(text);
  }
}

MutantResult killed_one() {
  MutantResult result;
  result.kind = "drawn";
  result.name = "a.sv:3 m eq A[0] (x[0]) cnot1 5";
  result.killed = true;
  result.seconds = 1.5;
  result.accesses = 600;
  result.lines = 4;
  result.stimulus = "default:17";
  result.rule = "answer-end";
  return result;
}

TEST(Results, ALineIsReadAgain) {
  const auto again = MutantResult::parse(killed_one().text());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), killed_one().text());
  EXPECT_EQ(again->name, killed_one().name);
  EXPECT_TRUE(again->killed);
  MutantResult survived;
  survived.kind = "hand";
  survived.name = "order: x";
  const auto alive = MutantResult::parse(survived.text());
  ASSERT_TRUE(alive);
  EXPECT_FALSE(alive->killed);
  EXPECT_FALSE(alive->argued);
  EXPECT_FALSE(MutantResult::parse("nonsense"));
}

TEST(Results, ATableIsReadAgainAndSummed) {
  const std::string path = testing::TempDir() + "mutants_test.results";
  std::vector<MutantResult> results(10, killed_one());
  for (size_t i = 0; i < results.size(); ++i) {
    results[i].name += std::to_string(i);
    results[i].accesses = 100 * (i + 1);
    results[i].lines = i + 1;
  }
  results[9].killed = false;
  results[9].argued = true;
  ASSERT_TRUE(save_results(path, results, 5));
  const auto again = load_results(path);
  ASSERT_TRUE(again) << again.message();
  ASSERT_EQ(again->size(), results.size());
  const MutationSummary summary = summarize(*again);
  EXPECT_EQ(summary.killed, 9u);
  EXPECT_EQ(summary.argued, 1u);
  EXPECT_EQ(summary.unexplained, 0u);
  EXPECT_EQ(summary.accesses_median, 500u);
  EXPECT_EQ(summary.lines_p90, 9u);
  EXPECT_DOUBLE_EQ(summary.killed_percent(), 90);
  std::remove(path.c_str());
  EXPECT_TRUE(load_results(path)->empty());
}

MutantResult result_named(const char* kind, const char* name, bool killed) {
  MutantResult result;
  result.kind = kind;
  result.name = name;
  result.killed = killed;
  return result;
}

TEST(Results, ATableKeepsTheOrderOfTheListAndWhatIsOfOtherDesigns) {
  const auto mutants = parse_mutants("1|hand|first|\n2|hand|second|no pin says\n3|performance|third|\n", "list");
  ASSERT_TRUE(mutants) << mutants.message();
  const std::vector<MutantResult> ordered =
      in_order(*mutants, {result_named("drawn", "of another design", true), result_named("hand", "second", false),
                          result_named("hand", "no more", true), result_named("hand", "first", true)});
  ASSERT_EQ(ordered.size(), 3u);
  EXPECT_EQ(ordered[0].name, "first");
  EXPECT_EQ(ordered[1].name, "second");
  EXPECT_TRUE(ordered[1].argued);
  EXPECT_EQ(ordered[2].name, "of another design");
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
