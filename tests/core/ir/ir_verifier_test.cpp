// SPDX-License-Identifier: Apache-2.0
// Every refusal of the verifier, with its message.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/ir/builder.h"
#include "core/ir/text.h"
#include "tests/core/ir_proof/test_machine.h"

namespace lockstep::core::ir {
namespace {

uint64_t nothing(Hart&, uint64_t, uint64_t, uint64_t, uint64_t) { return 0; }
constexpr HelperDescriptor kHelpers[] = {{"two", nothing, 0, 2, Type::kI64}};

class IrVerifier : public testing::Test {
 protected:
  // What the verifier says of a block in which these stand before the end; %1 is an i1, %2 to %6 are i8 to i128 (i8,
  // i16, i32, i64, i128), %7 is a v128 and %8 a v256.
  static std::string says(const std::string& text) {
    const Names names{&test::test_layout("riscv64"), kHelpers};
    const Result<Block> block = parse(std::string("block 0\ninsn 0 4\n%1 = const.i1 1\n%2 = const.i8 1\n"
                                                  "%3 = const.i16 1\n%4 = const.i32 1\n%5 = const.i64 1\n"
                                                  "%6 = concat.i128 %5, %5\n%7 = concat.v128 %5, %5\n"
                                                  "%8 = concat.v256 %7, %7\n") +
                                          text + "\njump 4\n",
                                      names);
    return block.ok() ? "" : block.message().substr(block.message().find(": ") + 2);
  }

  static std::string says(const std::function<void(Block&)>& change) {
    const Names names{&test::test_layout("riscv64"), kHelpers};
    Block block;
    Builder b(block);
    b.insn(0, 4);
    b.not_(b.get(Type::kI64, 64 + 16 * 32));
    b.jump(4);
    change(block);
    const Status status = verify(block, names);
    return status ? "" : status.error().message;
  }
};

TEST_F(IrVerifier, AcceptsWhatIsRight) {
  for (const char* text : {"%9 = add.i8 %2, %2", "%9 = and.i1 %1, %1", "%9 = eq.i1.i1 %1, %1", "%9 = sext.i128.i64 %5",
                           "%9 = select.v256 %1, %8, %8", "%9 = high.v128 %8", "%9 = vextract.i8 %8, 8, 31",
                           "%9 = load.v256 %5", "%9 = cas.i128 %5, %6, %6", "%9 = fadd.i32 %4, %4, rm7",
                           "%9 = call.i64 two, %1, %5", "set.i8 x1, %2", "%9 = get.v128 v3"}) {
    EXPECT_EQ(says(text), "") << text;
  }
}

TEST_F(IrVerifier, TheShapeOfABlock) {
  EXPECT_EQ(says([](Block& b) { b.insts.clear(); }), "the block is empty");
  EXPECT_EQ(says([](Block& b) { b.insts.erase(b.insts.begin()); }), "%0: a block begins with `insn`");
  EXPECT_EQ(says([](Block& b) { b.insts.pop_back(); }),
            "%2 (not): the last instruction must be a jump, a branch or an exit");
  EXPECT_EQ(says([](Block& b) { b.insts.push_back(b.insts.back()); }),
            "%3 (jump): instructions behind the end of the block");
  EXPECT_EQ(says([](Block& b) { b.insts[2].operands = 2; }), "%2 (not): needs 1 operands and has 2");
  EXPECT_EQ(says([](Block& b) { b.insts[2].args[0] = 2; }), "%2 (not): operand 0 is used before it is defined");
  EXPECT_EQ(says([](Block& b) { b.insts[2].args[0] = kNoValue; }), "%2 (not): operand 0 is used before it is defined");
  EXPECT_EQ(says([](Block& b) { b.insts[2].args[0] = 0; }), "%2 (not): operand 0 has no value");
  EXPECT_EQ(says([](Block& b) { b.insts[3].type = Type::kI64; }), "%3 (jump): has no result");
  EXPECT_EQ(says([](Block& b) { b.insts[1].type = Type::kVoid; }), "%1 (get): needs a type");
  EXPECT_EQ(says([](Block& b) { b.insts[1].imm += uint64_t{1} << 32; }),
            "%1 (get): no state field begins at offset 0x100000240");
  EXPECT_EQ(says([](Block& b) { b.insts[0].imm2 = 16; }), "%0 (insn): an instruction has 1 to 15 bytes");
}

TEST_F(IrVerifier, State) {
  EXPECT_EQ(says("set.i32 x1, %5"), "the value's type is not the one written");
  EXPECT_EQ(says("%9 = get.i64 @1"), "no state field begins at offset 0x1");
  EXPECT_EQ(says("%9 = get.v128 x1"), "field x1 is narrower than the access");
  EXPECT_EQ(says("%9 = const.i128 1"), "constants are scalars; build vectors from them");
}

TEST_F(IrVerifier, Arithmetic) {
  EXPECT_EQ(says("%9 = add.i64 %5, %4"), "operand 1 is not i64");
  EXPECT_EQ(says("%9 = add.i128 %6, %6"), "needs a scalar type");
  EXPECT_EQ(says("%9 = add.i1 %1, %1"), "i1 has only and, or, xor and not");
  EXPECT_EQ(says("%9 = bswap.i1 %1"), "i1 has only and, or, xor and not");
  EXPECT_EQ(says("%9 = select.i64 %5, %5, %5"), "the condition must be i1");
  EXPECT_EQ(says("%9 = select.i64 %1, %5, %4"), "both values must have its type");
  EXPECT_EQ(says("%9 = adc.i64 %5, %5, %5"), "the carry must be i1");
  EXPECT_EQ(says("%9 = sbb.i64 %5, %4, %1"), "both values must have its type");
  EXPECT_EQ(says("%9 = adc.i1 %1, %1, %1"), "needs a scalar type");
}

TEST_F(IrVerifier, ComparisonsAndConversions) {
  EXPECT_EQ(says("%9 = eq.i64.i64 %5, %5"), "gives an i1");
  EXPECT_EQ(says("%9 = eq.i1.i64 %5, %4"), "operand 1 is not i64");
  EXPECT_EQ(says("%9 = addcarry.i1.i64 %5, %5, %5"), "operand 2 is not i1");
  EXPECT_EQ(says("%9 = eq.i1.i128 %6, %6"), "compares scalars");
  EXPECT_EQ(says("%9 = flt.i1.i16 %3, %3"), "needs i32 or i64 patterns");
  EXPECT_EQ(says("%9 = zext.i64.i32 %5"), "the operand's type is not the one named");
  EXPECT_EQ(says("%9 = zext.v128.i64 %5"), "extends scalars");
  EXPECT_EQ(says("%9 = sext.i64.i64 %5"), "must widen");
  EXPECT_EQ(says("%9 = trunc.i64.i128 %6"), "cuts scalars");
  EXPECT_EQ(says("%9 = trunc.i64.i32 %4"), "must narrow");
  EXPECT_EQ(says("%9 = fclass.i32.i32 %4"), "gives i64 from i32 or i64");
  EXPECT_EQ(says("%9 = stof.i64.i16 %3, rm0"), "converts between i32 and i64 patterns");
  EXPECT_EQ(says("%9 = fcvt.i64.i64 %5, rm0"), "converts to the same format");
  EXPECT_EQ(says("%9 = ftos.i64.i64 %5, rm5"), "no rounding mode rm5");
  EXPECT_EQ(says("%9 = fadd.i64 %5, %5, rm8"), "no rounding mode rm8");
  EXPECT_EQ(says("%9 = fadd.i16 %3, %3, rm0"), "floating point needs i32 or i64 patterns");
}

TEST_F(IrVerifier, WideValues) {
  EXPECT_EQ(says("%9 = concat.i64 %5, %5"), "gives i128, v128 or v256");
  EXPECT_EQ(says("%9 = concat.v256 %6, %6"), "operands are halves of the result");
  EXPECT_EQ(says("%9 = low.i64 %5"), "needs a wide operand");
  EXPECT_EQ(says("%9 = high.i64 %8"), "the result is half of the operand");
  EXPECT_EQ(says("%9 = vsplat.i128 %5, 64"), "needs a vector type");
  EXPECT_EQ(says("%9 = vsplat.v128 %5, 32"), "the scalar is not a lane");
  EXPECT_EQ(says("%9 = vsplat.v128 %1, 1"), "the scalar is not a lane");
  EXPECT_EQ(says("%9 = vextract.i64 %7, 64, 2"), "the vector has no lane 2");
  EXPECT_EQ(says("%9 = vinsert.v256 %7, %5, 64, 0"), "the vector must have the result's type");
  EXPECT_EQ(says("%9 = vinsert.v128 %7, %5, 64, 9"), "the vector has no lane 9");
  EXPECT_EQ(says("%9 = vadd.i128 %6, %6, 64"), "needs a vector type");
  EXPECT_EQ(says("%9 = vadd.v128 %7, %7, 24"), "lanes have 8, 16, 32 or 64 bits");
  EXPECT_EQ(says("%9 = vfadd.v128 %7, %7, 16"), "floating-point lanes have 32 or 64 bits");
}

TEST_F(IrVerifier, Memory) {
  EXPECT_EQ(says("%9 = load.i64 %4"), "the address must be i64");
  EXPECT_EQ(says("%9 = load.i1 %5"), "memory has no such type");
  EXPECT_EQ(says("%9 = load.i64 %5, 0x20"), "unknown memory flags 0x20");
  EXPECT_EQ(says("store.i32 %5, %5"), "the value's type is not the one stored");
  EXPECT_EQ(says("%9 = lr.v128 %5"), "goes up to i128");
  EXPECT_EQ(says("%9 = sc.i32.i32 %5, %4"), "gives an i64");
  EXPECT_EQ(says("%9 = sc.i64.v128 %5, %7"), "goes up to i128");
  EXPECT_EQ(says("%9 = rmw.add.i64 %5, %4"), "works on scalars");
  EXPECT_EQ(says("%9 = cas.i64 %5, %5, %4"), "both values must have its type");
  EXPECT_EQ(says("%9 = cas.v128 %5, %7, %7"), "goes up to i128");
  EXPECT_EQ(says([](Block& b) {
              b.insts[2] = b.insts[1];
              b.insts[2].op = Op::kAtomicRmw;
              b.insts[2].operands = 2;
              b.insts[2].args = {1, 1, kNoValue, kNoValue};
              b.insts[2].imm = 0;
              b.insts[2].imm2 = 9;
            }),
            "%2 (rmw): unknown operation");
}

TEST_F(IrVerifier, Calls) {
  EXPECT_EQ(says("%9 = call.i64 two, %5, %7"), "arguments are scalars");
  EXPECT_EQ(says("%9 = call.i64 two, %5"), "two takes 2 arguments");
  EXPECT_EQ(says("%9 = call.i32 two, %5, %5"), "two gives i64");
  EXPECT_EQ(says("call @7"), "no helper 7");
}

TEST_F(IrVerifier, Ends) {
  EXPECT_EQ(says("exit_if %5, 4"), "needs an i1");
  EXPECT_EQ(says([](Block& b) {
              b.insts[3].op = Op::kBranch;
              b.insts[3].operands = 1;
              b.insts[3].args[0] = 1;
            }),
            "%3 (branch): needs an i1");
  EXPECT_EQ(says([](Block& b) {
              b.insts[1].type = Type::kI32;
              b.insts[2].type = Type::kI32;
              b.insts[3].op = Op::kJumpIndirect;
              b.insts[3].operands = 1;
              b.insts[3].args[0] = 1;
            }),
            "%3 (jump_ind): needs an i64 target");
}

}  // namespace
}  // namespace lockstep::core::ir
