// SPDX-License-Identifier: Apache-2.0
#include "jit/region.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "tests/isa_frontends/riscv64/bare_machine.h"

namespace lockstep::jit {
namespace {

using isa::riscv64::BareMachine;
using isa::riscv64::kRamBase;

constexpr uint64_t kPage = core::kPageSize;

// A block that jumps to the next page, one there that jumps on inside that page, and the one that it jumps to, each
// anywhere in physical memory.
struct Chain {
  Unit& add(uint64_t pc, uint64_t paddr, uint32_t jump) {
    machine.bus.poke(paddr, jump);
    auto unit = std::make_unique<Unit>();
    unit->pc = pc;
    unit->paddr = paddr;
    unit->size_bytes = 4;
    unit->guest_instructions = 1;
    unit->mapping = {1, 0};
    unit->profile.first_heat = 10;
    return *(units[pc] = std::move(unit));
  }
  Region form(uint64_t second_page, uint64_t third_page) {
    Unit& head = add(kRamBase, kRamBase, 0x0000106f);               // jal zero, +0x1000
    Unit& second = add(kRamBase + kPage, second_page, 0x0100006f);  // jal zero, +0x10
    add(kRamBase + kPage + 0x10, third_page + 0x10, 0x0000006f);    // jal zero, +0
    head.profile.edges[0] = {kRamBase + kPage, second_page};
    second.profile.edges[0] = {kRamBase + kPage + 0x10, third_page + 0x10};
    return again();
  }
  Region again() {
    const auto find = [this](uint64_t pc, uint64_t) { return units.at(pc).get(); };
    return form_region(plan_region(*units.at(kRamBase), 10, find), machine.hart);
  }

  BareMachine machine;
  std::map<uint64_t, std::unique_ptr<Unit>> units;
};

TEST(Region, BlocksOfOnePageThatOnlyFollowOneAnotherAreJoined) {
  // The last one is a loop: others jump to it too.
  Chain chain;
  const Region region = chain.form(kRamBase + 2 * kPage, kRamBase + 2 * kPage);
  ASSERT_EQ(region.blocks.size(), 3u);
  chain.machine.bus.poke<uint32_t>(kRamBase + 2 * kPage + 0x10, 0x00008067);  // jalr zero, 0(ra)
  EXPECT_EQ(chain.again().blocks.size(), 2u);
}

// Two address spaces have run code at the same virtual page: what one has seen is not what follows in the other.
TEST(Region, BlocksOfOneVirtualPageInTwoPhysicalOnesAreInTwoRegions) {
  Chain chain;
  chain.form(kRamBase + 2 * kPage, kRamBase + 3 * kPage);
  chain.machine.bus.poke<uint32_t>(kRamBase + 3 * kPage + 0x10, 0x00008067);
  EXPECT_EQ(chain.again().blocks.size(), 2u);
}

}  // namespace
}  // namespace lockstep::jit
