// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/jit/translated_pattern.h"

// docs/jit.md shows a guest program on its way through both tiers. What stands there is what the translator makes of
// the guest code that stands there. LOCKSTEP_UPDATE_GOLDEN=1 writes it anew.

namespace lockstep::jit {
namespace {

constexpr std::string_view kDocument = LOCKSTEP_TREE "/docs/jit.md";

// The inside of the fenced block that begins with ```name.
struct Fence {
  size_t begin = 0, size = 0;
};

std::optional<Fence> find_fence(const std::string& document, std::string_view name) {
  const std::string opening = fmt::format("\n```{}\n", name);
  const size_t at = document.find(opening);
  if (at == document.npos) return std::nullopt;
  const size_t begin = at + opening.size();
  const size_t end = document.find("```\n", begin);
  if (end == document.npos) return std::nullopt;
  return Fence{begin, end - begin};
}

std::vector<std::string> instructions(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

TEST(JitDocument, ShowsWhatTheTranslatorMakes) {
  std::ifstream in{std::string(kDocument), std::ios::binary};
  std::string document{std::istreambuf_iterator<char>(in), {}};
  const auto guest = find_fence(document, "guest");
  ASSERT_TRUE(guest) << kDocument << " has no fenced block ```guest";
  const auto pattern =
      TranslatedPattern::make(instructions(std::string_view(document).substr(guest->begin, guest->size)));
  ASSERT_TRUE(pattern.ok()) << pattern.message();
  const std::pair<std::string_view, std::string> parts[] = {
      {"ir", (*pattern)->print_block(0)},
      {"tier-1", (*pattern)->first_tier().front().value().text()},
      {"passes", (*pattern)->trace_passes()},
      {"tier-2", (*pattern)->print_pins() + (*pattern)->second_tier().value().text()},
  };
  const bool update = std::getenv("LOCKSTEP_UPDATE_GOLDEN") != nullptr;
  for (const auto& [name, text] : parts) {
    const auto fence = find_fence(document, name);
    ASSERT_TRUE(fence) << kDocument << " has no fenced block ```" << name;
    if (update) {
      document.replace(fence->begin, fence->size, text);
    } else {
      EXPECT_EQ(document.substr(fence->begin, fence->size), text)
          << "if this is meant, run again with LOCKSTEP_UPDATE_GOLDEN=1 and see that the words around it still hold";
    }
  }
  if (update) std::ofstream(std::string(kDocument), std::ios::binary) << document;
}

}  // namespace
}  // namespace lockstep::jit
