// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <malloc.h>

#include <map>
#include <string>

#include "jit/jit_engine.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"
#include "tests/jit/assembler.h"

// The JIT over a long life: code that is written anew for ever, and flushes without end.

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

INSTANTIATE_TEST_SUITE_P(Threads, JitLife, testing::Values(0u, 1u), [](const auto& threads) {
  return threads.param == 0 ? std::string("TheGuestWaits") : std::string("BesideTheGuest");
});

}  // namespace
}  // namespace lockstep::jit
