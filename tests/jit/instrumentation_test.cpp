// SPDX-License-Identifier: Apache-2.0
#include "core/engine/instrumentation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/interpreter/interpreter.h"
#include "isa_frontends/riscv64/random/compare.h"
#include "isa_frontends/riscv64/random/program.h"
#include "jit/jit_engine.h"
#include "tests/core/seed.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"
#include "tests/jit/assembler.h"

// All engines tell the same of a run, and telling changes nothing: random programs, with faults, page tables, device
// accesses, interrupts, code that changes itself and budgets that end in the middle of blocks, on two engines each of
// which is watched.

namespace lockstep {
namespace {

using core::Coverage;
using core::HartInstrumentation;
using core::Instrumentation;
using isa::riscv64::random::Comparison;
using isa::riscv64::random::EngineFactory;

constexpr unsigned kPrograms = 120;

struct Access {
  unsigned privilege;
  core::MemoryRecord record;

  std::string text() const {
    const uint64_t mask = record.size_bytes == 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * record.size_bytes) - 1;
    return fmt::format("{} {:#x} {}{} {:#x} {:#x}", privilege, record.pc, record.is_store ? "store" : "load",
                       record.size_bytes, record.vaddr, record.value & mask);
  }
};

struct Watched {
  Watched(Coverage coverage, bool memory) {
    core::InstrumentationOptions options{.coverage = coverage};
    if (memory) {
      options.memory = [this](unsigned, unsigned privilege, std::span<const core::MemoryRecord> records) {
        for (const core::MemoryRecord& r : records) accesses.push_back({privilege, r});
      };
    }
    instrumentation = std::make_unique<Instrumentation>(std::move(options));
  }
  EngineFactory interpreter() {
    return [this](core::Hart& hart) -> std::unique_ptr<core::Engine> {
      return core::make_interpreter(hart, {.instrumentation = &instrumentation->hart(0)});
    };
  }
  EngineFactory jit(unsigned tiers, size_t cache_bytes = size_t{4} << 20) {
    return [=, this](core::Hart& hart) {
      return jit::make_jit_engine(hart, {.code_cache_bytes = cache_bytes,
                                         .tiers = tiers,
                                         .threads = 0,
                                         .threshold = 3,
                                         .instrumentation = &instrumentation->hart(0)})
          .value();
    };
  }
  std::vector<std::string> executed() {
    std::vector<std::string> lines;
    for (const core::ExecutedInstruction& e : instrumentation->executed()) {
      const core::CodeInstruction& i = e.instruction;
      lines.push_back(fmt::format("{:#x} {} {:02x}{:02x}{:02x}{:02x} {}{} x {}", i.pc, i.length_bytes, i.bytes[0],
                                  i.bytes[1], i.bytes[2], i.bytes[3], core::class_name(i.kind),
                                  i.ends_block ? " end" : "", e.count));
    }
    return lines;
  }

  std::unique_ptr<Instrumentation> instrumentation;
  std::vector<Access> accesses;
};

EngineFactory plain_jit() {
  return [](core::Hart& hart) {
    return jit::make_jit_engine(hart, {.code_cache_bytes = size_t{4} << 20, .threads = 0, .threshold = 3}).value();
  };
}

void expect_same(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  for (size_t k = 0; k < std::max(left.size(), right.size()); ++k) {
    const std::string one = k < left.size() ? left[k] : "nothing";
    const std::string other = k < right.size() ? right[k] : "nothing";
    if (one == other) continue;
    ADD_FAILURE() << "number " << k << " is '" << one << "' on the left and '" << other << "' on the right";
    return;
  }
}

struct Case {
  const char* name;
  Coverage coverage;
  bool memory;
  unsigned tiers;
};

class SameFacts : public testing::TestWithParam<Case> {};

TEST_P(SameFacts, OfRandomPrograms) {
  const Case& c = GetParam();
  const uint64_t seed = test::seed();
  Watched left(c.coverage, c.memory), right(c.coverage, c.memory);
  {
    Comparison comparison(left.interpreter(), right.jit(c.tiers));
    for (unsigned k = 0; k < kPrograms && !HasFailure(); ++k) {
      SCOPED_TRACE(fmt::format("seed {}, program {}", seed, k));
      const auto program = isa::riscv64::random::generate(seed + k, {.max_executed = 3000});
      const auto difference = comparison.run(program);
      ASSERT_FALSE(difference) << difference->text;
      if (k % 10 == 9) expect_same(left.executed(), right.executed());
      ASSERT_EQ(left.accesses.size(), right.accesses.size());
      for (size_t n = 0; n < left.accesses.size(); ++n) {
        ASSERT_EQ(left.accesses[n].text(), right.accesses[n].text()) << "access " << n;
      }
      left.accesses.clear();
      right.accesses.clear();
    }
    EXPECT_EQ(left.instrumentation->unfetched(), right.instrumentation->unfetched());
    EXPECT_GT(comparison.counts().traps, 100u);
  }
  EXPECT_EQ(right.instrumentation->lost(), 0u);
  // What the engines told when they ended is all.
  expect_same(left.executed(), right.executed());
}

TEST_P(SameFacts, ChangeNothing) {
  const Case& c = GetParam();
  const uint64_t seed = test::seed() + 1'000'000;
  Watched watched(c.coverage, c.memory);
  Comparison comparison(plain_jit(), watched.jit(c.tiers));
  for (unsigned k = 0; k < kPrograms; ++k) {
    const auto difference = comparison.run(isa::riscv64::random::generate(seed + k, {.max_executed = 3000}));
    ASSERT_FALSE(difference) << "seed " << seed << ", program " << k << ": " << difference->text;
  }
}

// The last block faults in its middle, so that it is begun and not ended.
TEST(KnownProgram, IsToldInstructionByInstruction) {
  using isa::riscv64::kRamBase;
  const auto program =
      jit::assemble({"addi a1,zero,5", "1: addi a0,a0,1", "sd a0,0(a4)", "addi a1,a1,-1", "bne a1,zero,1b",
                     "lw a5,0(a4)", "ld a2,0(zero)", "addi a0,a0,1", "2: jal zero,2b"},
                    kRamBase);
  ASSERT_TRUE(program.ok()) << program.message();
  constexpr uint64_t kData = kRamBase + 0x2000, kHandler = kRamBase + 0x100;
  for (unsigned tiers = 0; tiers <= 2; ++tiers) {
    Watched watched(Coverage::kCounted, true);
    isa::riscv64::BareMachine machine;
    const auto engine = (tiers == 0 ? watched.interpreter() : watched.jit(tiers))(machine.hart);
    machine.bus.engine = engine.get();
    for (const jit::AssembledInstruction& i : program->instructions) machine.bus.poke(i.pc, i.word);
    machine.bus.poke<uint32_t>(kHandler, 0x0000006f);  // stays where it is
    machine.hart.s().mtvec = kHandler;
    machine.hart.s().x[14] = kData;
    engine->run(1 + 5 * 4 + 2 + 7);
    std::vector<uint64_t> counts;
    uint64_t sum = 0;
    for (const core::ExecutedInstruction& e : watched.instrumentation->executed()) {
      counts.push_back(e.count);
      sum += e.count;
    }
    EXPECT_EQ(counts, (std::vector<uint64_t>{1, 5, 5, 5, 5, 1, 1, 7})) << tiers;
    EXPECT_EQ(sum, machine.hart.instruction_count());
    std::vector<std::string> accesses, expected;
    for (const Access& a : watched.accesses) accesses.push_back(a.text());
    for (unsigned k = 1; k <= 5; ++k) {
      expected.push_back(fmt::format("3 {:#x} store8 {:#x} {:#x}", kRamBase + 8, kData, k));
    }
    expected.push_back(fmt::format("3 {:#x} load4 {:#x} 0x5", kRamBase + 20, kData));
    EXPECT_EQ(accesses, expected) << tiers;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, SameFacts,
                         testing::Values(Case{"CoverageTier1", Coverage::kCovered, false, 1},
                                         Case{"CoverageTier2", Coverage::kCovered, false, 2},
                                         Case{"CountsTier1", Coverage::kCounted, false, 1},
                                         Case{"CountsTier2", Coverage::kCounted, false, 2},
                                         Case{"MemoryTier1", Coverage::kNone, true, 1},
                                         Case{"MemoryTier2", Coverage::kNone, true, 2},
                                         Case{"AllTier2", Coverage::kCounted, true, 2}),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace lockstep
