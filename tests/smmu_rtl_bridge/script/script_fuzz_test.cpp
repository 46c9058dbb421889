// SPDX-License-Identifier: Apache-2.0
// Scripts of any bytes: the parser answers with a script that prints and parses to itself, or with an error that names
// the file.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "smmu_rtl_bridge/script/script.h"
#include "smmu_rtl_bridge/script/vocabulary.h"
#include "tests/core/seed.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

void try_one(const std::string& text) {
  const auto script = parse_script(text, "fuzz");
  if (!script) {
    ASSERT_EQ(script.message().substr(0, 5), "fuzz:") << script.message();
    return;
  }
  const std::string printed = print(*script);
  const auto again = parse_script(printed, "fuzz");
  ASSERT_TRUE(again) << again.message() << "\n" << printed;
  ASSERT_EQ(*again, *script) << printed;
}

class Drawing {
 public:
  explicit Drawing(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t n) { return random_() % n; }
  std::string number() {
    const uint64_t value = random_() >> below(64);
    return below(2) ? std::to_string(value) : "0x" + std::string(1, "0123456789abcdef"[below(16)]);
  }

  std::string line() {
    const VerbRow& row = verb_rows()[below(verb_rows().size())];
    std::string text(row.name);
    if (below(10) == 0) text = "@" + number() + " " + text;
    switch (row.word) {
      case WordKind::kRegister:
        text += " " + std::string(register_names()[below(register_names().size())].name);
        break;
      case WordKind::kCommand:
        text += " " + std::string(command_names()[below(command_names().size())].name);
        break;
      case WordKind::kNone:
        break;
      default:
        text += " " + std::string(row.words[below(row.words.size())]);
    }
    if (row.place && below(20)) {
      text += " " + std::to_string(below(300));
      if (below(3) == 0) text += "." + std::to_string(below(30));
      if (below(5) == 0) text += "/s2";
    }
    if (row.number && below(20)) text += " " + number();
    for (uint64_t count = below(6); count != 0; --count) {
      if (!row.fields.empty() && below(2)) {
        text += " " + std::string(row.fields[below(row.fields.size())].name);
      } else if (row.kind == FieldKind::kSte) {
        text += " " + std::string(ste_fields()[below(ste_fields().size())].name);
      } else {
        text += " " + std::string(command_fields()[below(command_fields().size())].name);
      }
      if (below(4)) text += "=" + number();
    }
    return text + "\n";
  }

 private:
  std::mt19937_64 random_;
};

TEST(ScriptFuzz, LinesOfTheRightShape) {
  Drawing drawing(test::seed());
  unsigned parsed = 0;
  for (unsigned i = 0; i < 30000; ++i) {
    const std::string text = "smmu-script 1\n" + drawing.line();
    parsed += parse_script(text, "fuzz").ok();
    try_one(text);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(parsed, 1000u);
}

TEST(ScriptFuzz, ChangedBytes) {
  Drawing drawing(test::seed() + 1);
  for (unsigned i = 0; i < 3000; ++i) {
    std::string text = "smmu-script 1\nseed 5\nmix a b\ndevice IDR0=1\nsettings a=b\n";
    for (unsigned lines = 0; lines < 8; ++lines) text += drawing.line();
    for (uint64_t changes = 1 + drawing.below(6); changes != 0; --changes) {
      const size_t at = drawing.below(text.size());
      switch (drawing.below(3)) {
        case 0:
          text[at] = static_cast<char>(drawing.below(256));
          break;
        case 1:
          text.erase(at, drawing.below(10));
          break;
        default:
          text.insert(at, text.substr(drawing.below(text.size()), drawing.below(10)));
      }
      if (text.empty()) text = " ";
    }
    try_one(text);
    if (HasFatalFailure()) return;
  }
}

TEST(ScriptFuzz, LongLinesAndLongScriptsAreRefusedInTime) {
  try_one("smmu-script 1\n" + std::string(kLineBytesMax + 1, 'x'));
  std::string many = "smmu-script 1\nsetup";
  for (unsigned i = 0; i < 300; ++i) many += " CR1=1";
  try_one(many);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
