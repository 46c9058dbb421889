// SPDX-License-Identifier: Apache-2.0
// What the JIT's first tier takes from guest bytes to installed code: blocks of eight instructions, as compilers write
// them, that run one behind another. The first pass through them translates, the next one only runs.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

#include "jit/jit_engine.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"
#include "tests/jit/assembler.h"

namespace lockstep::jit {
namespace {

using isa::riscv64::BareMachine;
using isa::riscv64::kRamBase;

constexpr uint64_t kBlocks = 4000;
constexpr uint64_t kBlockInstructions = 8;
constexpr uint64_t kRamBytes = uint64_t{1} << 20;
constexpr uint64_t kCodeOffset = 0x2000;
constexpr unsigned kStackPointer = 2;

// Loads, stores, arithmetic of both widths, and a branch that is not taken.
const std::vector<std::string> kBlock = {"ld a5,8(sp)",  "addi a4,a5,16",    "slliw a3,a4,0x2",
                                         "add a3,a3,a5", "sw a3,24(sp)",     "andi a2,a3,255",
                                         "xor a1,a2,a4", "bne zero,zero,1f", "1:"};

void translate(benchmark::State& state) {
  using clock = std::chrono::steady_clock;
  const auto block = assemble(kBlock, kRamBase);
  if (!block) return state.SkipWithError(block.message().c_str());
  for (auto _ : state) {
    BareMachine machine(kRamBytes);
    const auto engine = make_jit_engine(machine.hart, {.tiers = 1, .threads = 0});
    if (!engine) return state.SkipWithError(engine.message().c_str());
    machine.bus.engine = engine->get();
    uint64_t at = kRamBase + kCodeOffset;
    for (uint64_t k = 0; k < kBlocks; ++k) {
      for (const AssembledInstruction& i : block->instructions) {
        machine.bus.poke(at, i.word);
        at += i.length;
      }
    }
    machine.hart.s().x[kStackPointer] = kRamBase;
    const auto pass = [&] {
      machine.hart.s().pc = kRamBase + kCodeOffset;
      const auto begin = clock::now();
      (*engine)->run(kBlocks * kBlockInstructions);
      return std::chrono::duration<double>(clock::now() - begin).count();
    };
    const double first_s = pass(), second_s = pass();
    state.SetIterationTime(first_s - second_s);
    for (const core::EngineCounter& counter : (*engine)->report().counters)
      if (std::string_view(counter.name) == "blocks_translated" && counter.value < kBlocks)
        return state.SkipWithError("the first pass did not translate all blocks");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBlocks * kBlockInstructions));
}
BENCHMARK(translate)->UseManualTime();

}  // namespace
}  // namespace lockstep::jit

BENCHMARK_MAIN();
