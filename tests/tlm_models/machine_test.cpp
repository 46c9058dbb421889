// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/machines/riscv_virt/machine.h"

#include <gtest/gtest.h>

#include "core/digest/digest.h"
#include "tests/tlm_models/machine_bench.h"
#include "tlm_models/console/input_source.h"
#include "tlm_models/machines/riscv_virt/smmu.h"

namespace lockstep::tlm_models {
namespace {

using namespace testing;

TEST(Machine, PrintsAndEndsThroughTheFinisher) {
  const GuestFile guest({
      kLuiUart,
      0x04100393,  // li t2, 'A'
      0x00730023,  // sb t2, 0(t1)
      kLuiFinisher,
      0x000053b7,  // lui t2, 0x5
      0x55538393,
      kStoreFinisher,  // addi t2, t2, 0x555
      kJumpSelf,
  });
  const auto machine = make_machine(small_config(guest));
  const MachineResult result = machine->run();
  EXPECT_EQ(result.exit, MachineExit::kGuestPass);
  // Six instructions of the reset code and seven of the guest: the store is the last that begins.
  EXPECT_EQ(result.instructions, 13u);
  EXPECT_EQ(machine->console_text(), "A");
  EXPECT_EQ(machine->console_sha256(), core::sha256_hex("A"));
}

TEST(Machine, FailureCarriesItsCode) {
  const GuestFile guest({kLuiFinisher, 0x000733b7,  // lui t2, 0x73
                         0x33338393, kStoreFinisher, kJumpSelf});
  const auto machine = make_machine(small_config(guest));
  const MachineResult result = machine->run();
  EXPECT_EQ(result.exit, MachineExit::kGuestFail);
  EXPECT_EQ(result.code, 7u);
}

TEST(Machine, InstructionLimitIsExact) {
  const GuestFile guest({kJumpSelf});
  MachineConfig config = small_config(guest);
  config.harts = 3;
  const auto machine = make_machine(std::move(config));
  EXPECT_EQ(machine->run({.max_instructions = 123'457}).instructions, 123'457u);
  const MachineResult result = machine->run({.max_instructions = 123'458});
  EXPECT_EQ(result.exit, MachineExit::kMaxInstructions);
  EXPECT_EQ(result.instructions, 123'458u);
}

TEST(Machine, AllHartsWaitingForeverIsIdle) {
  const GuestFile guest({kWfi, 0xffdff06f});  // 1: wfi; j 1b
  MachineConfig config = small_config(guest);
  config.harts = 2;
  const auto machine = make_machine(std::move(config));
  EXPECT_EQ(machine->run().exit, MachineExit::kIdle);
}

TEST(Machine, IdleTimeJumpsToTheTimer) {
  const GuestFile guest({
      0x020042b7,  // lui  t0, 0x2004      mtimecmp of hart 0
      0x000f4337,  // lui  t1, 0xf4        999424 ticks
      0x0062b023,  // sd   t1, 0(t0)
      0x08000393,  // li   t2, 0x80        MTIE
      0x3043a073,  // csrs mie, t2
      kWfi,
      kLuiFinisher,
      0x000053b7,
      0x55538393,
      kStoreFinisher,
  });
  const auto machine = make_machine(small_config(guest));
  const MachineResult result = machine->run();
  EXPECT_EQ(result.exit, MachineExit::kGuestPass);
  EXPECT_EQ(result.instructions, 16u);
  EXPECT_GE(result.virtual_time_ns, 99'942'400u);
  EXPECT_LT(result.virtual_time_ns, 99'943'000u);
}

TEST(Machine, ScriptedInputReachesAPollingGuest) {
  const GuestFile guest({
      kLuiUart,
      0x00534383,  // 1: lbu t2, 5(t1)
      0x0013f393,  // andi t2, t2, 1
      0xfe038ce3,  // beqz t2, 1b
      0x00034383,  // lbu t2, 0(t1)
      0x00730023,  // sb t2, 0(t1)
      0xfedff06f,  // j 1b
  });
  MachineConfig config = small_config(guest);
  config.input = std::make_shared<ScriptedInput>(std::vector<uint8_t>{'h', 'e', 'l', 'l', 'o'});
  const auto machine = make_machine(std::move(config));
  machine->run({.max_instructions = 200'000});
  EXPECT_EQ(machine->console_text(), "hello");
}

TEST(Machine, BadConfigurationsAreExplained) {
  const GuestFile guest({kJumpSelf});
  const auto message = [&](auto change) {
    MachineConfig config = small_config(guest);
    change(config);
    const auto machine = Machine::create(std::move(config));
    EXPECT_FALSE(machine.ok());
    return machine.ok() ? std::string() : machine.message();
  };
  EXPECT_NE(message([](MachineConfig& c) { c.harts = 9; }).find("1 to 8"), std::string::npos);
  EXPECT_NE(message([](MachineConfig& c) { c.memory_bytes = 5000; }).find("--memory"), std::string::npos);
  EXPECT_NE(message([](MachineConfig& c) { c.quantum_ns = 0; }).find("quantum"), std::string::npos);
  EXPECT_NE(message([](MachineConfig& c) { c.quantum_ns = 31, c.harts = 2; }).find("32 instructions"),
            std::string::npos);
  EXPECT_NE(message([](MachineConfig& c) { c.kernel = "/nonexistent"; }).find("/nonexistent"), std::string::npos);
  EXPECT_NE(message([](MachineConfig& c) { c.initrd = "/nonexistent"; }).find("/nonexistent"), std::string::npos);
  EXPECT_NE(message([](MachineConfig& c) { c.append = std::string(5000, 'x'); }).find("4096"), std::string::npos);
}

TEST(Machine, EverySmmuThatTheOptionsLeaveCanBe) {
  for (unsigned bits = 0; bits < 16; ++bits) {
    const SmmuOptions options{true, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    const auto checked = smmuv3::check(riscv_virt::smmu_config(options).core);
    EXPECT_TRUE(checked.ok()) << bits << ": " << (checked.ok() ? "" : checked.message());
  }
  const GuestFile guest({kJumpSelf});
  MachineConfig config = small_config(guest);
  config.smmu = {.present = true, .mmu = false};
  const auto machine = Machine::create(std::move(config));
  ASSERT_FALSE(machine.ok());
  EXPECT_NE(machine.message().find("--smmu-mmu"), std::string::npos);
}

TEST(Machine, KernelLargerThanRamIsExplained) {
  const GuestFile guest(std::vector<uint32_t>(1 << 20, kJumpSelf));
  MachineConfig config = small_config(guest);
  config.memory_bytes = 1 << 20;
  const auto machine = Machine::create(std::move(config));
  ASSERT_FALSE(machine.ok());
  EXPECT_NE(machine.message().find(guest.path()), std::string::npos);
}

}  // namespace
}  // namespace lockstep::tlm_models
