// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/fold_known_bits.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/jit/passes/pass_text.h"

namespace lockstep::jit::passes {
namespace {

void expect(std::string_view before, std::string_view after) {
  expect_pass_then_drop_dead<fold_known_bits>(before, after);
}
void expect_same(std::string_view text) { expect(text, text); }

// The first block makes %v of the i64 %a, the i32 %w and the byte %b, and puts it into x7; the second one makes %r of
// that.
std::string two_blocks(std::string_view first, std::string_view second) {
  return fmt::format(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %w = load.i32 %a
  %b = load.i8 %a
{}
  set.i64 x7, %v
  jump 0x1004
block 0x1004
  insn 0x1004 4
  %x = get.i64 x7
{}
  set.i64 x8, %r
  exit 0x1008
)",
                     first, second);
}

TEST(FoldKnownBits, ExtensionsOfWhatIsExtendedGoAway) {
  const char* word = "%v = sext.i64.i32 %w";
  expect(two_blocks(word, "%t = trunc.i32.i64 %x\n%r = sext.i64.i32 %t"),
         two_blocks(word, "%r = add.i64 %x, %x")
             .replace(two_blocks(word, "%r = add.i64 %x, %x").find("%r = add.i64 %x, %x\n  set.i64 x8, %r"), 36,
                      "  set.i64 x8, %x"));
}

TEST(FoldKnownBits, MasksOfWhatIsZeroGoAway) {
  const char* byte = "%v = zext.i64.i8 %b";
  const std::string none = two_blocks(byte, "%k = const.i64 1\n%r = add.i64 %x, %k");
  expect(two_blocks(byte, "%m = const.i64 0xff\n%t = and.i64 %x, %m\n%k = const.i64 1\n%r = add.i64 %t, %k"), none);
  expect(two_blocks(byte, "%h = trunc.i16.i64 %x\n%t = zext.i64.i16 %h\n%k = const.i64 1\n%r = add.i64 %t, %k"), none);
  expect(two_blocks(byte, "%h = trunc.i16.i64 %x\n%t = sext.i64.i16 %h\n%k = const.i64 1\n%r = add.i64 %t, %k"), none);
  expect_same(two_blocks(byte, "%m = const.i64 0x7f\n%r = and.i64 %x, %m"));
  expect_same(two_blocks(byte, "%h = trunc.i8.i64 %x\n%r = sext.i64.i8 %h"));
}

TEST(FoldKnownBits, ASingleIsTakenOutOfItsBoxWithoutALook) {
  const char* box = "%z = zext.i64.i32 %w\n%k = const.i64 0xffffffff00000000\n%v = or.i64 %z, %k";
  expect(two_blocks(box,
                    "%k = const.i64 0xffffffff00000000\n%c = geu.i1.i64 %x, %k\n%s = trunc.i32.i64 %x\n"
                    "%n = const.i32 0x7fc00000\n%t = select.i32 %c, %s, %n\n%u = fadd.i32 %t, %t, rm7\n"
                    "%r = zext.i64.i32 %u"),
         two_blocks(box, "%s = trunc.i32.i64 %x\n%u = fadd.i32 %s, %s, rm7\n%r = zext.i64.i32 %u"));
}

TEST(FoldKnownBits, ConstantsGoWhereTheyCostNothing) {
  const char* five = "%v = const.i64 5";
  expect(two_blocks(five, "%y = get.i64 x9\n%r = add.i64 %y, %x"),
         two_blocks(five, "%y = get.i64 x9\n%k = const.i64 5\n%r = add.i64 %y, %k"));
  // In a register it is as good as a load.
  expect_same(two_blocks(five, "%y = get.i64 x9\n%r = mul.i64 %x, %y"));
  expect_same(two_blocks("%v = const.i64 0x123456789a", "%y = get.i64 x9\n%r = add.i64 %y, %x"));
}

TEST(FoldKnownBits, ComparisonsWithOneOutcomeAreConstants) {
  const char* byte = "%v = zext.i64.i8 %b";
  const auto compare = [&](const char* op, int64_t constant) {
    return two_blocks(byte, fmt::format("%k = const.i64 {:#x}\n%c = {}.i1.i64 %x, %k\n%y = get.i64 x9\n"
                                        "%r = select.i64 %c, %x, %y",
                                        static_cast<uint64_t>(constant), op));
  };
  const std::string yes = two_blocks(byte, "%r = or.i64 %x, %x"),
                    no = two_blocks(byte, "%y = get.i64 x9\n%r = or.i64 %y, %y");
  const auto direct = [](std::string text, const char* value) {
    const size_t at = text.find("%r = or");
    text.erase(at, text.find('\n', at) + 1 - at);
    return text.replace(text.find("x8, %r"), 6, fmt::format("x8, {}", value));
  };
  for (const auto& [op, constant] :
       {std::pair("ltu", 256), {"lts", 256}, {"ges", 0}, {"ges", -5}, {"ne", 256}, {"ne", -1}}) {
    expect(compare(op, constant), direct(yes, "%x"));
  }
  for (const auto& [op, constant] :
       {std::pair("geu", 256), {"ges", 256}, {"lts", 0}, {"lts", -5}, {"eq", 256}, {"ltu", 0}}) {
    expect(compare(op, constant), direct(no, "%y"));
  }
  for (const auto& [op, constant] : {std::pair("ltu", 255), {"geu", 255}, {"lts", 255}, {"eq", 255}, {"eq", 0}}) {
    expect_same(compare(op, constant));
  }
}

// The block at 0x1004 is reached from both others, and by itself.
std::string loop(std::string_view first, std::string_view second, std::string_view mask) {
  return fmt::format(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = load.i8 %a
  %v = zext.i64.i8 %b
  {}
  %c = ltu.i1.i64 %a, %v
  branch %c, 0x1004, 0x1008
block 0x1004
  insn 0x1004 4
  %x = get.i64 x7
  %m = const.i64 {}
  %y = and.i64 %x, %m
  set.i64 x8, %y
  %k = const.i64 3
  %s = shr.i64 %x, %k
  set.i64 x7, %s
  %d = eq.i1.i64 %s, %y
  branch %d, 0x1004, 0x100c
block 0x1008
  insn 0x1008 4
  %z = get.i64 x6
  {}
  jump 0x1004
)",
                     first, mask, second);
}

TEST(FoldKnownBits, WhatHoldsOnEveryWayHolds) {
  const std::string both =
      loop("set.i64 x7, %v", "%h = trunc.i8.i64 %z\n  %w = zext.i64.i8 %h\n  set.i64 x7, %w", "0xff");
  const std::string text = run_pass(then_drop_dead<fold_known_bits>, both);
  EXPECT_EQ(text.find("and.i64"), text.npos) << text;
}

TEST(FoldKnownBits, WhatHoldsOnOneWayDoesNot) {
  for (const std::string& text :
       {loop("set.i64 x7, %v", "set.i64 x7, %z", "0xff"), loop("set.i64 x9, %v", "set.i64 x7, %z", "0xff"),
        loop("set.i64 x7, %v", "set.i64 x7, %z", "0x7f")}) {
    EXPECT_NE(run_pass(then_drop_dead<fold_known_bits>, text).find("and.i64"), text.npos) << text;
  }
}

// The region is entered there from outside.
TEST(FoldKnownBits, NothingIsKnownAtTheFirstBlock) {
  expect_same(R"(block 0x1000
  insn 0x1000 4
  %x = get.i64 x7
  %m = const.i64 0xff
  %y = and.i64 %x, %m
  set.i64 x7, %y
  jump 0x1000
)");
}

TEST(FoldKnownBits, NothingIsKnownBehindAHelperThatWrites) {
  std::string text = two_blocks("%v = zext.i64.i8 %b", "%m = const.i64 0xff\n%r = and.i64 %x, %m");
  text.replace(text.find("  jump 0x1004"), 0, "  call changes\n");
  expect_same(text);
}

TEST(FoldKnownBits, APartOfAWordThatIsWrittenIsUnknown) {
  std::string text = two_blocks("%v = zext.i64.i8 %b", "%m = const.i64 0xff\n%r = and.i64 %x, %m");
  text.replace(text.find("  jump 0x1004"), 0, "  set.i32 x7, %w\n");
  expect_same(text);
}

// Indirect jumps go to what was seen, and to the region's first block by the engine only.
TEST(FoldKnownBits, TargetsOfIndirectJumpsAreWaysAsWell) {
  const std::string text = R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  set.i64 x7, %a
  %b = load.i8 %a
  %v = zext.i64.i8 %b
  %c = ltu.i1.i64 %a, %v
  branch %c, 0x1004, 0x1008
block 0x1004
  insn 0x1004 4
  %v = get.i64 x6
  jump_ind %v
  {}
block 0x1008
  insn 0x1008 4
  %x = get.i64 x5
  %b = load.i8 %x
  %z = zext.i64.i8 %b
  set.i64 x7, %z
  jump 0x100c
block 0x100c
  insn 0x100c 4
  %x = get.i64 x7
  %m = const.i64 0xff
  %y = and.i64 %x, %m
  set.i64 x8, %y
  exit 0x1010
)";
  const auto with = [&](std::string_view targets) {
    std::string out = text;
    return out.replace(out.find("{}"), 2, targets);
  };
  EXPECT_EQ(run_pass(then_drop_dead<fold_known_bits>, with("")).find("and.i64"), text.npos);
  EXPECT_NE(run_pass(then_drop_dead<fold_known_bits>, with("# targets 0x100c")).find("and.i64"), text.npos);
}

// What is known of its blocks counts on where it was seen to go.
TEST(FoldKnownBits, AnIndirectJumpToAKnownAddressIsNoNewWay) {
  const std::string text = run_pass(then_drop_dead<fold_known_bits>, R"(block 0x1000
  insn 0x1000 4
  %a = const.i64 0x1004
  set.i64 x1, %a
  jump 0x2000
block 0x2000
  insn 0x2000 4
  %b = get.i64 x1
  %m = const.i64 0xfffffffffffffffe
  %c = and.i64 %b, %m
  jump_ind %c
)");
  EXPECT_EQ(text.find("jump 0x1004"), text.npos) << text;
  EXPECT_NE(text.find("jump_ind"), text.npos) << text;
}

TEST(FoldKnownBits, ABranchTellsWhatItAsked) {
  const auto ask = [](const char* compare, int64_t constant, bool taken, std::string_view then) {
    return fmt::format(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x7
  %k = const.i64 {:#x}
  %c = {}.i1.i64 %a, %k
  branch %c, {}
block 0x1004
  insn 0x1004 4
  %x = get.i64 x7
  {}
  set.i64 x8, %r
  exit 0x1008
)",
                       static_cast<uint64_t>(constant), compare, taken ? "0x1004, 0x2000" : "0x2000, 0x1004", then);
  };
  const char* mask = "%m = const.i64 0xf\n  %r = and.i64 %x, %m";
  const auto goes = [&](const std::string& text) {
    return run_pass(then_drop_dead<fold_known_bits>, text).find("= and.i64") == std::string::npos;
  };
  EXPECT_TRUE(goes(ask("ltu", 16, true, mask)));
  EXPECT_FALSE(goes(ask("ltu", 16, false, mask)));
  EXPECT_FALSE(goes(ask("ltu", 17, true, mask)));
  EXPECT_TRUE(goes(ask("geu", 16, false, mask)));
  EXPECT_FALSE(goes(ask("geu", 16, true, mask)));
  EXPECT_TRUE(goes(ask("eq", 3, true, mask)));
  EXPECT_FALSE(goes(ask("eq", 3, false, mask)));
  EXPECT_TRUE(goes(ask("ne", 3, false, mask)));
  EXPECT_FALSE(goes(ask("ne", 3, true, mask)));
  const char* sign = "%m = const.i64 0x7fffffffffffffff\n  %r = and.i64 %x, %m";
  EXPECT_TRUE(goes(ask("ges", 0, true, sign)));
  EXPECT_TRUE(goes(ask("lts", 0, false, sign)));
  EXPECT_FALSE(goes(ask("lts", 0, true, sign)));
  EXPECT_FALSE(goes(ask("ges", -1, true, sign)));
}

}  // namespace
}  // namespace lockstep::jit::passes
