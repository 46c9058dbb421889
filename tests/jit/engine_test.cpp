// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/interpreter/interpreter.h"
#include "jit/compile_pool.h"
#include "jit/jit_engine.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"
#include "tests/jit/assembler.h"

// The JIT over a long life: code that is written anew for ever, flushes without end, and writes to code at the moments
// that suit it least.

namespace lockstep::jit {
namespace {

using isa::riscv64::BareMachine;
using isa::riscv64::kRamBase;

constexpr unsigned kA0 = 10;
constexpr uint64_t kRounds = 40;  // of the guest's loop, each time that it is run

// A loop that adds its constant kRounds times, and then stays where it is.
struct Adder {
  explicit Adder(const JitOptions& options) : engine(make_jit_engine(machine.hart, options).value()) {
    machine.bus.engine = engine.get();
  }

  void write(unsigned constant) {
    const auto program =
        assemble({"addi a1,zero," + std::to_string(kRounds), "addi a0,zero,0",
                  "1: addi a0,a0," + std::to_string(constant), "addi a1,a1,-1", "bne a1,zero,1b", "2: jal zero,2b"},
                 kRamBase);
    ASSERT_TRUE(program.ok()) << program.message();
    for (const AssembledInstruction& i : program->instructions) machine.bus.poke(i.pc, i.word);
    machine.bus.ram_written(kRamBase, program->end - kRamBase);
  }
  uint64_t run() {
    machine.hart.s().pc = kRamBase;
    engine->run(3 * kRounds + 10);
    return machine.hart.s().x[kA0];
  }
  std::map<std::string, uint64_t> counters() {
    std::map<std::string, uint64_t> all;
    for (const core::EngineCounter& c : engine->report().counters) all[std::string(c.name)] = c.value;
    return all;
  }

  BareMachine machine;
  std::unique_ptr<core::Engine> engine;
};

class JitLife : public testing::TestWithParam<unsigned> {
 protected:
  JitOptions options() const { return {.code_cache_bytes = size_t{1} << 20, .threads = GetParam(), .threshold = 8}; }
};

TEST_P(JitLife, CodeThatIsWrittenForEverStaysInTheCache) {
  Adder adder(options());
  for (unsigned round = 0; round < 3000; ++round) {
    const unsigned constant = round % 2000;
    adder.write(constant);
    ASSERT_EQ(adder.run(), kRounds * constant) << "round " << round;
  }
  auto counters = adder.counters();
  EXPECT_GT(counters["code_bytes"], uint64_t{1} << 20) << "more than fits was made";
  EXPECT_GT(counters["cache_regions_evicted"], 4u);
  if (GetParam() == 0) {
    EXPECT_GT(counters["regions_translated"], 1000u);
  }
}

TEST_P(JitLife, TenThousandFlushesLeaveNothingBehind) {
  Adder adder(options());
  adder.write(7);
  const auto flush = [&](unsigned times) {
    for (unsigned k = 0; k < times; ++k) {
      ASSERT_EQ(adder.run(), kRounds * 7);
      adder.engine->invalidate_all_code();
    }
  };
  flush(1000);
  const size_t before = mallinfo2().uordblks;
  flush(10000);
  const size_t after = mallinfo2().uordblks;
  // A unit takes more than a hundred bytes: a leak of one in each flush would be a megabyte.
  EXPECT_LT(after, before + (size_t{256} << 10));
}

// A page that is written beside its code again and again loses all of it, and its writes are not told any more. A
// region of that page that is still on its way must not come afterwards.
TEST(JitWrites, ARegionOnItsWayDoesNotOutliveItsPagesCode) {
  Adder adder({.threads = 1, .threshold = 8});
  std::atomic<bool> released = false;
  ASSERT_TRUE(CompilePool::shared(1)->submit([&] { released.wait(false); }));
  adder.write(7);
  EXPECT_EQ(adder.run(), kRounds * 7);
  ASSERT_GT(adder.counters()["exits_hot"], 0u) << "a region has been asked for";
  for (unsigned k = 0; k < 100; ++k) adder.machine.bus.ram_written(kRamBase + 0x800, 8);
  adder.write(9);
  EXPECT_EQ(adder.run(), kRounds * 9);
  released = true;
  released.notify_all();
  for (unsigned k = 0; k < 1'000'000 && adder.counters()["regions_translated"] == 0; ++k) {
    ASSERT_EQ(adder.run(), kRounds * 9) << "what runs is what was written last";
  }
  EXPECT_EQ(adder.run(), kRounds * 9);
  EXPECT_GT(adder.counters()["regions_translated"], 0u);
}

// A loop whose translations set accessed bits in the page that it lies in, until the page's code is dropped in the
// middle of it; then a fault at the end of the mapped pages.
struct WalkBesideCode {
  static constexpr uint64_t kFirstEntry = 64, kMapped = 200;
  static constexpr uint64_t kInstructions = 3 * kMapped + 100;

  WalkBesideCode() {
    constexpr uint64_t kRoot = kRamBase + core::kPageSize, kMiddle = kRamBase + 2 * core::kPageSize;
    const auto program = assemble({"1: ld a1,0(a0)", "add a0,a0,a2", "jal zero,1b"}, kRamBase);
    EXPECT_TRUE(program.ok()) << program.message();
    for (const AssembledInstruction& i : program->instructions) machine.bus.poke(i.pc, i.word);
    machine.bus.poke<uint32_t>(kRamBase + 0x100, 0x0000006f);  // the handler stays where it is
    // Three levels; the last is the code's page, with the entries behind the code.
    machine.bus.poke<uint64_t>(kRoot, kMiddle >> 12 << 10 | 1);
    machine.bus.poke<uint64_t>(kMiddle, kRamBase >> 12 << 10 | 1);
    for (uint64_t k = 0; k < kMapped; ++k) {
      machine.bus.poke<uint64_t>(kRamBase + 8 * (kFirstEntry + k), (kRamBase + 3 * core::kPageSize) >> 12 << 10 | 7);
    }
    auto& state = machine.hart.s();
    state.satp = uint64_t{8} << 60 | kRoot >> 12;
    state.menvcfg |= isa::riscv64::kEnvAdue;
    state.mstatus |= uint64_t{1} << 17 | uint64_t{1} << 11;  // loads as of S-mode
    state.mtvec = kRamBase + 0x100;
    state.x[kA0] = kFirstEntry << 12;
    state.x[kA0 + 2] = core::kPageSize;
    machine.hart.state_restored();
  }
  void run(std::unique_ptr<core::Engine> with, uint64_t slice = kInstructions) {
    engine = std::move(with);
    machine.bus.engine = engine.get();
    for (uint64_t left = kInstructions; left > 0; left -= std::min(slice, left)) engine->run(std::min(slice, left));
  }

  BareMachine machine{1 << 20, {.svadu = true}};
  std::unique_ptr<core::Engine> engine;
};

TEST(JitWrites, AWalkThatDropsTheCodeThatRunsLeavesAPreciseFault) {
  for (const unsigned tiers : {1u, 2u}) {
    WalkBesideCode loop;
    loop.run(make_jit_engine(loop.machine.hart, {.tiers = tiers, .threads = 0, .threshold = 8}).value());
    EXPECT_GT(loop.machine.bus.code_writes, 60u) << "accessed bits lie beside code";
    EXPECT_EQ(loop.machine.hart.s().mcause, 13u);
    EXPECT_EQ(loop.machine.hart.s().mtval, (WalkBesideCode::kFirstEntry + WalkBesideCode::kMapped) << 12);
    EXPECT_EQ(loop.machine.hart.s().mepc, kRamBase);
    EXPECT_EQ(loop.machine.hart.instruction_count(), WalkBesideCode::kInstructions);
  }
}

// Which pages are written slowly shows in the TLB, so that it is the same for all engines: also when it is generated
// code that writes, and when odd budgets have made the interpreter of the JIT keep blocks of its own.
TEST(JitWrites, APageBecomesDataAtTheSameWriteOnEveryEngine) {
  for (const uint64_t slice : {WalkBesideCode::kInstructions, uint64_t{7}, uint64_t{50}}) {
    WalkBesideCode interpreted;
    interpreted.run(core::make_interpreter(interpreted.machine.hart), slice);
    for (const unsigned tiers : {1u, 2u}) {
      WalkBesideCode loop;
      loop.run(make_jit_engine(loop.machine.hart, {.tiers = tiers, .threads = 0, .threshold = 8}).value(), slice);
      EXPECT_EQ(loop.machine.bus.code_writes, interpreted.machine.bus.code_writes) << "slices of " << slice;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, JitLife, testing::Values(0u, 1u), [](const auto& threads) {
  return threads.param == 0 ? std::string("TheGuestWaits") : std::string("BesideTheGuest");
});

}  // namespace
}  // namespace lockstep::jit
