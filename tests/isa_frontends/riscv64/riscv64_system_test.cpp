// SPDX-License-Identifier: Apache-2.0
// Traps, counters, CSR instructions, LR/SC and fences through the interpreter.
#include <gtest/gtest.h>

#include "tests/isa_frontends/riscv64/exec_machine.h"

namespace lockstep::isa::riscv64 {
namespace {

constexpr uint32_t kEcallWord = 0x0000'0073, kWfiWord = 0x1050'0073, kMretWord = 0x3020'0073, kNop = 0x13;
constexpr uint32_t csr_word(unsigned number, unsigned rs1, uint32_t funct3, unsigned rd) {
  return number << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73;
}

class Riscv64System : public testing::Test {
 protected:
  ExecMachine machine_;
  State64& s_ = machine_.hart.s();
};

TEST_F(Riscv64System, TrapsAreExactInTheMiddleOfABlock) {
  s_.x[1] = 0x10;  // nothing is mapped there
  // addi x2,x0,7; ld x2,0(x1); addi x3,x0,9
  machine_.run({i_type(7, 0, 0, 2, 0x13), i_type(0, 1, 3, 2, 0x03), i_type(9, 0, 0, 3, 0x13)}, 2);
  EXPECT_EQ(s_.mcause, kLoadAccess);
  EXPECT_EQ(s_.mepc, kRamBase + 4);
  EXPECT_EQ(s_.mtval, 0x10u);
  EXPECT_EQ(s_.x[2], 7u);
  EXPECT_EQ(s_.x[3], 0u);
  EXPECT_EQ(s_.pc, ExecMachine::kVector);
}

TEST_F(Riscv64System, CountersCountAndTrappedInstructionsDoNotRetire) {
  machine_.run({kNop, kNop, csr_word(0xb02, 0, 2, 5), csr_word(0xb00, 0, 2, 6)});
  EXPECT_EQ(s_.x[5], 2u);
  EXPECT_EQ(s_.x[6], 3u);
  machine_.run({kEcallWord});
  EXPECT_EQ(s_.not_retired, 1u);
  machine_.run({csr_word(0xb02, 0, 2, 5), csr_word(0xb00, 0, 2, 6)});
  EXPECT_EQ(s_.x[5], 4u);
  EXPECT_EQ(s_.x[6], 6u);
}

TEST_F(Riscv64System, PmpLooksAtTheWholeAccess) {
  constexpr uint64_t kData = kRamBase + 0x4000;
  constexpr uint8_t kNothing = 99;
  // The cause of an 8-byte access in U-mode when four bytes have an entry of their own.
  const auto cause = [&](uint64_t address, uint64_t four_bytes, unsigned permissions, bool store, Privilege privilege) {
    s_.pmpaddr[0] = four_bytes >> 2;
    s_.pmpaddr[1] = ~uint64_t{0} >> 10;
    s_.pmpcfg[0] = 0x1f00 | 0x10 | permissions;
    s_.privilege = privilege;
    s_.mcause = kNothing;
    s_.x[1] = address;
    machine_.hart.state_restored();
    // sd x3,0(x1) or ld x3,0(x1)
    machine_.run({store ? 3u << 20 | 1u << 15 | 3u << 12 | 0x23 : i_type(0, 1, 3, 3, 0x03)});
    return s_.mcause;
  };
  for (const Privilege privilege : {kUser, kMachine}) {
    // A naturally aligned access that an entry covers in part fails whatever the entry allows, in M-mode too.
    EXPECT_EQ(cause(kData, kData, 7, false, privilege), kLoadAccess);
    EXPECT_EQ(cause(kData, kData + 4, 7, false, privilege), kLoadAccess);
    EXPECT_EQ(cause(kData, kData + 4, 7, true, privilege), kStoreAccess);
    EXPECT_EQ(cause(kData, kData + 8, 7, true, privilege), kNothing);
  }
  // A misaligned one is made of pieces.
  s_.x[3] = 0;
  EXPECT_EQ(cause(kData + 2, kData + 8, 0, false, kUser), kLoadAccess);
  EXPECT_EQ(s_.mtval, kData + 8);
  EXPECT_EQ(cause(kData + 6, kData + 8, 0, true, kUser), kStoreAccess);
  EXPECT_EQ(cause(kData + 6, kData + 4, 0, true, kUser), kStoreAccess);
  EXPECT_EQ(cause(kData + 2, kData + 4, 3, true, kUser), kNothing);
  // Instructions run from a page of which only a part is allowed, too.
  EXPECT_EQ(cause(kData, kRamBase + 0x80, 0, false, kUser), kNothing);
  EXPECT_EQ(cause(kData, kRamBase, 3, false, kUser), kFetchAccess);
}

TEST_F(Riscv64System, WrittenCountersGoOnFromThere) {
  s_.x[1] = 100;
  machine_.run({csr_word(0xb02, 1, 1, 0), csr_word(0xb02, 0, 2, 5), csr_word(0xb02, 0, 2, 6)});
  EXPECT_EQ(s_.x[5], 100u);
  EXPECT_EQ(s_.x[6], 101u);
  s_.x[2] = 5;
  machine_.run({csr_word(0x320, 2, 1, 0), csr_word(0xb02, 1, 1, 0), kNop, csr_word(0xb02, 0, 2, 5)});
  EXPECT_EQ(s_.x[5], 100u) << "mcountinhibit stops it";
}

TEST_F(Riscv64System, CsrRulesByPrivilege) {
  const auto cause_of = [&](Privilege privilege, uint32_t word) {
    s_.privilege = privilege;
    machine_.hart.state_restored();
    s_.mcause = 99;
    machine_.run({word});
    return s_.mcause;
  };
  EXPECT_EQ(cause_of(kMachine, csr_word(0xf14, 0, 2, 5)), 99u);
  EXPECT_EQ(cause_of(kMachine, csr_word(0xf14, 1, 2, 5)), kIllegalInstruction) << "read-only";
  EXPECT_EQ(cause_of(kSupervisor, csr_word(0x340, 0, 2, 5)), kIllegalInstruction);
  EXPECT_EQ(cause_of(kUser, csr_word(0xc00, 0, 2, 5)), kIllegalInstruction);
  s_.mcounteren = s_.scounteren = 1;
  EXPECT_EQ(cause_of(kUser, csr_word(0xc00, 0, 2, 5)), 99u);
  EXPECT_EQ(cause_of(kSupervisor, csr_word(0x180, 0, 2, 5)), 99u);
  s_.mstatus |= kStatusTvm | kStatusTw | kStatusTsr;
  EXPECT_EQ(cause_of(kSupervisor, csr_word(0x180, 0, 2, 5)), kIllegalInstruction);
  EXPECT_EQ(cause_of(kSupervisor, 0x1200'0073), kIllegalInstruction) << "sfence.vma";
  EXPECT_EQ(cause_of(kSupervisor, 0x1020'0073), kIllegalInstruction) << "sret";
  EXPECT_EQ(cause_of(kSupervisor, kWfiWord), kIllegalInstruction);
  EXPECT_EQ(cause_of(kUser, kMretWord), kIllegalInstruction);
  EXPECT_EQ(cause_of(kUser, kEcallWord), kEcallUser);
  EXPECT_EQ(cause_of(kSupervisor, kEcallWord), kEcallUser + 1);
}

TEST_F(Riscv64System, WaitForInterruptEndsTheRun) {
  machine_.bus.poke<uint32_t>(kRamBase, kWfiWord);
  machine_.bus.poke<uint32_t>(kRamBase + 4, kNop);
  s_.pc = kRamBase;
  const core::RunResult result = machine_.engine->run(100);
  EXPECT_EQ(result.reason, core::StopReason::kWaitForInterrupt);
  EXPECT_EQ(result.executed, 1u);
  EXPECT_EQ(s_.pc, kRamBase + 4);
}

TEST_F(Riscv64System, PauseEndsTheTurn) {
  machine_.bus.poke<uint32_t>(kRamBase, 0x0100'000f);
  s_.pc = kRamBase;
  const core::RunResult result = machine_.engine->run(100);
  EXPECT_EQ(result.reason, core::StopReason::kYield);
  EXPECT_EQ(result.executed, 1u);
}

TEST_F(Riscv64System, InterruptsAreTakenAfterTheInstructionThatEnablesThem) {
  machine_.hart.set_interrupt(kMachineTimer, true);
  s_.mie = 1u << kMachineTimer;
  // csrrsi x0,mstatus,8; nop
  machine_.run({csr_word(0x300, 8, 6, 0), kNop}, 2);
  EXPECT_EQ(s_.mcause, kCauseInterrupt | kMachineTimer);
  EXPECT_EQ(s_.mepc, kRamBase + 4);
}

TEST_F(Riscv64System, StoreConditionalNeedsItsReservation) {
  s_.x[1] = kRamBase + 0x4000;
  s_.x[2] = 5;
  const uint32_t lr = r_type(0x08, 0, 1, 3, 3, 0x2f), sc = r_type(0x0c, 2, 1, 3, 4, 0x2f);
  machine_.run({lr, sc});
  EXPECT_EQ(s_.x[4], 0u);
  EXPECT_EQ(machine_.bus.peek<uint64_t>(s_.x[1]), 5u);
  machine_.run({sc});
  EXPECT_EQ(s_.x[4], 1u) << "the reservation was used up";
  s_.x[1] += 4;
  machine_.run({r_type(0x08, 0, 1, 3, 3, 0x2f)});
  EXPECT_EQ(s_.mcause, kLoadMisaligned);
  machine_.run({r_type(0x00, 2, 1, 3, 3, 0x2f)});  // amoadd.d
  EXPECT_EQ(s_.mcause, kStoreMisaligned);
}

TEST_F(Riscv64System, MipIsModifiedWithoutTheInputs) {
  machine_.hart.set_interrupt(kSupervisorExternal, true);
  s_.x[1] = 1u << kSupervisorSoftware;
  machine_.run({csr_word(0x344, 1, 2, 5)});
  EXPECT_EQ(s_.x[5], 1u << kSupervisorExternal);
  EXPECT_EQ(s_.mip_software, 1u << kSupervisorSoftware);
}

}  // namespace
}  // namespace lockstep::isa::riscv64
