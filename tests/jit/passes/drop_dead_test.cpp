// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/drop_dead.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/jit/passes/pass_text.h"

namespace lockstep::jit::passes {
namespace {

void expect(std::string_view before, std::string_view after, std::string_view isa = "riscv64") {
  expect_pass(drop_dead, before, after, isa);
}

TEST(DropDead, WhatIsWrittenAgainUnseenGoesAway) {
  expect(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = add.i64 %a, %a
  set.i64 x6, %b
  insn 0x1004 4
  %c = mul.i64 %a, %a
  set.i64 x6, %c
  jump 0x1008
)",
         R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  insn 0x1004 4
  %c = mul.i64 %a, %a
  set.i64 x6, %c
  jump 0x1008
)");
}

// Whatever may leave in between has to find the first value.
TEST(DropDead, WhatMayBeSeenStays) {
  for (const char* between :
       {"%x = load.i64 %a", "store.i64 %a, %a", "%x = lr.i64.aligned.atomic %a", "%x = rmw.add.i64.atomic %a, %a",
        "call looks", "exit_if %k, 0x2000", "%x = get.i64 x6\n  set.i64 x8, %x", "%x = get.i8 x6\n  set.i8 x8, %x"}) {
    const std::string same = fmt::format(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %k = eq.i1.i64 %a, %a
  set.i64 x6, %a
  insn 0x1004 4
  {}
  %b = zext.i64.i1 %k
  set.i64 x6, %b
  exit 0x1008
)",
                                         between);
    expect(same, same);
  }
}

// A helper may have asked to leave, and the next guest instruction is where that happens.
TEST(DropDead, BehindACallTheNextInstructionLooks) {
  constexpr std::string_view kSame = R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  call looks
  set.i64 x6, %a
  insn 0x1004 4
  %b = add.i64 %a, %a
  set.i64 x6, %b
  exit 0x1008
)";
  expect(kSame, kSame);
}

bool finally(Region& region, const Context& context) {
  Context joint = context;
  joint.joint_checks = true;
  return drop_dead_finally(region, joint);
}

// The second load goes where the first one has been; the third begins a group of its own.
TEST(DropDead, AnAccessThatWasCheckedDoesNotLook) {
  const auto loads = [](const char* second, const char* dead) {
    return fmt::format(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %k = const.i64 8
  %b = add.i64 %a, %k
  %c = load.i64 %b
  {}
  insn 0x1004 4
  %d = load.i64 {}
  set.i64 x6, %d
  jump 0x1008
)",
                       dead, second);
  };
  expect_pass(finally, loads("%a", "set.i64 x6, %a"), loads("%a", ""));
  for (const std::string& same : {loads("%c", "set.i64 x6, %a"), loads("%a", "call looks\n  set.i64 x6, %a")}) {
    std::string text = same;
    // Without an exit a call has no end of its block that takes it.
    if (text.find("call") != text.npos) text.replace(text.find("jump"), 4, "exit");
    expect_pass(finally, text, text);
  }
  // Not every translation checks together.
  expect_pass(drop_dead_finally, loads("%a", "set.i64 x6, %a"), loads("%a", "set.i64 x6, %a"));
  expect_pass(drop_dead, loads("%a", "set.i64 x6, %a"), loads("%a", "set.i64 x6, %a"));
}

TEST(DropDead, FlagsThatNobodyReadsGoAway) {
  expect(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = get.i64 x6
  %k = const.i1 0
  %c = addcarry.i1.i64 %a, %b, %k
  %v = addoverflow.i1.i64 %a, %b, %k
  set.i1 c, %c
  set.i1 v, %v
  insn 0x1004 4
  %d = ltu.i1.i64 %a, %b
  set.i1 c, %d
  jump 0x1008
)",
         R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = get.i64 x6
  %k = const.i1 0
  %v = addoverflow.i1.i64 %a, %b, %k
  set.i1 v, %v
  insn 0x1004 4
  %d = ltu.i1.i64 %a, %b
  set.i1 c, %d
  jump 0x1008
)",
         "arm64");
}

TEST(DropDead, PartsAreWrittenAgainByWholesOnly) {
  expect(R"(block 0x1000
  insn 0x1000 4
  %a = get.i8 rcx
  set.i8 rax, %a
  insn 0x1004 4
  %b = get.i64 rdx
  set.i64 rax, %b
  insn 0x1008 4
  set.i8 rax, %a
  jump 0x100c
)",
         R"(block 0x1000
  insn 0x1000 4
  %a = get.i8 rcx
  insn 0x1004 4
  %b = get.i64 rdx
  set.i64 rax, %b
  insn 0x1008 4
  set.i8 rax, %a
  jump 0x100c
)",
         "x86_64");
}

// Accesses may fault and floating point raises exceptions, whether anybody wants the result or not.
TEST(DropDead, WhatHasAnEffectStays) {
  constexpr std::string_view kSame = R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = load.i64 %a
  %c = get.i64 f1
  %d = fadd.i64 %c, %c, rm7
  jump 0x1004
)";
  expect(kSame, kSame);
}

TEST(DropDead, TheEnginesOwnFieldsAreWrittenAlways) {
  constexpr std::string_view kSame = R"(block 0x1000
  insn 0x1000 4
  %a = const.i32 0
  set.i32 fp_flags, %a
  %b = get.i64 f1
  %c = fadd.i64 %b, %b, rm7
  %d = const.i32 1
  set.i32 fp_flags, %d
  jump 0x1004
)";
  expect(kSame, kSame);
}

}  // namespace
}  // namespace lockstep::jit::passes
