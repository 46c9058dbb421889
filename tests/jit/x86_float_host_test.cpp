// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/fp/fp_types.h"
#include "core/ir/fp_semantics.h"
#include "tests/core/ir_proof/engines.h"
#include "tests/core/seed.h"
#include "tests/jit/run_emitted.h"

// x86's floating-point rules in the IR against the processor that runs the test, values and flags, under every rounding
// mode with and without MXCSR.DAZ and FTZ.
namespace lockstep::test {
namespace {

using core::ir::FpControl;
using core::ir::FpOperation;
using core::ir::FpRule;
using core::ir::Op;
using core::ir::Type;

constexpr int kRounds = 4000;  // of each operation and control
constexpr uint32_t kMxcsrDaz = 1u << 6;
constexpr uint32_t kMxcsrMasks = 0x1f80;
constexpr uint32_t kMxcsrFtz = 1u << 15;

// MXCSR for a control; RISC-V's and x86's rounding modes are numbered differently.
uint32_t mxcsr_of(const FpControl& control) {
  constexpr uint32_t kRounding[] = {0, 3, 1, 2};
  return kMxcsrMasks | kRounding[control.rounding] << 13 | (control.flush_inputs ? kMxcsrDaz : 0) |
         (control.flush_results ? kMxcsrFtz : 0);
}

uint32_t flags_of(uint32_t mxcsr) {
  uint32_t flags = 0;
  if (mxcsr & 1) flags |= core::fp::kFlagInvalid;
  if (mxcsr & 2) flags |= core::ir::kFpFlagInputDenormal;
  if (mxcsr & 4) flags |= core::fp::kFlagDivideByZero;
  if (mxcsr & 8) flags |= core::fp::kFlagOverflow;
  if (mxcsr & 16) flags |= core::fp::kFlagUnderflow;
  if (mxcsr & 32) flags |= core::fp::kFlagInexact;
  return flags;
}

// Runs one instruction on xmm0 (a, the result) and xmm1 (b) under `mxcsr`, which then holds what was raised. The
// memory operands keep other floating-point code out of the window.
#define LOCKSTEP_HOST(name, text)                                                                                     \
  uint64_t name(uint64_t a, uint64_t b, uint32_t& mxcsr) {                                                            \
    uint32_t saved = 0;                                                                                               \
    uint64_t result = 0;                                                                                              \
    asm volatile("stmxcsr %2\n movq %3, %%xmm0\n movq %4, %%xmm1\n ldmxcsr %1\n " text "\n stmxcsr %1\n ldmxcsr %2\n" \
                 : "=&r"(result), "+m"(mxcsr), "+m"(saved)                                                            \
                 : "m"(a), "m"(b)                                                                                     \
                 : "xmm0", "xmm1", "cc", "memory");                                                                   \
    return result;                                                                                                    \
  }
#define LOCKSTEP_HOST_FLOAT(name, text) LOCKSTEP_HOST(name, text "\n movq %%xmm0, %0")
LOCKSTEP_HOST_FLOAT(host_addsd, "addsd %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_subsd, "subsd %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_mulsd, "mulsd %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_divsd, "divsd %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_sqrtsd, "sqrtsd %%xmm0, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_minsd, "minsd %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_maxsd, "maxsd %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_addss, "addss %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_mulss, "mulss %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_divss, "divss %%xmm1, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_sqrtss, "sqrtss %%xmm0, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_cvtsd2ss, "cvtsd2ss %%xmm0, %%xmm0")
LOCKSTEP_HOST_FLOAT(host_cvtss2sd, "cvtss2sd %%xmm0, %%xmm0")
LOCKSTEP_HOST(host_cvtsd2si, "cvtsd2si %%xmm0, %0")
LOCKSTEP_HOST(host_cvtss2si, "cvtss2si %%xmm0, %0")
LOCKSTEP_HOST(host_cvtsd2si32, "cvtsd2si %%xmm0, %k0")
#undef LOCKSTEP_HOST

struct HostCase {
  const char* name;
  uint64_t (*host)(uint64_t a, uint64_t b, uint32_t& mxcsr);
  Op op;
  Type type;
  Type operand_type;
};

constexpr HostCase kCases[] = {
    {"addsd", host_addsd, Op::kFAdd, Type::kI64, Type::kI64},
    {"subsd", host_subsd, Op::kFSub, Type::kI64, Type::kI64},
    {"mulsd", host_mulsd, Op::kFMul, Type::kI64, Type::kI64},
    {"divsd", host_divsd, Op::kFDiv, Type::kI64, Type::kI64},
    {"sqrtsd", host_sqrtsd, Op::kFSqrt, Type::kI64, Type::kI64},
    {"minsd", host_minsd, Op::kFMin, Type::kI64, Type::kI64},
    {"maxsd", host_maxsd, Op::kFMax, Type::kI64, Type::kI64},
    {"addss", host_addss, Op::kFAdd, Type::kI32, Type::kI32},
    {"mulss", host_mulss, Op::kFMul, Type::kI32, Type::kI32},
    {"divss", host_divss, Op::kFDiv, Type::kI32, Type::kI32},
    {"sqrtss", host_sqrtss, Op::kFSqrt, Type::kI32, Type::kI32},
    {"cvtsd2ss", host_cvtsd2ss, Op::kFCvt, Type::kI32, Type::kI64},
    {"cvtss2sd", host_cvtss2sd, Op::kFCvt, Type::kI64, Type::kI32},
    {"cvtsd2si", host_cvtsd2si, Op::kFToS, Type::kI64, Type::kI64},
    {"cvtss2si", host_cvtss2si, Op::kFToS, Type::kI64, Type::kI32},
    {"cvtsd2si32", host_cvtsd2si32, Op::kFToS, Type::kI32, Type::kI64},
};

// Specials, numbers near them, and numbers whose exponents are near each other, so that operations meet.
uint64_t operand(std::mt19937_64& random, Type type) {
  const bool wide = type == Type::kI64;
  const unsigned fraction_bits = wide ? 52 : 23;
  const uint64_t fraction_mask = (uint64_t{1} << fraction_bits) - 1;
  const uint64_t exponents[] = {0,
                                0,
                                1,
                                random() % (wide ? 2048 : 256),
                                wide ? 1023 + random() % 70 : 127 + random() % 40,
                                wide ? 2046u : 254u,
                                wide ? 2047u : 255u,
                                wide ? 512 + random() % 4 : 64 + random() % 4};
  const uint64_t fractions[] = {0, 1, fraction_mask, uint64_t{1} << (fraction_bits - 1), random() & fraction_mask};
  const uint64_t sign = (random() & 1) << (wide ? 63 : 31);
  return sign | exponents[random() % std::size(exponents)] << fraction_bits |
         fractions[random() % std::size(fractions)];
}

class X86Float : public testing::TestWithParam<HostCase> {};

TEST_P(X86Float, AgreesWithTheHost) {
  const HostCase& c = GetParam();
  std::mt19937_64 random(seed());
  for (unsigned setting = 0; setting < 16; ++setting) {
    const FpControl control{setting & 3, FpRule::kX86, (setting & 4) != 0, (setting & 8) != 0};
    const FpOperation operation{c.op, c.type, c.operand_type, control};
    ASSERT_EQ(FpOperation::unpack(operation.pack()).control, control);
    for (int round = 0; round < kRounds; ++round) {
      const uint64_t a = operand(random, c.operand_type);
      const uint64_t b = operand(random, c.operand_type);
      uint32_t mxcsr = mxcsr_of(control);
      uint64_t expected = c.host(a, b, mxcsr);
      if (c.type == Type::kI32) expected &= 0xffffffff;
      uint32_t flags = 0;
      const uint64_t result = core::ir::run_fp(operation, a, b, 0, 0, flags);
      ASSERT_TRUE(result == expected && flags == flags_of(mxcsr))
          << std::hex << a << " and " << b << " under " << core::ir::print_fp_control(control.pack())
          << ": the IR gives " << result << " flags " << flags << ", the host " << expected << " flags "
          << flags_of(mxcsr);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Instructions, X86Float, testing::ValuesIn(kCases),
                         [](const auto& instance) { return std::string(instance.param.name); });

// The proof of ADDSD through both engines.
TEST(X86FloatProof, AddsdAgreesWithTheHost) {
  const core::Result<Proof> proof = read_proof("x86_64", "addsd");
  ASSERT_TRUE(proof.ok()) << proof.message();
  std::mt19937_64 random(seed());
  const RunBlock engines[] = {[](TestHart& hart, const core::ir::Block& block) { return run_interpreted(hart, block); },
                              run_emitted};
  for (int round = 0; round < 500; ++round) {
    const uint64_t a = operand(random, Type::kI64);
    const uint64_t b = operand(random, Type::kI64);
    uint32_t mxcsr = kMxcsrMasks;
    const uint64_t expected = host_addsd(a, b, mxcsr);
    for (const RunBlock& run : engines) {
      TestHart hart(*proof->layout);
      hart.state().pc = proof->block.pc;
      std::memcpy(hart.field(*proof->layout->find("xmm0")), &a, 8);
      std::memcpy(hart.field(*proof->layout->find("xmm1")), &b, 8);
      ASSERT_TRUE(run(hart, proof->block).ok());
      uint64_t result = 0;
      std::memcpy(&result, hart.field(*proof->layout->find("xmm0")), 8);
      ASSERT_EQ(result, expected) << std::hex << a << " + " << b;
      ASSERT_EQ(hart.state().fp_flags, flags_of(mxcsr)) << std::hex << a << " + " << b;
    }
  }
}

}  // namespace
}  // namespace lockstep::test
