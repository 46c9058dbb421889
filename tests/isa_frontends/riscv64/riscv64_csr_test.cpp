// SPDX-License-Identifier: Apache-2.0
// CSR masks, views and traps, asked of the hart without an engine.
#include <gtest/gtest.h>

#include "isa_frontends/riscv64/csr.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"

namespace lockstep::isa::riscv64 {
namespace {

class Riscv64Csr : public testing::Test {
 protected:
  uint64_t get(unsigned number) { return *read_csr_debug(machine_.hart, number); }
  uint64_t write_all(unsigned number) {
    write_csr_debug(machine_.hart, number, ~uint64_t{0});
    return get(number);
  }

  BareMachine machine_;
  State64& s_ = machine_.hart.s();
};

TEST_F(Riscv64Csr, MasksOfWritableBits) {
  EXPECT_EQ(write_all(0x302), 0xb3ffu);                 // medeleg
  EXPECT_EQ(write_all(0x303), 0x222u);                  // mideleg
  EXPECT_EQ(write_all(0x304), 0xaaau);                  // mie
  EXPECT_EQ(write_all(0x344), 0x222u);                  // mip
  EXPECT_EQ(write_all(0x305), ~uint64_t{2});            // mtvec: vectored at most
  EXPECT_EQ(write_all(0x341), ~uint64_t{1});            // mepc
  EXPECT_EQ(write_all(0x003), 0xffu);                   // fcsr
  EXPECT_EQ(write_all(0x300), 0x8000'000a'007e'79aau);  // mstatus with SD, SXL and UXL
  EXPECT_EQ(get(0x100), 0x8000'0002'000c'6122u);        // sstatus
  EXPECT_EQ(write_all(0x301), get(0x301));              // misa cannot change
  EXPECT_EQ(write_all(0x3b0), (uint64_t{1} << 54) - 1);
}

TEST_F(Riscv64Csr, MppHasNoHypervisorMode) {
  write_csr_debug(machine_.hart, 0x300, uint64_t{1} << kStatusMppShift);
  write_csr_debug(machine_.hart, 0x300, uint64_t{2} << kStatusMppShift);
  EXPECT_EQ(get(0x300) & kStatusMpp, uint64_t{1} << kStatusMppShift);
}

TEST_F(Riscv64Csr, SupervisorViewsFollowDelegation) {
  write_csr_debug(machine_.hart, 0x304, 0xaaa);
  EXPECT_EQ(get(0x104), 0u);
  write_csr_debug(machine_.hart, 0x303, 0x222);
  EXPECT_EQ(get(0x104), 0x222u);
  machine_.hart.set_interrupt(kSupervisorTimer, true);
  EXPECT_EQ(get(0x144), 0x20u);
  write_csr_debug(machine_.hart, 0x144, 0);
  EXPECT_EQ(get(0x144), 0x20u) << "a device drives it";
  write_csr_debug(machine_.hart, 0x144, 0x222);
  EXPECT_EQ(get(0x144), 0x22u) << "only SSIP is writable there";
}

TEST_F(Riscv64Csr, UnknownNumbersAndReadOnlyOnes) {
  EXPECT_FALSE(read_csr_debug(machine_.hart, 0x7ff).has_value());
  EXPECT_FALSE(write_csr_debug(machine_.hart, 0x7ff, 0));
  EXPECT_FALSE(write_csr_debug(machine_.hart, 0xf14, 1));
  EXPECT_EQ(csr_name(0x300), "mstatus");
  EXPECT_EQ(csr_name(0xb03), "mhpmcounter3");
  EXPECT_EQ(csr_name(0x7ff), "0x7ff");
}

TEST_F(Riscv64Csr, ExceptionsGoWhereTheyAreDelegated) {
  s_.mtvec = 0x100;
  s_.stvec = 0x201;
  s_.medeleg = 1u << kLoadPage;
  s_.privilege = kUser;
  s_.mstatus = kStatusSie;
  s_.pc = 0x4000;
  machine_.hart.raise_exception(kLoadPage, 0x1234);
  EXPECT_EQ(s_.pc, 0x200u) << "exceptions are never vectored";
  EXPECT_EQ(s_.privilege, kSupervisor);
  EXPECT_EQ(s_.sepc, 0x4000u);
  EXPECT_EQ(s_.scause, kLoadPage);
  EXPECT_EQ(s_.stval, 0x1234u);
  EXPECT_EQ(s_.mstatus, kStatusSpie);
  EXPECT_EQ(machine_.hart.supervisor_return(), 0x4000u);
  EXPECT_EQ(s_.privilege, kUser);
  EXPECT_EQ(s_.mstatus, kStatusSie | kStatusSpie);

  s_.privilege = kMachine;
  machine_.hart.raise_exception(kLoadPage, 0);
  EXPECT_EQ(s_.pc, 0x100u) << "never from M to S";
  EXPECT_EQ(s_.mstatus & kStatusMpp, kStatusMpp);
}

TEST_F(Riscv64Csr, InterruptsFollowPriorityDelegationAndEnables) {
  s_.mtvec = 0x101;
  s_.stvec = 0x201;
  s_.mie = 0xaaa;
  s_.mideleg = 0x222;
  s_.privilege = kMachine;
  machine_.hart.set_interrupt(kSupervisorExternal, true);
  EXPECT_TRUE(machine_.hart.wakeup_pending());
  EXPECT_FALSE(machine_.hart.interrupt_ready()) << "delegated ones never interrupt M";
  s_.privilege = kSupervisor;
  EXPECT_FALSE(machine_.hart.interrupt_ready());
  s_.mstatus = kStatusSie;
  EXPECT_TRUE(machine_.hart.interrupt_ready());
  machine_.hart.set_interrupt(kMachineTimer, true);
  machine_.hart.take_interrupt();
  EXPECT_EQ(s_.mcause, kCauseInterrupt | kMachineTimer);
  EXPECT_EQ(s_.pc, 0x100u + 4 * kMachineTimer);
  EXPECT_FALSE(machine_.hart.interrupt_ready()) << "MIE is off";
  machine_.hart.set_interrupt(kMachineTimer, false);
  machine_.hart.machine_return();
  machine_.hart.take_interrupt();
  EXPECT_EQ(s_.scause, kCauseInterrupt | kSupervisorExternal);
  EXPECT_EQ(s_.pc, 0x200u + 4 * kSupervisorExternal);
}

TEST_F(Riscv64Csr, CodeKeyTellsFloatingPointStatesApart) {
  s_.mstatus = 0;
  const uint64_t off = machine_.hart.code_key();
  s_.mstatus = uint64_t{1} << kStatusFsShift;
  const uint64_t initial = machine_.hart.code_key();
  s_.mstatus = uint64_t{2} << kStatusFsShift;
  EXPECT_EQ(machine_.hart.code_key(), initial);
  s_.mstatus = kStatusFs;
  const uint64_t dirty = machine_.hart.code_key();
  s_.fp_rounding = 6;
  EXPECT_NE(machine_.hart.code_key(), dirty);
  EXPECT_NE(off, initial);
  EXPECT_NE(initial, dirty);
}

}  // namespace
}  // namespace lockstep::isa::riscv64
