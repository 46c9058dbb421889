// SPDX-License-Identifier: Apache-2.0
#include "matrix/pairwise.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>
#include <tuple>

#include "matrix/coverage.h"
#include "matrix/random.h"
#include "tests/core/seed.h"

namespace lockstep::matrix {
namespace {

Model free_model(std::size_t variables, std::uint32_t values) {
  Model model;
  model.value_counts.assign(variables, values);
  return model;
}

std::size_t size_of(const Model& model) {
  const auto rows = cover_pairs(model, {});
  EXPECT_TRUE(rows.ok()) << rows.message();
  const CoverageReport report = check_pair_coverage(model, {}, *rows);
  EXPECT_TRUE(report.ok()) << report.faults.front();
  EXPECT_EQ(report.covered, report.pairs);
  return rows->size();
}

// The bounds are what the default seed of PICT 3.7.4 gives.
TEST(Pairwise, SizesAreNoLargerThanThoseOfACommonTool) {
  EXPECT_LE(size_of(free_model(4, 3)), 12U);
  EXPECT_LE(size_of(free_model(13, 3)), 19U);
  EXPECT_LE(size_of(free_model(20, 10)), 213U);
}

TEST(Pairwise, FreeBinaryVariablesAreExact) {
  EXPECT_EQ(size_of(free_model(2, 2)), 4U);
  EXPECT_EQ(size_of(free_model(3, 2)), 4U);
  EXPECT_EQ(size_of(free_model(4, 2)), 5U);
  EXPECT_EQ(size_of(free_model(10, 2)), 6U);
  EXPECT_EQ(size_of(free_model(11, 2)), 7U);
  EXPECT_EQ(size_of(free_model(100, 2)), 10U);
}

TEST(Pairwise, OneVariableAndNoVariables) {
  EXPECT_EQ(cover_pairs(free_model(1, 5), {})->size(), 5U);
  EXPECT_EQ(cover_pairs(free_model(0, 5), {})->size(), 1U);
}

TEST(Pairwise, ContradictionIsAnError) {
  Model model = free_model(3, 2);
  model.clauses = {{{{0, 1}}}, {{{0, 2}}}};
  const auto rows = cover_pairs(model, {});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.message(), "no combination satisfies the rules");
  model.clauses = {{{{0, 1}, {1, 1}}}, {{{0, 1}, {1, 2}}}, {{{0, 2}, {1, 1}}}, {{{0, 2}, {1, 2}}}};
  EXPECT_FALSE(cover_pairs(model, {}).ok());
}

TEST(Pairwise, TooManyValuesAreAnError) { EXPECT_FALSE(cover_pairs(free_model(100, 64), {}).ok()); }

TEST(Pairwise, SeedRowsComeFirstAndStay) {
  const Model model = free_model(5, 3);
  PairwiseOptions options;
  options.seeds = {Row{2, 2, 2, 2, 2}, Row{2, 2, 2, 2, 1}};
  const auto rows = cover_pairs(model, options);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((*rows)[0], options.seeds[0]);
  EXPECT_EQ((*rows)[1], options.seeds[1]);
  EXPECT_TRUE(check_pair_coverage(model, {}, *rows).ok());
  const Model binary = free_model(7, 2);
  options.seeds = {Row{1, 0, 1, 1, 0, 0, 1}};
  const auto binary_rows = cover_pairs(binary, options);
  EXPECT_EQ((*binary_rows)[0], options.seeds[0]);
  EXPECT_TRUE(check_pair_coverage(binary, {}, *binary_rows).ok());
}

// Every assignment of a small model, as the last word on what is possible.
template <typename Visit>
void each_row(const Model& model, Visit&& visit) {
  Row row(model.value_counts.size(), 0);
  for (;;) {
    if (satisfies(model, row)) visit(row);
    std::size_t i = 0;
    while (i < row.size() && ++row[i] == model.value_counts[i]) row[i++] = 0;
    if (i == row.size()) return;
  }
}

using Pair = std::tuple<std::size_t, int, std::size_t, int>;
void add_pairs(const Row& row, std::set<Pair>& pairs) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    for (std::size_t j = i + 1; j < row.size(); ++j) pairs.emplace(i, row[i], j, row[j]);
  }
}

Model random_model(Random& random, std::uint32_t most_variables) {
  Model model;
  const std::uint32_t variables = 2 + random.below(most_variables - 1);
  for (std::uint32_t i = 0; i < variables; ++i) model.value_counts.push_back(1 + random.below(4));
  const std::uint32_t clauses = random.below(2 * variables);
  for (std::uint32_t i = 0; i < clauses; ++i) {
    Clause clause;
    const std::uint32_t literals = 2 + random.below(2);
    for (std::uint32_t j = 0; j < literals; ++j) {
      const std::uint32_t variable = random.below(variables);
      clause.literals.push_back({variable, random.next() & model.full_mask(variable)});
    }
    model.clauses.push_back(std::move(clause));
  }
  return model;
}

std::uint64_t test_seed() { return test::from_environment("LOCKSTEP_SEED", 7); }

TEST(Pairwise, RandomModelsAgainstEnumeration) {
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(test_seed()));
  int possible_models = 0;
  for (std::uint64_t round = 0; round < 300; ++round) {
    SCOPED_TRACE("seed " + std::to_string(test_seed()) + " round " + std::to_string(round));
    Random random(test_seed() * 1'000'003 + round);
    const Model model = random_model(random, 7);
    std::set<Pair> wanted;
    bool possible = false;
    each_row(model, [&](const Row& row) {
      possible = true;
      add_pairs(row, wanted);
    });
    PairwiseOptions options;
    options.seed = round;
    options.effort = 10'000;
    const auto rows = cover_pairs(model, options);
    ASSERT_EQ(rows.ok(), possible);
    if (!possible) continue;
    ++possible_models;
    std::set<Pair> covered;
    for (const Row& row : *rows) {
      ASSERT_TRUE(satisfies(model, row));
      add_pairs(row, covered);
    }
    ASSERT_EQ(covered, wanted);
    const CoverageReport report = check_pair_coverage(model, {}, *rows);
    ASSERT_TRUE(report.ok()) << report.faults.front();
    ASSERT_EQ(report.covered, wanted.size());
    const auto again = cover_pairs(model, options);
    ASSERT_EQ(*again, *rows);
  }
  EXPECT_GT(possible_models, 100);
}

// The verifier has to see what is wrong: a lost row, a broken clause, a value out of range.
TEST(Coverage, FindsWhatIsMissing) {
  for (std::uint64_t round = 0; round < 50; ++round) {
    Random random(test_seed() * 7'919 + round);
    const Model model = random_model(random, 6);
    auto rows = cover_pairs(model, {});
    if (!rows.ok() || rows->size() < 3) continue;
    std::set<Pair> all;
    for (const Row& row : *rows) add_pairs(row, all);
    rows->erase(rows->begin() + random.below(static_cast<std::uint32_t>(rows->size())));
    std::set<Pair> rest;
    for (const Row& row : *rows) add_pairs(row, rest);
    EXPECT_EQ(check_pair_coverage(model, {}, *rows).ok(), all == rest) << "round " << round;
  }
  Model model = free_model(2, 2);
  model.clauses = {{{{0, 1}, {1, 1}}}};
  EXPECT_TRUE(check_pair_coverage(model, {}, {{0, 0}, {0, 1}, {1, 0}}).ok());
  EXPECT_FALSE(check_pair_coverage(model, {}, {{0, 0}, {0, 1}, {1, 0}, {1, 1}}).ok());
  EXPECT_FALSE(check_pair_coverage(model, {}, {{0, 0}, {0, 1}}).ok());
  EXPECT_FALSE(check_pair_coverage(model, {}, {{0, 0}, {0, 1}, {1, 0}, {2, 0}}).ok());
}

// Shaped as feature models are: implications and exclusions between many booleans.
TEST(Pairwise, LargeFeatureModels) {
  for (const std::uint32_t count : {40U, 100U}) {
    Random random(test_seed() + count);
    Model model = free_model(count, 2);
    for (std::uint32_t i = 0; i < count / 2; ++i) {
      const std::uint32_t from = 1 + random.below(count - 1);
      model.clauses.push_back({{{from, 1}, {random.below(from), 2}}});
    }
    for (std::uint32_t i = 0; i < count / 8; ++i) {
      model.clauses.push_back({{{random.below(count), 1}, {random.below(count), 1}}});
    }
    const auto rows = cover_pairs(model, {});
    ASSERT_TRUE(rows.ok()) << rows.message();
    const CoverageReport report = check_pair_coverage(model, {}, *rows);
    EXPECT_TRUE(report.ok()) << report.faults.front();
    EXPECT_LE(rows->size(), 60U);
  }
}

}  // namespace
}  // namespace lockstep::matrix
