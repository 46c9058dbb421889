// SPDX-License-Identifier: Apache-2.0
// What single pieces of IR lower to, seen from outside: each text is one guest instruction.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/core/interpreter/program_machine.h"

namespace lockstep::test {
namespace {

class Cells : public testing::TestWithParam<bool> {
 protected:
  core::InterpreterOptions options() const { return {.fusion = GetParam(), .block_links = GetParam()}; }

  // Runs one instruction with x1 = a and x2 = b and gives x3.
  uint64_t result(const std::string& text, uint64_t a = 0, uint64_t b = 0) {
    ProgramMachine m({text}, options());
    m.hart.x(1) = a;
    m.hart.x(2) = b;
    m.run(1);
    EXPECT_EQ(m.hart.state().pc, kRam + 4) << text;
    return m.hart.x(3);
  }

  // x3 = op(x1, x2), from slots and from a constant; `type` narrower than i64 is cut and extended with zeros.
  uint64_t binary(const std::string& op, const std::string& type, uint64_t a, uint64_t b) {
    const auto cut = [&](const std::string& to, const std::string& from) {
      return type == "i64" ? to + " = or.i64 " + from + ", " + from + "\n"
                           : to + " = trunc." + type + ".i64 " + from + "\n";
    };
    const std::string extend = type == "i64" ? "set.i64 x3, %r\n" : "%z = zext.i64." + type + " %r\nset.i64 x3, %z\n";
    const std::string slots = "%x = get.i64 x1\n%y = get.i64 x2\n" + cut("%a", "%x") + cut("%b", "%y") + "%r = " + op +
                              "." + type + " %a, %b\n" + extend;
    const std::string constant = "%x = get.i64 x1\n" + cut("%a", "%x") + "%b = const." + type + " " +
                                 std::to_string(b) + "\n%r = " + op + "." + type + " %a, %b\n" + extend;
    const uint64_t value = result(slots, a, b);
    EXPECT_EQ(result(constant, a, b), value) << constant;
    return value;
  }
};

INSTANTIATE_TEST_SUITE_P(Fusion, Cells, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& on) { return on.param ? "on" : "off"; });

TEST_P(Cells, Arithmetic) {
  constexpr uint64_t kMin = uint64_t{1} << 63, kOnes = ~uint64_t{0};
  EXPECT_EQ(binary("add", "i64", kOnes, 2), 1u);
  EXPECT_EQ(binary("sub", "i64", 1, 2), kOnes);
  EXPECT_EQ(binary("mul", "i64", uint64_t{1} << 32, 3), uint64_t{3} << 32);
  EXPECT_EQ(binary("and", "i64", 0xff0, 0x0ff), 0x0f0u);
  EXPECT_EQ(binary("or", "i64", 0xff0, 0x0ff), 0xfffu);
  EXPECT_EQ(binary("xor", "i64", 0xff0, 0x0ff), 0xf0fu);
  EXPECT_EQ(binary("shl", "i64", 1, 65), 2u);
  EXPECT_EQ(binary("shr", "i64", kMin, 64 + 63), 1u);
  EXPECT_EQ(binary("sar", "i64", kMin, 63), kOnes);
  EXPECT_EQ(binary("rotl", "i64", kMin, 1), 1u);
  EXPECT_EQ(binary("rotr", "i64", 1, 65), kMin);
  EXPECT_EQ(binary("mulhu", "i64", kOnes, kOnes), kOnes - 1);
  EXPECT_EQ(binary("mulhs", "i64", kOnes, kOnes), 0u);
  EXPECT_EQ(binary("mulhsu", "i64", kOnes, kOnes), kOnes);
  EXPECT_EQ(binary("divu", "i64", 7, 0), kOnes);
  EXPECT_EQ(binary("divs", "i64", kMin, kOnes), kMin);
  EXPECT_EQ(binary("divs", "i64", 0 - uint64_t{7}, 2), 0 - uint64_t{3});
  EXPECT_EQ(binary("remu", "i64", 7, 0), 7u);
  EXPECT_EQ(binary("rems", "i64", kMin, kOnes), 0u);
  EXPECT_EQ(binary("rems", "i64", 0 - uint64_t{7}, 2), kOnes);
  EXPECT_EQ(binary("minu", "i64", kOnes, 1), 1u);
  EXPECT_EQ(binary("mins", "i64", kOnes, 1), kOnes);
  EXPECT_EQ(binary("maxu", "i64", kOnes, 1), kOnes);
  EXPECT_EQ(binary("maxs", "i64", kOnes, 1), 1u);
}

TEST_P(Cells, NarrowArithmeticLooksAtItsOwnBitsOnly) {
  EXPECT_EQ(binary("add", "i8", 0x1ff, 0x102), 0x01u);
  EXPECT_EQ(binary("shl", "i32", 0xf'0000'0001, 33), 2u);
  EXPECT_EQ(binary("shr", "i16", 0xf'8000, 15), 1u);
  EXPECT_EQ(binary("sar", "i8", 0x180, 7), 0xffu);
  EXPECT_EQ(binary("divs", "i32", 0xf'8000'0000, 0xffff'ffff), 0x8000'0000u);
  EXPECT_EQ(binary("remu", "i32", 0xf'0000'0007, 4), 3u);
  EXPECT_EQ(binary("mulhu", "i16", 0xf'ffff, 0xffff), 0xfffeu);
  EXPECT_EQ(binary("rotl", "i32", 0xf'8000'0000, 1), 1u);
  EXPECT_EQ(binary("maxs", "i8", 0x1ff, 0x01), 0x01u);
}

TEST_P(Cells, Comparisons) {
  const auto compare = [&](const std::string& op, uint64_t a, uint64_t b) {
    const std::string head = "%a = get.i64 x1\n%b = get.i64 x2\n%c = " + op + ".i1.i64 %a, %b\n";
    const uint64_t as_value = result(head + "%z = zext.i64.i1 %c\nset.i64 x3, %z", a, b);
    ProgramMachine m({head + "branch %c, 0x80000100, 0x80000200"}, options());
    m.hart.x(1) = a;
    m.hart.x(2) = b;
    m.run(1);
    EXPECT_EQ(m.hart.state().pc, as_value != 0 ? 0x80000100u : 0x80000200u) << op;
    return as_value;
  };
  EXPECT_EQ(compare("eq", 1, 1), 1u);
  EXPECT_EQ(compare("eq", 1, 2), 0u);
  EXPECT_EQ(compare("ne", 1, 2), 1u);
  EXPECT_EQ(compare("ltu", 1, ~uint64_t{0}), 1u);
  EXPECT_EQ(compare("lts", 1, ~uint64_t{0}), 0u);
  EXPECT_EQ(compare("geu", 1, ~uint64_t{0}), 0u);
  EXPECT_EQ(compare("ges", 1, 1), 1u);
  EXPECT_EQ(result("%a = get.i64 x1\n%b = trunc.i8.i64 %a\n%c = const.i8 -1\n%d = eq.i1.i8 %b, %c\n"
                   "%z = zext.i64.i1 %d\nset.i64 x3, %z",
                   0x1ff),
            1u);
}

TEST_P(Cells, ExtensionsOfEveryWidth) {
  const auto extend = [&](const std::string& op, const std::string& from) {
    return result(
        "%a = get.i64 x1\n%b = trunc." + from + ".i64 %a\n%c = " + op + ".i64." + from + " %b\nset.i64 x3, %c",
        0xdead'beef'89ab'cdef);
  };
  EXPECT_EQ(extend("zext", "i1"), 1u);
  EXPECT_EQ(extend("sext", "i1"), ~uint64_t{0});
  EXPECT_EQ(extend("zext", "i8"), 0xefu);
  EXPECT_EQ(extend("sext", "i8"), 0xffff'ffff'ffff'ffefu);
  EXPECT_EQ(extend("zext", "i16"), 0xcdefu);
  EXPECT_EQ(extend("sext", "i16"), 0xffff'ffff'ffff'cdefu);
  EXPECT_EQ(extend("zext", "i32"), 0x89ab'cdefu);
  EXPECT_EQ(extend("sext", "i32"), 0xffff'ffff'89ab'cdefu);
}

TEST_P(Cells, WordOperationsExtendTheirSign) {
  const auto word = [&](const std::string& op, uint64_t a, uint64_t b) {
    const std::string head = "%a = get.i64 x1\n%c = trunc.i32.i64 %a\n";
    const std::string tail = "%e = " + op + ".i32 %c, %d\n%f = sext.i64.i32 %e\nset.i64 x3, %f";
    const uint64_t slots = result(head + "%b = get.i64 x2\n%d = trunc.i32.i64 %b\n" + tail, a, b);
    EXPECT_EQ(result(head + "%d = const.i32 " + std::to_string(b & 0xffff'ffff) + "\n" + tail, a, b), slots) << op;
    return slots;
  };
  EXPECT_EQ(word("add", 0x7fff'ffff, 1), 0xffff'ffff'8000'0000u);
  EXPECT_EQ(word("sub", 0, 1), ~uint64_t{0});
  EXPECT_EQ(word("mul", 0x1'0000'ffff, 0x1'0000), 0xffff'ffff'ffff'0000u);
  EXPECT_EQ(word("shl", 1, 31), 0xffff'ffff'8000'0000u);
  EXPECT_EQ(word("shr", 0xffff'ffff'8000'0000, 31), 1u);
  EXPECT_EQ(word("sar", 0x8000'0000, 31), ~uint64_t{0});
}

TEST_P(Cells, ABigEndianLoadIsExtended) {
  ProgramMachine m({"%a = get.i64 x1\n%v = load.i16.be %a\n%s = sext.i64.i16 %v\nset.i64 x3, %s"}, options());
  m.hart.x(1) = kRam + 0x1000;
  m.bus.at(kRam + 0x1000)[0] = 0x80;
  m.run(1);
  EXPECT_EQ(m.hart.x(3), 0xffff'ffff'ffff'8000u);
}

TEST_P(Cells, LoadsAndStoresOfEveryKind) {
  for (const char* flags : {"", ".be", ".aligned"}) {
    for (const auto& [type, bytes] : {std::pair{"i8", 1u}, {"i16", 2u}, {"i32", 4u}, {"i64", 8u}}) {
      const std::string t = type;
      const std::string cut = t == "i64" ? "%c = or.i64 %v, %v\n" : "%c = trunc." + t + ".i64 %v\n";
      const std::string zext = t == "i64" ? "set.i64 x3, %l\n" : "%z = zext.i64." + t + " %l\nset.i64 x3, %z\n";
      ProgramMachine m(
          {"%a = get.i64 x1\n%k = const.i64 0x10\n%b = add.i64 %a, %k\n%v = get.i64 x2\n" + cut + "store." + t + flags +
               " %b, %c",
           "%a = get.i64 x1\n%k = const.i64 0x10\n%b = add.i64 %a, %k\n%l = load." + t + flags + " %b\n" + zext},
          options());
      m.hart.x(1) = kRam + 0x1000;
      m.hart.x(2) = 0x1122'3344'5566'7788;
      m.run(2);
      const uint64_t want = 0x1122'3344'5566'7788 & (bytes == 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * bytes) - 1);
      EXPECT_EQ(m.hart.x(3), want) << t << flags;
      EXPECT_EQ(*m.bus.at(kRam + 0x1010), std::string(flags) == ".be" ? want >> (8 * bytes - 8) : 0x88) << t << flags;
    }
  }
}

TEST_P(Cells, BigEndianAtomicsSwapTheirBytes) {
  ProgramMachine m({"%a = get.i64 x1\n%k = const.i32 1\n%o = rmw.add.i32.be %a, %k\n%z = zext.i64.i32 %o\n"
                    "set.i64 x3, %z",
                    "%a = get.i64 x1\n%o = lr.i32.be %a\n%z = zext.i64.i32 %o\nset.i64 x4, %z",
                    "%a = get.i64 x1\n%k = const.i32 0x11223344\n%f = sc.i64.i32.be %a, %k\nset.i64 x5, %f"},
                   options());
  m.hart.x(1) = kRam + 0x1000;
  m.bus.at(kRam + 0x1000)[3] = 0xff;
  m.run(3);
  EXPECT_EQ(m.hart.x(3), 0xffu);
  EXPECT_EQ(m.hart.x(4), 0x100u);
  EXPECT_EQ(m.hart.x(5), 0u);
  EXPECT_EQ(*m.bus.at(kRam + 0x1000), 0x11);
}

TEST_P(Cells, AtomicsAcrossAPageFaultAsStores) {
  for (const char* access : {"%o = rmw.add.i64 %a, %v", "%o = cas.i64 %a, %v, %v"}) {
    ProgramMachine m({std::string("%a = get.i64 x1\n%v = get.i64 x2\n") + access + "\nset.i64 x3, %o"}, options());
    m.hart.x(1) = kRam + kRamBytes - 4;
    m.run(1);
    EXPECT_EQ(m.hart.last_fault, core::Fault::kPage);
    EXPECT_EQ(m.hart.last_access, core::Access::kStore) << access;
    EXPECT_EQ(m.hart.last_fault_address, kRam + kRamBytes);
  }
}

TEST_P(Cells, CallsTakeCleanArguments) {
  EXPECT_EQ(result("%a = get.i64 x1\n%b = trunc.i8.i64 %a\n%c = const.i16 -1\n%d = trunc.i1.i64 %a\n"
                   "%e = const.i64 0x100000005\n%f = trunc.i32.i64 %e\n%g = call.i64 sum, %b, %c, %d, %f\n"
                   "set.i64 x3, %g",
                   0xf03),
            3u + 2 * 0xffff + 3 * 1 + 4 * 5);
}

TEST_P(Cells, AReadBeforeACallKeepsItsValue) {
  EXPECT_EQ(result("%a = get.i64 x1\n%k = const.i64 1\n%b = call.i64 double, %k\n%c = add.i64 %a, %b\n"
                   "set.i64 x3, %c",
                   5),
            15u);
}

TEST_P(Cells, AReadOfTheFlagsKeepsItsValue) {
  // 1.0 / 0.0 raises a flag after the flags were read.
  EXPECT_EQ(result("%f = get.i32 fp_flags\n%a = get.i64 x1\n%b = get.i64 x2\n%q = fdiv.i64 %a, %b, rm0\n"
                   "%z = zext.i64.i32 %f\nset.i64 x3, %z",
                   0x3ff0'0000'0000'0000),
            0u);
}

TEST_P(Cells, AReadOfTheReservationKeepsItsValue) {
  EXPECT_EQ(result("%r = get.i64 reservation_valid\n%a = get.i64 x1\n%l = lr.i32 %a\nset.i64 x3, %r", kRam + 0x1000),
            0u);
}

TEST_P(Cells, SwapsReadBeforeTheyWrite) {
  ProgramMachine m({"%a = get.i64 x1\n%b = get.i64 x2\n%k = const.i64 1\n%c = add.i64 %a, %k\n%d = add.i64 %b, %k\n"
                    "set.i64 x2, %c\nset.i64 x1, %d"},
                   options());
  m.hart.x(1) = 10;
  m.hart.x(2) = 20;
  m.run(1);
  EXPECT_EQ(m.hart.x(1), 21u);
  EXPECT_EQ(m.hart.x(2), 11u);
}

TEST_P(Cells, ATrapLeavesTheDestinationAsItWas) {
  // The base register is the destination.
  ProgramMachine m({"%a = get.i64 x1\n%l = load.i32 %a\n%s = sext.i64.i32 %l\nset.i64 x1, %s"}, options());
  m.hart.x(1) = 0x1000;
  m.run(1);
  EXPECT_EQ(m.hart.x(1), 0x1000u);
  EXPECT_EQ(m.hart.state().pc, kVector);
  EXPECT_EQ(m.hart.instruction_count(), 1u);
}

TEST_P(Cells, ExitsAndEnds) {
  const auto pc_after = [&](const std::string& text, uint64_t x1) {
    ProgramMachine m({text}, options());
    m.hart.x(1) = x1;
    m.run(1);
    return m.hart.state().pc;
  };
  const std::string flag = "%a = get.i64 x1\n%c = trunc.i1.i64 %a\n";
  EXPECT_EQ(pc_after(flag + "exit_if %c, 0x80000500\njump 0x80000600", 3), 0x80000500u);
  EXPECT_EQ(pc_after(flag + "exit_if %c, 0x80000500\njump 0x80000600", 2), 0x80000600u);
  EXPECT_EQ(pc_after(flag + "branch %c, 0x80000500, 0x80000600", 2), 0x80000600u);
  EXPECT_EQ(pc_after("%a = get.i64 x1\njump_ind %a", 0x80000700), 0x80000700u);
  EXPECT_EQ(pc_after("%a = get.i64 x1\nexit_ind %a", 0x80000700), 0x80000700u);
  EXPECT_EQ(pc_after("exit 0x80000800", 0), 0x80000800u);
}

TEST_P(Cells, WideValues) {
  ProgramMachine m({"%a = get.i64 x1\n%b = get.i64 x2\n%c = concat.v128 %a, %b\n%d = vadd.v128 %c, %c, 32\n"
                    "set.v128 v1, %d\n%e = vextract.i32 %d, 32, 3\n%z = zext.i64.i32 %e\nset.i64 x3, %z",
                    "%a = get.i64 x1\n%b = get.i64 x2\n%n = concat.i128 %a, %b\n%p = get.i64 x4\n"
                    "%o = cas.i128 %p, %n, %n\n%h = high.i64 %o\nset.i64 x5, %h"},
                   options());
  m.hart.x(1) = 0xffff'ffff'0000'0001;
  m.hart.x(2) = 0x8000'0001'0000'0003;
  m.hart.x(4) = kRam + 0x1000;
  std::memset(m.bus.at(kRam + 0x1008), 7, 8);
  m.run(2);
  EXPECT_EQ(m.hart.x(3), 2u);
  EXPECT_EQ(m.hart.x(5), 0x0707'0707'0707'0707u);
}

}  // namespace
}  // namespace lockstep::test
