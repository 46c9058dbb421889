// SPDX-License-Identifier: Apache-2.0
// Any bytes are either a sound contract, which then expands, or an error with a message.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "matrix/contract.h"
#include "matrix/plan.h"
#include "matrix/random.h"
#include "tests/core/seed.h"

namespace {

// Returns whether the bytes were a sound contract.
bool try_contract(const std::string& text) {
  using namespace lockstep::matrix;
  const auto contract = parse_contract(text, "fuzz.yaml");
  if (!contract.ok()) {
    EXPECT_EQ(contract.message().rfind("fuzz.yaml:", 0), 0U) << contract.message();
    EXPECT_EQ(contract.message().find('\n'), std::string::npos) << contract.message();
    return false;
  }
  ExpandOptions options;
  options.strategy = Strategy::kEach;
  const auto plan = expand(*contract, options);
  EXPECT_TRUE(plan.ok() || !plan.message().empty());
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try_contract(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}

namespace lockstep::matrix {
namespace {

std::uint64_t seed() { return test::from_environment("LOCKSTEP_SEED", 20'240'901); }

std::string tree_contract() {
  std::ifstream file(LOCKSTEP_TREE "/matrix/features.yaml", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    lines.push_back(text.substr(at, end - at + 1));
    at = end + 1;
  }
  return lines;
}

TEST(ContractFuzz, MutatedContracts) {
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(seed()));
  Random random(seed());
  const std::vector<std::string> lines = lines_of(tree_contract());
  ASSERT_GT(lines.size(), 100U);
  const std::string odd[] = {"[",
                             "]",
                             "{",
                             "}",
                             "*x",
                             "&x ",
                             "- ",
                             ": ",
                             "'",
                             "\"",
                             "|\n",
                             "\t",
                             "\xff",
                             "? ",
                             "!!map ",
                             "%",
                             "\n---\n",
                             "<<: *x\n",
                             std::string(1, '\0'),
                             "on",
                             "off",
                             "=",
                             "[[[[",
                             "~"};
  int sound = 0;
  for (int round = 0; round < 1500; ++round) {
    std::vector<std::string> mutated = lines;
    const std::uint32_t changes = 1 + random.below(4);
    for (std::uint32_t i = 0; i < changes; ++i) {
      const std::uint32_t at = random.below(static_cast<std::uint32_t>(mutated.size()));
      const std::uint32_t other = random.below(static_cast<std::uint32_t>(mutated.size()));
      std::string& line = mutated[at];
      const std::uint32_t column = random.below(static_cast<std::uint32_t>(line.size() + 1));
      switch (random.below(7)) {
        case 0:
          line.clear();
          break;
        case 1:
          line += mutated[other];
          break;
        case 2:
          std::swap(line, mutated[other]);
          break;
        case 3:
          line.insert(column, odd[random.below(std::size(odd))]);
          break;
        case 4:
          line.erase(column, 1 + random.below(3));
          break;
        case 5:
          line.insert(0, std::string(1 + random.below(6), ' '));
          break;
        default:
          if (column < line.size()) line[column] = static_cast<char>(random.below(256));
          break;
      }
    }
    std::string text;
    for (const std::string& line : mutated) text += line;
    sound += try_contract(text) ? 1 : 0;
  }
  // Some changes only touch comments and descriptions; if nothing passes, the mutations are too coarse to test much.
  EXPECT_GT(sound, 0);
}

TEST(ContractFuzz, RandomYaml) {
  Random random(seed() + 1);
  const std::string tokens[] = {"version: 1\n",
                                "project: p\n",
                                "features:\n",
                                "  - name: a\n",
                                "    kind: engine\n",
                                "    status: stable\n",
                                "    description: d\n",
                                "    requires: [a]\n",
                                "    contains: [a, b]\n",
                                "  - name: b\n",
                                "    kind: umbrella\n",
                                "rules:\n",
                                "  - never: [a]\n",
                                "workloads:\n",
                                "  - name: w\n",
                                "    argv: '{features}'\n",
                                "&a ",
                                "*a",
                                "[",
                                "]",
                                "{",
                                "}",
                                ", ",
                                ": ",
                                "\n",
                                "- ",
                                "? ",
                                "  ",
                                "\"",
                                "'",
                                "|",
                                ">",
                                "#",
                                "!t ",
                                "%YAML 1.2\n",
                                "---\n",
                                "...\n",
                                "\xc3\x28"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::uint32_t length = random.below(60);
    for (std::uint32_t i = 0; i < length; ++i) {
      if (random.below(12) == 0)
        text += static_cast<char>(random.below(256));
      else
        text += tokens[random.below(std::size(tokens))];
    }
    try_contract(text);
  }
}

TEST(ContractFuzz, DeepAndLongInputs) {
  for (const char* unit : {"[", "{", "- ", "? ", "a: ", "{a: ", "[[", "&a [", "!t ", "'", "\"", "| ", "-\n", "a:\n "}) {
    std::string text;
    while (text.size() < 20'000) text += unit;
    EXPECT_FALSE(try_contract(text)) << unit;
  }
}

}  // namespace
}  // namespace lockstep::matrix
