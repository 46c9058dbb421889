// SPDX-License-Identifier: Apache-2.0
// Translations a second through the sockets of the SMMUv3: eight bytes are read at each, from plain memory behind the
// downstream socket.
#include <benchmark/benchmark.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstring>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "core/memory/host_access.h"
#include "tests/tlm_models/smmuv3/simple_world.h"
#include "tlm_models/smmuv3/smmu_module.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint64_t kMemoryBytes = 64 << 20;
constexpr uint64_t kInput = 0x100000000;
constexpr uint64_t kOutput = 0x1000000;
// All that the TLB holds.
constexpr unsigned kPages = 1024;
// Two streams with one address space.
constexpr uint32_t kStream = 3;
constexpr uint32_t kOtherStream = 4;

class FlatTarget : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  tlm::tlm_target_socket<> socket;
  explicit FlatTarget(sc_core::sc_module_name name) : sc_module(name), socket("socket"), bytes_(kMemoryBytes) {
    socket.bind(*this);
  }
  uint8_t* at(uint64_t address) { return &bytes_[address]; }

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) override {
    const uint64_t address = payload.get_address();
    const uint64_t length = payload.get_data_length();
    if (address > kMemoryBytes - length) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    if (payload.is_write()) {
      std::memcpy(at(address), payload.get_data_ptr(), length);
    } else {
      core::host_access::load(at(address), length, payload.get_data_ptr());
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }
  unsigned transport_dbg(tlm::tlm_generic_payload&) override { return 0; }

 private:
  std::vector<uint8_t> bytes_;
};

class Requester : public sc_core::sc_module, public tlm::tlm_bw_transport_if<> {
 public:
  tlm::tlm_initiator_socket<> socket;
  explicit Requester(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.bind(*this);
    extension.transaction.stream_id = kStream;
    extension.transaction.privileged = true;
    payload_.set_extension(&extension);
    payload_.set_command(tlm::TLM_READ_COMMAND);
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&data_));
    payload_.set_data_length(sizeof data_);
    payload_.set_streaming_width(sizeof data_);
  }
  ~Requester() override { payload_.clear_extension(&extension); }

  bool read(uint64_t address) {
    payload_.set_address(address);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    socket->b_transport(payload_, delay_);
    return payload_.is_response_ok();
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

  RequesterExtension extension;

 private:
  tlm::tlm_generic_payload payload_;
  sc_core::sc_time delay_;
  uint64_t data_ = 0;
};

struct Platform : sc_core::sc_module {
  Platform(sc_core::sc_module_name name, const Config& config, bool nested)
      : sc_module(name),
        memory("memory"),
        smmu("smmu", {.core = config}),
        requester("requester"),
        software("software") {
    software.bind(smmu.socket);
    requester.socket.bind(smmu.upstream(0));
    smmu.downstream.bind(memory.socket);
    build(config, nested);
  }

  // Tables made by the tests' bench and copied here.
  void build(const Config& config, bool nested) {
    SimpleWorld world(config);
    world.root = world.new_table();
    for (uint64_t page = 0; page < kPages; ++page)
      world.map(world.root, kInput + page * 0x1000, (kOutput + page * 0x1000) | SimpleWorld::kStage1Leaf);
    Words ste = SimpleWorld::stage1_ste();
    if (nested) {
      const uint64_t root2 = world.new_table();
      SimpleWorld::add_stage2(ste, root2, 7);
      for (uint64_t at = 0x100000; at < kOutput + kPages * 0x1000; at += 0x1000) world.map_stage2_identity(root2, at);
    }
    for (const uint32_t stream : {kStream, kOtherStream}) world.put_ste(stream, ste);
    world.put_cd(0, SimpleWorld::cd(world.root));
    for (uint64_t at = 0; at < 0x2000000; at += 4096) world.memory.memory.read(at, memory.at(at), 4096);
    smmu.core().write_register(0x80, 8, SimpleWorld::kStreamTable);
    smmu.core().write_register(0x88, 4, 6);
    smmu.core().write_register(0x20, 4, 1);
  }

  FlatTarget memory;
  SmmuModule smmu;
  Requester requester;
  tlm_utils::simple_initiator_socket<Platform> software;  // registers are reached beside it
};

Config without_caches() {
  Config config;
  config.tlb = config.stage1_walk_cache = config.stage2_cache = false;
  return config;
}

// SystemC has one simulation a process, so all benchmarks' platforms are made before the first of them begins.
struct Platforms {
  Platform cached{"cached", Config{}, false};
  Platform stage1{"stage1", without_caches(), false};
  Platform nested{"nested", without_caches(), true};
  Platforms() { sc_core::sc_start(sc_core::SC_ZERO_TIME); }
};
Platforms& platforms() {
  static auto* const all = new Platforms;
  return *all;
}

// With two streams, each goes through all pages before the other does.
void run(benchmark::State& state, Platform& platform, unsigned pages, bool two_streams = false) {
  uint32_t& stream = platform.requester.extension.transaction.stream_id;
  const auto next_stream = [&] { stream = two_streams && stream == kStream ? kOtherStream : kStream; };
  for (unsigned pass = 0; pass < 4; ++pass, next_stream())
    for (unsigned page = 0; page < pages; ++page)
      if (!platform.requester.read(kInput + page * 0x1000)) state.SkipWithError("a translation failed");
  CountedMemory& counts = platform.smmu.core().memory();
  counts.clear_counts();
  unsigned page = 0;
  for (auto _ : state) {
    // Another line in each page: what is timed is not the memory's own cache.
    if (!platform.requester.read(kInput + page * 0x1000 + page % 64 * 64)) state.SkipWithError("a translation failed");
    if (++page == pages) {
      page = 0;
      next_stream();
    }
  }
  stream = kStream;
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  state.counters["reads"] =
      static_cast<double>(counts.walk_reads()) / static_cast<double>(std::max<int64_t>(1, state.iterations()));
}

void same_page(benchmark::State& state) { run(state, platforms().cached, 1); }
void pages_used_before(benchmark::State& state) { run(state, platforms().cached, 256); }
void tlb_hit(benchmark::State& state) { run(state, platforms().cached, kPages); }
// More pages of streams than are remembered with all that was decided of them: the TLB itself is asked each time.
void tlb_hit_two_streams(benchmark::State& state) { run(state, platforms().cached, kPages, true); }
void stage1_four_reads(benchmark::State& state) { run(state, platforms().stage1, 64); }
void nested_24_reads(benchmark::State& state) { run(state, platforms().nested, 64); }

BENCHMARK(same_page);
BENCHMARK(pages_used_before);
BENCHMARK(tlb_hit);
BENCHMARK(tlb_hit_two_streams);
BENCHMARK(stage1_four_reads);
BENCHMARK(nested_24_reads);

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3

BENCHMARK_MAIN();
