// SPDX-License-Identifier: Apache-2.0
// The parser on texts that were changed at random: it refuses them with a message, or what it accepts is printed and
// read again as the same text. LOCKSTEP_SEED chooses the seed.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "core/ir/text.h"
#include "tests/core/ir_proof/random_block.h"
#include "tests/core/seed.h"

namespace lockstep::core::ir {
namespace {

uint64_t nothing(Hart&, uint64_t, uint64_t, uint64_t, uint64_t) { return 0; }
constexpr HelperDescriptor kHelpers[] = {{"none", nothing, 0, 0, Type::kVoid}, {"two", nothing, 0, 2, Type::kI64}};

// Empty, or what is wrong with the parser.
std::string check(std::string_view text) {
  const Names names{&test::test_layout("riscv64"), kHelpers};
  const Result<Block> block = parse(text, names);
  if (!block.ok()) return block.message().empty() ? "a refusal without a message" : "";
  const std::string printed = print(block.value(), names);
  const Result<Block> again = parse(printed, names);
  if (!again.ok()) return "what was printed is refused: " + again.message() + "\n" + printed;
  return print(again.value(), names) == printed ? "" : "what was printed is read as something else:\n" + printed;
}

std::string mutate(std::mt19937_64& random, std::string text) {
  constexpr std::string_view kPieces[] = {
      "%",  "%0", "%1",  ".i64", ".v256", ".be",  "block 0\n", "insn 0 4\n", "rmw.",     "rm7",  "@",  "0x",
      "-1", ",",  " = ", "\n",   "call",  "none", "call two",  "#",          "jump 4\n", "set.", "x5", "\0"};
  for (uint64_t n = 1 + random() % 4; n > 0 && !text.empty(); --n) {
    const size_t at = random() % text.size();
    switch (random() % 5) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, 1 + random() % 8);
        break;
      case 2:
        text.insert(at, kPieces[random() % std::size(kPieces)]);
        break;
      case 3: {
        // A line somewhere else.
        const size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end == std::string::npos ? end : end - at + 1);
        text.insert(random() % text.size(), line);
        break;
      }
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

TEST(IrFuzz, TheParserRefusesOrUnderstands) {
  std::mt19937_64 random(test::seed());
  const StateLayout& layout = test::test_layout("riscv64");
  unsigned accepted = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string text = print(test::random_block(random, layout), {&layout, kHelpers});
    for (int k = 0; k < 20; ++k) {
      const std::string changed = mutate(random, text);
      const std::string what = check(changed);
      ASSERT_EQ(what, "") << changed;
      accepted += parse(changed, {&layout, kHelpers}).ok() ? 1 : 0;
    }
  }
  EXPECT_GT(accepted, 50u) << "some changes must leave something to understand";
}

}  // namespace
}  // namespace lockstep::core::ir

// For libFuzzer, which brings its own main.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (!lockstep::core::ir::check({reinterpret_cast<const char*>(data), size}).empty()) __builtin_trap();
  return 0;
}
