// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/fold_constants.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "jit/passes/drop_dead.h"
#include "tests/jit/passes/pass_text.h"

namespace lockstep::jit::passes {
namespace {

bool fold_and_drop(Region& region, const Context& context) {
  const bool folded = fold_constants(region, context);
  return drop_dead(region, context) || folded;
}

// What a few lines become that make %r of the i64 %a and %b, the i32 %w and the i1 %c.
void expect(std::string_view before, std::string_view after) {
  const auto whole = [](std::string_view lines) {
    return fmt::format(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = get.i64 x6
  %c = ltu.i1.i64 %a, %b
  %w = load.i32 %a
  set.i32 x28, %w
  set.i1 x29, %c
{}
  set.i64 x7, %r
  jump 0x1004
)",
                       lines);
  };
  EXPECT_EQ(run_pass(fold_and_drop, whole(before)), [&] {
    const Context context = test_context();
    Region region = read_region(whole(after), context);
    drop_dead(region, context);
    return print_region(region, context);
  }()) << before;
}

TEST(FoldConstants, OperationsOnConstantsAreConstants) {
  expect("%k = const.i64 6\n%l = const.i64 7\n%r = mul.i64 %k, %l", "%r = const.i64 42");
  expect("%k = const.i64 0x80000000\n%t = trunc.i32.i64 %k\n%r = sext.i64.i32 %t", "%r = const.i64 0xffffffff80000000");
  expect("%k = const.i64 0x80000000\n%t = trunc.i32.i64 %k\n%r = zext.i64.i32 %t", "%r = const.i64 0x80000000");
  expect("%k = const.i32 1\n%l = const.i32 2\n%t = sub.i32 %k, %l\n%r = zext.i64.i32 %t", "%r = const.i64 0xffffffff");
  expect("%k = const.i64 5\n%t = clz.i64 %k\n%r = add.i64 %a, %t", "%t = const.i64 61\n%r = add.i64 %a, %t");
}

TEST(FoldConstants, WhatChangesNothingIsItsOperand) {
  for (const char* op : {"add", "sub", "or", "xor", "shl", "shr", "sar", "rotl", "rotr"}) {
    expect(fmt::format("%k = const.i64 0\n%t = {}.i64 %a, %k\n%r = xor.i64 %t, %b", op), "%r = xor.i64 %a, %b");
  }
  for (const char* op : {"mul", "divu"}) {
    expect(fmt::format("%k = const.i64 1\n%t = {}.i64 %a, %k\n%r = xor.i64 %t, %b", op), "%r = xor.i64 %a, %b");
  }
  for (const char* op : {"and", "or", "minu", "mins", "maxu", "maxs"}) {
    expect(fmt::format("%t = {}.i64 %a, %a\n%r = xor.i64 %t, %b", op), "%r = xor.i64 %a, %b");
  }
  expect("%k = const.i64 0xffffffffffffffff\n%t = and.i64 %a, %k\n%r = xor.i64 %t, %b", "%r = xor.i64 %a, %b");
  expect("%k = const.i64 64\n%t = shl.i64 %a, %k\n%r = xor.i64 %t, %b", "%r = xor.i64 %a, %b");
  expect("%t = select.i64 %c, %a, %a\n%r = xor.i64 %t, %b", "%r = xor.i64 %a, %b");
}

TEST(FoldConstants, WhatDoesNotDependOnItsOperandIsConstant) {
  for (const char* op : {"and", "mul"}) {
    expect(fmt::format("%k = const.i64 0\n%r = {}.i64 %a, %k", op), "%r = const.i64 0");
  }
  for (const char* op : {"sub", "xor"}) expect(fmt::format("%r = {}.i64 %a, %a", op), "%r = const.i64 0");
  expect("%k = const.i64 0xffffffffffffffff\n%r = or.i64 %a, %k", "%r = const.i64 0xffffffffffffffff");
  for (const char* op : {"eq", "geu", "ges"}) {
    expect(fmt::format("%t = {}.i1.i64 %a, %a\n%r = zext.i64.i1 %t", op), "%r = const.i64 1");
  }
  for (const char* op : {"ne", "ltu", "lts"}) {
    expect(fmt::format("%t = {}.i1.i64 %a, %a\n%r = zext.i64.i1 %t", op), "%r = const.i64 0");
  }
}

TEST(FoldConstants, ADivisionByZeroIsNot) {
  constexpr std::string_view kDivision = "%k = const.i64 0\n%r = divu.i64 %a, %k";
  expect(kDivision, kDivision);
}

TEST(FoldConstants, ConstantsGoToTheRight) {
  expect("%k = const.i64 9\n%r = add.i64 %k, %a", "%k = const.i64 9\n%r = add.i64 %a, %k");
  constexpr std::string_view kDifference = "%k = const.i64 9\n%r = sub.i64 %k, %a";
  expect(kDifference, kDifference);
}

TEST(FoldConstants, PowersOfTwoAreShifts) {
  expect("%k = const.i64 8\n%r = mul.i64 %a, %k", "%k = const.i64 3\n%r = shl.i64 %a, %k");
  expect("%k = const.i64 8\n%r = divu.i64 %a, %k", "%k = const.i64 3\n%r = shr.i64 %a, %k");
  expect("%k = const.i64 8\n%r = remu.i64 %a, %k", "%k = const.i64 7\n%r = and.i64 %a, %k");
  for (const char* op : {"divs", "rems", "mulhu"}) {
    const std::string same = fmt::format("%k = const.i64 8\n%r = {}.i64 %a, %k", op);
    expect(same, same);
  }
}

TEST(FoldConstants, ShiftsThatCutAreExtensions) {
  for (const auto& [count, type] : {std::pair(32, "i32"), {48, "i16"}, {56, "i8"}}) {
    expect(fmt::format("%k = const.i64 {}\n%t = shl.i64 %a, %k\n%r = shr.i64 %t, %k", count),
           fmt::format("%t = trunc.{0}.i64 %a\n%r = zext.i64.{0} %t", type));
    expect(fmt::format("%k = const.i64 {}\n%t = shl.i64 %a, %k\n%r = sar.i64 %t, %k", count),
           fmt::format("%t = trunc.{0}.i64 %a\n%r = sext.i64.{0} %t", type));
  }
  for (const char* same : {"%k = const.i64 31\n%t = shl.i64 %a, %k\n%r = shr.i64 %t, %k",
                           "%k = const.i64 32\n%l = const.i64 31\n%t = shl.i64 %a, %k\n%r = shr.i64 %t, %l",
                           "%k = const.i64 32\n%t = shr.i64 %a, %k\n%r = shl.i64 %t, %k"}) {
    expect(same, same);
  }
}

TEST(FoldConstants, ExtensionsOfExtensionsAreOne) {
  const auto twice = [](const char* first, const char* second) {
    return fmt::format("%h = trunc.i16.i64 %b\n%t = {}.i32.i16 %h\n%r = {}.i64.i32 %t", first, second);
  };
  expect(twice("zext", "zext"), "%h = trunc.i16.i64 %b\n%r = zext.i64.i16 %h");
  expect(twice("sext", "sext"), "%h = trunc.i16.i64 %b\n%r = sext.i64.i16 %h");
  expect(twice("zext", "sext"), "%h = trunc.i16.i64 %b\n%r = zext.i64.i16 %h");
  expect(twice("sext", "zext"), twice("sext", "zext"));
}

TEST(FoldConstants, ASingleComesOutOfItsBox) {
  expect(
      "%z = zext.i64.i32 %w\n%k = const.i64 0xffffffff00000000\n%x = or.i64 %z, %k\n%t = trunc.i32.i64 %x\n"
      "%u = add.i32 %t, %t\n%r = sext.i64.i32 %u",
      "%u = add.i32 %w, %w\n%r = sext.i64.i32 %u");
  constexpr std::string_view kSpoilt =
      "%z = zext.i64.i32 %w\n%k = const.i64 0xffffffff00000001\n%x = or.i64 %z, %k\n%t = trunc.i32.i64 %x\n"
      "%u = add.i32 %t, %t\n%r = sext.i64.i32 %u";
  expect(kSpoilt, kSpoilt);
}

TEST(FoldConstants, SelectsChoose) {
  expect("%k = const.i1 1\n%t = select.i64 %k, %a, %b\n%r = not.i64 %t", "%r = not.i64 %a");
  expect("%k = const.i1 0\n%t = select.i64 %k, %a, %b\n%r = not.i64 %t", "%r = not.i64 %b");
  expect("%n = not.i1 %c\n%r = select.i64 %n, %a, %b", "%r = select.i64 %c, %b, %a");
}

void expect_end(std::string_view before, std::string_view after) {
  const auto whole = [](std::string_view lines) {
    return fmt::format(
        "block 0x1000\n  insn 0x1000 4\n  %a = get.i64 x5\n  %b = get.i64 x6\n"
        "  %c = eq.i1.i64 %a, %b\n{}\n",
        lines);
  };
  const Context context = test_context();
  Region region = read_region(whole(after), context);
  drop_dead(region, context);
  EXPECT_EQ(run_pass(fold_and_drop, whole(before)), print_region(region, context));
}

TEST(FoldConstants, EndsThatAreDecidedAreJumps) {
  expect_end("%k = const.i1 1\nbranch %k, 0x2000, 0x1004", "jump 0x2000");
  expect_end("%k = const.i1 0\nbranch %k, 0x2000, 0x1004", "jump 0x1004");
  expect_end("%n = not.i1 %c\nbranch %n, 0x2000, 0x1004", "branch %c, 0x1004, 0x2000");
  expect_end("%k = const.i64 0x3000\njump_ind %k", "jump 0x3000");
  expect_end("%k = const.i1 0\nexit_if %k, 0x2000\njump 0x1004", "jump 0x1004");
  expect_end("%k = const.i1 1\nexit_if %k, 0x2000\njump 0x1004", "%k = const.i1 1\nexit_if %k, 0x2000\njump 0x1004");
}

}  // namespace
}  // namespace lockstep::jit::passes
