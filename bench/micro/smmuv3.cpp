// SPDX-License-Identifier: Apache-2.0
// Translations a second of the SMMUv3's core, without sockets: pages that the stream used before, hits of the TLB
// proper, and with every cache of walks off a stage 1 walk of four levels and a nested one of 24 reads.
#include <benchmark/benchmark.h>

#include <vector>

#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

// Plain memory: what is timed is the SMMU.
class FlatMemory : public MemoryPort {
 public:
  static constexpr uint64_t kBytes = 64 << 20;
  FlatMemory() : bytes_(kBytes) {}
  bool read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes&, AccessKind) override {
    if (address + size_bytes > kBytes) return false;
    std::memcpy(data, &bytes_[address], size_bytes);
    return true;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const MemoryAttributes&, AccessKind) override {
    if (address + size_bytes > kBytes) return false;
    std::memcpy(&bytes_[address], data, size_bytes);
    return true;
  }
  ExchangeResult exchange(uint64_t, uint64_t, uint64_t, const MemoryAttributes&, AccessKind) override {
    return ExchangeResult::kBusError;
  }

 private:
  std::vector<uint8_t> bytes_;
};

constexpr unsigned kFewPages = 64;
// All that the TLB holds, and twice what the table of pages used before does.
constexpr unsigned kPages = 1024;

// Builds a world with the test bench and copies it into flat memory behind a second SMMU.
void run(benchmark::State& state, const Config& config, bool nested, unsigned pages) {
  SimpleWorld world(config);
  world.root = world.new_table();
  for (unsigned page = 0; page < kPages; ++page)
    world.map(world.root, 0x100000000 + page * 0x1000, (0x1000000 + page * 0x1000) | SimpleWorld::kStage1Leaf);
  Words ste = SimpleWorld::stage1_ste();
  if (nested) {
    const uint64_t root2 = world.new_table();
    SimpleWorld::add_stage2(ste, root2, 7);
    for (uint64_t at = 0x100000; at < 0x1000000 + kPages * 0x1000; at += 0x1000) world.map_stage2_identity(root2, at);
  }
  world.put_ste(3, ste);
  world.put_cd(0, SimpleWorld::cd(world.root));
  FlatMemory memory;
  for (uint64_t at = 0; at < 0x2000000; at += 4096) {
    uint8_t page[4096];
    world.memory.memory.read(at, page, sizeof page);
    memory.write(at, page, sizeof page, {}, AccessKind::kEvent);
  }
  BenchEnvironment environment;
  Smmu smmu(config, memory, environment);
  smmu.write_register(0x80, 8, SimpleWorld::kStreamTable);
  smmu.write_register(0x88, 4, 6);
  smmu.write_register(0x20, 4, 1);
  Transaction transaction;
  transaction.stream_id = 3;
  transaction.privileged = true;
  unsigned page = 0;
  for (auto _ : state) {
    transaction.address = 0x100000000 + page * 0x1000 + 0x40;
    page = page + 1 == pages ? 0 : page + 1;
    const TranslateResult result = smmu.translate(transaction);
    if (result.outcome != Outcome::kPass) state.SkipWithError("a translation failed");
    benchmark::DoNotOptimize(result.address);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

Config without_caches() {
  Config config;
  config.tlb = config.stage1_walk_cache = config.stage2_cache = false;
  return config;
}

void pages_used_before(benchmark::State& state) { run(state, Config{}, false, kFewPages); }
void tlb_hit(benchmark::State& state) { run(state, Config{}, false, kPages); }
void stage1_four_reads(benchmark::State& state) { run(state, without_caches(), false, kFewPages); }
void nested_24_reads(benchmark::State& state) { run(state, without_caches(), true, kFewPages); }

BENCHMARK(pages_used_before);
BENCHMARK(tlb_hit);
BENCHMARK(stage1_four_reads);
BENCHMARK(nested_24_reads);

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3

BENCHMARK_MAIN();
