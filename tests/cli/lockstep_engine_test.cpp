// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "isa_frontends/riscv64/riscv64.h"

namespace lockstep::cli {
namespace {

constexpr uint64_t kTurn = 10'000;

struct NoBus final : core::PhysicalBus {
  const core::RamWindow* window(uint64_t) override { return nullptr; }
  bool read(uint64_t, unsigned, uint64_t&) override { return false; }
  bool write(uint64_t, unsigned, uint64_t) override { return false; }
  void ram_written(uint64_t, uint64_t) override {}
  void page_has_code(uint64_t) override {}
};

// Counts instructions and does nothing; waits for an interrupt after `waits_at` of them.
class CountingEngine final : public core::Engine {
 public:
  CountingEngine(core::Hart& hart, std::vector<uint64_t>& budgets) : hart_(hart), budgets_(budgets) {}
  std::string_view name() const override { return "counting"; }
  core::RunResult run(uint64_t budget) override {
    budgets_.push_back(budget);
    const uint64_t count = hart_.instruction_count();
    const bool waits = waits_at > count && waits_at - count <= budget;
    const uint64_t executed = waits ? waits_at - count : budget;
    hart_.state().end_count = count + executed;
    return {waits ? core::StopReason::kWaitForInterrupt : core::StopReason::kBudget, executed};
  }
  bool invalidate_code(uint64_t, uint64_t) override { return false; }
  void invalidate_all_code() override {}
  void set_breakpoint(uint64_t, bool) override {}
  void set_watchpoint(const core::Watchpoint&, bool) override {}
  uint64_t watchpoint_address() const override { return 0; }
  void set_instruction_hook(InstructionHook, void*) override {}

  uint64_t waits_at = 0;

 private:
  core::Hart& hart_;
  std::vector<uint64_t>& budgets_;
};

struct Bench {
  explicit Bench(LockstepGrain grain)
      : hart(isa::riscv64::make_hart(0, bus, clock, isa::riscv64::HartOptions{})),
        recorder(grain, kTurn, [this](const std::vector<LockstepRecord>& some) {
          records.insert(records.end(), some.begin(), some.end());
        }) {
    auto made = std::make_unique<CountingEngine>(*hart, budgets);
    inner = made.get();
    engine = recorder.wrap(*hart, std::move(made));
  }
  core::RunResult turn(uint64_t budget = kTurn) {
    hart->begin_turn();
    return engine->run(budget);
  }

  NoBus bus;
  core::VirtualClock clock;
  std::unique_ptr<core::Hart> hart;
  std::vector<uint64_t> budgets;
  std::vector<LockstepRecord> records;
  WindowRecorder recorder;
  CountingEngine* inner;
  std::unique_ptr<core::Engine> engine;
};

TEST(LockstepEngine, WindowsFillATurnExactly) {
  for (const LockstepGrain grain : {LockstepGrain::kInstruction, LockstepGrain::kBlock, LockstepGrain::kQuantum}) {
    Bench bench(grain);
    const core::RunResult result = bench.turn();
    EXPECT_EQ(result.executed, kTurn);
    EXPECT_EQ(result.reason, core::StopReason::kBudget);
    EXPECT_EQ(std::accumulate(bench.budgets.begin(), bench.budgets.end(), uint64_t{0}), kTurn);
    EXPECT_EQ(bench.recorder.total(), kTurn);
    bench.recorder.flush();
    ASSERT_EQ(bench.records.size(), bench.budgets.size());
    EXPECT_EQ(bench.records.back().total, kTurn);
    EXPECT_EQ(bench.budgets.size() == kTurn, grain == LockstepGrain::kInstruction);
    EXPECT_EQ(bench.budgets.size() == 1, grain == LockstepGrain::kQuantum);
  }
}

TEST(LockstepEngine, ATurnOfManyQuantaIsComparedAtEach) {
  Bench bench(LockstepGrain::kQuantum);
  bench.turn(3 * kTurn + 7);
  EXPECT_EQ(bench.budgets, (std::vector<uint64_t>{kTurn, kTurn, kTurn, 7}));
}

TEST(LockstepEngine, BlockWindowsAreOfAllSizesAndFollowFromTheCount) {
  Bench bench(LockstepGrain::kBlock), again(LockstepGrain::kBlock);
  for (int turn = 0; turn < 200; ++turn) bench.turn(), again.turn();
  EXPECT_EQ(bench.budgets, again.budgets);
  const auto between = [&](uint64_t low, uint64_t high) {
    return std::count_if(bench.budgets.begin(), bench.budgets.end(), [&](uint64_t b) { return b > low && b <= high; });
  };
  for (const auto& [low, high] :
       {std::pair{0, 16}, std::pair{16, 128}, std::pair{256, 2048}, std::pair{4096, 10'000}}) {
    EXPECT_GT(between(static_cast<uint64_t>(low), static_cast<uint64_t>(high)), 100) << low << " to " << high;
  }
}

TEST(LockstepEngine, AWaitEndsTheRun) {
  Bench bench(LockstepGrain::kBlock);
  bench.inner->waits_at = 4321;
  const core::RunResult result = bench.turn();
  EXPECT_EQ(result.reason, core::StopReason::kWaitForInterrupt);
  EXPECT_EQ(result.executed, 4321u);
}

TEST(LockstepEngine, RecordsTellStatesCountsAndReasonsApart) {
  const auto hash_of = [](auto change) {
    Bench bench(LockstepGrain::kQuantum);
    change(bench);
    bench.turn(100);
    bench.recorder.flush();
    return bench.records.back().hash;
  };
  const std::vector<uint64_t> hashes = {
      hash_of([](Bench&) {}),
      hash_of([](Bench& b) { b.hart->state().pc = 2; }),
      hash_of([](Bench& b) { b.hart->state().fp_flags = 1; }),
      hash_of([](Bench& b) { b.hart->state().reservation_valid = 8; }),
      hash_of([](Bench& b) { b.hart->state().end_count = 1; }),
      hash_of([](Bench& b) { b.inner->waits_at = 100; }),
  };
  EXPECT_EQ(std::set<uint64_t>(hashes.begin(), hashes.end()).size(), hashes.size());
  EXPECT_EQ(hash_of([](Bench&) {}), hashes[0]);
}

TEST(LockstepEngine, AProbeStopsWhereItIsTold) {
  Bench plain(LockstepGrain::kBlock);
  for (int turn = 0; turn < 20; ++turn) plain.turn();
  std::vector<uint64_t> ends(plain.budgets.size());
  std::partial_sum(plain.budgets.begin(), plain.budgets.end(), ends.begin());
  for (const uint64_t target : {uint64_t{1}, ends[3], ends[3] + 1, uint64_t{54'321}, uint64_t{200'000}}) {
    for (const uint64_t exact : {0, 1}) {
      Bench bench(LockstepGrain::kBlock);
      uint64_t arrived = 0;
      bench.recorder.probe({target, exact}, [&] {
        arrived = bench.recorder.total();
        bench.recorder.end_probe();
      });
      for (int turn = 0; turn < 20; ++turn) bench.turn();
      EXPECT_EQ(arrived, exact ? target : *std::lower_bound(ends.begin(), ends.end(), target)) << target;
    }
  }
}

TEST(LockstepEngine, ACutMakesOnePieceOfWhatFollows) {
  Bench bench(LockstepGrain::kInstruction);
  uint64_t arrived = 0;
  bench.recorder.probe({1000, 1, 990}, [&] {
    arrived = bench.recorder.total();
    bench.recorder.end_probe();
  });
  bench.turn();
  EXPECT_EQ(arrived, 1000u);
  EXPECT_EQ(bench.budgets[989], 1u);
  EXPECT_EQ(bench.budgets[990], 10u);
}

TEST(LockstepEngine, TheLastBoundaryIsKnown) {
  Bench bench(LockstepGrain::kBlock);
  for (int turn = 0; turn < 3; ++turn) bench.turn();
  EXPECT_EQ(bench.recorder.boundary(), 2 * kTurn);
  bench.turn(500);
  bench.engine->run(500);  // the turn goes on
  EXPECT_EQ(bench.recorder.boundary(), 3 * kTurn);
}

}  // namespace
}  // namespace lockstep::cli
