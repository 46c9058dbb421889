// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/form_rotations.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/jit/passes/pass_text.h"

namespace lockstep::jit::passes {
namespace {

std::string block(std::string_view lines) {
  return fmt::format(
      "block 0x1000\n  insn 0x1000 4\n  %a = get.i64 x5\n  %b = get.i64 x6\n{}\n  set.i64 x7, %r\n  jump 0x1004\n",
      lines);
}
void expect(std::string_view before, std::string_view after) {
  expect_pass_then_drop_dead<form_rotations>(block(before), block(after));
}
void expect_same(std::string_view lines) { expect(lines, lines); }

std::string wide(unsigned left, unsigned right, const char* second, const char* op) {
  return fmt::format(
      "%m = const.i64 {}\n%s = shl.i64 %a, %m\n%n = const.i64 {}\n%t = shr.i64 {}, %n\n%r = {}.i64 %s, %t", left, right,
      second, op);
}
// As slliw, srliw and an operation on all 64 bits make it.
std::string words(unsigned left, unsigned right, const char* second, const char* op, const char* extend = "sext") {
  return fmt::format(
      "%v = trunc.i32.i64 %a\n%m = const.i32 {}\n%s = shl.i32 %v, %m\n%p = {}.i64.i32 %s\n"
      "%w = trunc.i32.i64 {}\n%n = const.i32 {}\n%t = shr.i32 %w, %n\n%q = {}.i64.i32 %t\n%r = {}.i64 %p, %q",
      left, extend, second, right, extend, op);
}

TEST(FormRotations, OfSixtyFourBits) {
  for (const char* op : {"or", "xor", "add"}) {
    expect(wide(20, 44, "%a", op), "%n = const.i64 44\n%r = rotr.i64 %a, %n");
  }
  expect("%m = const.i64 1\n%s = shr.i64 %a, %m\n%n = const.i64 63\n%t = shl.i64 %a, %n\n%r = or.i64 %s, %t",
         "%m = const.i64 1\n%r = rotr.i64 %a, %m");
}

TEST(FormRotations, OfWords) {
  for (const char* op : {"or", "xor", "add"}) {
    expect(words(25, 7, "%a", op),
           "%v = trunc.i32.i64 %a\n%n = const.i32 7\n%x = rotr.i32 %v, %n\n%r = sext.i64.i32 %x");
  }
}

TEST(FormRotations, NotOfAnythingElse) {
  expect_same(wide(20, 43, "%a", "or"));
  expect_same(wide(20, 44, "%b", "or"));
  expect_same(wide(20, 44, "%a", "and"));
  expect_same(wide(20, 44, "%a", "sub"));
  expect_same(wide(0, 64, "%a", "or"));
  expect_same(words(25, 8, "%a", "or"));
  expect_same(words(25, 7, "%b", "or"));
  expect_same(words(25, 7, "%a", "or", "zext"));
  expect_same("%m = const.i64 20\n%s = shl.i64 %a, %m\n%n = const.i64 44\n%t = sar.i64 %a, %n\n%r = or.i64 %s, %t");
}

}  // namespace
}  // namespace lockstep::jit::passes
