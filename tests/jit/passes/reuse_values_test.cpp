// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/reuse_values.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/jit/passes/pass_text.h"

namespace lockstep::jit::passes {
namespace {

std::string block(std::string_view lines) {
  return fmt::format("block 0x1000\n  insn 0x1000 4\n  %a = get.i64 x5\n  %b = get.i64 x6\n{}\n  jump 0x1004\n", lines);
}
void expect(std::string_view before, std::string_view after) {
  expect_pass_then_drop_dead<reuse_values>(block(before), block(after));
}
void expect_same(std::string_view lines) { expect(lines, lines); }

TEST(ReuseValues, WhatWasDoneIsNotDoneAgain) {
  expect("%x = mul.i64 %a, %b\nset.i64 x7, %x\n%y = mul.i64 %a, %b\nset.i64 x8, %y",
         "%x = mul.i64 %a, %b\nset.i64 x7, %x\nset.i64 x8, %x");
}

TEST(ReuseValues, OperandsThatAreTheSameMakeTheSame) {
  expect(
      "%s = add.i64 %a, %b\n%x = mul.i64 %s, %b\nset.i64 x7, %x\n%t = add.i64 %a, %b\n%y = mul.i64 %t, %b\n"
      "set.i64 x8, %y",
      "%s = add.i64 %a, %b\n%x = mul.i64 %s, %b\nset.i64 x7, %x\nset.i64 x8, %x");
}

// One with its constants and comparison, whose parts are cheap alone.
TEST(ReuseValues, ALookAtABoxIsDoneOnce) {
  const auto look = [](int n) {
    return fmt::format(
        "%k{0} = const.i64 0xffffffff00000000\n%c{0} = geu.i1.i64 %a, %k{0}\n%t{0} = trunc.i32.i64 %a\n"
        "%n{0} = const.i32 0x7fc00000\n%s{0} = select.i32 %c{0}, %t{0}, %n{0}\n",
        n);
  };
  expect(look(1) + look(2) + "%r = fadd.i32 %s1, %s2, rm7\nset.i32 x7, %r",
         look(1) + "%r = fadd.i32 %s1, %s1, rm7\nset.i32 x7, %r");
}

TEST(ReuseValues, WhatIsCheapIsDoneAgain) {
  expect_same("%x = add.i64 %a, %b\nset.i64 x7, %x\n%y = add.i64 %a, %b\nset.i64 x8, %y");
}

TEST(ReuseValues, OtherOperandsTypesOrModesMakeOtherValues) {
  expect_same("%x = mulhu.i64 %a, %b\nset.i64 x7, %x\n%y = mulhu.i64 %b, %a\nset.i64 x8, %y");
  expect_same("%x = mulhu.i64 %a, %b\nset.i64 x7, %x\n%y = mulhs.i64 %a, %b\nset.i64 x8, %y");
  expect_same("%x = fadd.i64 %a, %b, rm0\nset.i64 x7, %x\n%y = fadd.i64 %a, %b, rm1\nset.i64 x8, %y");
  expect_same("%x = fadd.i64 %a, %b, rm7\nset.i64 x7, %x\n%y = fadd.i64 %b, %a, rm7\nset.i64 x8, %y");
}

TEST(ReuseValues, LoadsAreDoneAgain) {
  expect_same("%x = load.i64 %a\nset.i64 x7, %x\n%y = load.i64 %a\nset.i64 x8, %y");
}

TEST(ReuseValues, FloatingPointRaisesOnceWhatItRaises) {
  expect("%x = fdiv.i64 %a, %b, rm7\nset.i64 x7, %x\n%y = fdiv.i64 %a, %b, rm7\nset.i64 x8, %y",
         "%x = fdiv.i64 %a, %b, rm7\nset.i64 x7, %x\nset.i64 x8, %x");
}

// It may have cleared the exceptions, or changed the rounding.
TEST(ReuseValues, ButNotBehindAHelper) {
  expect_same("%x = fdiv.i64 %a, %b, rm7\nset.i64 x7, %x\ncall looks\n%y = fdiv.i64 %a, %b, rm7\nset.i64 x8, %y");
}

TEST(ReuseValues, WhatIsLongAgoIsDoneAgain) {
  std::string far;
  for (int k = 0; k < 100; ++k) far += fmt::format("%l{0} = load.i64 %a\n", k);
  expect_same("%x = mul.i64 %a, %b\nset.i64 x7, %x\n" + far + "%y = mul.i64 %a, %b\nset.i64 x8, %y");
}

}  // namespace
}  // namespace lockstep::jit::passes
