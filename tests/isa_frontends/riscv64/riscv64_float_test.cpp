// SPDX-License-Identifier: Apache-2.0
// F and D through the interpreter: boxing, signs, flags, rounding modes, the FS field.
#include <gtest/gtest.h>

#include <bit>

#include "tests/isa_frontends/riscv64/exec_machine.h"

namespace lockstep::isa::riscv64 {
namespace {

constexpr uint32_t kFp = 0x53;
constexpr uint64_t kBox = 0xffff'ffff'0000'0000;
constexpr uint64_t kNanSingle = kBox | 0x7fc0'0000;

uint64_t boxed(float value) { return kBox | std::bit_cast<uint32_t>(value); }

class Riscv64Float : public testing::Test {
 protected:
  uint64_t f3_after(uint32_t word) {
    machine_.run({word});
    return s_.f[3];
  }
  ExecMachine machine_;
  State64& s_ = machine_.hart.s();
};

TEST_F(Riscv64Float, SinglesAreBoxed) {
  s_.x[5] = 0x1234'5678'3f80'0000;
  EXPECT_EQ(f3_after(r_type(0x78, 0, 5, 0, 3, kFp)), boxed(1.0f));  // fmv.w.x f3,x5
  s_.f[1] = boxed(1.0f);
  s_.f[2] = boxed(2.0f);
  EXPECT_EQ(f3_after(r_type(0x00, 2, 1, 7, 3, kFp)), boxed(3.0f));  // fadd.s f3,f1,f2
}

TEST_F(Riscv64Float, UnboxedSinglesAreTheCanonicalNan) {
  s_.f[1] = 0x3f80'0000;
  s_.f[2] = boxed(2.0f);
  EXPECT_EQ(f3_after(r_type(0x00, 2, 1, 7, 3, kFp)), kNanSingle);
  EXPECT_EQ(f3_after(r_type(0x10, 2, 1, 0, 3, kFp)), kNanSingle);  // fsgnj.s looks at its operands, too
  machine_.run({r_type(0x70, 0, 1, 0, 5, kFp)});                   // fmv.x.w moves bits
  EXPECT_EQ(s_.x[5], 0x3f80'0000u);
  machine_.run({r_type(0x70, 0, 1, 1, 5, kFp)});  // fclass.s
  EXPECT_EQ(s_.x[5], 1u << 9);
}

TEST_F(Riscv64Float, SignInjection) {
  s_.f[1] = boxed(1.5f);
  s_.f[2] = boxed(-2.0f);
  EXPECT_EQ(f3_after(r_type(0x10, 2, 1, 0, 3, kFp)), boxed(-1.5f));  // fsgnj.s
  EXPECT_EQ(f3_after(r_type(0x10, 2, 1, 1, 3, kFp)), boxed(1.5f));   // fsgnjn.s
  EXPECT_EQ(f3_after(r_type(0x10, 2, 1, 2, 3, kFp)), boxed(-1.5f));  // fsgnjx.s
  EXPECT_EQ(f3_after(r_type(0x10, 1, 1, 1, 3, kFp)), boxed(-1.5f));  // fneg.s
  s_.f[1] = std::bit_cast<uint64_t>(1.5);
  s_.f[2] = std::bit_cast<uint64_t>(-2.0);
  EXPECT_EQ(f3_after(r_type(0x11, 2, 1, 0, 3, kFp)), std::bit_cast<uint64_t>(-1.5));
  EXPECT_EQ(f3_after(r_type(0x11, 2, 2, 2, 3, kFp)), std::bit_cast<uint64_t>(2.0));  // fabs.d
}

TEST_F(Riscv64Float, FusedMultiplyAddSigns) {
  s_.f[1] = std::bit_cast<uint64_t>(2.0);
  s_.f[2] = std::bit_cast<uint64_t>(3.0);
  s_.f[4] = std::bit_cast<uint64_t>(1.0);
  const auto word = [](uint32_t opcode) { return r_type(4 << 2 | 1, 2, 1, 7, 3, opcode); };
  EXPECT_EQ(f3_after(word(0x43)), std::bit_cast<uint64_t>(7.0));   // fmadd.d
  EXPECT_EQ(f3_after(word(0x47)), std::bit_cast<uint64_t>(5.0));   // fmsub.d
  EXPECT_EQ(f3_after(word(0x4b)), std::bit_cast<uint64_t>(-5.0));  // fnmsub.d
  EXPECT_EQ(f3_after(word(0x4f)), std::bit_cast<uint64_t>(-7.0));  // fnmadd.d
}

TEST_F(Riscv64Float, RoundingModesAndFlags) {
  s_.f[1] = std::bit_cast<uint64_t>(2.5);
  const auto to_int = [&](unsigned rm) {
    machine_.run({r_type(0x61, 0, 1, rm, 5, kFp)});  // fcvt.w.d
    return static_cast<int64_t>(s_.x[5]);
  };
  EXPECT_EQ(to_int(0), 2);
  EXPECT_EQ(to_int(1), 2);
  EXPECT_EQ(to_int(2), 2);
  EXPECT_EQ(to_int(3), 3);
  EXPECT_EQ(to_int(4), 3);
  EXPECT_EQ(s_.fp_flags, 1u) << "inexact";
  s_.fp_rounding = 3;
  EXPECT_EQ(to_int(7), 3);
  s_.fp_rounding = 5;
  EXPECT_EQ((to_int(7), s_.mcause), kIllegalInstruction);
  s_.fp_rounding = 0;
  s_.mcause = 0;
  EXPECT_EQ((to_int(5), s_.mcause), kIllegalInstruction);
}

TEST_F(Riscv64Float, ConversionsSaturateAndExtend) {
  s_.f[1] = std::bit_cast<uint64_t>(4294967295.0);
  machine_.run({r_type(0x61, 1, 1, 0, 5, kFp)});  // fcvt.wu.d sign-extends its 32-bit result
  EXPECT_EQ(s_.x[5], ~uint64_t{0});
  machine_.run({r_type(0x61, 0, 1, 0, 5, kFp)});
  EXPECT_EQ(s_.x[5], 0x7fff'ffffu);
  EXPECT_EQ(s_.fp_flags, 16u);
}

TEST_F(Riscv64Float, FieldFsTurnsTheUnitOffAndGetsDirty) {
  s_.mstatus = 0;
  machine_.run({r_type(0x78, 0, 5, 0, 3, kFp)});
  EXPECT_EQ(s_.mcause, kIllegalInstruction);
  EXPECT_EQ(s_.mtval, r_type(0x78, 0, 5, 0, 3, kFp));
  s_.mstatus = uint64_t{1} << kStatusFsShift;
  // The second one runs in a block of its own.
  machine_.run({r_type(0x78, 0, 5, 0, 3, kFp), r_type(0x79, 0, 5, 0, 4, kFp)});
  EXPECT_EQ(s_.mstatus & kStatusFs, kStatusFs);
  EXPECT_EQ(s_.pc, kRamBase + 8);
}

}  // namespace
}  // namespace lockstep::isa::riscv64
