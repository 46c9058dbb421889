// SPDX-License-Identifier: Apache-2.0
#include "jit/passes/forward_state.h"

#include <gtest/gtest.h>

#include "tests/jit/passes/pass_text.h"

namespace lockstep::jit::passes {
namespace {

void expect(std::string_view before, std::string_view after, std::string_view isa = "riscv64") {
  expect_pass(forward_state, before, after, isa);
}

TEST(ForwardState, AReadIsWhatWasWrittenOrRead) {
  expect(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = add.i64 %a, %a
  set.i64 x6, %b
  insn 0x1004 4
  %c = get.i64 x6
  %d = get.i64 x5
  %e = xor.i64 %c, %d
  set.i64 x7, %e
  jump 0x1008
)",
         R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = add.i64 %a, %a
  set.i64 x6, %b
  insn 0x1004 4
  %e = xor.i64 %b, %a
  set.i64 x7, %e
  jump 0x1008
)");
}

TEST(ForwardState, AWriteOfWhatIsThereGoesAway) {
  expect(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  set.i64 x6, %a
  insn 0x1004 4
  %b = get.i64 x6
  set.i64 x5, %b
  jump 0x1008
)",
         R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  set.i64 x6, %a
  insn 0x1004 4
  jump 0x1008
)");
}

TEST(ForwardState, ReadsInOneBlockTellNothingInAnother) {
  constexpr std::string_view kSame = R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  set.i64 x6, %a
  jump 0x1004
block 0x1004
  insn 0x1004 4
  %b = get.i64 x6
  set.i64 x7, %b
  jump 0x1000
)";
  expect(kSame, kSame);
}

TEST(ForwardState, AHelperThatWritesTheStateEndsIt) {
  constexpr std::string_view kSame = R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  set.i64 x6, %a
  call changes
  insn 0x1004 4
  %b = get.i64 x6
  set.i64 x7, %b
  exit 0x1008
)";
  expect(kSame, kSame);
  expect(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  set.i64 x6, %a
  call looks
  insn 0x1004 4
  %b = get.i64 x6
  set.i64 x7, %b
  exit 0x1008
)",
         R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  set.i64 x6, %a
  call looks
  insn 0x1004 4
  set.i64 x7, %a
  exit 0x1008
)");
}

TEST(ForwardState, FlagsAreFieldsAsWell) {
  expect(R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = get.i64 x6
  %k = const.i1 1
  %c = subborrow.i1.i64 %a, %b, %k
  set.i1 c, %c
  insn 0x1004 4
  %d = get.i1 c
  branch %d, 0x1000, 0x1008
)",
         R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 x5
  %b = get.i64 x6
  %k = const.i1 1
  %c = subborrow.i1.i64 %a, %b, %k
  set.i1 c, %c
  insn 0x1004 4
  branch %c, 0x1000, 0x1008
)",
         "arm64");
}

TEST(ForwardState, AWriteOfAPartHidesTheWhole) {
  constexpr std::string_view kSame = R"(block 0x1000
  insn 0x1000 4
  %a = get.i64 rax
  %b = get.i8 rcx
  set.i8 rax, %b
  insn 0x1004 4
  %c = get.i64 rax
  set.i64 rdx, %c
  %d = get.i8 rax
  set.i8 rbx, %d
  jump 0x1008
)";
  expect(kSame, kSame, "x86_64");
}

// Exceptions gather there without a word in the IR.
TEST(ForwardState, TheEnginesOwnFieldsAreReadAnew) {
  constexpr std::string_view kSame = R"(block 0x1000
  insn 0x1000 4
  %a = get.i32 fp_flags
  %b = get.i64 f1
  %c = fadd.i64 %b, %b, rm7
  set.i64 f2, %c
  insn 0x1004 4
  %d = get.i32 fp_flags
  %e = xor.i32 %a, %d
  %f = zext.i64.i32 %e
  set.i64 x7, %f
  jump 0x1008
)";
  expect(kSame, kSame);
}

}  // namespace
}  // namespace lockstep::jit::passes
