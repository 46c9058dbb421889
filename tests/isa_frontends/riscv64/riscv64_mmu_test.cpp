// SPDX-License-Identifier: Apache-2.0
// Page walks and PMP, asked of the hart without an engine.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "isa_frontends/riscv64/csr.h"
#include "tests/core/seed.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"

namespace lockstep::isa::riscv64 {
namespace {

using core::Access;
using core::Fault;

constexpr uint64_t kRoot = kRamBase + 0x10000;
constexpr uint64_t kMiddle = kRamBase + 0x11000;
constexpr uint64_t kLeaf = kRamBase + 0x12000;
constexpr uint64_t kTarget = kRamBase + 0x40000;
constexpr uint64_t kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kA = 64, kD = 128;

uint64_t pte(uint64_t paddr, uint64_t flags) { return paddr >> 12 << 10 | flags; }

class Riscv64Mmu : public testing::Test {
 protected:
  explicit Riscv64Mmu(const HartOptions& options = {}) : machine_(1 << 20, options) {}

  // Sv39 in S-mode with the page at `vaddr` mapped by `flags`.
  void map(uint64_t vaddr, uint64_t flags, uint64_t paddr = kTarget) {
    machine_.bus.poke<uint64_t>(kRoot + (vaddr >> 30 & 511) * 8, pte(kMiddle, kV));
    machine_.bus.poke<uint64_t>(kMiddle + (vaddr >> 21 & 511) * 8, pte(kLeaf, kV));
    leaf_ = kLeaf + (vaddr >> 12 & 511) * 8;
    machine_.bus.poke<uint64_t>(leaf_, pte(paddr, flags));
    set("satp", uint64_t{8} << 60 | kRoot >> 12);
    mode(kSupervisor);
  }
  void mode(Privilege privilege) {
    machine_.hart.s().privilege = privilege;
    machine_.hart.select_contexts();
  }
  void set(std::string_view name, uint64_t value) {
    for (unsigned number = 0; number < 4096; ++number) {
      const Csr* csr = find_csr(number);
      if (csr != nullptr && csr->name == name) return csr->write(machine_.hart, value);
    }
    FAIL() << name;
  }
  uint64_t get(unsigned number) { return *read_csr_debug(machine_.hart, number); }
  core::Translation ask(uint64_t vaddr, Access access) { return machine_.hart.translate(vaddr, access); }
  Fault fault(uint64_t vaddr, Access access) { return ask(vaddr, access).fault; }

  BareMachine machine_;
  uint64_t leaf_ = 0;
};

constexpr uint64_t kVaddr = 0x4020'3000;

TEST_F(Riscv64Mmu, BareModeIsIdentity) {
  EXPECT_EQ(ask(kRamBase + 0x123, Access::kLoad).paddr, kRamBase + 0x123);
  mode(kUser);
  EXPECT_EQ(ask(kRamBase + 0x123, Access::kFetch).paddr, kRamBase + 0x123);
}

TEST_F(Riscv64Mmu, WalksThreeLevels) {
  map(kVaddr, kV | kR | kA);
  const core::Translation t = ask(kVaddr + 0x10, Access::kLoad);
  EXPECT_EQ(t.fault, Fault::kNone);
  EXPECT_EQ(t.paddr, kTarget + 0x10);
  EXPECT_EQ(t.block_bits, 12);
  EXPECT_EQ(fault(kVaddr, Access::kStore), Fault::kPage);
  EXPECT_EQ(fault(kVaddr, Access::kFetch), Fault::kPage);
  EXPECT_EQ(fault(kVaddr + 0x1000, Access::kLoad), Fault::kPage);
}

TEST_F(Riscv64Mmu, AddressesMustBeSignExtended) {
  map(kVaddr, kV | kR | kA);
  EXPECT_EQ(fault(kVaddr | uint64_t{1} << 39, Access::kLoad), Fault::kPage);
  EXPECT_EQ(fault(kVaddr | uint64_t{1} << 63, Access::kLoad), Fault::kPage);
}

TEST_F(Riscv64Mmu, Superpages) {
  map(kVaddr, 0);
  machine_.bus.poke<uint64_t>(kMiddle + (kVaddr >> 21 & 511) * 8, pte(0x8020'0000, kV | kR | kA));
  const core::Translation t = ask(kVaddr + 0x10, Access::kLoad);
  EXPECT_EQ(t.paddr, 0x8020'0000 + (kVaddr & 0x1f'ffff) + 0x10);
  EXPECT_EQ(t.block_bits, 21);
  machine_.bus.poke<uint64_t>(kMiddle + (kVaddr >> 21 & 511) * 8, pte(0x8020'1000, kV | kR | kA));
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage) << "misaligned";
}

TEST_F(Riscv64Mmu, ReservedEncodingsFault) {
  map(kVaddr, kV | kW | kA | kD);
  EXPECT_EQ(fault(kVaddr, Access::kStore), Fault::kPage) << "W without R";
  map(kVaddr, kV | kR | kA);
  machine_.bus.poke<uint64_t>(leaf_, pte(kTarget, kV | kR | kA) | uint64_t{1} << 63);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage) << "N";
  machine_.bus.poke<uint64_t>(leaf_, pte(kTarget, kV | kR | kA) | uint64_t{1} << 61);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage) << "PBMT";
  machine_.bus.poke<uint64_t>(leaf_, pte(kTarget, kV));
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage) << "a pointer at the last level";
}

TEST_F(Riscv64Mmu, UserSumAndMxr) {
  map(kVaddr, kV | kR | kX | kU | kA);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage);
  set("mstatus", kStatusSum);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kNone);
  EXPECT_EQ(fault(kVaddr, Access::kFetch), Fault::kPage) << "SUM does not extend to fetches";
  mode(kUser);
  EXPECT_EQ(fault(kVaddr, Access::kFetch), Fault::kNone);
  map(kVaddr, kV | kX | kA);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage);
  set("mstatus", kStatusMxr);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kNone);
  mode(kUser);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage);
}

TEST_F(Riscv64Mmu, MprvAppliesToDataOnly) {
  map(kVaddr, kV | kR | kX | kA);
  mode(kMachine);
  set("mstatus", kStatusMprv | uint64_t{kSupervisor} << kStatusMppShift);
  EXPECT_EQ(ask(kVaddr, Access::kLoad).paddr, kTarget);
  EXPECT_EQ(ask(kVaddr, Access::kFetch).paddr, kVaddr);
}

TEST_F(Riscv64Mmu, WithoutAdueAccessedAndDirtyFault) {
  map(kVaddr, kV | kR | kW);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage);
  map(kVaddr, kV | kR | kW | kA);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kNone);
  EXPECT_EQ(fault(kVaddr, Access::kStore), Fault::kPage);
  set("menvcfg", ~uint64_t{0});
  EXPECT_EQ(get(0x30a) & kEnvAdue, 0u) << "hard-wired to zero without the option";
}

class Riscv64MmuSvadu : public Riscv64Mmu {
 protected:
  Riscv64MmuSvadu() : Riscv64Mmu({.svadu = true}) {}
};

TEST_F(Riscv64MmuSvadu, AdueSetsAccessedAndDirty) {
  map(kVaddr, kV | kR | kW);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kPage);
  set("menvcfg", kEnvAdue);
  EXPECT_EQ(machine_.hart.translate(kVaddr, Access::kLoad, true).fault, Fault::kNone);
  EXPECT_EQ(machine_.bus.peek<uint64_t>(leaf_), pte(kTarget, kV | kR | kW)) << "debug walks change nothing";
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kNone);
  EXPECT_EQ(machine_.bus.peek<uint64_t>(leaf_), pte(kTarget, kV | kR | kW | kA));
  EXPECT_EQ(fault(kVaddr, Access::kStore), Fault::kNone);
  EXPECT_EQ(machine_.bus.peek<uint64_t>(leaf_), pte(kTarget, kV | kR | kW | kA | kD));
}

TEST_F(Riscv64Mmu, PageTablesOutsideRamAreAnAccessFault) {
  map(kVaddr, kV | kR | kA);
  set("satp", uint64_t{8} << 60 | 0x1000);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kAccess);
}

TEST_F(Riscv64Mmu, Sv48WalksFourLevels) {
  map(kVaddr, kV | kR | kA);
  constexpr uint64_t kTop = kRamBase + 0x13000;
  machine_.bus.poke<uint64_t>(kTop + 8, pte(kRoot, kV));
  set("satp", uint64_t{9} << 60 | kTop >> 12);
  EXPECT_EQ(ask((uint64_t{1} << 39) + kVaddr, Access::kLoad).paddr, kTarget);
  set("satp", uint64_t{10} << 60 | kTop >> 12);
  EXPECT_EQ(get(0x180) >> 60, 9u) << "a mode that does not exist changes nothing";
}

class Riscv64Pmp : public Riscv64Mmu {
 protected:
  void SetUp() override {
    set("pmpcfg0", 0);
    set("pmpaddr0", 0);
  }
};

TEST_F(Riscv64Pmp, WithoutEntriesOnlyMachineModeHasAccess) {
  EXPECT_EQ(fault(kRamBase, Access::kLoad), Fault::kNone);
  mode(kUser);
  EXPECT_EQ(fault(kRamBase, Access::kLoad), Fault::kAccess);
}

TEST_F(Riscv64Pmp, TopOfRangeSplitsAPage) {
  set("pmpaddr0", (kRamBase + 0x100) >> 2);
  set("pmpaddr1", (kRamBase + 0x200) >> 2);
  set("pmpcfg0", 0x09 << 8);  // TOR, read only
  mode(kUser);
  EXPECT_EQ(fault(kRamBase + 0xfc, Access::kLoad), Fault::kAccess);
  EXPECT_EQ(fault(kRamBase + 0x200, Access::kLoad), Fault::kAccess);
  EXPECT_EQ(fault(kRamBase + 0x100, Access::kStore), Fault::kAccess);
  const core::Translation t = ask(kRamBase + 0x180, Access::kLoad);
  EXPECT_EQ(t.fault, Fault::kNone);
  EXPECT_EQ(t.block_bits, 8);
}

TEST_F(Riscv64Pmp, PowersOfTwoAndPriority) {
  set("pmpaddr0", kRamBase >> 2);                 // NA4
  set("pmpaddr1", (kRamBase >> 2) | 0x1ff);       // NAPOT of 4 KiB
  set("pmpaddr2", ~uint64_t{0} >> 10);            // everything
  set("pmpcfg0", 0x1f << 16 | 0x19 << 8 | 0x10);  // all; read; nothing
  mode(kSupervisor);
  EXPECT_EQ(fault(kRamBase, Access::kLoad), Fault::kAccess);
  EXPECT_EQ(fault(kRamBase + 4, Access::kLoad), Fault::kNone);
  EXPECT_EQ(fault(kRamBase + 4, Access::kFetch), Fault::kAccess);
  EXPECT_EQ(ask(kRamBase + 0x1000, Access::kFetch).block_bits, 12);
  EXPECT_EQ(fault(0x10, Access::kStore), Fault::kNone);
}

// An answer holds for the largest block all of whose words lie on the same side of each entry that was asked.
TEST_F(Riscv64Pmp, AnAnswerHoldsForTheLargestBlock) {
  constexpr uint64_t kSpan = 0x4000;
  std::mt19937_64 random(test::seed());
  mode(kUser);
  for (unsigned world = 0; world < 300; ++world) {
    std::array<uint64_t, 4> ends;
    uint64_t configuration = 0;
    for (unsigned k = 0; k < ends.size(); ++k) {
      const uint64_t grain = uint64_t{4} << random() % 11;
      ends[k] = kRamBase + random() % kSpan / grain * grain;
      set("pmpaddr" + std::to_string(k), ends[k] >> 2);
      configuration |= (0x08 | random() % 2) << 8 * k;  // TOR, readable or not
    }
    set("pmpcfg0", configuration);
    for (unsigned access = 0; access < 30; ++access) {
      const uint64_t at = kRamBase + random() % kSpan / 4 * 4;
      unsigned bits = core::kPageBits;
      bool allowed = false;
      for (unsigned k = 0; k < ends.size(); ++k) {
        const uint64_t first = k == 0 ? 0 : ends[k - 1];
        const auto inside = [&](uint64_t word) { return word >= first && word < ends[k]; };
        const auto mixed = [&](unsigned size_log2) {
          const uint64_t start = at >> size_log2 << size_log2;
          for (uint64_t word = start; word < start + (uint64_t{1} << size_log2); word += 4)
            if (inside(word) != inside(at)) return true;
          return false;
        };
        while (mixed(bits)) --bits;
        if (!inside(at)) continue;
        allowed = configuration >> 8 * k & 1;
        break;
      }
      const core::Translation t = ask(at, Access::kLoad);
      ASSERT_EQ(t.fault == Fault::kNone, allowed) << std::hex << at;
      if (!allowed) continue;
      ASSERT_EQ(t.block_bits, bits) << std::hex << at;
    }
  }
}

TEST_F(Riscv64Pmp, LockedEntriesBindMachineModeAndCannotChange) {
  set("pmpaddr1", (kRamBase + 0x1000) >> 2);
  set("pmpcfg0", 0x88 << 8);  // locked TOR without permissions
  EXPECT_EQ(fault(kRamBase, Access::kLoad), Fault::kAccess);
  set("pmpcfg0", 0);
  set("pmpaddr0", 0x1234);
  set("pmpaddr1", 0x1234);
  EXPECT_EQ(get(0x3a0), 0x88u << 8);
  EXPECT_EQ(get(0x3b0), 0u) << "the base of a locked range is locked too";
  EXPECT_EQ(get(0x3b1), (kRamBase + 0x1000) >> 2);
}

TEST_F(Riscv64Pmp, PageTableReadsAreChecked) {
  set("pmpaddr0", (kMiddle >> 2) | 0x1ff);
  set("pmpaddr1", ~uint64_t{0} >> 10);
  set("pmpcfg0", 0x1f << 8 | 0x18);
  map(kVaddr, kV | kR | kA);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kAccess);
}

TEST_F(Riscv64Pmp, AnEntryThatEndsInsideAPageTableEntryRefusesIt) {
  map(kVaddr, kV | kR | kA);
  set("pmpaddr0", (kRoot + (kVaddr >> 30 & 511) * 8) >> 2);
  set("pmpaddr1", ~uint64_t{0} >> 10);
  set("pmpcfg0", 0x1f << 8 | 0x17);  // NA4 with every permission
  mode(kSupervisor);
  EXPECT_EQ(fault(kVaddr, Access::kLoad), Fault::kAccess);
}

}  // namespace
}  // namespace lockstep::isa::riscv64
