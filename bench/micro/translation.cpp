// SPDX-License-Identifier: Apache-2.0
// What the interpreter pays where it leaves a block: finding the next block, filling the TLB, switching address spaces.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/interpreter/block_cache.h"
#include "core/memory/tlb.h"

namespace lockstep::core {
namespace {

constexpr uint64_t kRamBase = 0x80000000;
// Bytes from one block to the next: about six instructions.
constexpr uint64_t kBlockStride = 24;
constexpr unsigned kLoad = 0;

// Finds blocks in an order that the host's caches cannot foresee; the argument is how many there are.
void find_block(benchmark::State& state) {
  const auto blocks = static_cast<uint64_t>(state.range(0));
  BlockCache cache;
  for (uint64_t i = 0; i < blocks; ++i) {
    auto block = std::make_unique<CodeBlock>();
    block->pc = block->paddr = kRamBase + i * kBlockStride;
    block->size_bytes = kBlockStride;
    cache.insert(std::move(block));
  }
  uint64_t i = 0;
  for (auto _ : state) {
    // A stride that is prime to every power of ten visits all blocks.
    i = (i + 7919) % blocks;
    const uint64_t pc = kRamBase + i * kBlockStride;
    benchmark::DoNotOptimize(cache.find(pc, pc, 0));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find_block)->Arg(1'000)->Arg(100'000);

void jump_cache_hit(benchmark::State& state) {
  BlockCache cache;
  uint64_t pc = kRamBase;
  for (auto _ : state) {
    pc += 2;
    benchmark::DoNotOptimize(cache.jump_cache(pc));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(jump_cache_hit);

// The part of a TLB miss that follows the page walk.
void fill_tlb(benchmark::State& state) {
  Tlb tlb;
  std::vector<uint8_t> page(1 << kPageBits);
  uint64_t address = kRamBase;
  for (auto _ : state) {
    tlb.fill(tlb.data(), kLoad, address, address, kPageBits, page.data(), true);
    address += 1 << kPageBits;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(fill_tlb);

// A guest that goes to and fro between address spaces; past kTlbContexts of them each switch empties one.
void switch_context(benchmark::State& state) {
  const auto contexts = static_cast<uint64_t>(state.range(0));
  Tlb tlb;
  uint64_t key = 0;
  for (auto _ : state) {
    key = (key + 1) % contexts;
    tlb.select(key, key, key);
    benchmark::DoNotOptimize(tlb.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(switch_context)->Arg(2)->Arg(kTlbContexts)->Arg(kTlbContexts + 1);

}  // namespace
}  // namespace lockstep::core

BENCHMARK_MAIN();
