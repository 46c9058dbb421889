// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>

#include "tests/core/ir_proof/engines.h"
#include "tests/core/seed.h"
#include "tests/jit/run_emitted.h"

// The x86 proofs against the processor that runs the test: the same random operands go through the IR and through the
// instruction itself.
namespace lockstep::test {
namespace {

constexpr int kRounds = 300;

enum : uint64_t { kCf = 1u << 0, kPf = 1u << 2, kAf = 1u << 4, kZf = 1u << 6, kSf = 1u << 7, kOf = 1u << 11 };
constexpr uint64_t kAll = kCf | kPf | kAf | kZf | kSf | kOf;
constexpr std::pair<const char*, uint64_t> kFlags[] = {{"cf", kCf}, {"pf", kPf}, {"af", kAf},
                                                       {"zf", kZf}, {"sf", kSf}, {"of", kOf}};

struct Registers {
  uint64_t rax, rcx, rdx, flags;
};

// Runs one instruction on rax, rcx, rdx and the flags. The stack pointer steps over the red zone first.
#define LOCKSTEP_HOST(name, text)                                                                                    \
  void name(Registers& r) {                                                                                          \
    uint64_t flags = r.flags | 2;                                                                                    \
    asm volatile("leaq -128(%%rsp), %%rsp\n pushq %3\n popfq\n " text "\n pushfq\n popq %3\n leaq 128(%%rsp), %%rsp" \
                 : "+a"(r.rax), "+c"(r.rcx), "+d"(r.rdx), "+r"(flags)                                                \
                 :                                                                                                   \
                 : "cc", "memory");                                                                                  \
    r.flags = flags & kAll;                                                                                          \
  }
LOCKSTEP_HOST(host_add, "addq %%rcx, %%rax")
LOCKSTEP_HOST(host_adc, "adcq %%rcx, %%rax")
LOCKSTEP_HOST(host_sbb, "sbbq %%rcx, %%rax")
LOCKSTEP_HOST(host_sub_b, "subb %%cl, %%al")
LOCKSTEP_HOST(host_add_w, "addw %%cx, %%ax")
LOCKSTEP_HOST(host_add_d, "addl %%ecx, %%eax")
LOCKSTEP_HOST(host_cmp, "cmpq %%rcx, %%rax")
LOCKSTEP_HOST(host_and, "andq %%rcx, %%rax")
LOCKSTEP_HOST(host_inc, "incq %%rax")
LOCKSTEP_HOST(host_neg, "negq %%rax")
LOCKSTEP_HOST(host_shl, "shlq %%cl, %%rax")
LOCKSTEP_HOST(host_sar, "sarq %%cl, %%rax")
LOCKSTEP_HOST(host_rol_b, "rolb %%cl, %%al")
LOCKSTEP_HOST(host_mul, "mulq %%rcx")
LOCKSTEP_HOST(host_div, "divq %%rcx")
LOCKSTEP_HOST(host_idiv, "idivq %%rcx")
LOCKSTEP_HOST(host_xchg, "xchgb %%ah, %%cl")
LOCKSTEP_HOST(host_bsf, "bsfq %%rcx, %%rax")
#undef LOCKSTEP_HOST

// Flags that the manual leaves undefined after this instruction and these operands.
uint64_t none_undefined(const Registers&) { return 0; }
uint64_t af_undefined(const Registers&) { return kAf; }
uint64_t shift_undefined(const Registers& before) {
  const uint64_t count = before.rcx & 63;
  return count == 0 ? 0 : count == 1 ? uint64_t{kAf} : kAf | kOf;
}
uint64_t rotate_undefined(const Registers& before) { return (before.rcx & 31) <= 1 ? 0 : uint64_t{kOf}; }
uint64_t mul_undefined(const Registers&) { return kSf | kZf | kAf | kPf; }
uint64_t all_undefined(const Registers&) { return kAll; }
uint64_t bsf_undefined(const Registers&) { return kAll & ~kZf; }

// Operands with which the instruction must not be run: it would raise an exception on the host too.
bool never_raises(const Registers&) { return false; }
bool div_raises(const Registers& before) { return before.rdx >= before.rcx; }
bool idiv_raises(const Registers& before) {
  if (before.rcx == 0) return true;
  const auto dividend = static_cast<__int128>(static_cast<unsigned __int128>(before.rdx) << 64 | before.rax);
  const auto divisor = static_cast<int64_t>(before.rcx);
  if (divisor == -1 && before.rdx == uint64_t{1} << 63) return true;
  const __int128 quotient = dividend / divisor;
  return quotient != static_cast<int64_t>(quotient);
}

struct HostCase {
  const char* name;
  void (*host)(Registers&);
  uint64_t (*undefined)(const Registers& before);
  bool (*raises)(const Registers& before) = never_raises;
};

constexpr HostCase kCases[] = {
    {"add", host_add, none_undefined},
    {"adc", host_adc, none_undefined},
    {"sbb", host_sbb, none_undefined},
    {"sub_b", host_sub_b, none_undefined},
    {"add_w", host_add_w, none_undefined},
    {"add_d", host_add_d, none_undefined},
    {"cmp", host_cmp, none_undefined},
    {"and", host_and, af_undefined},
    {"inc", host_inc, none_undefined},
    {"neg", host_neg, none_undefined},
    {"shl_cl", host_shl, shift_undefined},
    {"sar_cl", host_sar, shift_undefined},
    {"rol_b_cl", host_rol_b, rotate_undefined},
    {"mul", host_mul, mul_undefined},
    {"div", host_div, all_undefined, div_raises},
    {"idiv", host_idiv, all_undefined, idiv_raises},
    {"xchg_high_byte", host_xchg, none_undefined},
    {"bsf", host_bsf, bsf_undefined},
};

uint64_t operand(std::mt19937_64& random) {
  constexpr uint64_t kEdges[] = {
      0,           1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
      ~uint64_t{0}};
  return random() % 2 ? kEdges[random() % std::size(kEdges)] : random() >> (random() % 64);
}

Registers run_ir(const Proof& proof, const Registers& before, const RunBlock& run) {
  TestHart hart(*proof.layout);
  const auto at = [&](const char* name) { return hart.field(*proof.layout->find(name)); };
  hart.state().pc = proof.block.pc;
  std::memcpy(at("rax"), &before.rax, 8);
  std::memcpy(at("rcx"), &before.rcx, 8);
  std::memcpy(at("rdx"), &before.rdx, 8);
  for (const auto& [name, mask] : kFlags) *at(name) = (before.flags & mask) != 0;
  EXPECT_TRUE(run(hart, proof.block).ok());
  Registers after = {};
  std::memcpy(&after.rax, at("rax"), 8);
  std::memcpy(&after.rcx, at("rcx"), 8);
  std::memcpy(&after.rdx, at("rdx"), 8);
  for (const auto& [name, mask] : kFlags) after.flags |= *at(name) ? mask : 0;
  return after;
}

class X86Host : public testing::TestWithParam<HostCase> {};

TEST_P(X86Host, AgreesWithTheIr) {
  const core::Result<Proof> proof = read_proof("x86_64", GetParam().name);
  ASSERT_TRUE(proof.ok()) << proof.message();
  std::mt19937_64 random(seed());
  const RunBlock engines[] = {[](TestHart& hart, const core::ir::Block& block) { return run_interpreted(hart, block); },
                              run_emitted};
  for (int round = 0; round < kRounds; ++round) {
    const Registers before{operand(random), operand(random), operand(random), random() & kAll};
    if (GetParam().raises(before)) continue;
    Registers expected = before;
    GetParam().host(expected);
    const uint64_t defined = kAll & ~GetParam().undefined(before);
    for (const RunBlock& run : engines) {
      const Registers after = run_ir(*proof, before, run);
      ASSERT_TRUE(after.rax == expected.rax && after.rcx == expected.rcx && after.rdx == expected.rdx &&
                  (after.flags & defined) == (expected.flags & defined))
          << std::hex << "rax " << before.rax << " rcx " << before.rcx << " flags " << before.flags << ": IR gives rax "
          << after.rax << " flags " << (after.flags & defined) << ", the host rax " << expected.rax << " flags "
          << (expected.flags & defined);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Instructions, X86Host, testing::ValuesIn(kCases),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace lockstep::test
