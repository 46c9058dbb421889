// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/jit/translated_pattern.h"

// How many host instructions a guest pattern costs, held against host_instructions.txt, which says how to read it.
// LOCKSTEP_UPDATE_GOLDEN=1 writes the file anew.

namespace lockstep::jit {
namespace {

constexpr std::string_view kFile = LOCKSTEP_TREE "/tests/jit/host_instructions.txt";
// The pattern without instructions: what a block costs besides.
constexpr std::string_view kOverhead = "a block with nothing in it";
constexpr size_t kLeastPatterns = 150;
constexpr size_t kTextWidth = 46;
constexpr size_t kWordWidth = 10;
// Host instructions of a jump from block to block.
constexpr size_t kJump = 1;

// A line of the file that is no pattern stands as it is. A pattern is one instruction, or a title and its instructions.
struct Entry {
  std::string verbatim = {};
  std::string title = {};
  std::vector<std::string> lines = {};
  std::vector<std::string> words = {};  // as the file has them
  std::vector<std::string> counts = {};
  bool is_pattern = false;
};

std::vector<std::string> split_columns(std::string_view line) {
  std::vector<std::string> columns;
  while (!line.empty()) {
    const size_t end = std::min(line.find("  "), line.size());
    if (end > 0) columns.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  return columns;
}

std::vector<Entry> parse(const std::string& text) {
  std::vector<Entry> entries;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') {
      entries.push_back({.verbatim = line});
      continue;
    }
    std::vector<std::string> columns = split_columns(line);
    if (line.front() == ' ') {
      if (!entries.empty()) {
        entries.back().lines.push_back(columns.front());
        if (columns.size() > 1) entries.back().words.push_back(columns[1]);
      }
      continue;
    }
    Entry entry{.is_pattern = true};
    if (columns.front().ends_with(':')) {
      entry.title = columns.front().substr(0, columns.front().size() - 1);
    } else {
      entry.lines.push_back(columns.front());
      if (columns.size() > 1) entry.words.push_back(columns[1]);
    }
    const size_t first = entry.title.empty() ? 2 : 1;
    for (size_t k = first; k < columns.size(); ++k) entry.counts.push_back(columns[k]);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string word_text(const AssembledInstruction& i) {
  return i.length == 2 ? fmt::format("{:04x}", i.word) : fmt::format("{:08x}", i.word);
}

std::string render(const Entry& entry) {
  if (!entry.is_pattern) return entry.verbatim + "\n";
  const std::string counts = fmt::format("{:>6}{:>6}", entry.counts[0], entry.counts[1]);
  if (entry.title.empty()) {
    return fmt::format("{:<{}}{:<{}}{}\n", entry.lines[0], kTextWidth, entry.words[0], kWordWidth, counts);
  }
  std::string out = fmt::format("{:<{}}{}\n", entry.title + ":", kTextWidth + kWordWidth, counts);
  size_t word = 0;
  for (const std::string& line : entry.lines) {
    const bool labelled = line.size() > 1 && line[1] == ':';
    std::string row = (labelled ? "    " : "       ") + line;
    const bool label_alone = labelled && line.size() == 2;
    if (!label_alone) row = fmt::format("{:<{}}{}", row, kTextWidth, entry.words[word++]);
    out += row + "\n";
  }
  return out;
}

struct Cost {
  std::string tiers[2];  // instructions, or - where there is no host code
  std::string listing;
};

// What a pattern costs: all that the blocks have out of the cold part, less what a block costs anyway and the jump back
// that the pattern did not ask for. In the second tier a jump before the pattern is a block besides, which falls
// through.
Cost cost_of(TranslatedPattern& pattern, bool is_overhead) {
  static const auto nothing = [] {
    auto empty = TranslatedPattern::make({});
    const Listing first = *(*empty)->first_tier().front();
    const std::vector<std::string> second = (*empty)->second_tier()->hot;
    return std::pair(count_instructions(first.entry) + count_instructions(first.hot),
                     (count_instructions(second) + kJump) / 2);
  }();
  const size_t first_block = nothing.first - kJump, second_block = nothing.second - kJump;
  Cost cost;
  size_t first_total = 0;
  bool translated = true;
  for (const std::optional<Listing>& listing : pattern.first_tier()) {
    translated &= listing.has_value();
    if (listing) first_total += count_instructions(listing->entry) + count_instructions(listing->hot);
  }
  for (size_t k = 0; k < pattern.blocks().size(); ++k) {
    cost.listing += fmt::format("--- tier 1, block {}\n{}", k, pattern.describe_block(k));
  }
  const std::vector<RegionBlock>& blocks = pattern.region().blocks;
  const std::optional<Listing> region = pattern.second_tier();
  if (is_overhead) {
    cost.tiers[0] = fmt::format("{}", nothing.first);
    cost.tiers[1] = fmt::format("{}", nothing.second);
  } else {
    const size_t first_less = pattern.blocks().size() * first_block + pattern.closing_jumps(pattern.blocks()) * kJump;
    const size_t second_less = blocks.size() * second_block + pattern.closing_jumps(blocks) * kJump;
    cost.tiers[0] = translated ? fmt::format("{}", first_total - first_less) : "-";
    cost.tiers[1] = region ? fmt::format("{}", count_instructions(region->hot) - second_less) : "-";
  }
  cost.listing += fmt::format("--- tier 2\n{}", pattern.describe_region());
  return cost;
}

std::string read_file(std::string_view path) {
  std::ifstream file{std::string(path), std::ios::binary};
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(HostInstructions, AreAsManyAsTheFileSays) {
  const bool update = std::getenv("LOCKSTEP_UPDATE_GOLDEN") != nullptr;
  const std::string golden = read_file(kFile);
  ASSERT_FALSE(golden.empty()) << kFile;
  std::string text;
  size_t patterns = 0;
  std::set<std::vector<std::string>> known;
  for (Entry& entry : parse(golden)) {
    if (entry.is_pattern) {
      ++patterns;
      EXPECT_TRUE(known.insert(entry.lines).second) << "twice: " << entry.title << entry.lines.front();
      const auto pattern = TranslatedPattern::make(entry.lines);
      ASSERT_TRUE(pattern.ok()) << pattern.message();
      std::vector<std::string> words;
      for (const AssembledInstruction& i : (*pattern)->assembled().instructions) words.push_back(word_text(i));
      const Cost cost = cost_of(**pattern, entry.title == kOverhead);
      const std::vector<std::string> counts(std::begin(cost.tiers), std::end(cost.tiers));
      if (!update) {
        const std::string name = entry.title.empty() ? entry.lines.front() : entry.title;
        EXPECT_EQ(entry.words, words) << name << ": the words are not those of the text";
        EXPECT_EQ(entry.counts, counts) << name << ": host instructions in the first and in the second tier\n"
                                        << cost.listing;
      }
      entry.words = words;
      entry.counts = counts;
    }
    text += render(entry);
  }
  EXPECT_GE(patterns, kLeastPatterns);
  if (update) {
    std::ofstream(std::string(kFile), std::ios::binary) << text;
  } else {
    EXPECT_TRUE(text == golden) << "if the new numbers are meant, run again with LOCKSTEP_UPDATE_GOLDEN=1 and look at "
                                   "the difference";
  }
}

// A pattern's cost must show in the number that is compared, and a text that is no instruction must be refused.
TEST(HostInstructions, CountTheHotPartAlone) {
  const auto load = TranslatedPattern::make({"ld a0,8(a1)"});
  ASSERT_TRUE(load.ok());
  const std::optional<Listing> listing = (*load)->second_tier();
  ASSERT_TRUE(listing.has_value());
  EXPECT_GT(count_instructions(listing->cold), 0u);
  EXPECT_EQ(count_instructions(std::vector<std::string>{"; block", "L1:", "align 16", "nop", "mov rax, rbx"}), 2u);
}

TEST(HostInstructions, RefuseWhatIsNoInstruction) {
  EXPECT_FALSE(TranslatedPattern::make({"addd a0,a1,a2"}).ok());
  EXPECT_FALSE(TranslatedPattern::make({"add a0,a1"}).ok());
  EXPECT_FALSE(TranslatedPattern::make({"addi a0,a1,4096"}).ok());
  EXPECT_FALSE(TranslatedPattern::make({"bne a0,a1,1b"}).ok());
}

}  // namespace
}  // namespace lockstep::jit
