// SPDX-License-Identifier: Apache-2.0
// The engine around the cells: budgets, links, code that changes, break- and watchpoints, the hook, translations that
// may not be kept.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/core/interpreter/program_machine.h"

namespace lockstep::test {
namespace {

using core::StopReason;

std::string add(unsigned d, unsigned a, int64_t k) {
  return "%a = get.i64 x" + std::to_string(a) + "\n%k = const.i64 " + std::to_string(k) +
         "\n%r = add.i64 %a, %k\nset.i64 x" + std::to_string(d) + ", %r";
}
std::string load(unsigned d, unsigned a, int64_t offset = 0, const std::string& type = "i64") {
  return "%a = get.i64 x" + std::to_string(a) + "\n%k = const.i64 " + std::to_string(offset) +
         "\n%b = add.i64 %a, %k\n%v = load." + type + " %b\n" +
         (type == "i64" ? "" : "%z = sext.i64." + type + " %v\n") + "set.i64 x" + std::to_string(d) +
         (type == "i64" ? ", %v" : ", %z");
}
std::string store(unsigned s, unsigned a, int64_t offset = 0, const std::string& type = "i64") {
  return "%a = get.i64 x" + std::to_string(a) + "\n%k = const.i64 " + std::to_string(offset) +
         "\n%b = add.i64 %a, %k\n%v = get.i64 x" + std::to_string(s) +
         (type == "i64" ? "" : "\n%n = trunc." + type + ".i64 %v") + "\nstore." + type + " %b, " +
         (type == "i64" ? "%v" : "%n");
}
std::string jump(uint64_t to) { return "jump " + std::to_string(to); }
std::string branch_not_zero(unsigned x, uint64_t to, uint64_t otherwise) {
  return "%a = get.i64 x" + std::to_string(x) + "\n%z = const.i64 0\n%c = ne.i1.i64 %a, %z\nbranch %c, " +
         std::to_string(to) + ", " + std::to_string(otherwise);
}

// A loop over calls, device accesses, page-crossing stores, traps that come back and indirect jumps.
std::unique_ptr<ProgramMachine> busy_machine(const core::InterpreterOptions& options) {
  const std::string leave_at_eights =
      "%a = get.i64 x1\n%m = const.i64 7\n%b = and.i64 %a, %m\n%z = const.i64 0\n%c = eq.i1.i64 %b, %z\n"
      "exit_if %c, 0x80000040\n%d = get.i64 x7\n%e = add.i64 %d, %m\nset.i64 x7, %e";
  const std::vector<std::string> program = {add(1, 1, 1),
                                            store(1, 2, 0xffc),
                                            load(3, 2, 0xffe, "i16"),
                                            "%c = call.i64 count\nset.i64 x4, %c",
                                            store(4, 5),
                                            load(6, 5, 4, "i32"),
                                            leave_at_eights,
                                            store(7, 2, 8),
                                            "%t = get.i64 x8\njump_ind %t"};
  auto m = std::make_unique<ProgramMachine>(program, options);
  m->put(kRam + 0x40, {add(9, 9, 1), jump(kRam)});
  m->put(kRam + 0x3000, {load(10, 11), jump(kRam)});  // faults
  m->put(kVector, {add(12, 12, 1), jump(kRam)});
  m->hart.x(2) = kRam + 0x10000;
  m->hart.x(5) = kDevice;
  m->hart.x(8) = kRam + 0x3000;
  return m;
}

TEST(Engine, StateDependsOnNeitherBudgetsNorOptions) {
  constexpr uint64_t kCount = 500;
  auto reference = busy_machine({});
  reference->run(kCount);
  const std::vector<uint8_t> want = reference->snapshot();
  EXPECT_GT(reference->hart.x(9), 2u);
  EXPECT_GT(reference->hart.x(12), 10u);
  for (const bool fusion : {true, false}) {
    for (const bool links : {true, false}) {
      for (uint64_t budget = 1; budget < 24; ++budget) {
        auto m = busy_machine({.fusion = fusion, .block_links = links});
        m->run(kCount, budget);
        ASSERT_EQ(m->snapshot(), want) << "budget " << budget << " fusion " << fusion << " links " << links;
        ASSERT_EQ(m->bus.device_log, reference->bus.device_log);
      }
    }
  }
}

TEST(Engine, EveryPrefixOfTheRunIsExact) {
  for (uint64_t count = 1; count < 40; ++count) {
    auto whole = busy_machine({});
    whole->run(count);
    auto single = busy_machine({});
    single->run(count, 1);
    ASSERT_EQ(whole->snapshot(), single->snapshot()) << count;
    ASSERT_EQ(whole->hart.instruction_count(), count);
    ASSERT_EQ(whole->hart.state().pc, single->hart.state().pc);
  }
}

TEST(Engine, LinksSaveLookups) {
  const auto lookups = [](bool links) {
    ProgramMachine m({add(1, 1, -1), branch_not_zero(1, kRam, kRam + 8), jump(kRam + 8)}, {.block_links = links});
    m.hart.x(1) = 1000;
    m.run(2500);
    EXPECT_EQ(m.hart.x(1), 0u);
    return m.engine->statistics().lookups;
  };
  EXPECT_LT(lookups(true), 10u);
  EXPECT_GT(lookups(false), 1000u);
}

TEST(Engine, LinksAcrossPagesFollowTheMapping) {
  const uint64_t page = kRam + 0x2000;
  ProgramMachine m({jump(page)});
  m.put(page, {add(1, 1, 1), jump(kRam)});
  m.put(kRam + 0x5000, {add(2, 2, 1), jump(kRam)});
  m.run(30);
  EXPECT_EQ(m.hart.x(1), 10u);
  m.hart.pages[0][page] = kRam + 0x5000;
  m.hart.tlb().flush_all();
  m.run(30);
  EXPECT_EQ(m.hart.x(1), 10u);
  EXPECT_EQ(m.hart.x(2), 10u);
}

TEST(Engine, AnInterruptDoesNotLinkAcrossMappings) {
  // The interrupt comes exactly between a block and its successor on the same page, and its handler has the
  // successor's address in another address space.
  const uint64_t page = kRam + 0x2000, successor = page + 0x40;
  ProgramMachine m({jump(page)});
  m.put(page, {"%a = get.i64 x5\n%v = const.i32 1\nstore.i32 %a, %v\njump " + std::to_string(successor)});
  m.put(successor, {add(1, 1, 1), jump(page)});
  m.put(kRam + 0x5040, {add(2, 2, 1), "exit 0x80006000"});
  m.put(kRam + 0x6000, {"exit 0x80006000"});
  m.hart.pages[1][page] = kRam + 0x5000;
  m.hart.interrupt_vector = successor;
  m.hart.x(5) = kDevice;
  m.bus.on_device_write = [&m](uint64_t, uint64_t) {
    m.hart.interrupt = true;
    m.hart.state().exit_request |= core::kExitInterruptsChanged;
  };
  m.run(3);
  EXPECT_EQ(m.hart.x(2), 1u);
  m.bus.on_device_write = nullptr;
  m.hart.select_mode(0);
  m.hart.state().pc = page;
  m.run(2);
  EXPECT_EQ(m.hart.x(2), 1u);
  EXPECT_EQ(m.hart.x(1), 1u);
}

TEST(Engine, AnInterruptComesDirectlyAfterItsInstruction) {
  for (uint64_t budget : {1u, 2u, 100u}) {
    ProgramMachine m({add(1, 1, 1), store(1, 5), add(1, 1, 1), add(1, 1, 1)});
    m.hart.x(5) = kDevice;
    m.put(kVector + 0x100, {"%c = call.i64 count\nset.i64 x4, %c", "exit 0x8001f100"});
    m.bus.on_device_write = [&m](uint64_t, uint64_t) {
      m.hart.interrupt = true;
      m.hart.state().exit_request |= core::kExitInterruptsChanged;
    };
    m.run(3, budget);
    EXPECT_EQ(m.hart.x(1), 1u);
    EXPECT_EQ(m.hart.x(4), 3u) << "the handler's first instruction is the third to begin";
  }
}

TEST(Engine, RequestsOfHelpersEndTheRunAfterTheInstruction) {
  const std::string request =
      "%y = const.i64 " + std::to_string(core::kExitYield) + "\ncall request, %y\n" + add(1, 1, 1);
  for (const bool last : {false, true}) {
    ProgramMachine m(last ? std::vector<std::string>{request + "\njump 0x80000004", add(1, 1, 1)}
                          : std::vector<std::string>{request, add(1, 1, 1)});
    const core::RunResult result = m.engine->run(10);
    EXPECT_EQ(result.reason, StopReason::kYield);
    EXPECT_EQ(result.executed, 1u);
    EXPECT_EQ(m.hart.x(1), 1u);
    EXPECT_EQ(m.hart.state().pc, kRam + 4);
  }
}

TEST(Engine, WaitsAndStops) {
  ProgramMachine m({"%k = const.i64 1\ncall request, %k", "%k = const.i64 4\ncall request, %k", add(1, 1, 1)});
  EXPECT_EQ(m.engine->run(10).reason, StopReason::kWaitForInterrupt);
  EXPECT_EQ(m.engine->run(10).reason, StopReason::kStop);
  m.hart.state().pc = kRam;
  m.hart.interrupt = true;  // taken at once, so that the wait is not reached
  m.hart.interrupt_vector = kRam + 8;
  EXPECT_EQ(m.engine->run(1).reason, StopReason::kBudget);
  EXPECT_EQ(m.hart.x(1), 1u);
}

TEST(Engine, AStoreIsSeenByTheNextFetch) {
  const std::string other = add(1, 1, 100);
  for (uint64_t budget : {1u, 3u, 100u}) {
    ProgramMachine m({store(3, 2, 4, "i16"), add(1, 1, 1), jump(kRam + 12)});
    m.put(kRam + 12, {jump(kRam + 12)});
    m.hart.x(2) = kRam;
    m.hart.x(3) = m.hart.define(other);
    m.run(3, budget);
    EXPECT_EQ(m.hart.x(1), 100u) << budget;
  }
}

TEST(Engine, AHelpersWriteIsSeenByTheNextFetch) {
  ProgramMachine m({"%p = get.i64 x2\n%v = get.i64 x3\ncall poke, %p, %v", add(1, 1, 1)});
  m.hart.x(2) = kRam + 4;
  m.hart.x(3) = m.hart.define(add(1, 1, 100));
  m.run(2);
  EXPECT_EQ(m.hart.x(1), 100u);
}

TEST(Engine, AStoreAcrossPagesChangesBothPagesOfCode) {
  const uint64_t second = kRam + 0x3000;
  ProgramMachine m({jump(second - 4)});
  m.put(second - 4, {add(1, 1, 1), add(2, 2, 1), jump(kRam)});
  m.put(kRam + 0x100, {store(3, 4, 0, "i64"), jump(kRam)});
  m.run(8);
  const uint64_t other = m.hart.define(add(5, 5, 1)), another = m.hart.define(add(6, 6, 1));
  m.hart.x(3) = other | another << 32;
  m.hart.x(4) = second - 4;
  m.hart.state().pc = kRam + 0x100;
  m.run(2 + 4);
  EXPECT_EQ(m.hart.x(1), 2u);
  EXPECT_EQ(m.hart.x(2), 2u);
  EXPECT_EQ(m.hart.x(5), 1u);
  EXPECT_EQ(m.hart.x(6), 1u);
}

TEST(Engine, AnInstructionAcrossPagesFollowsBothMappings) {
  const uint64_t second = kRam + 0x3000;
  ProgramMachine m({jump(second - 2)});
  const uint16_t number = m.hart.define(add(1, 1, 1));
  std::memcpy(m.bus.at(second - 2), &number, 2);
  m.put(second + 2, {jump(kRam)});
  m.put(kRam + 0x6002, {add(2, 2, 1), jump(kRam)});
  m.run(6);
  EXPECT_EQ(m.hart.x(1), 2u);
  m.hart.pages[0][second] = kRam + 0x6000;
  m.hart.tlb().flush_all();
  m.run(4);
  EXPECT_EQ(m.hart.x(1), 3u);
  EXPECT_EQ(m.hart.x(2), 1u);
  // Without the second page the fault is at its first byte, and the instruction counts.
  m.hart.pages[0][second] = 0;
  m.hart.tlb().flush_all();
  m.hart.state().pc = second - 2;
  const uint64_t before = m.hart.instruction_count();
  m.run(1);
  EXPECT_EQ(m.hart.last_fault_address, second);
  EXPECT_EQ(m.hart.last_access, core::Access::kFetch);
  EXPECT_EQ(m.hart.instruction_count(), before + 1);
}

TEST(Engine, APageWrittenBesideItsCodeBecomesData) {
  ProgramMachine m({store(3, 2, 0x800), branch_not_zero(1, kRam, kRam + 8), jump(kRam + 8)});
  m.hart.x(1) = 1;
  m.hart.x(2) = kRam;
  m.run(400);
  EXPECT_GT(m.engine->statistics().blocks_invalidated, 0u);
  EXPECT_LT(m.engine->statistics().blocks_invalidated, 40u);
}

TEST(Engine, BreakpointsStopBeforeTheirInstruction) {
  ProgramMachine m({add(1, 1, 1), add(2, 2, 1), add(3, 3, 1), jump(kRam)});
  m.run(8);
  m.engine->set_breakpoint(kRam + 8, true);
  for (uint64_t turn = 1; turn < 4; ++turn) {
    const core::RunResult result = m.engine->run(100);
    EXPECT_EQ(result.reason, StopReason::kBreakpoint);
    EXPECT_EQ(result.executed, turn == 1 ? 2u : 4u);
    EXPECT_EQ(m.hart.state().pc, kRam + 8);
    EXPECT_EQ(m.hart.x(2), m.hart.x(3) + 1);
  }
  m.engine->set_breakpoint(kRam + 8, false);
  EXPECT_EQ(m.engine->run(100).reason, StopReason::kBudget);
}

TEST(Engine, ABreakpointAtTheEndOfARunIsNotMissed) {
  ProgramMachine m({add(1, 1, 1), add(2, 2, 1), jump(kRam)});
  m.engine->set_breakpoint(kRam + 4, true);
  EXPECT_EQ(m.run(9, 1), StopReason::kBreakpoint);
  EXPECT_EQ(m.hart.x(1), 1u);
  EXPECT_EQ(m.hart.x(2), 0u);
  EXPECT_EQ(m.run(9, 1), StopReason::kBreakpoint);
  EXPECT_EQ(m.hart.x(2), 1u);
}

TEST(Engine, ABreakpointAtAnInterruptHandlerIsNotMissed) {
  ProgramMachine m({add(1, 1, 1), jump(kRam)});
  m.put(kVector + 0x100, {"exit 0x8001f100"});
  m.engine->set_breakpoint(kVector + 0x100, true);
  m.run(4);
  m.hart.interrupt = true;
  EXPECT_EQ(m.engine->run(10).reason, StopReason::kBreakpoint);
  EXPECT_EQ(m.hart.state().pc, kVector + 0x100);
}

TEST(Engine, WatchpointsStopBehindTheirInstruction) {
  for (const bool write : {true, false}) {
    ProgramMachine m({add(1, 1, 1), store(1, 2), load(3, 2), add(4, 4, 1), jump(kRam)});
    m.hart.x(2) = kRam + 0x8000;
    m.run(10);
    m.engine->set_watchpoint({kRam + 0x8004, 2, !write, write}, true);
    const core::RunResult result = m.engine->run(100);
    EXPECT_EQ(result.reason, StopReason::kWatchpoint);
    EXPECT_EQ(m.engine->watchpoint_address(), kRam + 0x8004);
    EXPECT_EQ(m.hart.state().pc, write ? kRam + 8 : kRam + 12);
    EXPECT_EQ(result.executed, write ? 2u : 3u);
    m.engine->set_watchpoint({kRam + 0x8004, 2, !write, write}, false);
    EXPECT_EQ(m.engine->run(100).reason, StopReason::kBudget);
  }
}

TEST(Engine, AtomicsAreReadsToo) {
  ProgramMachine m({"%a = get.i64 x2\n%v = const.i64 1\n%o = rmw.add.i64 %a, %v\nset.i64 x3, %o", jump(kRam)});
  m.hart.x(2) = kRam + 0x8000;
  m.engine->set_watchpoint({kRam + 0x8000, 8, true, false}, true);
  EXPECT_EQ(m.engine->run(10).reason, StopReason::kWatchpoint);
}

TEST(Engine, TheHookSeesEveryInstructionOnce) {
  struct Seen {
    std::vector<uint64_t> pc;
  } seen;
  ProgramMachine m({add(1, 1, 1), store(1, 5), add(1, 1, 1), branch_not_zero(1, kRam, kRam)});
  m.hart.x(5) = kDevice;
  m.run(8);
  m.engine->set_instruction_hook(
      [](void* context, core::Hart& hart) { static_cast<Seen*>(context)->pc.push_back(hart.state().pc); }, &seen);
  m.run(9, 5);
  EXPECT_EQ(seen.pc,
            (std::vector<uint64_t>{kRam, kRam + 4, kRam + 8, kRam + 12, kRam, kRam + 4, kRam + 8, kRam + 12, kRam}));
  m.engine->set_instruction_hook(nullptr, nullptr);
  m.run(100);
  EXPECT_EQ(seen.pc.size(), 9u);
}

TEST(Engine, BlocksThatMayNotBeKeptAreTranslatedEachTime) {
  ProgramMachine m({add(1, 1, 1), jump(kRam + 0x2000)});
  m.put(kRam + 0x2000, {add(2, 2, 1), jump(kRam)});
  m.hart.block_bits[kRam] = 4;
  m.run(40);
  EXPECT_EQ(m.hart.x(1), 10u);
  EXPECT_EQ(m.hart.x(2), 10u);
  EXPECT_GE(m.engine->statistics().blocks_translated, 20u);
  // What such a block led to is dropped: nothing may still point into the block that is gone.
  m.engine->invalidate_code(kRam + 0x2000, 8);
  m.run(40);
  EXPECT_EQ(m.hart.x(2), 20u);
}

TEST(Engine, ABlockIntoAPageThatMayNotBeKeptSeesItsOwnStores) {
  const uint64_t second = kRam + 0x3000;
  ProgramMachine m({jump(second - 10)});
  m.hart.block_bits[second] = 4;
  // store, an instruction that the store replaces, and one that lies on both pages
  const uint16_t cross = m.hart.define(add(7, 7, 1));
  m.put(second - 10, {store(3, 2, 0, "i16"), add(1, 1, 1)});
  std::memcpy(m.bus.at(second - 2), &cross, 2);
  m.put(second + 2, {jump(kRam)});
  m.hart.x(2) = second - 6;
  m.hart.x(3) = m.hart.define(add(1, 1, 100));
  m.run(4);
  EXPECT_EQ(m.hart.x(1), 100u);
  EXPECT_EQ(m.hart.x(7), 1u);
}

TEST(Engine, AnAccessMustLieInsideWhatWasTranslated) {
  const auto run = [](uint64_t address, uint64_t refused, bool is_store) {
    ProgramMachine m({is_store ? store(1, 2) : load(1, 2)});
    m.hart.x(1) = ~uint64_t{0};
    m.hart.x(2) = address;
    m.hart.block_bits[kRam + 0x8000] = 2;
    m.hart.refuse = [refused](uint64_t vaddr, core::Access access) {
      return access != core::Access::kFetch && vaddr / 4 == refused / 4;
    };
    m.run(1);
    EXPECT_EQ(m.hart.last_access, is_store ? core::Access::kStore : core::Access::kLoad);
    if (is_store) {
      uint64_t memory;
      std::memcpy(&memory, m.bus.at(address), 8);
      EXPECT_EQ(memory == 0, m.hart.last_fault != core::Fault::kNone);
    }
    return m.hart.last_fault;
  };
  for (const bool is_store : {false, true}) {
    // Aligned, and of another size than the rule: refused as a whole (RISC-V privileged specification, 3.7.1).
    EXPECT_EQ(run(kRam + 0x8008, kRam + 0x8100, is_store), core::Fault::kAccess);
    // Misaligned, it is looked at piece by piece.
    if (is_store) continue;
    ProgramMachine m({load(1, 2)});
    m.hart.x(2) = kRam + 0x8006;
    m.hart.block_bits[kRam + 0x8000] = 2;
    m.run(1);
    EXPECT_EQ(m.hart.last_fault, core::Fault::kNone);
  }
  for (const bool is_store : {false, true}) {
    for (const uint64_t piece : {0x8004u, 0x8008u, 0x800cu}) {
      EXPECT_EQ(run(kRam + 0x8006, kRam + piece, is_store), core::Fault::kAccess) << piece;
    }
  }
}

TEST(Engine, ReservationsHoldForAddressAndSize) {
  const std::string lr = "%a = get.i64 x2\n%o = lr.i64 %a\nset.i64 x3, %o";
  const auto sc = [](const std::string& type, unsigned address) {
    return "%a = get.i64 x" + std::to_string(address) + "\n%v = get.i64 x1\n" +
           (type == "i64" ? "%n = or.i64 %v, %v\n" : "%n = trunc." + type + ".i64 %v\n") + "%f = sc.i64." + type +
           " %a, %n\nset.i64 x4, %f";
  };
  const auto failed = [&](const std::vector<std::string>& program) {
    ProgramMachine m(program);
    m.hart.x(1) = 5;
    m.hart.x(2) = kRam + 0x8000;
    m.hart.x(5) = kRam + 0x8008;
    m.run(program.size());
    return m.hart.x(4);
  };
  EXPECT_EQ(failed({lr, sc("i64", 2)}), 0u);
  EXPECT_EQ(failed({sc("i64", 2)}), 1u);
  EXPECT_EQ(failed({lr, sc("i32", 2)}), 1u);
  EXPECT_EQ(failed({lr, sc("i64", 5)}), 1u);
  EXPECT_EQ(failed({lr, sc("i64", 2), sc("i64", 2)}), 1u);
  EXPECT_EQ(failed({lr, sc("i64", 5), sc("i64", 2)}), 1u);
}

TEST(Engine, DevicesSeeAlignedPieces) {
  ProgramMachine m({load(1, 2, 0, "i32"), store(1, 2, 0xffa, "i64")});
  m.hart.x(2) = kDevice + 2;
  m.run(2);
  // The store crosses into a page that is not there: no piece of it is written.
  EXPECT_EQ(m.bus.device_log, (std::vector<std::string>{"r2 2", "r2 4"}));
  EXPECT_EQ(m.hart.last_fault, core::Fault::kPage);
}

}  // namespace
}  // namespace lockstep::test
